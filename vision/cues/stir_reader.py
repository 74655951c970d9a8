"""Frames in, stirs out: takes a step every 0.2 s whatever the rate, while somebody looks.

Shape legend: T = steps, oldest first, F = measures.
"""

from collections import deque
from collections.abc import Sequence
from statistics import median
from typing import Final

import numpy as np

from contracts.frames import Frame
from vision.cues.motion_field import STEP_S, Floats, FlowReader, Luma, field_picture
from vision.cues.scuffle_score import WINDOW_STEPS
from vision.cues.stirs import MEASURES, Stir, Stirs

SHORTEST_STEP_S: Final = 0.15
LONGEST_STEP_S: Final = 0.45
"""Frames farther apart cannot be compared: whoever fights is somewhere else by then."""


class StirReader:
    """Reads what stirs in the frames of one camera's run."""

    def __init__(self) -> None:
        self._flow = FlowReader()
        self._stirs = Stirs()
        self._first_s: float | None = None
        self._now_s = 0.0
        self._before: tuple[float, Luma] | None = None
        self._read_until_s = 0.0
        self._shakes: deque[float] = deque(maxlen=WINDOW_STEPS)

    @property
    def shake(self) -> float:
        """Median shake of the camera over the window, pixels of the reduced picture a step."""
        return median(self._shakes) if self._shakes else 0.0

    def look(self, small: Frame, *, is_open: bool) -> Sequence[Stir] | None:
        """Take the next frame; return what stirs, the most restless first.

        Args:
            small: The frame, of any size.
            is_open: Whether something moves; a frame in which nothing does is only remembered.

        Returns:
            None if this frame made no step: too soon after the last, too late, or nothing moves.
        """
        now_s = self._now_s = small.header.monotonic_s
        if self._first_s is None:
            self._first_s = now_s
        before = self._before
        if before is not None and now_s - before[0] < SHORTEST_STEP_S:
            return None
        picture = field_picture(small.pixels_HW3)
        self._before = (now_s, picture)
        if before is None or not is_open or before[1].shape != picture.shape:
            return None
        if now_s - before[0] > LONGEST_STEP_S:
            return None
        if before[0] > self._read_until_s:
            self._stirs.forget()
        self._read_until_s = now_s
        field = self._flow.read(before[1], picture, step_s=now_s - before[0])
        self._shakes.append(field.shake)
        return self._stirs.update(field, now_s=now_s)

    def window(self, stir: Stir) -> Floats:
        """Return its measures (T, F), at most ``WINDOW_STEPS``, oldest first.

        Before it stirred it was still, as long as the camera has been there.
        """
        known_s = self._now_s - (self._now_s if self._first_s is None else self._first_s)
        steps = min(WINDOW_STEPS, round(known_s / STEP_S))
        past = [one.values_F for one in stir.past()][:WINDOW_STEPS]
        still = [np.zeros(len(MEASURES), np.float32)] * max(0, steps - len(past))
        return np.stack([*still, *reversed(past)])
