"""Whether pictures have stopped coming anew: one picture shown again and again.

A sensor is never still; even what compression leaves of its noise changes from picture to picture,
and each camera does so in its own way. So a picture is frozen if far less of it changes than this
camera ever left unchanged before in such light. What was usual is forgotten when the view or its
light becomes another: a lamp that is switched off leaves a dark picture in which no noise can be
seen. How still the camera has been in a light is remembered for the run: a hall in which people
came and went for half a minute may be empty the next.

A clock that the camera draws into the picture runs on while the picture stands still. It is drawn
near the upper or lower edge, so what moves in a small part there is left out of the comparison;
in a live picture there is noise everywhere else.

Shape legend: H, W = picture in pixels.
"""

from collections import deque
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Luma = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]

WINDOW: Final = 100
"""So many steps from picture to picture say what is usual: 20 s at 5 frames a second."""
LEAST_STEPS: Final = 8
"""Fewer say nothing yet: 1.6 s, in which an exposure has adapted to another light."""
STILLEST_PART: Final = 0.1
"""The tenth part of the steps that changed least is the camera at its stillest."""
FAR_LESS: Final = 0.25
"""A step is still if less than this part changes of what changes when it is stillest."""
LIVELY: Final = 0.03
"""A camera of which less than this share changes at its stillest may stand still by itself."""
MOVED_LEVELS: Final = 12
"""Grey levels by which a pixel differs that shows something else, not noise or coding."""
MOVED_SHARE: Final = 0.005
"""With more of them, a clock left out, it is another picture."""
CLOCK_BAND: Final = 1 / 6
"""Part of the height, at the upper and at the lower edge, in which a clock may be drawn."""
CLOCK_SHARE: Final = 1 / 8
"""What moves there in more of the picture than this is no clock: all of it counts."""
CLOCK_S: Final = 2.0
"""A place in which a digit changed is left out for so long, while coding refines the new one."""
REFINING_S: Final = 0.6
"""Coding refines a repeated picture for so long at most before it stands still."""
STILL_STEPS: Final = 4
LIVE_STEPS: Final = 2
"""So many steps in a row that are not still end it; one may be the key frame of a still picture."""
LIGHT_LEVELS: Final = 8.0
"""Lights whose mean levels differ by less are one light."""
IDENTICAL_S: Final = 60.0
"""A picture that is the same to the last bit for so long is frozen, whatever was usual."""
OTHER_VIEW: Final = 0.3
OTHER_LIGHT: Final = 8.0
"""Share of moved pixels, or levels of the mean, in one step that make what was usual worthless."""


class Stillness:
    """Follows the pictures of one camera's run, all of one size, in order of time.

    Args:
        luma_HW: The first.
        now_s: Its stream time.
    """

    def __init__(self, luma_HW: Luma, now_s: float) -> None:
        self._before_HW = luma_HW
        self._before_s = now_s
        self._before_level = float(cv2.mean(luma_HW)[0])
        self._usual: deque[float] = deque(maxlen=WINDOW)
        self._stillest_by_light: dict[int, float] = {}
        self._calm_since_s = now_s
        self._identical_since_s = now_s
        self._first_still_s: float | None = None
        self._still_steps = 0
        self._live_steps = 0
        self._clock = _Clock(luma_HW)
        self._moved_behind = 0.0
        self._changed_behind = 1.0
        self.moved = 0.0
        """Share (0..1) of pixels that show something else than in the picture before."""
        self.changed = 1.0
        """Share (0..1) of pixels that differ at all from the picture before."""

    def look(self, luma_HW: Luma, now_s: float) -> float | None:
        """Return since when (stream seconds) one picture is repeated; None if it is not.

        Whether that has lasted long enough to be believed is the caller's to decide.
        """
        difference_HW = np.asarray(cv2.absdiff(luma_HW, self._before_HW), np.uint8)
        self.changed = cv2.countNonZero(difference_HW) / difference_HW.size
        moved_HW = np.asarray(difference_HW > MOVED_LEVELS)
        self.moved = np.count_nonzero(moved_HW) / difference_HW.size
        self._look_behind_clock(difference_HW, moved_HW, now_s)
        level = float(cv2.mean(luma_HW)[0])
        if self.moved > OTHER_VIEW or abs(level - self._before_level) > OTHER_LIGHT:
            self._usual.clear()
        if self._changed_behind > 0:
            self._identical_since_s = now_s
        if self._moved_behind > MOVED_SHARE:
            self._calm_since_s = now_s
        self._step()
        if self._first_still_s is None:
            self._usual.append(self._changed_behind)
            self._remember(level)
        self._before_HW, self._before_s, self._before_level = luma_HW, now_s, level
        if now_s - self._identical_since_s >= IDENTICAL_S:
            return self._identical_since_s
        if self._first_still_s is None or self._still_steps < STILL_STEPS:
            return None
        return max(self._calm_since_s, self._first_still_s - REFINING_S)

    def _look_behind_clock(self, difference_HW: Luma, moved_HW: BoolArray, now_s: float) -> None:
        """Measure the picture again without the place in which a clock may run."""
        clock_HW = self._clock.place(moved_HW, now_s)
        if clock_HW is None:
            self._moved_behind, self._changed_behind = self.moved, self.changed
            return
        rest_HW = ~clock_HW
        size = np.count_nonzero(rest_HW)
        self._moved_behind = np.count_nonzero(moved_HW & rest_HW) / size
        self._changed_behind = np.count_nonzero((difference_HW > 0) & rest_HW) / size

    def _step(self) -> None:
        if self._is_still():
            self._still_steps += 1
            self._live_steps = 0
            if self._first_still_s is None:
                self._first_still_s = self._before_s
            return
        self._live_steps += 1
        if self._moved_behind > MOVED_SHARE or self._live_steps >= LIVE_STEPS:
            self._first_still_s = None
            self._still_steps = 0

    def _remember(self, level: float) -> None:
        if len(self._usual) >= WINDOW // 2:  # a few steps may be still by chance
            light = round(level / LIGHT_LEVELS)
            known = self._stillest_by_light.get(light, 1.0)
            self._stillest_by_light[light] = min(known, self._stillest())

    def _is_still(self) -> bool:
        if self._moved_behind > MOVED_SHARE or len(self._usual) < LEAST_STEPS:
            return False
        light = round(self._before_level / LIGHT_LEVELS)
        known = [self._stillest_by_light.get(light + by, 1.0) for by in (-1, 0, 1)]
        stillest = min(self._stillest(), *known)
        return stillest >= LIVELY and self._changed_behind <= FAR_LESS * stillest

    def _stillest(self) -> float:
        """Return what changes when the camera is at its stillest, of the steps that are usual."""
        steps = np.asarray(self._usual)
        part = int(STILLEST_PART * len(steps))
        return float(np.partition(steps, part)[part])


class _Clock:
    """Where something moves near the upper or lower edge, in a part as small as a clock's."""

    def __init__(self, luma_HW: Luma) -> None:
        self._moved_at_HW = np.full(luma_HW.shape, -np.inf)
        self._rows = round(CLOCK_BAND * luma_HW.shape[0])
        self._around = np.ones((5, 5), np.uint8)  # what coding and smoothing change beside digits

    def place(self, moved_HW: BoolArray, now_s: float) -> BoolArray | None:
        """Return its pixels; None if nothing moves there, or too much for a clock."""
        rows = self._rows
        for band in (slice(0, rows), slice(len(moved_HW) - rows, None)):
            self._moved_at_HW[band][moved_HW[band]] = now_s
        lately_HW = (np.abs(now_s - self._moved_at_HW) <= CLOCK_S).astype(np.uint8)
        if not lately_HW.any():
            return None
        place_HW = cv2.dilate(lately_HW, self._around) > 0
        return place_HW if place_HW.mean() <= CLOCK_SHARE else None
