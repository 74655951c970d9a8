"""Tells from two pictures of a place what happened there: put, taken away, or only lit otherwise.

A thing has edges where it ends and the ground goes on; so of the picture before and the one after,
the thing is in the one that has the edges along the border of what changed. Light and shadow leave
the structure of the ground as it is and change all colours alike.

Shape legend: H, W = a cut-out in pixels, 3 = blue, green, red in relative tones, N = its changed
pixels.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Tones = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.uint8]

PUT_RATIO: Final = 1.6
"""The picture with the thing has so many times the edges of the other."""
TAKEN_RATIO: Final = 1.8
"""... and more where the ground is said to have been a thing: much that changes leaves less."""
LEAST_EDGE: Final = 9.0
"""Mean step of tone along the border, per pixel, below which there is no edge at all."""
GREY: Final = 9.0
"""Light changes the tones of all colours alike, up to this."""
SAME_STRUCTURE: Final = 0.6
"""Least correlation of what is fine in the two pictures, if only the light changed."""
FLAT: Final = 5.0
"""Standard deviation of tones below which there is no structure that could be compared."""
MOST_LIGHT: Final = 120.0
"""Tones: light and shade change the level by a factor of three at most, a black bag by more."""
LEAST_CORE: Final = 20
"""Pixels that a place must have inside its border to be judged by them alone."""
_BAND: Final = np.ones((3, 3), np.uint8)
MARGIN: Final = 6
"""Pixels around a changed place that belong to its cut-out."""


class Mark(StrEnum):
    """What happened at a place."""

    PUT = "put"
    TAKEN = "taken"
    LIGHT = "light"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkReading:
    """What was made of a place, with what it was told by.

    Attributes:
        edge_before, edge_after: Mean step of tone per pixel along the border.
        likeness: Correlation of the structure inside, -1 to 1. Where both are flat, 1 if light may
            have done it, else 0.
    """

    mark: Mark
    edge_before: float
    edge_after: float
    likeness: float


def read_mark(before_HW3: Tones, after_HW3: Tones, mask_HW: Mask) -> MarkReading:
    """Say what happened in the masked part of two pictures of one place.

    Args:
        before_HW3: A cut-out with ``MARGIN`` around the change, in the light of the one after.
        after_HW3: The same place after it.
        mask_HW: Where they differ; not empty.
    """
    band_HW = np.asarray(
        cv2.subtract(cv2.dilate(mask_HW, _BAND), cv2.erode(mask_HW, _BAND)), np.uint8
    )
    edge_before, edge_after = (_edge(tones_HW3, band_HW) for tones_HW3 in (before_HW3, after_HW3))
    inside = _core(mask_HW)
    mean_3 = (after_HW3[inside].astype(np.float32) - before_HW3[inside]).mean(axis=0)
    is_one_sided = bool((mean_3 > 0).all() or (mean_3 < 0).all())
    is_grey = float(mean_3.max() - mean_3.min()) < GREY
    is_by_light = is_one_sided and is_grey and float(np.abs(mean_3).max()) < MOST_LIGHT
    likeness = _likeness(before_HW3, after_HW3, inside, of_flat=1.0 if is_by_light else 0.0)
    mark = Mark.UNCLEAR
    if likeness > SAME_STRUCTURE:
        mark = Mark.LIGHT if is_by_light else Mark.UNCLEAR
    elif edge_after > max(LEAST_EDGE, PUT_RATIO * edge_before):
        mark = Mark.PUT
    elif edge_before > max(LEAST_EDGE, TAKEN_RATIO * edge_after):
        mark = Mark.TAKEN
    return MarkReading(mark=mark, edge_before=edge_before, edge_after=edge_after, likeness=likeness)


def _edge(tones_HW3: Tones, band_HW: npt.NDArray[np.uint8]) -> float:
    plain = tones_HW3.astype(np.float32)
    across = cv2.Sobel(plain, cv2.CV_32F, 1, 0, scale=0.25)
    down = cv2.Sobel(plain, cv2.CV_32F, 0, 1, scale=0.25)
    steep_HW = np.sqrt(across**2 + down**2).max(axis=2)
    return float(steep_HW[band_HW > 0].mean()) / 2


def _core(mask_HW: Mask) -> npt.NDArray[np.bool_]:
    """Return the mask without its border, which is neither this nor that, if enough is left."""
    core_HW = cv2.erode(mask_HW, _BAND, iterations=2)
    return np.asarray((core_HW if cv2.countNonZero(core_HW) >= LEAST_CORE else mask_HW) > 0)


def _likeness(
    before_HW3: Tones, after_HW3: Tones, inside: npt.NDArray[np.bool_], *, of_flat: float
) -> float:
    """Return the correlation of the tones inside; 0 where only one of the two has structure."""
    first_N, second_N = (tones_HW3.mean(axis=2)[inside] for tones_HW3 in (before_HW3, after_HW3))
    first_N, second_N = first_N - first_N.mean(), second_N - second_N.mean()
    first, second = float(first_N.std()), float(second_N.std())
    if max(first, second) < FLAT:
        return of_flat
    if min(first, second) < FLAT / 2:
        return 0.0
    return float((first_N * second_N).mean() / (first * second))
