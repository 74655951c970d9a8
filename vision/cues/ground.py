"""What a camera's picture has long been like, and what in it stands still but was not there.

Two memories of each pixel at two speeds: the ground, what has long been there, and what it shows
now, as soon as it has stopped changing. Where both are calm and differ, something was put there
or taken away. Compared are relative tones, with what the light did to the whole picture taken off.

Shape legend: H, W = picture in pixels, at most 320 wide, 3 = blue, green, red.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage
from vision.cues.restless import Restless
from vision.estimates import weight_of

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.uint8]
"""255 where it holds, 0 elsewhere."""

WIDTH: Final = 320
"""Larger pictures are compared at about this width: a bag of 2 % of it has 40 pixels then."""
DARK_LEVELS: Final = 24.0
"""Added to levels before their logarithm: below it noise rules, so tones are absolute."""
LEARN_S: Final = 1.0
"""What has not changed for so long, and nobody covers, is taken for the ground at first."""
STILL_S: Final = 1.2
"""What is new must have stood still for so long."""
UNCOVERED_S: Final = 0.6
"""... and nobody may have been in front of it for so long."""
FOLLOW_S: Final = 2.0
"""Time constant with which a calm pixel follows its own small changes."""
GROUND_S: Final = 30.0
"""Time constant with which the ground follows the light, where nothing new stands."""
FLICKER_S: Final = 6.0
STEADY: Final = 9.0
"""Tones (0..255) by which a pixel may differ from what it showed without having changed."""
NEW: Final = 20.0
"""... and from the ground without being new: above blocks and rings of compression."""
FLICKERS: Final = 3.0
"""... and so many of its mean steps from frame to frame on top of both."""
DISTURBED_SHARE: Final = 0.4
"""If more of the picture differs from the ground, the view or all light has changed."""
RELEARN_S: Final = 2.0
"""A view that stays disturbed for so long is a new one."""
LEARN_EVERY_S: Final = 0.4
"""The ground is brought up to date this often."""
LARGEST_STEP: Final = 30.0
"""Larger steps from frame to frame count as this: somebody passing says nothing about flicker."""
_SAMPLE: Final = 6
"""The light is measured on every sixth pixel of every sixth row."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """What stands still in one frame and is not as the ground is.

    Attributes:
        mask_HW: Where.
        age_s_HW: For how long each pixel has not changed.
        uncovered_s_HW: For how long nobody has been in front of each pixel.
        is_disturbed: The view, or the light of most of it, has changed: nothing can be said.
        is_renewed: ... for so long that everything was forgotten in this frame.
    """

    mask_HW: Mask
    age_s_HW: FloatArray
    uncovered_s_HW: FloatArray
    is_disturbed: bool = False
    is_renewed: bool = False


class Ground:
    """The two memories of one camera's picture. Pictures come in order, all of one size.

    Args:
        tone_HW3: The first of them, as ``tones_of`` makes it.
    """

    def __init__(self, tone_HW3: BgrImage) -> None:
        self._begin(tone_HW3)
        self._restless = Restless(self.shape)

    @property
    def changes_HW(self) -> FloatArray:
        """How often each pixel came to show something else lately, with nobody in front of it."""
        return self._restless.changes_HW

    def _begin(self, tone_HW3: BgrImage) -> None:
        height, width = tone_HW3.shape[:2]
        self.shape = (height, width)
        self._before_HW3 = tone_HW3
        self._showing_HW3 = tone_HW3.astype(np.float32)
        self._lasting_HW3 = tone_HW3.astype(np.float32)
        self._lasting_u8_HW3 = tone_HW3
        self.shown_HW3 = tone_HW3
        self.ground_HW3 = tone_HW3
        self.known_s_HW = np.full(self.shape, -1.0, np.float32)
        self.light_3 = np.zeros(3, np.float32)
        self._age_HW = np.zeros(self.shape, np.float32)
        self._uncovered_HW = np.zeros(self.shape, np.float32)
        self._flicker_HW = np.zeros(self.shape, np.float32)
        self._disturbed_s = 0.0
        self._unlearned_s = 0.0

    shape: tuple[int, int]
    """Height and width in pixels."""
    ground_HW3: BgrImage
    """The ground in the light of now."""
    shown_HW3: BgrImage
    """What each pixel shows since it last changed; one that changed in this frame shows what it
    did before."""
    known_s_HW: FloatArray
    """For how long each pixel's ground has been known; negative where it is not."""
    light_3: FloatArray
    """What the light did to the whole picture since the ground was learned, tones."""

    def absorb(self, window: tuple[slice, slice], mask_hw: Mask) -> None:
        """Take what is shown in the masked part of a window for the ground."""
        inside = mask_hw > 0
        unlit_N3 = self._showing_HW3[window][inside] - self.light_3
        self._lasting_HW3[window][inside] = unlit_N3
        self._lasting_u8_HW3[window][inside] = np.clip(unlit_N3, 0, 255).astype(np.uint8)
        self.known_s_HW[window][inside] = 0.0

    def look(self, tone_HW3: BgrImage, *, covered_HW: Mask, step_s: float) -> Standing:
        """Take the next picture.

        Args:
            tone_HW3: As ``tones_of`` makes it.
            covered_HW: Where people and other things that move are.
            step_s: Time since the picture before, seconds.
        """
        open_HW = self._follow(tone_HW3, covered_HW, step_s)
        self._learn_flicker(tone_HW3, open_HW, step_s)
        known_HW = _at_least(self.known_s_HW, 0.0)
        self.known_s_HW[known_HW > 0] += step_s
        seen_HW = _both(open_HW, known_HW)
        self._measure_light(tone_HW3, seen_HW)
        self._restless.look(
            self.shown_HW3,
            light_3=self.light_3,
            age_s_HW=self._age_HW,
            uncovered_s_HW=self._uncovered_HW,
            step_s=step_s,
        )
        lit_L3 = np.arange(256, dtype=np.float32)[:, None] + self.light_3
        lit = np.clip(np.round(lit_L3), 0, 255).astype(np.uint8)[None]
        self.ground_HW3 = np.asarray(cv2.LUT(self._lasting_u8_HW3, lit), np.uint8)
        nothing = Standing(
            mask_HW=np.zeros(self.shape, np.uint8),
            age_s_HW=self._age_HW,
            uncovered_s_HW=self._uncovered_HW,
        )
        if self._is_disturbed(tone_HW3, seen_HW, step_s):
            is_renewed = self._disturbed_s >= RELEARN_S
            if is_renewed:
                self._begin(tone_HW3)
            return replace(nothing, is_disturbed=True, is_renewed=is_renewed)
        new_HW = _differs(self.shown_HW3, self.ground_HW3, self._flicker_HW, least=NEW)
        self._unlearned_s += step_s
        if self._unlearned_s >= LEARN_EVERY_S - 1e-6:
            self._learn_ground(open_HW, known_HW, new_HW)
            self._unlearned_s = 0.0
        standing_HW = _both(_both(new_HW, _at_least(self._age_HW, STILL_S)), seen_HW)
        return replace(nothing, mask_HW=standing_HW)

    def _follow(self, tone_HW3: BgrImage, covered_HW: Mask, step_s: float) -> Mask:
        """Bring up to date what each pixel shows; return where nobody is in front of it."""
        self.shown_HW3 = np.asarray(cv2.convertScaleAbs(self._showing_HW3), np.uint8)
        moved_HW = _differs(tone_HW3, self.shown_HW3, self._flicker_HW, least=STEADY)
        calm_HW = cv2.bitwise_not(moved_HW)
        weight = weight_of(step_s, FOLLOW_S)
        cv2.accumulateWeighted(tone_HW3, self._showing_HW3, weight, mask=calm_HW)
        cv2.accumulateWeighted(tone_HW3, self._showing_HW3, 1.0, mask=moved_HW)
        self._age_HW += step_s
        self._age_HW[moved_HW > 0] = 0.0
        self._uncovered_HW += step_s
        self._uncovered_HW[covered_HW > 0] = 0.0
        return _at_least(self._uncovered_HW, UNCOVERED_S)

    def _learn_flicker(self, tone_HW3: BgrImage, open_HW: Mask, step_s: float) -> None:
        step_HW = _largest(cv2.absdiff(tone_HW3, self._before_HW3))
        self._before_HW3 = tone_HW3
        bounded_HW = cv2.threshold(step_HW, LARGEST_STEP, 255, cv2.THRESH_TRUNC)[1]
        weight = weight_of(step_s, FLICKER_S)
        cv2.accumulateWeighted(bounded_HW, self._flicker_HW, weight, mask=open_HW)
        # Numbers too small for their format would slow everything down several times.
        np.maximum(self._flicker_HW, 1e-9, out=self._flicker_HW)

    def _measure_light(self, tone_HW3: BgrImage, seen_HW: Mask) -> None:
        """Measure what the light did to the whole picture since the ground was learned."""
        part = slice(_SAMPLE // 2, None, _SAMPLE)
        usable_hw = seen_HW[part, part] > 0
        if np.count_nonzero(usable_hw) <= usable_hw.size // 8:
            return
        now_N3 = tone_HW3[part, part][usable_hw].astype(np.float32)
        change_N3 = now_N3 - self._lasting_HW3[part, part][usable_hw]
        self.light_3 = np.median(change_N3, axis=0).astype(np.float32)

    def _is_disturbed(self, tone_HW3: BgrImage, seen_HW: Mask, step_s: float) -> bool:
        differs_HW = _differs(tone_HW3, self.ground_HW3, self._flicker_HW, least=NEW)
        looked_at = cv2.countNonZero(seen_HW)
        changed = cv2.countNonZero(_both(differs_HW, seen_HW))
        if looked_at == 0 or changed <= DISTURBED_SHARE * looked_at:
            self._disturbed_s = 0.0
            return False
        self._disturbed_s += step_s
        return True

    def _learn_ground(self, open_HW: Mask, known_HW: Mask, new_HW: Mask) -> None:
        calm_HW = _both(open_HW, _at_least(self._age_HW, LEARN_S))
        unlit_HW3 = self._showing_HW3 - self.light_3
        first_HW = _both(calm_HW, np.asarray(cv2.bitwise_not(known_HW), np.uint8))
        cv2.accumulateWeighted(unlit_HW3, self._lasting_HW3, 1.0, mask=first_HW)
        self.known_s_HW[first_HW > 0] = 0.0
        same_HW = _both(_both(calm_HW, known_HW), np.asarray(cv2.bitwise_not(new_HW), np.uint8))
        weight = weight_of(self._unlearned_s, GROUND_S)
        cv2.accumulateWeighted(unlit_HW3, self._lasting_HW3, weight, mask=same_HW)
        self._lasting_u8_HW3 = np.asarray(
            cv2.convertScaleAbs(np.maximum(self._lasting_HW3, 0.0)), np.uint8
        )


def tones_of(pixels_HW3: BgrImage) -> BgrImage:
    """Return a picture as the ground compares it: small, smoothed, in relative tones."""
    return np.asarray(cv2.LUT(cv2.blur(shrunk(pixels_HW3), (3, 3)), _TONES), np.uint8)


def shrunk(pixels_HW3: BgrImage) -> BgrImage:
    """Return a picture at most ``WIDTH`` wide."""
    height, width = pixels_HW3.shape[:2]
    if width <= WIDTH:
        return pixels_HW3
    size = (WIDTH, max(1, round(height * WIDTH / width)))
    return np.asarray(cv2.resize(pixels_HW3, size, interpolation=cv2.INTER_AREA), np.uint8)


def _differs(
    first_HW3: npt.NDArray[np.uint8],
    second_HW3: npt.NDArray[np.uint8],
    flicker_HW: FloatArray,
    *,
    least: float,
) -> Mask:
    limit_HW = cv2.convertScaleAbs(flicker_HW, alpha=FLICKERS, beta=least)
    distance_HW = _largest(cv2.absdiff(first_HW3, second_HW3))
    return np.asarray(cv2.compare(distance_HW, limit_HW, cv2.CMP_GT), np.uint8)


def _largest(
    distance_HW3: npt.NDArray[np.integer[Any] | np.floating[Any]],
) -> npt.NDArray[np.uint8]:
    blue_HW, green_HW, red_HW = cv2.split(distance_HW3)
    return np.asarray(cv2.max(cv2.max(blue_HW, green_HW), red_HW), np.uint8)


def _at_least(values_HW: FloatArray, least: float) -> Mask:
    mask_HW: Mask = np.multiply(values_HW >= least, 255, dtype=np.uint8)
    return mask_HW


def _both(first_HW: Mask, second_HW: Mask) -> Mask:
    return np.asarray(cv2.bitwise_and(first_HW, second_HW), np.uint8)


def _relative_tones() -> npt.NDArray[np.uint8]:
    """Return the tone (0..255) of each level: equal ratios of light are equal steps."""
    tones = np.log1p(np.arange(256) / DARK_LEVELS)
    levels: npt.NDArray[np.uint8] = np.round(255 * tones / tones[-1]).astype(np.uint8)
    return levels


_TONES: Final = _relative_tones()
