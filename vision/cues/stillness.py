"""Whether pictures have stopped coming anew: one picture shown again and again.

A sensor is never still; even what compression leaves of its noise changes from picture to picture,
and each camera does so in its own way. So a picture is frozen if far less of it changes than this
camera ever left unchanged before in such light. What was usual is forgotten when the view or its
light becomes another: a lamp that is switched off leaves a dark picture in which no noise can be
seen. How still the camera has been in a light is remembered for the run: a hall in which people
came and went for half a minute may be empty the next.

Shape legend: H, W = picture in pixels.
"""

from collections import deque
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Luma = npt.NDArray[np.uint8]

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
"""With more of them it is another picture; a clock drawn into the picture stays below."""
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
        self.moved = 0.0
        """Share (0..1) of pixels that show something else than in the picture before."""
        self.changed = 1.0
        """Share (0..1) of pixels that differ at all from the picture before."""

    def look(self, luma_HW: Luma, now_s: float) -> float | None:
        """Return since when (stream seconds) one picture is repeated; None if it is not.

        Whether that has lasted long enough to be believed is the caller's to decide.
        """
        difference_HW = cv2.absdiff(luma_HW, self._before_HW)
        self.changed = cv2.countNonZero(difference_HW) / difference_HW.size
        self.moved = np.count_nonzero(difference_HW > MOVED_LEVELS) / difference_HW.size
        level = float(cv2.mean(luma_HW)[0])
        if self.moved > OTHER_VIEW or abs(level - self._before_level) > OTHER_LIGHT:
            self._usual.clear()
        if self.changed > 0:
            self._identical_since_s = now_s
        if self.moved > MOVED_SHARE:
            self._calm_since_s = now_s
        self._step()
        if self._first_still_s is None:
            self._usual.append(self.changed)
            self._remember(level)
        self._before_HW, self._before_s, self._before_level = luma_HW, now_s, level
        if now_s - self._identical_since_s >= IDENTICAL_S:
            return self._identical_since_s
        if self._first_still_s is None or self._still_steps < STILL_STEPS:
            return None
        return max(self._calm_since_s, self._first_still_s - REFINING_S)

    def _step(self) -> None:
        if self._is_still():
            self._still_steps += 1
            self._live_steps = 0
            if self._first_still_s is None:
                self._first_still_s = self._before_s
            return
        self._live_steps += 1
        if self.moved > MOVED_SHARE or self._live_steps >= LIVE_STEPS:
            self._first_still_s = None
            self._still_steps = 0

    def _remember(self, level: float) -> None:
        if len(self._usual) >= WINDOW // 2:  # a few steps may be still by chance
            light = round(level / LIGHT_LEVELS)
            known = self._stillest_by_light.get(light, 1.0)
            self._stillest_by_light[light] = min(known, self._stillest())

    def _is_still(self) -> bool:
        if self.moved > MOVED_SHARE or len(self._usual) < LEAST_STEPS:
            return False
        light = round(self._before_level / LIGHT_LEVELS)
        known = [self._stillest_by_light.get(light + by, 1.0) for by in (-1, 0, 1)]
        stillest = min(self._stillest(), *known)
        return stillest >= LIVELY and self.changed <= FAR_LESS * stillest

    def _stillest(self) -> float:
        """Return what changes when the camera is at its stillest, of the steps that are usual."""
        steps = np.asarray(self._usual)
        part = int(STILLEST_PART * len(steps))
        return float(np.partition(steps, part)[part])
