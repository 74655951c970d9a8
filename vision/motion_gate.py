"""Says for next to nothing whether anything in a picture moves, and how much.

Used to leave out a costly detector on still scenes, and for the facts about the whole picture.
Shape legend: H, W = gate's picture in pixels.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage, EncodedFrame, Frame
from vision.changes import LocalChanges
from vision.estimates import weight_of
from vision.picture import Picture

Luma = npt.NDArray[np.uint8]

GATE_SIZE: Final = (160, 90)
"""Largest width and height of the picture that is compared, in pixels."""
_REDUCTIONS: Final[tuple[Literal[2, 4, 8], ...]] = (8, 4, 2)
"""JPEG can be decoded at these parts of its size, for 40 % of the time or less; pixels follow."""
_LEAST_EVERY: Final = 2
"""What is decoded small still has so many pixels for one of the gate's: averaged down to its very
size, a person of 2 to 3 % of the height in front of a quiet ground would fade into it."""
SHARE_EVERY: Final = 3
"""The moved share is counted on every third pixel of every third row."""
FOLLOW_S: Final = 0.6
"""Time constant of the running average that the moved share is measured against."""
MOVED_LEVELS: Final = 10.0
"""A pixel moved if it is farther than this from the average, after the light, in grey levels."""
HOLD_S: Final = 1.0
"""The gate stays open for so long after the last change."""
LOOK_ANYWAY_S: Final = 2.0
"""A shut gate opens for one frame this often: what came too slowly to be seen is found then."""
LOOK_IN_WEATHER_S: Final = 0.8
"""... and this often where rain, snow or a shaking camera could hide somebody small."""
LIGHT_WINDOW_S: Final = 1.0
LONGEST_STEP_S: Final = 2.0
_TIME_SLACK_S: Final = 1e-6


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
        changed_hw: Share (0..1) of each of h x w overlapping places of the picture that is not as
            it was in the last seconds; None before there is anything to compare with.
    """

    share: float
    light_change: float
    is_moving: bool
    changed_hw: npt.NDArray[np.float32] | None = None


class MotionGate:
    """The gate of one camera. Made anew, or ``forget``, when its view changes.

    It opens for what moves on its own: light and shadow, noise, rain and foliage are learned and
    left out. Somebody whom they hide is looked for every ``look_anyway_s`` all the same.

    Args:
        look_anyway_s: A shut gate opens for one frame this often, seconds of stream time.
        look_in_weather_s: The same while most of the picture is restless.
    """

    def __init__(
        self,
        *,
        look_anyway_s: float = LOOK_ANYWAY_S,
        look_in_weather_s: float = LOOK_IN_WEATHER_S,
    ) -> None:
        self._look_anyway_s = look_anyway_s
        self._look_in_weather_s = look_in_weather_s
        self._changes: LocalChanges | None = None
        self._average_HW: npt.NDArray[np.float32] | None = None
        self._shape: tuple[int, ...] = ()
        self._lumas: deque[tuple[float, float]] = deque()
        self._now_s = 0.0
        self._open_until_s = 0.0
        self._looked_s = 0.0

    def forget(self) -> None:
        """Begin again with the next frame."""
        self._changes = None
        self._lumas.clear()

    def look(self, frame: Frame, *, is_followed: bool = False) -> Motion:
        """Compare a frame with the ones before. Frames come in order of time.

        Args:
            frame: The frame.
            is_followed: Whether objects are being followed. What stirs is then theirs, and not
                learned as what the place is like.
        """
        now_s = frame.header.monotonic_s
        luma_HW = gate_picture(frame.pixels_HW3)
        level = float(cv2.mean(luma_HW)[0])
        changes, average_HW = self._changes, self._average_HW
        if (
            changes is None
            or average_HW is None
            or self._shape != luma_HW.shape
            or now_s < self._now_s
        ):
            return self._begin(luma_HW, now_s, level)
        step_s = min(LONGEST_STEP_S, now_s - self._now_s)
        self._now_s = now_s
        change = changes.look(luma_HW, step_s=step_s, is_learning=not is_followed)
        thin_HW = _thinned(luma_HW)
        share = _moved_share(thin_HW, average_HW) if change.is_any else 0.0
        cv2.accumulateWeighted(thin_HW, average_HW, weight_of(step_s, FOLLOW_S))
        if change.is_there:
            self._open_until_s = now_s + HOLD_S
        patience_s = self._look_in_weather_s if change.is_restless else self._look_anyway_s
        is_moving = (
            now_s <= self._open_until_s or now_s - self._looked_s >= patience_s - _TIME_SLACK_S
        )
        if is_moving:
            self._looked_s = now_s
        return Motion(
            share=share,
            light_change=self._light_change(now_s, level),
            is_moving=is_moving,
            changed_hw=change.share_hw,
        )

    def _begin(self, luma_HW: Luma, now_s: float, level: float) -> Motion:
        self._changes = LocalChanges(luma_HW)
        self._average_HW = _thinned(luma_HW).astype(np.float32)
        self._shape = luma_HW.shape
        self._lumas.clear()
        self._now_s, self._looked_s = now_s, now_s
        self._open_until_s = now_s + HOLD_S
        return Motion(share=0.0, light_change=self._light_change(now_s, level), is_moving=True)

    def _light_change(self, now_s: float, level: float) -> float:
        self._lumas.append((now_s, level))
        while now_s - self._lumas[0][0] > LIGHT_WINDOW_S and len(self._lumas) > 2:
            self._lumas.popleft()
        return abs(level - self._lumas[0][1]) / 255


def _moved_share(luma_HW: Luma, average_HW: npt.NDArray[np.float32]) -> float:
    """Return the share of the picture that is not as it was, except for the light."""
    difference_HW = luma_HW - average_HW
    # The median is what the light did: most of the picture is scene, not object.
    middle = difference_HW.size // 2
    difference_HW -= np.partition(difference_HW, middle, axis=None)[middle]
    moved = np.count_nonzero(np.abs(difference_HW, out=difference_HW) > MOVED_LEVELS)
    return float(moved / difference_HW.size)


def _thinned(luma_HW: Luma) -> Luma:
    return np.ascontiguousarray(luma_HW[::SHARE_EVERY, ::SHARE_EVERY])


def gate_frame(frame: EncodedFrame | Picture) -> Frame | None:
    """Return a frame decoded as small as the gate can do with, or None if it cannot be read.

    Its header is the frame's own and tells the size of the whole picture.
    """
    picture = frame if isinstance(frame, Picture) else Picture.of(frame)
    if picture is None:
        return None
    every = _every(picture.header.width, picture.header.height)
    fitting = [part for part in _REDUCTIONS if every % part == 0 and every // part >= _LEAST_EVERY]
    return picture.reduced(fitting[0] if fitting else 1)


def gate_picture(pixels_HW3: BgrImage) -> Luma:
    """Return every so many pixels of a picture, so that it has the gate's size at most.

    Green stands for luma, of which it is the greatest part by far. Single pixels are taken and
    smoothed afterwards: averaging all of them, or all three colours, would cost more than the
    rest of the gate.
    """
    height, width = pixels_HW3.shape[:2]
    every = _every(width, height)
    first = min(every // 2, height - 1, width - 1)
    green_HW = np.ascontiguousarray(pixels_HW3[first::every, first::every, 1])
    return np.asarray(cv2.blur(green_HW, (3, 3)), np.uint8)


def _every(width: int, height: int) -> int:
    """Return how many pixels of a picture, each way, become one of the gate's."""
    return max(1, -(-width // GATE_SIZE[0]), -(-height // GATE_SIZE[1]))
