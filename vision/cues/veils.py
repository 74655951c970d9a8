"""Which parts of a picture are veiled: their remembered detail is still there, but fainter.

Whatever is thin enough to be seen through mixes its own grey into what is behind it. So each cell
of the picture is read as ``now = kept * before + own``: how much of the remembered detail is kept,
what light came on top, and what detail there is that neither explains. A shadow takes light and
detail alike and adds nothing of its own; a person, a vehicle or a leaf brings detail of its own.

Shape legend: H, W = picture in pixels, at most 320 wide; h, w = its cells of 8 x 8 pixels;
3 = blue, green, red.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage
from vision.cues.ground import shrunk
from vision.estimates import weight_of

FloatArray = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

CELL: Final = 8
"""Pixels of a cell, each way."""
COARSEST: Final = (9, 9)
"""Detail is what is finer than this, in pixels: smoke has little of it."""
TEXTURE: Final = 2.0
"""Root mean square of the detail, in grey levels, that a cell must have for its loss to be seen."""
ABOVE_NOISE: Final = 2.0
"""... and how much larger than what usually cannot be explained."""
VEILED: Final = 0.22
"""Share of the detail that is lost where something is in front of it."""
RESTLESS: Final = 4.0
"""... and so many of its usual deviations on top: foliage and water lose detail all the time."""
SOFT: Final = 2.2
"""Grey levels of new detail that a veil may bring."""
UNEVEN: Final = 0.12
"""... and share of the cell's own energy: the veil may be thicker at one side."""
HARD: Final = 4.0
"""Something with detail of its own brings so many times what a veil may."""
OWN_LIGHT: Final = (45.0, 275.0)
"""Grey of the veil itself: a shadow has none, a lamp more than there is."""
COLOUR: Final = 34.0
"""Levels by which the colours of a veil differ at most: smoke is grey, a little blue or brown."""
LEVELS: Final = 4.0
"""Levels by which any of them may be wrong."""
FIRST_S: Final = 3.0
"""The memory is a plain mean for so long, then follows slowly."""
LEARN_S: Final = 25.0
LEARN_EVERY_S: Final = 0.9
SETTLE_S: Final = 10.0
"""Time constant with which it is learned what of a cell is usually unexplained and restless."""
UPSET: Final = 0.5
"""If more of what has texture is not as it was, the view, its focus or all of its air changed."""
UPSET_S: Final = 3.0
"""... and is learned anew after so long."""
FORGET_S: Final = 90.0
"""What has been otherwise for so long is what the place is like now."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Veils:
    """What one picture says of each cell (h, w).

    Attributes:
        is_known: It has texture, is remembered, and nobody who is followed is in front of it.
        is_veiled: Its detail is fainter and grey light came on top, without new detail.
        is_hard: There is detail that was not there.
        kept_hw: Share of its detail that is left; about 1 where nothing happened.
        lift_hw: Levels by which it is brighter than it was.
        stir_hw: Levels by which its mean changed since the picture before, above what is usual.
        is_upset: Nothing can be said: the whole view changed, or is not known yet.
    """

    is_known: Flags
    is_veiled: Flags
    is_hard: Flags
    kept_hw: FloatArray
    lift_hw: FloatArray
    stir_hw: FloatArray
    is_upset: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class _Reading:
    """What is measured of one picture."""

    luma_HW: FloatArray
    tone_hw3: FloatArray
    kept_hw: FloatArray
    left_hw: FloatArray
    step_hw: FloatArray


class Backdrop:
    """What each cell of one camera's picture is like when nothing is in front of it.

    Args:
        picture_HW3: The first picture, as ``read_size`` makes it; all that follow are of its size.
    """

    def __init__(self, picture_HW3: BgrImage) -> None:
        self._begin(picture_HW3)

    def _begin(self, picture_HW3: BgrImage) -> None:
        height, width = picture_HW3.shape[:2]
        self.shape = (height // CELL, width // CELL)
        self._luma_HW = _luma(picture_HW3)
        self._tone_hw3 = _cells(picture_HW3)
        self._last_hw = self._tone_hw3.mean(axis=2)
        self._left_hw = np.ones(self.shape, np.float32)
        self._sway_hw = np.full(self.shape, 0.02, np.float32)
        self._stir_hw = np.full(self.shape, 0.2, np.float32)
        self._other_s_hw = np.zeros(self.shape, np.float32)
        self._age_s = self._unlearned_s = self._upset_s = 0.0
        self._know()

    shape: tuple[int, int]
    """Cells: h, w."""

    def look(self, picture_HW3: BgrImage, *, covered_hw: Flags, step_s: float) -> Veils:
        """Read the next picture.

        Args:
            picture_HW3: As ``read_size`` makes it.
            covered_hw: Cells in front of which somebody is who is followed.
            step_s: Time since the picture before, seconds.
        """
        read = self._read(picture_HW3)
        self._age_s += step_s
        textured_hw = self._energy_hw > np.maximum(TEXTURE**2, ABOVE_NOISE**2 * self._left_hw)
        known_hw = textured_hw & ~covered_hw
        allowed_hw = 1.5 * self._left_hw + SOFT**2 + UNEVEN * self._energy_hw
        hard_hw = known_hw & (read.left_hw > HARD * allowed_hw)
        faint_hw = known_hw & (1 - read.kept_hw > VEILED + RESTLESS * self._sway_hw)
        veiled_hw = faint_hw & (read.left_hw <= allowed_hw) & self._is_grey(read)
        other_hw = faint_hw | hard_hw
        is_upset = bool(np.count_nonzero(other_hw) > UPSET * np.count_nonzero(known_hw))
        stir_hw = np.maximum(read.step_hw - self._stir_hw, 0.0)
        lift_hw = (read.tone_hw3 - self._tone_hw3).mean(axis=2)
        self._learn(read, other_hw | covered_hw, is_upset=is_upset, step_s=step_s)
        self._upset_s = self._upset_s + step_s if is_upset else 0.0
        if self._upset_s > UPSET_S:
            self._begin(picture_HW3)
        return Veils(
            is_known=known_hw,
            is_veiled=veiled_hw,
            is_hard=hard_hw,
            kept_hw=read.kept_hw,
            lift_hw=lift_hw,
            stir_hw=stir_hw,
            is_upset=is_upset or self._age_s < FIRST_S,
        )

    def _read(self, picture_HW3: BgrImage) -> _Reading:
        luma_HW = _luma(picture_HW3)
        tone_hw3 = _cells(picture_HW3)
        detail_HW = _detail(luma_HW)
        kept_hw = np.divide(_cells(detail_HW * self._detail_HW), self._energy_hw, dtype=np.float32)
        left_hw = _cells(detail_HW * detail_HW) - kept_hw * kept_hw * self._energy_hw
        mean_hw = tone_hw3.mean(axis=2)
        step_hw = mean_hw - self._last_hw
        self._last_hw = mean_hw
        # The median is what the light did to all of it.
        return _Reading(
            luma_HW=luma_HW,
            tone_hw3=tone_hw3,
            kept_hw=kept_hw,
            left_hw=np.maximum(left_hw, 0.0),
            step_hw=np.abs(step_hw - np.median(step_hw)),
        )

    def _is_grey(self, read: _Reading) -> Flags:
        """Return where what is in front has a light of its own that may be smoke's."""
        own_hw3 = read.tone_hw3 - read.kept_hw[:, :, None] * self._tone_hw3
        hidden_hw = np.maximum(1 - read.kept_hw, VEILED)
        grey_hw = own_hw3.mean(axis=2)
        spread_hw = own_hw3.max(axis=2) - own_hw3.min(axis=2)
        darkest, brightest = OWN_LIGHT
        is_lit = (grey_hw >= darkest * hidden_hw) & (grey_hw <= brightest * hidden_hw + LEVELS)
        is_grey: Flags = is_lit & (spread_hw <= COLOUR * hidden_hw + LEVELS)
        return is_grey

    def _learn(self, read: _Reading, other_hw: Flags, *, is_upset: bool, step_s: float) -> None:
        """Follow what is not otherwise now, or has been otherwise for very long."""
        self._other_s_hw += step_s
        self._other_s_hw[~other_hw] = 0.0
        self._unlearned_s += step_s
        is_new = self._age_s <= FIRST_S
        if not is_new and (is_upset or self._unlearned_s < LEARN_EVERY_S):
            return
        calm_hw = np.asarray(~other_hw | (self._other_s_hw > FORGET_S) | is_new, np.uint8)
        calm_HW = np.repeat(np.repeat(calm_hw, CELL, axis=0), CELL, axis=1)
        mean = self._unlearned_s / self._age_s if is_new else 0.0
        weight = max(weight_of(self._unlearned_s, LEARN_S), min(0.5, mean))
        cv2.accumulateWeighted(read.luma_HW, self._luma_HW, weight, mask=calm_HW)
        cv2.accumulateWeighted(read.tone_hw3, self._tone_hw3, weight, mask=calm_hw)
        weight = max(weight_of(self._unlearned_s, SETTLE_S), min(0.3, mean))
        sway_hw = np.minimum(np.abs(read.kept_hw - 1), 0.5)
        for value_hw, usual_hw in (
            (sway_hw, self._sway_hw),
            (read.left_hw, self._left_hw),
            (read.step_hw, self._stir_hw),
        ):
            cv2.accumulateWeighted(value_hw, usual_hw, weight, mask=calm_hw)
        self._unlearned_s = 0.0
        self._know()

    def _know(self) -> None:
        self._detail_HW = _detail(self._luma_HW)
        self._energy_hw = np.maximum(_cells(self._detail_HW * self._detail_HW), 1e-3)


def read_size(pixels_HW3: BgrImage) -> BgrImage:
    """Return a picture as ``Backdrop`` reads it: at most 320 wide, in whole cells."""
    picture_HW3 = shrunk(pixels_HW3)
    height, width = picture_HW3.shape[:2]
    return np.ascontiguousarray(picture_HW3[: height // CELL * CELL, : width // CELL * CELL])


def _luma(picture_HW3: BgrImage) -> FloatArray:
    return np.asarray(cv2.cvtColor(picture_HW3, cv2.COLOR_BGR2GRAY), np.float32)


def _detail(luma_HW: FloatArray) -> FloatArray:
    return np.asarray(luma_HW - cv2.blur(luma_HW, COARSEST), np.float32)


def _cells(values: npt.NDArray[np.uint8] | FloatArray) -> FloatArray:
    """Return the mean of each cell."""
    height, width = values.shape[:2]
    size = (width // CELL, height // CELL)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)
