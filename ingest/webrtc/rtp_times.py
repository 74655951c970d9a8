"""The times of what a publisher sends: each RTP stream's, and sound laid on the pictures'. Pure.

Each of a publisher's streams counts time from a number of its own. Sender reports say what the
publisher's one clock showed at a time of each, which lays the one on the other (RFC 3550, 6.4.1).
Until both have come, and where they never do, arrival does: delay only ever adds, so the least
delays of the two belong to the same time.
"""

from datetime import UTC, datetime
from typing import Final

from ingest.delay_floor import DelayFloor
from ingest.timeline import BACKWARD_MAX_S, FORWARD_MAX_S

REPORTS_APART_MAX_S: Final = 0.5
"""By how much sender reports may correct arrival; beyond it they are not of one clock."""
_SLEW: Final = 0.1
"""Share of time by which a correction is taken over: sound has no holes and no doubles by it."""
_HALF: Final = 1 << 31
_FIRST_S: Final = 10
"""Room below what comes first: timestamps in a container must not be negative."""


class RtpTimes:
    """One RTP stream: its timestamps without their wraps, its least delay, its last report.

    Args:
        ticks_per_s: Of its clock.
    """

    def __init__(self, ticks_per_s: int) -> None:
        self._ticks_per_s = ticks_per_s
        self._last: int | None = None
        self._unwrapped = _FIRST_S * ticks_per_s
        self._floor: DelayFloor | None = None
        self.reported: tuple[datetime, float] | None = None
        """The publisher's clock and the stream's own time in seconds, at one moment."""

    def unwrap(self, ticks: int) -> int:
        """Return a timestamp of 32 bits without its wraps; what comes first is at 10 s."""
        step = self._step(ticks)
        if not -BACKWARD_MAX_S <= step / self._ticks_per_s <= FORWARD_MAX_S:
            self._floor = self.reported = None  # it counts from another number now
        self._unwrapped += step
        self._last = ticks
        return self._unwrapped

    def seconds(self, ticks: int) -> float:
        """Return the same in seconds."""
        return self.unwrap(ticks) / self._ticks_per_s

    def arrived(self, ticks: int, *, now_s: float) -> None:
        """Note when something of that time arrived."""
        if self._step(ticks) < 0:
            return  # out of order or sent again: late in any case
        delay_s = now_s - self.seconds(ticks)
        if self._floor is None:
            self._floor = DelayFloor(now_s, delay_s)
        self._floor.add(now_s, delay_s)

    def report(self, at: datetime, ticks: int) -> None:
        """Note a sender report; before anything else has come it says nothing."""
        if self._last is not None:
            stream_s = (self._unwrapped + self._step(ticks)) / self._ticks_per_s
            self.reported = at.astimezone(UTC), stream_s

    def least_delay_s(self, now_s: float) -> float | None:
        """Return the least delay: arrival minus the stream's own time; None before any."""
        return None if self._floor is None else self._floor.at(now_s)

    def _step(self, ticks: int) -> int:
        """Return the shortest way from the last timestamp."""
        if self._last is None:
            return 0
        step = (ticks - self._last) & 0xFFFFFFFF
        return step - (1 << 32) if step >= _HALF else step


class SoundTimes:
    """Lays one stream of sound on the time of the pictures that it comes with.

    Args:
        pictures: Times of those.
        ticks_per_s: Of the sound's clock.
    """

    def __init__(self, pictures: RtpTimes, *, ticks_per_s: int) -> None:
        self._pictures = pictures
        self.own = RtpTimes(ticks_per_s)
        self._apart_s: float | None = None
        self._placed_s = 0.0

    def place(self, ticks: int, *, now_s: float) -> float | None:
        """Return the stream time of sound on the pictures' axis; None before there are any."""
        own_s = self.own.seconds(ticks)
        wanted_s = self._wanted_s(now_s)
        if wanted_s is None:
            self._apart_s = None
            return None
        if self._apart_s is None or abs(wanted_s - self._apart_s) > BACKWARD_MAX_S:
            self._apart_s = wanted_s  # they begin, or one counts from another number now
        else:
            step_s = _SLEW * max(0.0, own_s - self._placed_s)
            self._apart_s += max(-step_s, min(step_s, wanted_s - self._apart_s))
        self._placed_s = own_s
        return own_s + self._apart_s

    def _wanted_s(self, now_s: float) -> float | None:
        """Return what is to be added to the sound's own time."""
        ours_s, theirs_s = self.own.least_delay_s(now_s), self._pictures.least_delay_s(now_s)
        if ours_s is None or theirs_s is None:
            return None
        by_arrival_s = ours_s - theirs_s
        if self.own.reported is None or self._pictures.reported is None:
            return by_arrival_s
        heard_at, heard_s = self.own.reported
        seen_at, seen_s = self._pictures.reported
        by_report_s = seen_s - heard_s + (heard_at - seen_at).total_seconds()
        is_believed = abs(by_report_s - by_arrival_s) <= REPORTS_APART_MAX_S
        return by_report_s if is_believed else by_arrival_s
