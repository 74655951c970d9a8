"""The loop of vision: holds cameras by lease, takes their frames, tells what they show.

Order for each frame: pipeline, checkpoint (with what is to be published), publish, checkpoint,
settle, show. The detector may look at frames of several cameras at once; before and after that each
goes its own way. A worker that is killed in between leaves the frame unsettled, so that its
successor sees it again, and its news in the checkpoint, so that its successor publishes them, maybe
again, under the same ids: one visitor stays one incident whenever the kill comes.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import partial
from typing import Final

import structlog

from contracts.cameras import Camera, CameraDirectory, Leases
from contracts.clock import Clock
from contracts.detections import Detector
from contracts.errors import ConfigError, TransportUnavailable
from contracts.evidence import EvidenceStore
from contracts.frames import FrameOutcome, FrameReader, QueuedFrame
from contracts.incidents import ClipRequest, Incident
from contracts.queues import WorkQueue
from contracts.settings import QueueSettings, VisionSettings
from vision.archive.port import NoArchive, TrackArchive
from vision.archive.recorder import TrackRecorders
from vision.attention import Attention, RungChange
from vision.batching import BATCH_WAIT_S, by_turns, detect_each, frames_at_once
from vision.checkpoint import Checkpoints, Outgoing, outgoing
from vision.failure_log import FailureLog
from vision.frame_result import BegunFrame, FrameResult
from vision.live import LiveView
from vision.metrics import (
    CAMERAS_HELD,
    FRAME_AGE_SECONDS,
    FRAMES,
    MODEL,
    OPEN_INCIDENTS,
    TRANSPORT_RETRIES,
)
from vision.pipeline import CameraPipeline

log = structlog.get_logger()

TAKE_TIMEOUT_S: Final = 0.25
"""Longest wait for frames; a stop is noticed within it."""
IDLE_S: Final = 0.25
"""Wait while there is no camera to look at."""
RETRY_S: Final = (0.1, 1.0)
"""First and longest wait before something is sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPorts:
    """Everything a worker reaches the other stages by."""

    directory: CameraDirectory
    leases: Leases
    reader: FrameReader
    work_queue: WorkQueue
    live: LiveView
    checkpoints: Checkpoints
    evidence: EvidenceStore
    tracks: TrackArchive = field(default_factory=NoArchive)
    tell: Callable[[RungChange], None] | None = None


@dataclass(slots=True)
class _Held:
    """A camera in this worker's hands, and the lease's token by which it is held."""

    pipeline: CameraPipeline
    token: int


@dataclass(frozen=True, slots=True)
class _Begun:
    """A frame that waits for the detector, and whose it is."""

    queued: QueuedFrame
    pipeline: CameraPipeline
    begun: BegunFrame


class _Stopped(Exception):  # noqa: N818  # ends the loop, is no error
    """The worker was told to stop while it waited for a port."""


class VisionWorker:
    """Turns queued frames into published incidents, for every camera whose lease it gets.

    One camera's failure is logged and counted, and touches no other. Nothing that is to be
    published or settled is dropped because Redis is away: the worker waits for it.

    Args:
        ports: The way to the other stages.
        detector: Shared by all cameras.
        settings: Of vision.
        queue: For the age budget and the leases' life.
        clock: Wall clock for the age of frames, monotonic for everything else.
        time_zone: For the hour of day in facts.
    """

    def __init__(
        self,
        ports: WorkerPorts,
        detector: Detector,
        *,
        settings: VisionSettings,
        queue: QueueSettings,
        clock: Clock,
        time_zone: tzinfo = UTC,
    ) -> None:
        self._ports = ports
        self._detector = detector
        self._settings = settings
        self._queue = queue
        self._clock = clock
        self._time_zone = time_zone
        self._held: dict[str, _Held] = {}
        self._refused: dict[str, Camera] = {}
        self._recorders = TrackRecorders(ports.tracks)
        self._failures = FailureLog(clock)
        self._attention = Attention(clock, max_age_s=queue.max_age_s, tell=ports.tell)
        self._renewed_s = float("-inf")
        self._stop = threading.Event()
        identity = detector.identity
        MODEL.labels(model=identity.name, sha256=identity.sha256).set(1)

    @property
    def held_cameras(self) -> tuple[str, ...]:
        """Ids of the cameras that this worker tracks now."""
        return tuple(self._held)

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set, then hand the cameras over with their checkpoints.

        Open incidents stay open: whoever takes the camera next goes on with them.
        """
        self._stop = stop
        while not stop.is_set():
            try:
                self.turn()
            except _Stopped:
                # The stored checkpoint knows what was not published; what is in memory does not.
                self._hand_over(saving=False)
                return
            except TransportUnavailable as error:
                log.warning("transport unavailable, waiting", cause=str(error))
                self._clock.sleep(RETRY_S[1])
            except Exception as error:  # noqa: BLE001  # loop boundary: logged and counted
                self._failures.note("", error)
                self._clock.sleep(RETRY_S[0])
        self._hand_over(saving=True)

    def turn(self) -> None:
        """Renew what is due, take what is there, work it off.

        Raises:
            TransportUnavailable: Frames could not be taken.
        """
        self._renew_if_due()
        if not self._held:
            self._clock.sleep(IDLE_S)
            return
        taken = self._take()
        newest = {queued.frame.header.camera_id: queued.entry_id for queued in taken}
        at_once = frames_at_once(self._detector, self._settings)
        waiting: dict[str, _Begun] = {}
        for queued in by_turns(taken):
            camera_id = queued.frame.header.camera_id
            if camera_id in waiting or len(waiting) >= at_once:
                self._look_at(waiting)
            if not waiting:
                self._renew_if_due()
            if camera_id in self._held:
                is_newest = newest[camera_id] == queued.entry_id
                begun = self._begin_frame(queued, self._held[camera_id], is_newest=is_newest)
                if begun is not None:
                    waiting[camera_id] = begun
        self._look_at(waiting)
        for camera_id, held in self._held.items():
            self._tell(held.pipeline, held.pipeline.close_idle(), ())
            OPEN_INCIDENTS.labels(camera=camera_id).set(held.pipeline.open_incidents)

    def _take(self) -> list[QueuedFrame]:
        """Return frames, oldest first for each camera; wait a moment more for a fuller batch."""
        cameras = self.held_cameras
        taken = self._ports.reader.take(cameras, timeout_s=TAKE_TIMEOUT_S)
        missing = {*cameras} - {queued.frame.header.camera_id for queued in taken}
        if taken and missing and len(taken) < frames_at_once(self._detector, self._settings):
            # What was taken is to be worked off whatever becomes of the rest.
            with suppress(TransportUnavailable):
                taken += self._ports.reader.take(sorted(missing), timeout_s=BATCH_WAIT_S)
        return taken

    def _begin_frame(self, queued: QueuedFrame, held: _Held, *, is_newest: bool) -> _Begun | None:
        """Read a frame as far as possible; return it if the detector has to look at it."""
        camera = held.pipeline.camera
        outcome = self._attention.leaves_out(
            queued, usual_fps=camera.analysis_fps, is_newest=is_newest
        )
        if outcome is not None:
            self._settle(queued, outcome)
            return None
        with self._guarded(queued):
            begun = held.pipeline.begin(queued.frame, self._attention.rung(camera.camera_id))
            if isinstance(begun, BegunFrame):
                return _Begun(queued, held.pipeline, begun)
            self._finish_frame(queued, held.pipeline, begun)
        return None

    def _look_at(self, waiting: dict[str, _Begun]) -> None:
        """Let the detector look at the frames that wait for it, and work each of them off."""
        if not waiting:
            return
        works = [*waiting.values()]
        waiting.clear()
        began_s = self._clock.monotonic_s()
        answers = detect_each(self._detector, [work.begun.picture for work in works])
        detect_s = (self._clock.monotonic_s() - began_s) / len(works)
        for work, answer in zip(works, answers, strict=True):
            with self._guarded(work.queued):
                if isinstance(answer, Exception):
                    raise answer
                result = work.pipeline.complete(work.begun, answer, detect_s=detect_s)
                self._finish_frame(work.queued, work.pipeline, result)

    @contextmanager
    def _guarded(self, queued: QueuedFrame) -> Iterator[None]:
        """Settle a frame that fails, whatever fails, so that it costs only itself."""
        try:
            yield
        except (_Stopped, TransportUnavailable):
            raise
        except Exception as error:  # noqa: BLE001  # loop boundary: logged and counted
            self._failures.note(queued.frame.header.camera_id, error)
            self._settle(queued, FrameOutcome.ANALYSIS_ERROR)

    def _finish_frame(
        self, queued: QueuedFrame, pipeline: CameraPipeline, result: FrameResult
    ) -> None:
        self._tell(pipeline, result.incidents, result.clip_requests)
        if result.incidents:
            age_s = self._attention.age_s(queued)
            FRAME_AGE_SECONDS.labels(stage="publish").observe(max(0.0, age_s))
        self._settle(queued, result.outcome)
        if result.live is not None and self._ports.live.is_due(pipeline.camera.camera_id):
            self._ports.live.show(self._attention.qualified(result.live).taken())
        if result.tracks is not None:
            self._recorders.look(queued.frame.header, result.tracks)

    def _tell(
        self,
        pipeline: CameraPipeline,
        incidents: Sequence[Incident],
        requests: Sequence[ClipRequest],
    ) -> None:
        """Publish the news of a camera, if there is any, and remember how far it has come."""
        news = [*map(outgoing, incidents), *map(outgoing, requests)]
        if news:
            self._save(pipeline, pipeline.checkpoint(unsent=news))
            self._publish(news)
        content = pipeline.due_checkpoint()
        if content is not None:
            self._save(pipeline, content)

    def _save(self, pipeline: CameraPipeline, content: bytes) -> None:
        camera_id = pipeline.camera.camera_id
        self._insist(lambda: self._ports.checkpoints.save(camera_id, content), "checkpoint")

    def _publish(self, messages: Iterable[Outgoing]) -> None:
        for message in messages:
            publish = partial(
                self._ports.work_queue.publish,
                message.topic,
                item_id=message.item_id,
                payload=message.payload,
            )
            self._insist(publish, message.topic)

    def _settle(self, queued: QueuedFrame, outcome: FrameOutcome) -> None:
        self._insist(lambda: self._ports.reader.settle(queued, outcome), "frames")
        camera_id = queued.frame.header.camera_id
        FRAMES.labels(camera=camera_id, outcome=outcome.value).inc()

    def _insist(self, action: Callable[[], object], what: str) -> None:
        """Do it, again and again until the transport takes it or the worker is stopped."""
        wait_s = RETRY_S[0]
        while True:
            try:
                action()
            except TransportUnavailable as error:
                TRANSPORT_RETRIES.labels(what=what).inc()
                log.warning("transport unavailable, trying again", what=what, cause=str(error))
                if self._stop.is_set():
                    raise _Stopped from error
                self._clock.sleep(wait_s)
                wait_s = min(RETRY_S[1], 2 * wait_s)
            else:
                return

    def _renew_if_due(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._renewed_s < self._queue.lease_s / 3:
            return
        self._renewed_s = now_s
        try:
            cameras = {camera.camera_id: camera for camera in self._ports.directory.cameras()}
            for camera_id in [*self._held]:
                if camera_id not in cameras or not cameras[camera_id].is_enabled:
                    self._retire(camera_id)
            for camera in cameras.values():
                if camera.is_enabled:
                    self._renew(camera)
        except TransportUnavailable as error:
            log.warning("leases not renewed, working on what is held", cause=str(error))
        CAMERAS_HELD.set(len(self._held))

    def _renew(self, camera: Camera) -> None:
        """Take or renew one camera's lease and bring its pipeline up to date."""
        camera_id = camera.camera_id
        if camera_id not in self._held and self._refused.get(camera_id) == camera:
            return
        token = self._ports.leases.acquire(_lease(camera_id))
        held = self._held.get(camera_id)
        if held is not None and held.token != token:
            log.warning("camera lost to another worker", camera_id=camera_id)
            self._let_go(camera_id)
            held = None
        if token is None:
            return
        try:
            if held is None:
                self._held[camera_id] = _Held(self._begin(camera), token)
                log.info("camera taken", camera_id=camera_id, token=token)
            elif held.pipeline.camera != camera and self._refused.get(camera_id) != camera:
                held.pipeline.reconfigure(camera)
        except ConfigError as error:
            self._refused[camera_id] = camera
            log.error(  # noqa: TRY400  # the operator needs the sentence, not the stack
                "camera not watched as configured",
                camera_id=camera_id,
                version=camera.version,
                cause=str(error),
            )
            if held is None:
                self._ports.leases.release(_lease(camera_id))

    def _begin(self, camera: Camera) -> CameraPipeline:
        pipeline = CameraPipeline(
            camera,
            self._detector,
            settings=self._settings,
            evidence=self._ports.evidence,
            clock=self._clock,
            time_zone=self._time_zone,
        )
        self._publish(pipeline.restore(self._ports.checkpoints.load(camera.camera_id)))
        return pipeline

    def _retire(self, camera_id: str) -> None:
        """Close a camera that is no longer to be watched, and give it back."""
        pipeline = self._held[camera_id].pipeline
        self._tell(pipeline, pipeline.finish(), ())
        self._let_go(camera_id)
        self._ports.leases.release(_lease(camera_id))
        log.info("camera given back", camera_id=camera_id)

    def _let_go(self, camera_id: str) -> None:
        del self._held[camera_id]
        self._detector.forget(camera_id)
        self._attention.forget(camera_id)
        self._recorders.leave(camera_id)

    def _hand_over(self, *, saving: bool) -> None:
        for camera_id, held in self._held.items():
            with suppress(TransportUnavailable):
                if saving:
                    self._ports.checkpoints.save(camera_id, held.pipeline.checkpoint())
                self._ports.leases.release(_lease(camera_id))
            self._recorders.leave(camera_id)
        self._held.clear()
        CAMERAS_HELD.set(0)


def _lease(camera_id: str) -> str:
    return f"vision:{camera_id}"
