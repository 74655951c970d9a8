"""What stands upright on a calibrated ground: where its foot is, told from its head.

Feet go ahead of the body and stay behind it, a head hardly does; so where somebody is can be told
better from the top of the box, once it is known how tall he stands.

All points are in picture units, of a picture without roll or nearly so.
"""

from typing import Final

import numpy as np

from contracts.geometry import Point
from vision.ground import GroundPlane

_USUAL_FOCAL: Final = 0.8
"""Focal length in widths of the picture where the calibration does not tell it: 64 degrees."""
_FOCALS: Final = (0.3, 5.0)
"""What lenses have; the calibration says anything else if its points are off."""
_LEAST_SEEN: Final = 1e-6
_STEEPEST: Final = 1e-3
"""A horizon that runs straight down the picture tells nothing of heights."""


class Upright:
    """Tells heights as shares of the camera's own height above the ground.

    Args:
        ground: The plane.
        aspect: Width of the picture over its height.

    Source: single view metrology, Criminisi, Reid and Zisserman 2000: a height is the cross ratio
    of head, foot, horizon and the point where plumb lines meet; that point is the horizon's pole,
    for a focal length told from the four points, Hartley and Zisserman, section 8.6.
    """

    def __init__(self, ground: GroundPlane, *, aspect: float) -> None:
        self._ground = ground
        across, up, _ = ground.rows[2]
        centre = ground.scale((0.5, 0.5))
        squared = _squared_focal(ground, aspect)
        gradient = (across / aspect) ** 2 + up**2
        self._plumb = centre / (squared * gradient + centre**2)

    def share(self, foot: Point, head: Point) -> float:
        """Return how high ``head`` is above ``foot``: 1 is as high as the camera.

        0 where nothing is seen of heights: straight below the camera.
        """
        above, below = self._ground.scale(head), self._ground.scale(foot)
        seen = 1 - above * self._plumb
        return (1 - above / below) / seen if abs(seen) > _LEAST_SEEN else 0.0

    def foot(self, head: Point, share: float) -> Point | None:
        """Return where the foot is of somebody who stands so tall; None where it cannot be told.

        Args:
            head: Top of the box.
            share: As ``share`` has it.
        """
        across, up, offset = self._ground.rows[2]
        above = self._ground.scale(head)
        part = 1 - share + share * self._plumb * above
        if above <= 0 or part <= 0 or abs(up) < _STEEPEST * above:
            return None
        return (head[0], (above / part - offset - across * head[0]) / up)


def camera_place(ground: GroundPlane, *, aspect: float) -> Point | None:
    """Return where on the ground the camera hangs, straight below it; None where it is not told.

    Args:
        ground: The plane.
        aspect: Width of the picture over its height.

    Source: the point where plumb lines meet is the horizon's pole; see ``Upright``.
    """
    across, up, _ = ground.rows[2]
    squared, centre = _squared_focal(ground, aspect), ground.scale((0.5, 0.5))
    # In the picture, as homogeneous coordinates: of a level camera it is infinitely far down.
    x, y = squared * across / aspect**2 + 0.5 * centre, squared * up + 0.5 * centre
    left, top, scale = (a * x + b * y + c * centre for a, b, c in ground.rows)
    return (left / scale, top / scale) if abs(scale) > _LEAST_SEEN else None


def _squared_focal(ground: GroundPlane, aspect: float) -> float:
    """Return the square of the focal length, in heights of the picture."""
    usual = (_USUAL_FOCAL * aspect) ** 2
    seen_33 = np.linalg.inv(np.array(ground.rows))
    # From the picture's middle, in its heights.
    seen_33[0] = (seen_33[0] - 0.5 * seen_33[2]) * aspect
    seen_33[1] -= 0.5 * seen_33[2]
    (x1, x2), (y1, y2), (z1, z2) = seen_33[:, :2].tolist()
    # The two axes of the ground are at right angles, and as long as each other.
    sides = ((z1 * z2, x1 * x2 + y1 * y2), (z1**2 - z2**2, x1**2 + y1**2 - x2**2 - y2**2))
    weight = sum(known**2 for known, _ in sides)
    if weight <= 0:
        return usual
    squared = -sum(known * seen for known, seen in sides) / weight
    low, high = ((focal * aspect) ** 2 for focal in _FOCALS)
    return squared if low <= squared <= high else usual
