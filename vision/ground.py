"""The ground plane: from places in the picture to metres, by four points that somebody measured.

Shape legend: N = points, 2 = x and y.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.errors import ConfigError
from contracts.geometry import Calibration, Point, check_point

FloatArray = npt.NDArray[np.float64]

CORNERS: Final = 4
LENGTH_SHARE: Final = 0.05
"""Relative standard uncertainty of lengths on the ground: its points were clicked and paced out,
and the foot of a box is not always the same point of the body (docs/results/rules.md)."""
_FLATTEST: Final = 0.01
"""Least area of a triangle of three points, as a share of the square of its longest side."""
_FARTHEST_M: Final = 10_000.0
_HORIZON: Final = 0.05
"""Points whose distance is more than 1 / this of the nearest calibrated one's are not measured."""


class GroundPlane:
    """Tells where on the ground, in metres, a foot in the picture stands.

    Raises:
        ConfigError: The calibration is no plane seen by a camera: not four points, three of them
            on one line, or not in the same order in the picture and on the ground.

    Source: the direct linear transform of four points, Hartley and Zisserman, "Multiple View
    Geometry in Computer Vision", section 4.1.
    """

    def __init__(self, calibration: Calibration) -> None:
        _check(calibration)
        # Plain numbers: the places of hundreds of feet are asked for one by one.
        self._rows: tuple[tuple[float, ...], ...] = tuple(
            tuple(map(float, row)) for row in _homography(calibration)
        )
        scales = [self.scale(point) for point in calibration.picture]
        if scales[0] < 0:
            self._rows = tuple(tuple(-value for value in row) for row in self._rows)
            scales = [-scale for scale in scales]
        self._least_scale = _HORIZON * max(scales)

    @property
    def rows(self) -> tuple[tuple[float, ...], ...]:
        """The homography from the picture to the ground, three by three."""
        return self._rows

    def place(self, point: Point) -> Point | None:
        """Return where on the ground the point is, metres; None near the horizon and beyond."""
        scale = self.scale(point)
        # A comparison with what is not a number is false, as it should be here.
        if not scale >= self._least_scale:
            return None
        (a, b, c), (d, e, f), _ = self._rows
        x, y = point
        return ((a * x + b * y + c) / scale, (d * x + e * y + f) / scale)

    def places(self, points_N2: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """Return the places of many points, shape (N, 2), and which of them are known."""
        homogeneous_N3 = points_N2 @ np.array(self._rows)[:, :2].T + np.array(self._rows)[:, 2]
        scales_N = homogeneous_N3[:, 2]
        is_known_N = scales_N >= self._least_scale
        return homogeneous_N3[:, :2] / np.where(is_known_N, scales_N, 1.0)[:, None], is_known_N

    def blur_m(self, point: Point, jitter: float) -> float:
        """Return the standard deviation in metres of a place whose point jitters; inf where none.

        Args:
            point: In the picture.
            jitter: Standard deviation of each of its coordinates, picture units.
        """
        place = self.place(point)
        if place is None:
            return math.inf
        scale = self.scale(point)
        (a, b, _), (d, e, _), (g, h, _) = self._rows
        xx, xy = (a - place[0] * g) / scale, (b - place[0] * h) / scale
        yx, yy = (d - place[1] * g) / scale, (e - place[1] * h) / scale
        # The larger singular value of the matrix of these four.
        total, turn = xx**2 + xy**2 + yx**2 + yy**2, xx * yy - xy * yx
        return jitter * math.sqrt((total + math.sqrt(max(0.0, total**2 - 4 * turn**2))) / 2)

    def area_m2(self, polygon: Sequence[Point]) -> float | None:
        """Return the area that a polygon of the picture covers; None if it nears the horizon."""
        corners = [self.place(point) for point in polygon]
        known = [corner for corner in corners if corner is not None]
        if len(known) < len(corners):
            return None
        return abs(_twice_area(known)) / 2

    def scale(self, point: Point) -> float:
        """Return the third homogeneous coordinate: falls to 0 towards the horizon.

        It is one over the distance along the camera's axis, in a unit of its own.
        """
        g, h, i = self._rows[2]
        return g * point[0] + h * point[1] + i


def _homography(calibration: Calibration) -> FloatArray:
    rows, right = [], []
    for (u, v), (x, y) in zip(calibration.picture, calibration.ground, strict=True):
        rows += [[u, v, 1, 0, 0, 0, -u * x, -v * x], [0, 0, 0, u, v, 1, -u * y, -v * y]]
        right += [x, y]
    solved_8 = np.linalg.solve(np.array(rows, np.float64), np.array(right, np.float64))
    return np.append(solved_8, 1.0).reshape(3, 3)


def _check(calibration: Calibration) -> None:
    picture, ground = calibration.picture, calibration.ground
    if len(picture) != CORNERS or len(ground) != CORNERS:
        raise ConfigError(
            f"calibration: needs {CORNERS} points of the picture and as many of the ground, "
            f"got {len(picture)} and {len(ground)}"
        )
    for number, point in enumerate(picture, start=1):
        check_point(point, what=f"calibration: point {number} of the picture")
    for number, place in enumerate(ground, start=1):
        if not all(math.isfinite(value) and abs(value) <= _FARTHEST_M for value in place):
            raise ConfigError(
                f"calibration: point {number} of the ground must be in metres within "
                f"{_FARTHEST_M:g} of the origin, got {tuple(place)}"
            )
    turns = set()
    for triple in itertools.combinations(range(CORNERS), 3):
        seen = _turn([picture[index] for index in triple])
        true = _turn([ground[index] for index in triple])
        numbers = ", ".join(str(index + 1) for index in triple)
        for name, turn in (("picture", seen), ("ground", true)):
            if turn == 0:
                raise ConfigError(
                    f"calibration: points {numbers} of the {name} lie (nearly) on one line; "
                    "choose four corners of an area, for instance of a parking bay"
                )
        turns.add(seen * true)
    if len(turns) > 1:
        raise ConfigError(
            "calibration: the points of the ground are in another order than those of the "
            "picture (are two of them swapped?)"
        )


def _turn(triangle: Sequence[Point]) -> int:
    """Return +1 or -1 for the way around the triangle, 0 where it is (nearly) flat."""
    longest = max(math.dist(a, b) for a, b in itertools.combinations(triangle, 2))
    twice = _twice_area(triangle)
    if longest <= 0 or abs(twice) / 2 < _FLATTEST * longest**2:
        return 0
    return 1 if twice > 0 else -1


def _twice_area(polygon: Sequence[Point]) -> float:
    return sum(
        x * next_y - next_x * y
        for (x, y), (next_x, next_y) in zip(polygon, [*polygon[1:], polygon[0]], strict=True)
    )
