"""Whether the pictures that come are enough to see by. Pure: counts and times are given."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from contracts.cameras import CameraState
from ingest.phases import Signal
from ingest.punctuality import LATE_MAX_S, TRIAL_S

WINDOW_S: Final = 10.0
CORRUPT_SHARE_MAX: Final = 0.05
"""Of pictures within the window; with more of them damaged, detection misses what it should see."""
STARVED_SHARE: Final = 0.5
"""Of the usual rate (or of the analysis rate, if that is less)."""
WAITING_SHARE: Final = 0.5
"""Of its time that a loop waits for what comes: with less of it, it is the loop that is slow."""
BLIND_FPS: Final = 0.5
"""Fewer pictures leave gaps of more than 2 s, within which nobody knows what happened."""
_USUAL_FOR_S: Final = 600.0
"""A rate that has been lower for this long is the usual one: cameras halve it at night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """How late the picture came that came last.

    Attributes:
        late_s: Beyond the least delay of its connection.
        is_held_back: It is not shown or analysed for that.
        waiting: Share (0..1) of the last seconds that its reader waited for more to come.
        is_thinned: Key pictures alone are decoded, for want of time.
    """

    late_s: float = 0.0
    is_held_back: bool = False
    waiting: float = 1.0
    is_thinned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What the last seconds say of a stream that is open."""

    signal: Signal
    state: CameraState
    cause: str = ""


class Pulse:
    """Counts what came in the last seconds.

    Args:
        now_s: Monotonic time of the beginning.
        wanted_fps: Analysis rate: more pictures than that are not missed.
        stall_after_s: See ``IngestSettings``.

    Attributes:
        advice: What to say where pictures arrive damaged; empty asks whether the network is busy.
    """

    def __init__(self, now_s: float, *, wanted_fps: float, stall_after_s: float) -> None:
        self._wanted_fps = wanted_fps
        self._stall_after_s = stall_after_s
        self.advice = ""
        self._seen_s: deque[float] = deque()
        self._corrupt_s: deque[float] = deque()
        self._patched_s: deque[float] = deque()
        self._rates: deque[tuple[float, float]] = deque()
        self.restart(now_s)

    def restart(self, now_s: float) -> None:
        """Begin anew, with a new connection; what rate is usual is kept."""
        self._seen_s.clear()
        self._corrupt_s.clear()
        self._patched_s.clear()
        self._from_s = self._picture_s = now_s
        self._packets = 0
        self._delay = Delay()

    def packet(self) -> None:
        """Note that something came that may become a picture."""
        self._packets += 1

    def picture(
        self, now_s: float, *, delay: Delay | None = None, is_patched: bool = False
    ) -> None:
        """Note a picture that can be seen by, how late it came, and whether all of it is sound."""
        self._picture_s = now_s
        self._delay = delay or Delay()
        self._packets = 0
        self._seen_s.append(now_s)
        if is_patched:
            self._patched_s.append(now_s)
        _forget_before(self._seen_s, now_s - WINDOW_S)

    def corrupt(self, now_s: float, count: int) -> None:
        """Note pictures that are too damaged to see by."""
        self._corrupt_s.extend([now_s] * count)
        _forget_before(self._corrupt_s, now_s - WINDOW_S)

    def fps(self, now_s: float) -> float:
        """Return pictures per second over the last seconds, without damaged ones."""
        _forget_before(self._seen_s, now_s - WINDOW_S)
        times_s = self._seen_s
        if len(times_s) < 2 or times_s[-1] <= times_s[0]:
            return 0.0
        interval_s = (times_s[-1] - times_s[0]) / (len(times_s) - 1)
        # The pause since the last picture counts once it is longer than usual.
        pause_s = max(0.0, now_s - times_s[-1] - interval_s)
        return (len(times_s) - 1) / (times_s[-1] - times_s[0] + pause_s)

    def look(self, now_s: float) -> Health:
        """Return what is to be said now."""
        silent_s = now_s - self._picture_s
        for times_s in (self._seen_s, self._corrupt_s, self._patched_s):
            _forget_before(times_s, now_s - WINDOW_S)
        if silent_s > self._stall_after_s:
            if self._corrupt_s and now_s - self._corrupt_s[-1] <= self._stall_after_s:
                return self._damaged(now_s)
            return Health(
                signal=Signal.SILENCE, state=CameraState.BLIND, cause=self._silence(silent_s)
            )
        if self._delay.is_held_back:
            return Health(
                signal=Signal.POOR, state=CameraState.BLIND, cause=_held_back(self._delay)
            )
        fps = self.fps(now_s)
        if self._damaged_share > CORRUPT_SHARE_MAX:
            return self._damaged(now_s)
        if self._delay.is_thinned:
            return _thinned(self._left_fps(now_s))
        enough_fps = STARVED_SHARE * min(self._usual_fps(now_s, fps), self._wanted_fps)
        if now_s - self._from_s >= WINDOW_S and fps < enough_fps:
            state = CameraState.BLIND if fps < BLIND_FPS else CameraState.DEGRADED
            return Health(
                signal=Signal.POOR,
                state=state,
                cause=f"starved: {fps:.1f} pictures a second come (wanted: {enough_fps:.1f}); is "
                "the network or this machine overloaded?",
            )
        return Health(signal=Signal.SOUND, state=CameraState.SEEING)

    @property
    def _damaged_share(self) -> float:
        pictures = len(self._seen_s) + len(self._corrupt_s)
        damaged = len(self._patched_s) + len(self._corrupt_s)
        return damaged / pictures if pictures else 0.0

    def _damaged(self, now_s: float) -> Health:
        """Say that too much arrives damaged; blind, if next to nothing is left."""
        left_fps = self._left_fps(now_s)
        left = ""
        if left_fps < STARVED_SHARE * self._wanted_fps:
            left = f", {left_fps:.1f} a second are left to see by"
        return Health(
            signal=Signal.POOR,
            state=CameraState.BLIND if left_fps < BLIND_FPS else CameraState.DEGRADED,
            cause=f"{self._damaged_share:.0%} of its pictures arrive damaged "
            f"(allowed: {CORRUPT_SHARE_MAX:.0%}){left}; "
            f"{self.advice or 'is the network overloaded?'}",
        )

    def _left_fps(self, now_s: float) -> float:
        """Return what is left to see by: in bursts, from a whole key picture to the next damage."""
        return len(self._seen_s) / min(WINDOW_S, max(1.0, now_s - self._from_s))

    def _usual_fps(self, now_s: float, fps: float) -> float:
        if now_s - self._from_s >= WINDOW_S:
            self._rates.append((now_s, fps))
        while self._rates and now_s - self._rates[0][0] > _USUAL_FOR_S:
            self._rates.popleft()
        return max((rate for _, rate in self._rates), default=fps)

    def _silence(self, silent_s: float) -> str:
        found = f"no frame for {silent_s:.1f} s (stall_after_s = {self._stall_after_s:g})"
        if not self._packets:
            return found
        return f"{found}, though {self._packets} packets came; is it sending key frames?"


def _held_back(delay: Delay) -> str:
    found = f"its pictures come {delay.late_s:.1f} s after they were taken"
    if delay.late_s <= LATE_MAX_S:
        found = f"its pictures came late, and have not been in time for {TRIAL_S:g} s yet"
    advice = (
        "the line is too slow for this stream: use a sub-stream or a lower bit rate"
        if delay.waiting >= WAITING_SHARE
        else "this machine is too busy to read them in time"
    )
    return f"{found} (allowed: {LATE_MAX_S:g} s), so that none is shown or analysed; {advice}"


def _thinned(fps: float) -> Health:
    return Health(
        signal=Signal.POOR,
        state=CameraState.BLIND if fps < BLIND_FPS else CameraState.DEGRADED,
        cause="this machine is too busy to decode all of its pictures: only its key pictures are; "
        "a sub-stream needs less",
    )


def _forget_before(times_s: deque[float], oldest_s: float) -> None:
    while times_s and times_s[0] < oldest_s:
        times_s.popleft()
