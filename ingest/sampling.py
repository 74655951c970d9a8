"""Which frames are analysed: a steady rate by stream time, without drift. Pure."""

import math
from typing import Final

_NEARNESS: Final = 0.49
"""Of the source's frame interval: the frame nearest to each due time is the one taken. Below one
half, so that of two frames equally near the later wins whatever the rounding."""
_SMOOTHING: Final = 0.1
_HOLE_S: Final = 1.0
"""A longer step says nothing about the source's rate."""


class Sampler:
    """Takes frames at ``rate_fps`` on a fixed grid of stream time.

    The grid begins at the first frame and is never moved, so that errors do not add up: 25 frames
    per second at a rate of 5 give exactly every fifth. A rate above the source's takes all frames.

    Args:
        rate_fps: Frames per second to take, above 0.
    """

    def __init__(self, rate_fps: float) -> None:
        if not (math.isfinite(rate_fps) and rate_fps > 0):
            raise ValueError(f"rate_fps must be above 0, got {rate_fps}")
        self._period_s = 1.0 / rate_fps
        self._first_s: float | None = None
        self._last_s = 0.0
        self._due = 0
        self._interval_s = 0.0

    def takes(self, stream_s: float) -> bool:
        """Say whether the frame at ``stream_s`` (never decreasing) is to be analysed."""
        if self._first_s is None:
            self._first_s = self._last_s = stream_s
            self._due = 1
            return True
        self._measure(stream_s - self._last_s)
        self._last_s = stream_s
        elapsed_s = stream_s - self._first_s
        if elapsed_s < self._due * self._period_s - self._tolerance_s:
            return False
        self._due = max(self._due, math.floor(elapsed_s / self._period_s + 1e-6)) + 1
        return True

    @property
    def _tolerance_s(self) -> float:
        return _NEARNESS * self._interval_s

    def _measure(self, step_s: float) -> None:
        if not 0 < step_s < _HOLE_S:
            return
        if self._interval_s == 0:
            self._interval_s = step_s
        else:
            self._interval_s += _SMOOTHING * (step_s - self._interval_s)
