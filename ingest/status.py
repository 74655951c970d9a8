"""How a camera is doing: kept by its ingest loop, published by the supervisor's."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog

from contracts.cameras import CameraDirectory, CameraState, CameraStatus, RecordingStatus
from contracts.clock import Clock
from ingest.carrier import Changeover
from ingest.changes import CameraChange
from ingest.health import Delay, Health, Pulse
from ingest.metrics import (
    BLIND_SECONDS,
    CARRIER_CHANGES,
    PHASE,
    PHASE_CHANGES,
    RECONNECTS,
    STREAM_UP,
)
from ingest.phases import Phase, Signal, after

log = structlog.get_logger()

__all__ = ["Phase", "Seen", "StatusKeeper"]

_OUT: Final = {
    Phase.BACK_OFF: Signal.FAILED,
    Phase.FAILED_AUTH: Signal.REFUSED,
    Phase.ENDED: Signal.END,
    Phase.WAITING: Signal.UNCALLED,
    Phase.DISABLED: Signal.SWITCHED_OFF,
}
_OPEN: Final = (Phase.WAIT_KEY_FRAME, Phase.LIVE, Phase.DEGRADED, Phase.STALLED)
"""Phases in which the stream is open, so that its pulse says how it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of the picture that came last."""

    captured_at: datetime
    width: int
    height: int
    codec: str
    run_id: str
    delay: Delay = Delay()  # noqa: RUF009  # frozen
    is_patched: bool = False


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
        wanted_fps: Analysis rate of the camera.
        tell: Hears of every change of phase, and of what carries RTP.
    """

    def __init__(
        self,
        camera_id: str,
        *,
        directory: CameraDirectory,
        stall_after_s: float,
        clock: Clock,
        wanted_fps: float = math.inf,
        tell: Callable[[CameraChange], None] | None = None,
    ) -> None:
        self._camera_id = camera_id
        self._directory = directory
        self._clock = clock
        self._tell = tell
        self._recording: RecordingStatus | None = None
        self._lock = threading.Lock()
        self._phase = Phase.CONNECTING
        self._since_s = clock.monotonic_s()
        self._cause = ""
        self._attempts = 0
        self._seen: Seen | None = None
        self._pulse = Pulse(self._since_s, wanted_fps=wanted_fps, stall_after_s=stall_after_s)
        self._health = Health(signal=Signal.SOUND, state=CameraState.SEEING)
        self._published_s = clock.monotonic_s()

    def connecting(self) -> None:
        """Say that the camera is being opened."""
        with self._lock:
            self._attempts += 1
            if self._attempts > 1:
                RECONNECTS.labels(self._camera_id).inc()
            self._pulse.restart(self._clock.monotonic_s())
        # What was wrong stays to be seen until a frame shows that it is over.
        self._take(Signal.OPEN)
        self.publish()

    def answered(self) -> None:
        """Say that something answers at the camera's address."""
        self._take(Signal.ANSWERED)

    def opened(self) -> None:
        """Say that the stream is open; pictures may come."""
        with self._lock:
            self._pulse.restart(self._clock.monotonic_s())
            self._health = Health(signal=Signal.SOUND, state=CameraState.SEEING)
        self._take(Signal.OPENED)

    def packet(self) -> None:
        """Note something encoded that may become a picture."""
        self._pulse.packet()

    def decoded(self, seen: Seen) -> None:
        """Note a sound picture; the first one makes the camera live."""
        with self._lock:
            was_held_back = self._seen is not None and self._seen.delay.is_held_back
            self._seen = seen
            self._pulse.picture(
                self._clock.monotonic_s(), delay=seen.delay, is_patched=seen.is_patched
            )
            is_change = after(self._phase, Signal.PICTURE) is not self._phase
            if is_change:
                self._cause = ""
        if is_change:
            self._take(Signal.PICTURE)
        if is_change or was_held_back is not seen.delay.is_held_back:
            self.publish()

    def corrupt(self, count: int) -> None:
        """Note damaged pictures."""
        with self._lock:
            self._pulse.corrupt(self._clock.monotonic_s(), count)

    def recorded(self, recording: RecordingStatus | None) -> None:
        """Note how its continuous recording is doing; None if it is not to be recorded."""
        with self._lock:
            self._recording = recording

    def advise(self, advice: str) -> None:
        """Say from now on what helps against pictures that arrive damaged; empty knows nothing."""
        with self._lock:
            self._pulse.advice = advice

    def goes_over(self, change: Changeover) -> None:
        """Say that the camera will be read by another carrier, and tell of it."""
        with self._lock:
            self._cause = change.cause
            state = self._status(self._clock.monotonic_s()).state
        CARRIER_CHANGES.labels(self._camera_id, change.after.value).inc()
        log.warning(
            "camera is read by another carrier",
            camera_id=self._camera_id,
            before=change.before.value,
            carrier=change.after.value,
            cause=change.cause,
            lasted_s=round(change.lasted_s, 1),
        )
        if self._tell is None:
            return
        self._tell(
            CameraChange(
                camera_id=self._camera_id,
                at=self._clock.now(),
                before=change.before.value,
                after=change.after.value,
                state=state,
                cause=change.cause,
                lasted_s=change.lasted_s,
            )
        )

    def is_out(self, phase: Phase, *, cause: str) -> None:
        """Say that no picture comes and why, in words without secrets."""
        with self._lock:
            self._cause = cause
            self._pulse.restart(self._clock.monotonic_s())
        self._take(_OUT[phase])
        self.publish()

    def publish(self) -> None:
        """Publish the status as it is now; once a second, and at changes, is often enough."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            if self._phase in _OPEN:
                self._health = self._pulse.look(now_s)
            elapsed_s, self._published_s = now_s - self._published_s, now_s
        if self._phase in _OPEN:
            self._take(self._health.signal)
        with self._lock:
            status = self._status(now_s)
        is_blind = status.state is CameraState.BLIND
        STREAM_UP.labels(self._camera_id).set(0 if is_blind else 1)
        if is_blind:
            BLIND_SECONDS.labels(self._camera_id, status.phase).inc(max(0.0, elapsed_s))
        self._directory.publish_status(status)

    def _take(self, signal: Signal) -> None:
        """Go where a signal leads, and tell of it once."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            before, self._phase = self._phase, after(self._phase, signal)
            if self._phase is before:
                return
            lasted_s, self._since_s = now_s - self._since_s, now_s
            status = self._status(now_s)
        change = CameraChange(
            camera_id=self._camera_id,
            at=status.updated_at,
            before=before.value,
            after=status.phase,
            state=status.state,
            cause=status.cause,
            lasted_s=lasted_s,
        )
        PHASE_CHANGES.labels(self._camera_id, change.after).inc()
        PHASE.labels(self._camera_id, before.value).set(0)
        PHASE.labels(self._camera_id, change.after).set(1)
        log.info(
            "camera phase changed",
            camera_id=self._camera_id,
            before=before.value,
            phase=change.after,
            state=change.state.value,
            cause=change.cause,
            lasted_s=round(lasted_s, 1),
        )
        if self._tell is not None:
            self._tell(change)

    def _status(self, now_s: float) -> CameraStatus:
        status = CameraStatus(
            camera_id=self._camera_id,
            state=CameraState.BLIND,
            phase=self._phase.value,
            cause=self._cause,
            updated_at=self._clock.now(),
            source_fps=self._pulse.fps(now_s),
            reconnects=max(0, self._attempts - 1),
            recording=self._recording,
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
        match self._phase:
            case Phase.LIVE:
                return replace(status, state=CameraState.SEEING)
            case Phase.DEGRADED:
                return replace(status, state=self._health.state, cause=self._health.cause)
            case Phase.WAIT_KEY_FRAME if self._health.signal is Signal.POOR:
                return replace(status, cause=self._health.cause)
            case Phase.STALLED:
                return replace(status, cause=self._health.cause)
            case _:
                return status
