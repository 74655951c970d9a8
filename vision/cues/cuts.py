"""Tells a cut to another scene from all else that changes much of a picture at once.

Light leaves the edges of what stands still where they are, or takes them away. Whoever moves
changes a block of the picture for as long as he is in it. At a cut, blocks that were calm before
and are calm after show other edges, and they lie further apart than any thing is large.

Shape legend: H, W = picture in pixels, 3 = blue, green, red, h, w = blocks.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

BLOCKS: Final = (16, 9)
"""Blocks across and down: 20 x 20 of 320 x 180 pixels."""
EVERY_S: Final = 0.15
"""Pictures that follow each other faster are left out: from one to the next nobody moves."""
STEPS: Final = 2
"""So many steps before it and after it a block must be calm: at five pictures a second 0.4 s."""
CALM: Final = 0.85
"""Correlation of the edges of two pictures from which a block is calm,"""
OTHER: Final = 0.5
"""... and below which it shows something else."""
STRUCTURED: Final = 2.0
"""Mean square of the slope (tones per pixel) from which a block has edges that can be compared; it
must have them before and after: light that blinds the sensor, and its end, only take or give."""
BLINDED: Final = 250
"""Tones (240 of 255 levels) from which a pixel shows no edges any more,"""
MOST_BLINDED: Final = 0.1
"""... and the share of such from which a block has edges of what is blinded."""
LEAST_BLOCKS: Final = 5
LEAST_SPREAD: Final = 0.12
"""Share of the picture that a box around the blocks that jumped has at least: twice the largest
thing (``vision.cues.places.LARGEST_AREA``), which may appear or go between two pictures."""
_LITTLE: Final = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class _Edges:
    """The slope across and down of one picture, and which blocks have any to be compared."""

    across_HW: FloatArray
    down_HW: FloatArray
    energy_hw: FloatArray
    is_clear_hw: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """From one picture to the next: where the edges stayed, and where they became others."""

    calm_hw: BoolArray
    other_hw: BoolArray


class Cuts:
    """Looks at the pictures of one camera, all of one size, in order."""

    def __init__(self) -> None:
        self._looked_s = 0.0
        self._edges: _Edges | None = None
        self._steps: deque[_Step] = deque(maxlen=2 * STEPS + 1)

    @property
    def is_weighing(self) -> bool:
        """Whether much changed just now and the next pictures will tell whether it was a cut."""
        return any(_is_spread(step.other_hw) for step in list(self._steps)[-STEPS:])

    def look(self, tone_HW3: BgrImage, now_s: float) -> bool:
        """Take the next picture, as ``tones_of`` makes it; say that there was a cut.

        It is said ``STEPS`` pictures after the cut, once.
        """
        if self._edges is not None and now_s - self._looked_s < EVERY_S:
            return False
        self._looked_s = now_s
        before, self._edges = self._edges, _edges(tone_HW3)
        if before is None:
            return False
        self._steps.append(_step(before, self._edges))
        if len(self._steps) < 2 * STEPS + 1:
            return False
        steps = list(self._steps)
        jumped_hw = steps.pop(STEPS).other_hw.copy()
        for step in steps:
            jumped_hw &= step.calm_hw
        return _is_spread(jumped_hw)


def _edges(tone_HW3: BgrImage) -> _Edges:
    plain_HW = cv2.cvtColor(tone_HW3, cv2.COLOR_BGR2GRAY)
    across_HW = np.asarray(cv2.Sobel(plain_HW, cv2.CV_32F, 1, 0, scale=0.25), np.float32)
    down_HW = np.asarray(cv2.Sobel(plain_HW, cv2.CV_32F, 0, 1, scale=0.25), np.float32)
    energy_hw = _blocks(across_HW * across_HW + down_HW * down_HW)
    blinded_hw = _blocks((plain_HW >= BLINDED).astype(np.float32))
    is_clear_hw = (energy_hw > STRUCTURED) & (blinded_hw <= MOST_BLINDED)
    return _Edges(across_HW, down_HW, energy_hw, is_clear_hw)


def _step(before: _Edges, now: _Edges) -> _Step:
    shared_hw = _blocks(before.across_HW * now.across_HW + before.down_HW * now.down_HW)
    likeness_hw = shared_hw / np.sqrt(before.energy_hw * now.energy_hw + _LITTLE)
    is_clear_hw = before.is_clear_hw & now.is_clear_hw
    return _Step(likeness_hw > CALM, is_clear_hw & (likeness_hw < OTHER))


def _blocks(values_HW: FloatArray) -> FloatArray:
    return np.asarray(cv2.resize(values_HW, BLOCKS, interpolation=cv2.INTER_AREA), np.float32)


def _is_spread(blocks_hw: BoolArray) -> bool:
    if np.count_nonzero(blocks_hw) < LEAST_BLOCKS:
        return False
    rows, columns = np.nonzero(blocks_hw)
    spread = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    return bool(spread >= LEAST_SPREAD * blocks_hw.size)
