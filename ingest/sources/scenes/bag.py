"""A holdall: carried in a hand, or left on the ground."""

from typing import Final

import numpy as np

from ingest.sources.scenes.canvas import Colour
from ingest.sources.scenes.person import on_ground, shaded
from ingest.sources.scenes.projection import FloatArray, Pinhole
from ingest.sources.scenes.shapes import Figure, Sketch, hull

_LONG_M: Final = 0.66
_HIGH_M: Final = 0.34
_WIDE_M: Final = 0.32
_COLOUR: Final[Colour] = (52, 66, 46)
_STRAP: Final[Colour] = (30, 32, 34)
CARRIED_M: Final = 0.46
"""How far the bottom of the bag hangs below the hand that carries it."""


def bag_figure(view: Pinhole, bottom: FloatArray, *, sun: tuple[float, float]) -> Figure:
    """Return the bag, its long side across the view.

    Args:
        view: Who looks.
        bottom: Middle of its underside in the world, shape (3,).
        sun: Shift of a shadow in x and z for each metre of height.
    """
    long, wide = _LONG_M / 2, _WIDE_M / 2
    near_low = [(-long, 0.04, -wide), (long, 0.04, -wide), (long * 0.9, 0.0, -wide)]
    near_low.append((-long * 0.9, 0.0, -wide))
    top_near = [(-long * 0.94, _HIGH_M, -wide * 0.6), (long * 0.94, _HIGH_M, -wide * 0.6)]
    top_far = [(-long * 0.9, _HIGH_M, wide * 0.6), (long * 0.9, _HIGH_M, wide * 0.6)]
    waist = [(-long * 1.02, 0.2, -wide), (long * 1.02, 0.2, -wide)]
    grip = [(-0.13, _HIGH_M, -0.05), (-0.08, _HIGH_M + 0.12, 0.0), (0.08, _HIGH_M + 0.12, 0.0)]
    grip.append((0.13, _HIGH_M, -0.05))
    corners_N3 = bottom + np.array([*near_low, *waist, *top_near, *top_far, *grip])
    pixels_N2 = view.project(corners_N3)
    scale_px = view.focal_px / float(view.depth(corners_N3).mean())
    sketch = Sketch()
    thin = (0.018 * scale_px, 0.018 * scale_px)
    for start, end in ((10, 11), (11, 12), (12, 13)):
        sketch.limb(pixels_N2[start], pixels_N2[end], thin, _STRAP)
    sketch.polygon(hull(pixels_N2[:10]), shaded(_COLOUR, 0.86))
    sketch.polygon(hull(pixels_N2[6:10]), shaded(_COLOUR, 1.35))
    for share in (0.24, 0.76):
        low = pixels_N2[3] + share * (pixels_N2[2] - pixels_N2[3])
        high = pixels_N2[6] + share * (pixels_N2[7] - pixels_N2[6])
        sketch.limb(low, high, thin, _STRAP)
    shadow = hull(view.project(on_ground(corners_N3[:10], sun)))
    return Figure(shapes=sketch.shapes(), shadows=(shadow,), depth_m=float(bottom[2]))
