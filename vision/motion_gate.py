"""Says for next to nothing whether anything in a picture moves, and how much.

Used to leave out a costly detector on still scenes, and for the facts about the whole picture.
Shape legend: H, W = gate's picture in pixels.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage, Frame

Luma = npt.NDArray[np.uint8]

GATE_SIZE: Final = (160, 90)
"""Largest width and height of the picture that is compared, in pixels."""
FOLLOW_S: Final = 0.6
"""Time constant of the running average that a picture is compared with."""
MOVED_LEVELS: Final = 10.0
"""A pixel moved if it is farther than this from the average, after the light, in grey levels."""
MOVED_SHARE: Final = 0.0008
"""Share of the picture that must have moved: 12 pixels of 14,400, a person far away."""
HOLD_S: Final = 1.0
"""The gate stays open for so long after the last movement."""
LOOK_ANYWAY_S: Final = 2.0
"""A shut gate opens for one frame this often: what came too slowly to be seen is found then."""
LIGHT_WINDOW_S: Final = 1.0
LONGEST_STEP_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """What moved in one frame.

    Attributes:
        share: Part of the picture, 0 to 1, that differs from the last seconds; a change of the
            light of the whole picture does not count.
        light_change: Change of mean luma over the last second, 0 to 1, always positive.
        is_moving: Whether a detector should look: something moves or just did, the gate has
            only begun, or it has been shut for a while. A caller that follows tracks looks
            whatever the gate says: somebody who stands still does not move.
    """

    share: float
    light_change: float
    is_moving: bool


class MotionGate:
    """The gate of one camera. Made anew, or ``forget``, when its view changes."""

    def __init__(self) -> None:
        self._average_HW: npt.NDArray[np.float32] | None = None
        self._lumas: deque[tuple[float, float]] = deque()
        self._now_s = 0.0
        self._open_until_s = 0.0
        self._looked_s = 0.0

    def forget(self) -> None:
        """Begin again with the next frame."""
        self._average_HW = None
        self._lumas.clear()

    def look(self, frame: Frame) -> Motion:
        """Compare a frame with the ones before. Frames come in order of time."""
        now_s = frame.header.monotonic_s
        luma_HW = gate_picture(frame.pixels_HW3)
        level = float(cv2.mean(luma_HW)[0])
        average_HW = self._average_HW
        if average_HW is None or average_HW.shape != luma_HW.shape or now_s < self._now_s:
            self._lumas.clear()
            self._average_HW = luma_HW.astype(np.float32)
            self._now_s, self._looked_s = now_s, now_s
            self._open_until_s = now_s + HOLD_S
            return Motion(share=0.0, light_change=self._light_change(now_s, level), is_moving=True)
        step_s = min(LONGEST_STEP_S, now_s - self._now_s)
        self._now_s = now_s
        share = self._moved_share(luma_HW, average_HW)
        cv2.accumulateWeighted(luma_HW, average_HW, 1 - float(np.exp(-step_s / FOLLOW_S)))
        if share >= MOVED_SHARE:
            self._open_until_s = now_s + HOLD_S
        is_moving = now_s <= self._open_until_s or now_s - self._looked_s >= LOOK_ANYWAY_S
        if is_moving:
            self._looked_s = now_s
        return Motion(
            share=share, light_change=self._light_change(now_s, level), is_moving=is_moving
        )

    def _moved_share(self, luma_HW: Luma, average_HW: npt.NDArray[np.float32]) -> float:
        difference_HW = luma_HW - average_HW
        # The median is what the light did: most of the picture is scene, not object.
        sample = np.sort(difference_HW[::4, ::4], axis=None)
        difference_HW -= sample[sample.size // 2]
        moved = np.count_nonzero(np.abs(difference_HW, out=difference_HW) > MOVED_LEVELS)
        return float(moved / difference_HW.size)

    def _light_change(self, now_s: float, level: float) -> float:
        self._lumas.append((now_s, level))
        while now_s - self._lumas[0][0] > LIGHT_WINDOW_S and len(self._lumas) > 2:
            self._lumas.popleft()
        return abs(level - self._lumas[0][1]) / 255


def gate_picture(pixels_HW3: BgrImage) -> Luma:
    """Return luma at the gate's size; smaller pictures keep theirs.

    Single pixels are taken and smoothed afterwards: averaging areas of the whole picture would
    cost more than the rest of the gate.
    """
    height, width = pixels_HW3.shape[:2]
    scale = min(1.0, GATE_SIZE[0] / width, GATE_SIZE[1] / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small_HW3 = cv2.resize(pixels_HW3, size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.blur(cv2.cvtColor(small_HW3, cv2.COLOR_BGR2GRAY), (3, 3)), np.uint8)
