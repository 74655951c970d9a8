"""How a camera is doing: kept by its ingest loop, published by the supervisor's."""

import threading
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

import structlog

from contracts.cameras import CameraDirectory, CameraState, CameraStatus
from contracts.clock import Clock
from ingest.metrics import BLIND_SECONDS, RECONNECTS, STREAM_UP

log = structlog.get_logger()

_RATE_WINDOW_S: Final = 3.0
_CORRUPT_SHARE_MAX: Final = 0.1
"""Of pictures within the window; with more of them damaged, detection misses what it should see."""


class Phase(StrEnum):
    """Values of ``CameraStatus.phase``."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALLED = "stalled"
    BACK_OFF = "back_off"
    FAILED_AUTH = "failed_auth"
    ENDED = "ended"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of the picture that came last."""

    captured_at: datetime
    width: int
    height: int
    codec: str
    run_id: str


class StatusKeeper:
    """Keeps one camera's status and says it.

    A camera that is live and gives no frame for ``stall_after_s`` is said to be stalled by whoever
    publishes: the loop that would notice may be waiting in a read. Safe to use from several
    threads.

    Args:
        camera_id: Whose status.
        directory: Where it is published.
        stall_after_s: See ``IngestSettings``.
        clock: For ages and ``updated_at``.
    """

    def __init__(
        self, camera_id: str, *, directory: CameraDirectory, stall_after_s: float, clock: Clock
    ) -> None:
        self._camera_id = camera_id
        self._directory = directory
        self._stall_after_s = stall_after_s
        self._clock = clock
        self._lock = threading.Lock()
        self._phase = Phase.CONNECTING
        self._cause = ""
        self._attempts = 0
        self._seen: Seen | None = None
        self._frame_s = clock.monotonic_s()
        self._decoded_s: deque[float] = deque()
        self._corrupt_s: deque[float] = deque()
        self._said: Phase | None = None
        self._published_s = clock.monotonic_s()

    def connecting(self) -> None:
        """Say that the camera is being opened."""
        with self._lock:
            self._attempts += 1
            if self._attempts > 1:
                RECONNECTS.labels(self._camera_id).inc()
            # What was wrong stays to be seen until a frame shows that it is over.
            self._phase = Phase.CONNECTING
        self.publish()

    def decoded(self, seen: Seen) -> None:
        """Note a sound picture; the first one makes the camera live."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            is_change = self._phase is not Phase.LIVE or self._said is Phase.STALLED
            self._phase, self._cause = Phase.LIVE, ""
            self._seen, self._frame_s = seen, now_s
            self._decoded_s.append(now_s)
            _forget_before(self._decoded_s, now_s - _RATE_WINDOW_S)
        if is_change:
            self.publish()

    def corrupt(self, count: int) -> None:
        """Note damaged pictures."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            self._corrupt_s.extend([now_s] * count)
            _forget_before(self._corrupt_s, now_s - _RATE_WINDOW_S)

    def is_out(self, phase: Phase, *, cause: str) -> None:
        """Say that no picture comes and why, in words without secrets."""
        with self._lock:
            self._phase, self._cause = phase, cause
            self._decoded_s.clear()
            self._corrupt_s.clear()
        self.publish()

    def publish(self) -> None:
        """Publish the status as it is now; once a second, and at changes, is often enough."""
        with self._lock:
            status = self._status()
            now_s = self._clock.monotonic_s()
            elapsed_s, self._published_s = now_s - self._published_s, now_s
            is_change = self._said is None or status.phase != self._said
            self._said = Phase(status.phase)
        is_blind = status.state is CameraState.BLIND
        STREAM_UP.labels(self._camera_id).set(0 if is_blind else 1)
        if is_blind:
            BLIND_SECONDS.labels(self._camera_id, status.phase).inc(max(0.0, elapsed_s))
        if is_change:
            log.info(
                "camera status changed",
                camera_id=self._camera_id,
                phase=status.phase,
                state=status.state.value,
                cause=status.cause,
            )
        self._directory.publish_status(status)

    def _status(self) -> CameraStatus:
        now_s = self._clock.monotonic_s()
        _forget_before(self._decoded_s, now_s - _RATE_WINDOW_S)
        _forget_before(self._corrupt_s, now_s - _RATE_WINDOW_S)
        status = CameraStatus(
            camera_id=self._camera_id,
            state=CameraState.BLIND,
            phase=self._phase.value,
            cause=self._cause,
            updated_at=self._clock.now(),
            source_fps=_rate(self._decoded_s),
            reconnects=max(0, self._attempts - 1),
        )
        if self._seen is not None:
            status = replace(
                status,
                width=self._seen.width,
                height=self._seen.height,
                codec=self._seen.codec,
                last_frame_at=self._seen.captured_at,
                run_id=self._seen.run_id,
            )
        if self._phase is not Phase.LIVE:
            return status
        silent_s = now_s - self._frame_s
        if silent_s > self._stall_after_s:
            cause = f"no frame for {silent_s:.1f} s (stall_after_s = {self._stall_after_s:g})"
            return replace(status, phase=Phase.STALLED.value, cause=cause)
        return self._live(replace(status, state=CameraState.SEEING))

    def _live(self, status: CameraStatus) -> CameraStatus:
        pictures = len(self._decoded_s) + len(self._corrupt_s)
        share = len(self._corrupt_s) / pictures if pictures else 0.0
        if share <= _CORRUPT_SHARE_MAX:
            return status
        cause = f"{share:.0%} of its pictures arrive damaged; is the network overloaded?"
        return replace(status, state=CameraState.DEGRADED, cause=cause)


def _forget_before(times_s: deque[float], oldest_s: float) -> None:
    while times_s and times_s[0] < oldest_s:
        times_s.popleft()


def _rate(times_s: deque[float]) -> float:
    """Events per second between the first and the last; 0 for fewer than two."""
    if len(times_s) < 2 or times_s[-1] <= times_s[0]:
        return 0.0
    return (len(times_s) - 1) / (times_s[-1] - times_s[0])
