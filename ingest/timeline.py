"""Stream time to ``captured_at`` and ``monotonic_s``. Pure: what arrives when is an argument.

A frame's time is that of its stream, laid on the wall clock: two frames that are 200 ms apart in
the stream are 200 ms apart in ``captured_at``, however late the network or a busy machine delivers
them. Where the stream begins on our clock, and how fast the camera's clock drifts against ours, the
least delays of the last minutes tell (``delay_floor``); how long the least delay is, RTCP sender
reports tell, if the camera's clock can be believed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final

from contracts.clock import Clock
from ingest.backlog import Backlog
from ingest.delay_floor import DRIFT_MAX, DelayFloor
from ingest.opening import Opening
from ingest.punctuality import LATE_MAX_S

BACKWARD_MAX_S: Final = 1.0
"""Frames out of order by more than this are no jitter; the stream began anew."""
FORWARD_MAX_S: Final = 60.0
"""A hole longer than this says nothing about what lies between; tracks must not span it."""
BURST_MAX_S: Final = 20.0
"""What servers send at once in the beginning (the picture group so far); more is a fast clock."""
CLOCK_STEP_S: Final = 0.25
"""A change of the wall clock against the monotonic one by more than this was set by someone."""
SENDER_DELAY_S: Final = (-0.1, 0.5)
"""Least delay by the camera's own clock that is believed: it bounds the error of a wrong one."""
_DELAY_SLEW: Final = 0.1
"""Share of stream time by which what sender reports say is taken over: no time stands still."""
_WALL_GAIN: Final = 0.05
"""Of the wall clock's small changes per frame; two readings of two clocks are never one instant."""
_READING_S: Final = 0.02
_READINGS_MAX: Final = 5
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
    """When a frame reached us, by both clocks; ``sent_at`` is when by the camera's, if it says."""

    at: datetime
    monotonic_s: float
    sent_at: datetime | None = None

    @classmethod
    def now(cls, clock: Clock, *, sent_at: datetime | None = None) -> "Arrival":
        """Read both clocks at one instant: a process that sleeps in between reads them again."""
        for left in range(_READINGS_MAX, -1, -1):
            before_s, at, after_s = clock.monotonic_s(), clock.now(), clock.monotonic_s()
            if after_s - before_s < _READING_S or not left:
                return cls(at=at, monotonic_s=after_s, sent_at=sent_at)
        raise AssertionError("the last reading is taken as it is")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A frame's place in time, as ``FrameHeader`` has it."""

    captured_at: datetime
    monotonic_s: float


class Break(StrEnum):
    """What about time ended a run."""

    JUMP = "jump"
    """Stream time went back or far ahead."""
    LATE = "late"
    """Stream time is sound, but its frames come from a backlog; only reconnecting helps."""
    RATE = "rate"
    """Stream time does not run at the speed of time: arrival is the better clock."""
    CLOCK_SET = "clock_set"
    """This machine's clock was set; the stream goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discontinuity:
    """Why the run cannot go on: its next frame belongs to a new one.

    Attributes:
        message: With the values that were found and allowed.
    """

    kind: Break
    message: str


class Timeline:
    """Places the frames of one run.

    ``monotonic_s`` begins at 0; neither it nor ``captured_at`` ever decreases.

    Args:
        frame_interval_s: Of the stream, for frames without a timestamp.
        starts_at: UTC of the first frame. None takes the first frame's arrival, and follows the
            clocks from then on.
        is_by_arrival: The stream's own times are not used.
    """

    def __init__(
        self,
        *,
        frame_interval_s: float,
        starts_at: datetime | None = None,
        is_by_arrival: bool = False,
    ) -> None:
        self._interval_s = frame_interval_s
        self._starts_at = starts_at
        self._is_by_arrival = is_by_arrival
        self._first_s: float | None = None
        self._last_s = 0.0
        self._last_at: datetime | None = None
        self._zero_at: datetime | None = None
        self._follower: _ClockFollower | None = None
        self._opening: Opening | None = None

    @property
    def is_settled(self) -> bool:
        """Whether times said from now on are true: not while a stream begins with a burst."""
        return self._opening is None or self._opening.is_over

    @property
    def zero_at(self) -> datetime | None:
        """UTC of stream second 0; None before the first frame."""
        return self._follower.zero_at if self._follower else self._zero_at

    @property
    def drift_ppm(self) -> float:
        """By how much the camera's clock is fast against ours, as far as that is known."""
        return -1e6 * self._follower.drift if self._follower else 0.0

    @property
    def sender_offset_s(self) -> float | None:
        """Our clock minus the camera's, least delay included; None if it does not tell."""
        return self._follower.sender_offset_s if self._follower else None

    def place(self, stream_s: float | None, *, arrival: Arrival) -> Moment | Discontinuity:
        """Return the frame's time, or why it ends the run.

        Args:
            stream_s: Unwrapped stream time; None if the frame has none.
            arrival: Now.
        """
        if self._is_by_arrival:
            stream_s = arrival.monotonic_s
        if self._first_s is None:
            self._begin(stream_s or 0.0, arrival)
        elif stream_s is None:
            stream_s = self._last_s + self._interval_s
        now_s = self._last_s if stream_s is None else stream_s
        if now_s < self._last_s - BACKWARD_MAX_S or now_s > self._last_s + FORWARD_MAX_S:
            return Discontinuity(
                kind=Break.JUMP,
                message=f"stream time jumped from {self._last_s:.3f} s to {now_s:.3f} s "
                f"(allowed: {BACKWARD_MAX_S:g} s back, {FORWARD_MAX_S:g} s ahead)",
            )
        now_s = max(now_s, self._last_s)
        if self._follower is not None:
            broken = self._follower.follow(now_s, arrival)
            if broken is not None:
                return broken
        if self._opening is not None:
            self._opening.add(now_s, arrival.monotonic_s)
        return self._moment(now_s)

    def captured_at(self, monotonic_s: float) -> datetime:
        """Return when a frame that was placed before was taken, as is known now."""
        if self.zero_at is None or self._first_s is None:
            raise RuntimeError("a timeline is asked for a moment before its first frame")
        return self.zero_at + timedelta(seconds=self._first_s + monotonic_s)

    def _begin(self, stream_s: float, arrival: Arrival) -> None:
        self._first_s = self._last_s = stream_s
        if self._starts_at is not None:
            self._zero_at = self._starts_at - timedelta(seconds=stream_s)
        else:
            self._follower = _ClockFollower(stream_s, arrival)
            if not self._is_by_arrival:
                self._opening = Opening(stream_s, arrival.monotonic_s)

    def _moment(self, stream_s: float) -> Moment:
        monotonic_s = stream_s - (self._first_s or 0.0)
        captured_at = self.captured_at(monotonic_s)
        if self._last_at is not None:
            captured_at = max(captured_at, self._last_at)
        self._last_s, self._last_at = stream_s, captured_at
        return Moment(captured_at=captured_at, monotonic_s=monotonic_s)


class _ClockFollower:
    """Keeps UTC of stream second 0 right while clocks drift, and notices when one is set."""

    def __init__(self, stream_s: float, arrival: Arrival) -> None:
        now_s, delay_s = arrival.monotonic_s, arrival.monotonic_s - stream_s
        self._from_s, self._first_delay_s, self._last_s = now_s, delay_s, stream_s
        self._floor = DelayFloor(now_s, delay_s)
        self._backlog = Backlog()
        self._wall_at = arrival.at - timedelta(seconds=now_s)
        self._wall_s = 0.0
        self._sender: DelayFloor | None = None
        self._delay_s = 0.0
        self._now_s = now_s

    @property
    def zero_at(self) -> datetime:
        zero_s = self._floor.at(self._now_s) - self._delay_s
        return self._wall_at + timedelta(seconds=self._wall_s + zero_s)

    @property
    def drift(self) -> float:
        return self._floor.drift

    @property
    def sender_offset_s(self) -> float | None:
        return None if self._sender is None else self._sender.at(self._now_s)

    def follow(self, stream_s: float, arrival: Arrival) -> Discontinuity | None:
        """Take in a frame's arrival; return why the run ends with it, if it does."""
        self._now_s = arrival.monotonic_s
        delay_s = arrival.monotonic_s - stream_s
        self._floor.add(arrival.monotonic_s, delay_s)
        late_s = self._backlog.add(self._now_s, delay_s - self._floor.at(self._now_s))
        self._follow_sender(stream_s, arrival)
        self._last_s = stream_s
        return self._wall_broke(arrival) or self._rate_broke(delay_s) or _late(late_s)

    def _follow_sender(self, stream_s: float, arrival: Arrival) -> None:
        if arrival.sent_at is None:
            return
        offset_s = (arrival.at - arrival.sent_at).total_seconds()
        if self._sender is None:
            self._sender = DelayFloor(arrival.monotonic_s, offset_s)
        self._sender.add(arrival.monotonic_s, offset_s)
        least_s = self._sender.at(arrival.monotonic_s)
        is_believed = SENDER_DELAY_S[0] <= least_s <= SENDER_DELAY_S[1]
        wanted_s = max(0.0, least_s) if is_believed else 0.0
        step_s = _DELAY_SLEW * (stream_s - self._last_s)
        self._delay_s += max(-step_s, min(step_s, wanted_s - self._delay_s))

    def _wall_broke(self, arrival: Arrival) -> Discontinuity | None:
        wall_s = (arrival.at - self._wall_at).total_seconds() - arrival.monotonic_s
        step_s = wall_s - self._wall_s
        if abs(step_s) <= CLOCK_STEP_S:
            self._wall_s += _WALL_GAIN * step_s
            return None
        return Discontinuity(
            kind=Break.CLOCK_SET,
            message=f"this machine's clock was set by {step_s:+.3f} s "
            f"(allowed: {CLOCK_STEP_S:g} s)",
        )

    def _rate_broke(self, delay_s: float) -> Discontinuity | None:
        ahead_s = self._first_delay_s - delay_s
        drift = self._floor.drift
        if self._floor.is_sure and abs(drift) > DRIFT_MAX:
            found = f"stream time drifts by {-1e6 * drift:+.0f} ppm"
        elif ahead_s > BURST_MAX_S + DRIFT_MAX * (self._now_s - self._from_s):
            found = f"stream time is {ahead_s:.1f} s ahead of time itself"
        else:
            return None
        return Discontinuity(
            kind=Break.RATE,
            message=f"{found} (allowed: {1e6 * DRIFT_MAX:.0f} ppm and {BURST_MAX_S:g} s); "
            "frames are placed by their arrival from now on",
        )


def _late(late_s: float | None) -> Discontinuity | None:
    if late_s is None:
        return None
    return Discontinuity(
        kind=Break.LATE,
        message=f"frames come {late_s:.1f} s late and do not catch up (allowed: {LATE_MAX_S:g} s); "
        "is the line too slow for this stream? A sub-stream or a lower bit rate needs less",
    )
