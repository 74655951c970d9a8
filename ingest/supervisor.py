"""Keeps one ingest loop running for each camera that this process may decode."""

import math
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from contracts.cameras import Camera, CameraDirectory, Leases, SourceType
from contracts.clock import Clock
from contracts.errors import TransportUnavailable
from contracts.evidence import EvidenceStore
from contracts.queues import WorkQueue
from contracts.settings import IngestSettings
from ingest.camera import CameraIngest
from ingest.changes import CameraChange
from ingest.clip_ring import ClipRing
from ingest.clip_service import ClipService
from ingest.evidence_stream import EvidenceRing
from ingest.frame_account import FrameWriter
from ingest.metrics import CLIP_RING_BYTES, LOOP_ERRORS, PHASE, STREAM_UP
from ingest.onvif.events import OwnEvent
from ingest.onvif.listener import EventListener
from ingest.pacing import pause
from ingest.phases import Phase
from ingest.recorder.recorders import Recorders
from ingest.status import StatusKeeper
from ingest.webrtc.live_cameras import LiveCameras

log = structlog.get_logger()

_POLL_S: Final = 1.0
_LOOKS: Final = 5
"""At the privacy masks, between two steps."""
_STOP_EXTRA_S: Final = 2.0
"""Beyond the read time-out, in which a loop sees that it is to stop."""


@dataclass(slots=True, eq=False)
class _Held:
    """A camera that this process holds the lease of."""

    camera: Camera
    ring: EvidenceRing
    status: StatusKeeper
    ingest: CameraIngest
    stop: threading.Event
    thread: threading.Thread

    @property
    def is_running(self) -> bool:
        return self.thread.is_alive()


@dataclass(kw_only=True, eq=False)
class IngestSupervisor:
    """Follows the camera directory: starts, stops and restarts one thread for each camera.

    A camera is taken only with its lease, ``ingest:<camera>``. While leases or directory cannot be
    reached, what is held goes on and nothing new is taken. Edits that ingest has no part in (name,
    zones, rules) and those of privacy masks do not interrupt a stream.
    """

    directory: CameraDirectory
    leases: Leases
    writer: FrameWriter
    work_queue: WorkQueue
    evidence_store: EvidenceStore
    settings: IngestSettings
    clock: Clock
    tell: Callable[[CameraChange], None] | None = None
    hear: Callable[[OwnEvent], None] | None = None
    live: LiveCameras = field(default_factory=LiveCameras)
    recorders: Recorders | None = None
    _held: dict[str, _Held] = field(init=False, default_factory=dict)
    _disabled: dict[str, StatusKeeper] = field(init=False, default_factory=dict)
    _is_away: bool = field(init=False, default=False)

    def run(self, stop: threading.Event) -> None:
        """Supervise until ``stop`` is set, then end all loops and give the leases back."""
        service = ClipService(
            self._ring_of,
            work_queue=self.work_queue,
            evidence_store=self.evidence_store,
            clock=self.clock,
        )
        clips = threading.Thread(target=service.run, args=(stop,), name="clips", daemon=True)
        clips.start()
        while not stop.is_set():
            try:
                self.step()
                self._mask_meanwhile(stop)
            except Exception:
                LOOP_ERRORS.labels("supervisor").inc()
                log.exception("ingest supervisor failed unexpectedly")
                pause(_POLL_S, clock=self.clock, stop=stop)
        self._end()
        if self.recorders is not None:
            self.recorders.close()
        clips.join(_STOP_EXTRA_S)

    def step(self) -> None:
        """Bring what runs in line with what is wanted and held, once."""
        try:
            self.mask()
            self._renew()
            cameras = self.directory.cameras()
            self._follow(cameras)
            self._record(cameras)
            self._is_away = False
        except TransportUnavailable as error:
            if not self._is_away:
                log.warning("cameras held go on, nothing new is taken", reason=str(error))
            self._is_away = True
        self._restart_dead()
        for camera_id, held in self._held.items():
            if not self._is_away:  # else each camera would wait for a time-out, to say nothing
                held.status.publish()
            self.writer.count_unqueued(camera_id)
            CLIP_RING_BYTES.labels(camera_id).set(held.ring.size_bytes)

    def _mask_meanwhile(self, stop: threading.Event) -> None:
        """Wait for the next step; who draws a privacy mask does not wait that long."""
        for _ in range(_LOOKS):
            pause(_POLL_S / _LOOKS, clock=self.clock, stop=stop)
            with suppress(TransportUnavailable):  # the next step says so
                self.mask()

    def mask(self) -> None:
        """Bring the privacy masks of what runs up to date. Raises TransportUnavailable."""
        for camera in self.directory.cameras():
            held = self._held.get(camera.camera_id)
            if held is None or held.camera.masks == camera.masks:
                continue
            held.ingest.mask(camera.masks)
            held.camera = replace(held.camera, masks=camera.masks)
            log.info("privacy masks changed", camera_id=camera.camera_id, zones=len(camera.masks))

    def _renew(self) -> None:
        """Keep the leases of what runs; what another process has taken over is stopped."""
        for camera_id, held in self._held.items():
            if self.leases.acquire(_lease(camera_id)) is None:
                held.stop.set()

    def _follow(self, cameras: Sequence[Camera]) -> None:
        wanted = {camera.camera_id: camera for camera in cameras if camera.is_enabled}
        self._say_disabled(cameras)
        for camera_id, held in list(self._held.items()):
            camera = wanted.get(camera_id)
            if camera is None or _reads_differently(held.camera, camera):
                held.stop.set()
            if not held.stop.is_set() or held.is_running:
                continue
            if camera is not None and self.leases.acquire(_lease(camera_id)) is not None:
                self._start(camera, held.ring)
            else:
                self._let_go(camera_id)
        for camera_id, camera in wanted.items():
            if camera_id not in self._held and self.leases.acquire(_lease(camera_id)) is not None:
                self._start(camera, EvidenceRing(keep_s=self.settings.clip_ring_s))

    def _record(self, cameras: Sequence[Camera]) -> None:
        """Record those that are held and are to be recorded; a change interrupts no stream."""
        if self.recorders is None:
            return
        wanted = {camera.camera_id for camera in cameras if camera.is_recorded}
        self.recorders.follow(
            {
                camera_id: recorded_ring(held.camera, held.ring)
                for camera_id, held in self._held.items()
                if camera_id in wanted
            }
        )
        for camera_id, held in self._held.items():
            held.status.recorded(self.recorders.status(camera_id))

    def _start(self, camera: Camera, ring: EvidenceRing) -> None:
        status = self._status_of(camera.camera_id, wanted_fps=camera.analysis_fps)
        ingest = CameraIngest(
            camera,
            writer=self.writer,
            ring=ring,
            status=status,
            settings=self.settings,
            clock=self.clock,
            live=self.live.open(camera),
        )
        stop = threading.Event()
        thread = threading.Thread(
            target=ingest.run, args=(stop,), name=f"camera-{camera.camera_id}", daemon=True
        )
        self._held[camera.camera_id] = _Held(camera, ring, status, ingest, stop, thread)
        log.info("camera taken", camera_id=camera.camera_id, version=camera.version)
        thread.start()
        self._listen(camera, stop)

    def _listen(self, camera: Camera, stop: threading.Event) -> None:
        """Hear what the camera says by itself, if it can and somebody wants to know."""
        if self.hear is None or camera.source.source_type is not SourceType.ONVIF:
            return
        listener = EventListener(
            camera=camera, settings=self.settings, clock=self.clock, tell=self.hear
        )
        name = f"events-{camera.camera_id}"
        threading.Thread(target=listener.run, args=(stop,), name=name, daemon=True).start()

    def _restart_dead(self) -> None:
        """Start loops again that ended by themselves, which only a fault in their code does."""
        for held in list(self._held.values()):
            if held.is_running or held.stop.is_set() or held.ingest.has_ended:
                continue
            LOOP_ERRORS.labels("camera").inc()
            log.error("camera loop was dead, starting it again", camera_id=held.camera.camera_id)
            held.stop.set()  # of what listens beside it
            self._start(held.camera, held.ring)

    def _let_go(self, camera_id: str) -> None:
        del self._held[camera_id]
        self.live.close(camera_id)
        self.writer.let_go(camera_id)
        STREAM_UP.remove(camera_id)
        PHASE.remove_by_labels({"camera": camera_id})
        CLIP_RING_BYTES.remove(camera_id)
        self.leases.release(_lease(camera_id))
        log.info("camera let go", camera_id=camera_id)

    def _say_disabled(self, cameras: Sequence[Camera]) -> None:
        disabled = {camera.camera_id for camera in cameras if not camera.is_enabled}
        for camera_id in disabled - set(self._held):
            if camera_id not in self._disabled:
                self._disabled[camera_id] = self._status_of(camera_id)
            self._disabled[camera_id].is_out(
                Phase.DISABLED, cause="the camera is switched off in its settings"
            )
        self._disabled = {
            camera_id: status
            for camera_id, status in self._disabled.items()
            if camera_id in disabled
        }

    def _status_of(self, camera_id: str, *, wanted_fps: float = math.inf) -> StatusKeeper:
        return StatusKeeper(
            camera_id,
            directory=self.directory,
            stall_after_s=self.settings.stall_after_s,
            clock=self.clock,
            wanted_fps=wanted_fps,
            tell=self.tell,
        )

    def _ring_of(self, camera_id: str) -> ClipRing | None:
        held = self._held.get(camera_id)
        return held.ring if held else None

    def _end(self) -> None:
        for held in self._held.values():
            held.stop.set()
        patience_s = max(self.settings.read_timeout_s, self.settings.open_timeout_s)
        until_s = self.clock.monotonic_s() + patience_s + _STOP_EXTRA_S
        for camera_id, held in self._held.items():
            held.thread.join(max(0.0, until_s - self.clock.monotonic_s()))
            self.writer.let_go(camera_id)
            try:
                self.leases.release(_lease(camera_id))
            except TransportUnavailable:
                log.info("lease ends by itself", camera_id=camera_id)


def recorded_ring(camera: Camera, ring: EvidenceRing) -> ClipRing:
    """Return what to record: the main stream, unless there is none beside the analysed one."""
    has_main = camera.source.evidence_url and not ring.is_single
    return ring.main if has_main else ring


def _lease(camera_id: str) -> str:
    return f"ingest:{camera_id}"


def _reads_differently(before: Camera, after: Camera) -> bool:
    """Whether an edit changes what the loop does.

    Versions do not tell: who is removed and added again between two looks begins with 1 again.
    """
    return (before.source, before.analysis_fps, before.analysis_width, before.keeps_audio) != (
        after.source,
        after.analysis_fps,
        after.analysis_width,
        after.keeps_audio,
    )
