"""Places of the picture where something stands that was not there, cut out and judged.

Shape legend: H, W = the whole picture as compared, 3 = blue, green, red in relative tones, h, w =
a cut-out of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contracts.geometry import Box
from vision.cues.ground import Ground, Standing
from vision.cues.marks import MARGIN, MarkReading, Tones, read_mark

LEAST_AREA: Final = 0.0015
"""Share of the picture: 9 x 10 pixels of 320 x 180. What is smaller is no bag but a flicker."""
LARGEST_AREA: Final = 0.06
"""Share of the picture: a suitcase near the camera. What is larger is furniture or a vehicle."""
LEAST_FILL: Final = 0.3
"""A thing fills so much of its box."""
LONGEST: Final = 5.0
"""... and its box is no longer than so many times its width, either way."""
SAME: Final = 26.0
"""Tones up to which a pixel shows what it showed before."""
_CLOSE: Final = np.ones((9, 9), np.uint8)
_OPEN: Final = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """A connected part of the picture that stands still and differs from the ground.

    Attributes:
        box: Around it, normalised.
        window: Rows and columns of the cut-out.
        mask_hw: Its part of the cut-out.
        before_hw3, after_hw3: The ground there, and what it shows now.
        light_3: What the light had done to the ground when it was cut out, tones.
        still_s: For how long it has not changed (median).
        uncovered_s: For how long nobody has been in front of it (median).
        known_s: For how long the ground there has been known (median).
        changes: How often it came to show something else lately, with nobody there (median).
        reading: What happened there.
        is_whole: It does not touch the picture's edge.
        is_thing: It has the size and shape of a thing.
    """

    box: Box
    window: tuple[slice, slice]
    mask_hw: npt.NDArray[np.uint8]
    before_hw3: Tones
    after_hw3: Tones
    light_3: npt.NDArray[np.float32]
    still_s: float
    uncovered_s: float
    known_s: float
    changes: float
    reading: MarkReading
    is_whole: bool
    is_thing: bool


def places_in(
    standing: Standing, ground: Ground, *, followed: Sequence[tuple[slice, slice]]
) -> Iterator[Place]:
    """Yield the places of one frame, largest first; specks are left out.

    Args:
        standing: Of the frame.
        ground: As of the frame.
        followed: Windows of places that are known already.
    """
    height, width = ground.shape
    least = max(12.0, LEAST_AREA * height * width)
    for window in followed:
        standing.mask_HW[window] = 0
    if cv2.countNonZero(standing.mask_HW) < least:
        return
    closed_HW = cv2.morphologyEx(standing.mask_HW, cv2.MORPH_CLOSE, _CLOSE)
    solid_HW = cv2.morphologyEx(closed_HW, cv2.MORPH_OPEN, _OPEN)
    count, labels_HW, stats_N5, _ = cv2.connectedComponentsWithStats(solid_HW)
    order = sorted(range(1, count), key=lambda index: -int(stats_N5[index, cv2.CC_STAT_AREA]))
    lit_HW3, shown_HW3 = ground.ground_HW3, ground.shown_HW3
    for index in order:
        left, top, wide, high, area = (int(value) for value in stats_N5[index])
        if area < least:
            return
        window = (
            slice(max(0, top - MARGIN), min(height, top + high + MARGIN)),
            slice(max(0, left - MARGIN), min(width, left + wide + MARGIN)),
        )
        mask_hw = np.where(labels_HW[window] == index, 255, 0).astype(np.uint8)
        inside = mask_hw > 0
        is_whole = left > 1 and top > 1 and left + wide < width - 1 and top + high < height - 1
        yield Place(
            box=(left / width, top / height, (left + wide) / width, (top + high) / height),
            window=window,
            mask_hw=mask_hw,
            before_hw3=lit_HW3[window].copy(),
            after_hw3=shown_HW3[window].copy(),
            light_3=ground.light_3.copy(),
            still_s=float(np.median(standing.age_s_HW[window][inside])),
            uncovered_s=float(np.median(standing.uncovered_s_HW[window][inside])),
            known_s=float(np.median(ground.known_s_HW[window][inside])),
            changes=changes_at(ground, window, mask_hw),
            reading=read_mark(lit_HW3[window], shown_HW3[window], mask_hw),
            is_whole=is_whole,
            is_thing=area <= LARGEST_AREA * height * width
            and area >= LEAST_FILL * wide * high
            and max(wide, high) <= LONGEST * min(wide, high),
        )


def changes_at(
    ground: Ground, window: tuple[slice, slice], mask_hw: npt.NDArray[np.uint8]
) -> float:
    """Return how often the masked part of a window came to show something else lately (median)."""
    return float(np.median(ground.changes_HW[window][mask_hw > 0]))


def agreement(
    place: Place, tone_HW3: Tones, light_3: npt.NDArray[np.float32]
) -> tuple[float, float]:
    """Return how much (0..1) of a place shows now what it showed before, and after, its change.

    Args:
        place: As it was found.
        tone_HW3: The picture of now.
        light_3: What the light has done to the ground by now, tones.
    """
    inside = place.mask_hw > 0
    now_N3 = tone_HW3[place.window][inside].astype(np.float32) - (light_3 - place.light_3)
    shares = []
    for tones_hw3 in (place.before_hw3, place.after_hw3):
        apart_N = np.abs(now_N3 - tones_hw3[inside]).max(axis=1)
        shares.append(float(np.count_nonzero(apart_N <= SAME) / apart_N.size))
    return shares[0], shares[1]


def look_alike(first_hw3: Tones, first: Place, second_hw3: Tones, second: Place) -> bool:
    """Say whether two places could show one and the same thing: its size and its colours."""
    inside, others = first.mask_hw > 0, second.mask_hw > 0
    sizes = sorted((np.count_nonzero(inside), np.count_nonzero(others)))
    apart_3 = np.abs(first_hw3[inside].mean(axis=0) - second_hw3[others].mean(axis=0))
    return bool(sizes[1] < 2.5 * sizes[0] and float(apart_3.max()) < SAME)
