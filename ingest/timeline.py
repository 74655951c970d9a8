"""Stream time to ``captured_at`` and ``monotonic_s``. Pure: what arrives when is an argument.

A frame's time is that of its stream, laid on the wall clock once, at the first frame of the run:
two frames that are 200 ms apart in the stream are 200 ms apart in ``captured_at``, however late
the network or a busy machine delivers them. Three slow things are followed nevertheless, since a
run may last for months: the camera's clock drifts against ours, ours is set, and the first frames
may come in a burst (servers send the picture group so far).
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

BACKWARD_MAX_S: Final = 1.0
"""Frames out of order by more than this are no jitter; the stream began anew."""
FORWARD_MAX_S: Final = 60.0
"""A hole longer than this says nothing about what lies between; tracks must not span it."""
LATE_MAX_S: Final = 5.0
"""Frames that stay this late come from a backlog that is not worked off."""
EARLY_MAX_S: Final = 0.1
"""Frames may come this much before they are expected (the first one was held up)."""
CLOCK_STEP_S: Final = 1.0
"""A change of the wall clock against the monotonic one by more than this was set by someone."""
_WINDOW_S: Final = 10.0
_SLEW: Final = 0.0005
"""500 ppm, more than any quartz drifts and too little to matter for a duration."""
_WRAPS: Final = (1 << 32, 1 << 33)
"""Ticks after which RTP and MPEG-TS timestamps begin again (RFC 3550, 5.1; ISO 13818-1)."""


class PtsUnwrapper:
    """Turns presentation timestamps into seconds that do not wrap.

    Args:
        time_base: Seconds of one tick.
    """

    def __init__(self, time_base: Fraction) -> None:
        # Whole numbers: fractions cost more here than all else that is done for a picture.
        self._numerator, self._denominator = time_base.numerator, time_base.denominator
        self._near = round(FORWARD_MAX_S / time_base)
        self._offset = 0
        self._last: int | None = None

    def seconds(self, pts: int | None) -> float | None:
        """Return stream time, or None for a timestamp that is missing."""
        if pts is None:
            return None
        ticks = pts + self._offset
        if self._last is not None:
            for wrap in _WRAPS:
                if abs(ticks + wrap - self._last) <= self._near:
                    self._offset += wrap
                    ticks += wrap
                elif abs(ticks - wrap - self._last) <= self._near:  # out of order just after a wrap
                    return (ticks - wrap) * self._numerator / self._denominator
        self._last = ticks
        return ticks * self._numerator / self._denominator


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """When a frame reached us, by both clocks."""

    at: datetime
    monotonic_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A frame's place in time, as ``FrameHeader`` has it."""

    captured_at: datetime
    monotonic_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Discontinuity:
    """Why the run cannot go on: its next frame belongs to a new one.

    Attributes:
        message: With the values that were found and allowed.
        is_late: The stream's time is sound but its frames come from a backlog.
    """

    message: str
    is_late: bool = False


class Timeline:
    """Places the frames of one run.

    ``monotonic_s`` begins at 0 and never decreases. ``captured_at`` never decreases either, unless
    the wall clock was set back.

    Args:
        frame_interval_s: Of the stream, for frames without a timestamp.
        starts_at: UTC of the first frame. None takes the first frame's arrival, and follows the
            clocks from then on.
    """

    def __init__(self, *, frame_interval_s: float, starts_at: datetime | None = None) -> None:
        self._interval_s = frame_interval_s
        self._starts_at = starts_at
        self._first_s: float | None = None
        self._last_s = 0.0
        self._last_at: datetime | None = None
        self._zero_at: datetime | None = None
        self._follower: _ClockFollower | None = None

    @property
    def zero_at(self) -> datetime | None:
        """UTC of stream second 0; None before the first frame."""
        return self._follower.zero_at if self._follower else self._zero_at

    def place(self, stream_s: float | None, *, arrival: Arrival) -> Moment | Discontinuity:
        """Return the frame's time, or why it ends the run.

        Args:
            stream_s: Unwrapped stream time; None if the frame has none.
            arrival: Now.
        """
        if self._first_s is None:
            self._begin(stream_s or 0.0, arrival)
        elif stream_s is None:
            stream_s = self._last_s + self._interval_s
        now_s = self._last_s if stream_s is None else stream_s
        if now_s < self._last_s - BACKWARD_MAX_S or now_s > self._last_s + FORWARD_MAX_S:
            return Discontinuity(
                message=f"stream time jumped from {self._last_s:.3f} s to {now_s:.3f} s "
                f"(allowed: {BACKWARD_MAX_S:g} s back, {FORWARD_MAX_S:g} s ahead)"
            )
        now_s = max(now_s, self._last_s)
        if self._follower is not None:
            late_s = self._follower.follow(now_s, arrival)
            if late_s > LATE_MAX_S:
                return Discontinuity(
                    message=f"frames come {late_s:.1f} s late and do not catch up "
                    f"(allowed: {LATE_MAX_S:g} s)",
                    is_late=True,
                )
        return self._moment(now_s)

    def _begin(self, stream_s: float, arrival: Arrival) -> None:
        self._first_s = self._last_s = stream_s
        if self._starts_at is not None:
            self._zero_at = self._starts_at - timedelta(seconds=stream_s)
        else:
            self._follower = _ClockFollower(stream_s, arrival)

    def _moment(self, stream_s: float) -> Moment:
        zero_at = self.zero_at
        if zero_at is None or self._first_s is None:
            raise RuntimeError("a timeline is asked for a moment before its first frame")
        captured_at = zero_at + timedelta(seconds=stream_s)
        if self._last_at is not None:
            back_s = (self._last_at - captured_at).total_seconds()
            if 0 < back_s <= CLOCK_STEP_S:
                captured_at = self._last_at
        self._last_s, self._last_at = stream_s, captured_at
        return Moment(captured_at=captured_at, monotonic_s=stream_s - self._first_s)


class _ClockFollower:
    """Keeps UTC of stream second 0 right while the clocks drift.

    Delay in the network only ever adds, so the least delay within a window tells the clocks apart
    (as in NTP's clock filter, RFC 5905, 10).
    """

    def __init__(self, stream_s: float, arrival: Arrival) -> None:
        self.zero_at = arrival.at - timedelta(seconds=stream_s)
        self._zero_s = arrival.monotonic_s - stream_s
        self._wall_zero_at = arrival.at - timedelta(seconds=arrival.monotonic_s)
        self._least_s = math.inf
        self._window_from_s = arrival.monotonic_s

    def follow(self, stream_s: float, arrival: Arrival) -> float:
        """Take in a frame's arrival; return by how much all frames of a window came late."""
        self._follow_wall_clock(arrival)
        lag_s = arrival.monotonic_s - self._zero_s - stream_s
        if lag_s < -EARLY_MAX_S:
            self._shift(lag_s)
            self._restart_window(arrival)
            return 0.0
        self._least_s = min(self._least_s, lag_s)
        if arrival.monotonic_s - self._window_from_s < _WINDOW_S:
            return 0.0
        least_s = self._least_s
        self._restart_window(arrival)
        if EARLY_MAX_S < least_s <= LATE_MAX_S:
            self._shift(min(least_s, _WINDOW_S * _SLEW))
        return least_s

    def _follow_wall_clock(self, arrival: Arrival) -> None:
        wall_zero_at = arrival.at - timedelta(seconds=arrival.monotonic_s)
        step = wall_zero_at - self._wall_zero_at
        if abs(step.total_seconds()) > CLOCK_STEP_S:
            self._wall_zero_at = wall_zero_at
            self.zero_at += step

    def _shift(self, seconds: float) -> None:
        self._zero_s += seconds
        self.zero_at += timedelta(seconds=seconds)

    def _restart_window(self, arrival: Arrival) -> None:
        self._least_s = math.inf
        self._window_from_s = arrival.monotonic_s
