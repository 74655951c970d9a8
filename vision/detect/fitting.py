"""Fits pictures of any size into inputs of about the same area, so that each costs the same.

Shape legend: N = pictures, H, W = input in pixels, 3 = blue, green, red.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np

from contracts.frames import BgrImage

STEP: Final = 32
"""Sides of an input are multiples of this, in pixels."""
LARGEST_AREA: Final = 384 * 224
"""Pixels of an input at most: 16:9 becomes 384x216 in 384x224, 4:3 becomes 320x240 in 320x256."""
GREY: Final = 114
"""Fills the rest at the right and the bottom, as in training."""
COARSE: Final = 0.5
"""Below this scale areas are averaged; bilinear sampling would leave pixels out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Where a picture lies in its input: at the top left.

    Attributes:
        input_size: Height and width of the input, in pixels.
        fitted: Height and width of the picture in it.
    """

    input_size: tuple[int, int]
    fitted: tuple[int, int]


@cache
def fit_of(height: int, width: int) -> Fit:
    """Return the fit of a picture by its size: the largest picture, then the least padding.

    Small pictures are enlarged. Of very long pictures one side may be a single pixel.
    """
    best: tuple[int, int, Fit] | None = None
    for rows in range(STEP, LARGEST_AREA // STEP + 1, STEP):
        columns = LARGEST_AREA // rows // STEP * STEP
        scale = min(rows / height, columns / width)
        fitted = (max(1, round(height * scale)), max(1, round(width * scale)))
        tight = (_up(fitted[0]), _up(fitted[1]))
        rank = (fitted[0] * fitted[1], -tight[0] * tight[1])
        if best is None or rank > best[:2]:
            best = (*rank, Fit(input_size=tight, fitted=fitted))
    if best is None:
        raise ValueError(f"no input of {LARGEST_AREA} pixels has sides of multiples of {STEP}")
    return best[2]


def stack(pictures: Sequence[BgrImage], fit: Fit) -> BgrImage:
    """Return the pictures, which all have this fit, as one batch (N, H, W, 3)."""
    batch_NHW3 = np.full((len(pictures), *fit.input_size, 3), GREY, np.uint8)
    height, width = fit.fitted
    for place_HW3, pixels_HW3 in zip(batch_NHW3, pictures, strict=True):
        is_coarse = height < COARSE * pixels_HW3.shape[0] or width < COARSE * pixels_HW3.shape[1]
        place_HW3[:height, :width] = cv2.resize(
            pixels_HW3,
            (width, height),
            interpolation=cv2.INTER_AREA if is_coarse else cv2.INTER_LINEAR,
        )
    return batch_NHW3


def _up(pixels: int) -> int:
    return -(-pixels // STEP) * STEP
