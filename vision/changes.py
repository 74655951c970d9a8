"""Says whether anything changed somewhere in a picture, beyond light, noise and weather.

What is compared is fine detail in relative tones, so that no smooth change of the light, however
local, is a change. A pixel changed if it is further from the last seconds than it flickers by
itself; a place changed if more of its pixels did than stir there from frame to frame by themselves,
as they do in rain or foliage. Something that moves slowly hardly stirs from frame to frame but
departs from the last seconds all the same, so it is never taken for weather.

Shape legend: H, W = picture in pixels, h, w = places; a place is a window of 10 x 10 pixels, and
neighbouring ones overlap by half.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from vision.estimates import weight_of

Luma = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]

DARK_LEVELS: Final = 64.0
"""Added to luma before its logarithm: below it tones are absolute, since there noise rules."""
DETAIL: Final = 9
"""Detail is what differs from the mean over so many pixels: a distant person, not a shadow."""
REMEMBER_S: Final = 8.0
"""Time constant of what detail is compared with: in it, a mover at 0.2 % of the width per second
goes 2.5 of 160 pixels, its own size if it is as small as a detector can find."""
FLICKER_S: Final = 10.0
"""Time constant of a pixel's mean step from frame to frame."""
LEAST_CHANGE: Final = 5.0
"""Tones (0..255, about grey levels) that a pixel must differ by where nothing flickers: more than
compression does at each of its key frames."""
FLICKERS: Final = 4.0
"""... and so many of its mean steps, on top."""
LARGEST_STEP: Final = 40.0
"""Larger steps count as this: one switch of a lamp says nothing about flicker."""
SLOWLY_S: Final = 0.5
"""What is compared with, and the flicker, are brought up to date this often."""
CELL: Final = 5
"""Side of a grid cell in pixels; a place is 2 x 2 cells."""
LEAST_SHARE: Final = 0.04
"""Share of a place that must have changed: 4 pixels of 100, a person of 5 % of the height."""
LEARN_S: Final = 20.0
"""Time constant of how much a place stirs."""
NOISE_PIXELS: Final = 4
"""So many changed pixels in the whole picture are noise: too few to be a place's least share."""
STEADY_S: Final = 0.8
"""Changes in restless places are averaged over this: rain is gone by then, an object is not."""
STEADY_SIGMAS: Final = 5.0
"""An average change stands out by so many standard deviations; 527 places are looked at."""
SUDDEN_SIGMAS: Final = 9.0
"""... and a change of one frame by so many of the average's: what is too quick to be averaged.
They are some 2.5 times as large for a single frame at 5 frames a second."""
CALM: Final = 0.0005
"""A place that stirs less than this share of it is calm: then any change counts at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What was found in one picture.

    Attributes:
        is_any: More pixels changed than noise explains, somewhere or everywhere.
        is_there: Something changed in some place by more than that place does by itself.
        is_restless: Most of the picture stirs by itself: rain, snow, a shaking camera. Small
            changes can hide in that for a moment.
        share_hw: Of each place, the share (0..1) that changed, weather included.
    """

    is_any: bool
    is_there: bool
    is_restless: bool
    share_hw: FloatArray


class LocalChanges:
    """Compares the pictures of one camera, all of one size, in order of time.

    Args:
        luma_HW: The first of them.
    """

    def __init__(self, luma_HW: Luma) -> None:
        detail_HW = detail_of(luma_HW)
        self._before_HW = detail_HW
        self._compared_HW = detail_HW
        self._remembered_HW = detail_HW.astype(np.float32)
        self._flicker_HW = np.zeros(luma_HW.shape, np.float32)
        self._limit_HW = _limit_of(self._flicker_HW)
        self._unlearned_s = 0.0
        height, width = luma_HW.shape
        self._grid = (max(2, width // CELL), max(2, height // CELL))
        self._nothing_hw = np.zeros((self._grid[1] - 1, self._grid[0] - 1), np.float32)
        self._stir_hw = self._nothing_hw.copy()
        self._variance_hw = self._nothing_hw.copy()
        self._steady_stir_hw = self._nothing_hw.copy()
        self._steady_change_hw = self._nothing_hw.copy()
        self._is_restless = False
        self._is_settled = True
        self._learned_pixels = 0
        self._learned_places = 0

    def look(self, luma_HW: Luma, *, step_s: float, is_learning: bool) -> Change:
        """Compare a picture with the ones before.

        Args:
            luma_HW: The picture.
            step_s: Time since the one before, seconds.
            is_learning: Whether what stirs may be taken for weather. Not while objects are
                followed: they would be learned as what is usual where they pass.
        """
        detail_HW = detail_of(luma_HW)
        before_HW, self._before_HW = self._before_HW, detail_HW
        change_hw = self._share_of_places(detail_HW, self._compared_HW)
        is_any = change_hw is not self._nothing_hw
        # What stirs has changed as well, so a still scene is asked only once.
        stir_hw = self._share_of_places(detail_HW, before_HW) if is_any else self._nothing_hw
        if is_any or not self._is_settled:
            steady = weight_of(step_s, STEADY_S)
            _follow(self._steady_change_hw, change_hw, steady)
            _follow(self._steady_stir_hw, stir_hw, steady)
            self._is_settled = not (is_any or self._steady_change_hw.any())
        found = Change(
            is_any=is_any,
            is_there=is_any and self._stands_out(change_hw),
            is_restless=self._is_restless,
            share_hw=change_hw,
        )
        if is_learning:
            self._learn_places(stir_hw, step_s)
        self._unlearned_s += step_s
        if self._unlearned_s >= SLOWLY_S:
            self._learn_pixels(detail_HW, before_HW, is_learning=is_learning)
            self._unlearned_s = 0.0
        return found

    def _stands_out(self, change_hw: FloatArray) -> bool:
        stir_hw, variance_hw = self._stir_hw, self._variance_hw
        if self._is_restless:
            # It rains everywhere alike: a place that was spared so far is none that stays dry.
            stir_hw = np.maximum(stir_hw, stir_hw.mean())
            variance_hw = np.maximum(variance_hw, variance_hw.mean())
        sigma_hw = np.sqrt(variance_hw)
        excess_hw = np.maximum(
            self._steady_change_hw - STEADY_SIGMAS * sigma_hw,
            change_hw - SUDDEN_SIGMAS * sigma_hw,
        )
        excess_hw -= stir_hw
        # In a calm place there is no telling how much is usual: any change counts.
        beyond_hw = np.where(stir_hw < CALM, change_hw, excess_hw)
        return bool(beyond_hw.max() > LEAST_SHARE)

    def _learn_pixels(self, detail_HW: Luma, before_HW: Luma, *, is_learning: bool) -> None:
        """Bring up to date what pixels are compared with, and by how much they may differ."""
        step_s = self._unlearned_s
        cv2.accumulateWeighted(detail_HW, self._remembered_HW, weight_of(step_s, REMEMBER_S))
        self._compared_HW = np.asarray(cv2.convertScaleAbs(self._remembered_HW), np.uint8)
        if not is_learning:
            return
        self._learned_pixels += 1
        weight = max(1 / self._learned_pixels, weight_of(step_s, FLICKER_S))
        step_HW = cv2.absdiff(detail_HW, before_HW)
        bounded_HW = cv2.threshold(step_HW, LARGEST_STEP, 255, cv2.THRESH_TRUNC)[1]
        cv2.accumulateWeighted(bounded_HW, self._flicker_HW, weight)
        np.maximum(self._flicker_HW, _NEXT_TO_NOTHING, out=self._flicker_HW)
        self._limit_HW = _limit_of(self._flicker_HW)

    def _learn_places(self, stir_hw: FloatArray, step_s: float) -> None:
        self._learned_places += 1
        if self._is_settled and not self._stir_hw.any():
            return
        # A plain mean at first, so that the beginning is forgotten as soon as any other frame.
        weight = max(1 / self._learned_places, weight_of(step_s, LEARN_S))
        _follow(self._stir_hw, stir_hw, weight)
        _follow(self._variance_hw, (self._steady_stir_hw - self._stir_hw) ** 2, weight)
        middle = self._stir_hw.size // 2
        self._is_restless = bool(np.partition(self._stir_hw, middle, axis=None)[middle] > CALM)

    def _share_of_places(self, detail_HW: Luma, other_HW: Luma) -> FloatArray:
        """Return the share (0..1) of each place in which two pictures differ beyond the limit.

        Where that is no more than noise leaves in a whole picture, none of it counts.
        """
        distance_HW = cv2.absdiff(detail_HW, other_HW)
        mask_HW = cv2.compare(distance_HW, self._limit_HW, cv2.CMP_GT)
        if cv2.countNonZero(mask_HW) <= NOISE_PIXELS:
            return self._nothing_hw
        cells = cv2.resize(mask_HW, self._grid, interpolation=cv2.INTER_AREA).astype(np.float32)
        pairs = cells[1:] + cells[:-1]
        share_hw: FloatArray = (pairs[:, 1:] + pairs[:, :-1]) * np.float32(1 / (4 * 255))
        return share_hw


def detail_of(luma_HW: Luma) -> Luma:
    """Return fine detail in relative tones, 128 where there is none."""
    tone_HW = cv2.LUT(luma_HW, _TONES)
    mean_HW = cv2.blur(tone_HW, (DETAIL, DETAIL))
    return np.asarray(cv2.addWeighted(tone_HW, 1.0, mean_HW, -1.0, 128.0), np.uint8)


def _limit_of(flicker_HW: FloatArray) -> Luma:
    """Return how far each pixel may be from the last seconds without having changed."""
    limit_HW = cv2.convertScaleAbs(flicker_HW, alpha=FLICKERS, beta=LEAST_CHANGE)
    return np.asarray(limit_HW, np.uint8)


def _follow(average_hw: FloatArray, value_hw: FloatArray, weight: float) -> None:
    """Let a running average follow a value, and end at zero exactly.

    Numbers too small for their format would slow everything down several times.
    """
    average_hw += weight * (value_hw - average_hw)
    average_hw[average_hw < _NEXT_TO_NOTHING] = 0.0


def _relative_tones() -> Luma:
    """Return the tone (0..255) of each grey level: equal ratios of light are equal steps."""
    tones = np.log1p(np.arange(256) / DARK_LEVELS)
    levels: Luma = np.round(255 * tones / tones[-1]).astype(np.uint8)
    return levels


_NEXT_TO_NOTHING: Final = 1e-9
_TONES: Final = _relative_tones()
