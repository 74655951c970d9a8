"""The recorders of the cameras that this process holds, and whoever tidies up after them."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from contracts.cameras import RecordingStatus
from contracts.clock import Clock
from ingest.clip_ring import ClipRing
from ingest.metrics import LOOP_ERRORS, RECORDING, RECORDING_BYTES
from ingest.pacing import pause
from ingest.recorder.camera_recorder import CameraRecorder
from ingest.recorder.folder import RecordingFolder

log = structlog.get_logger()

_TIDY_EVERY_S: Final = 60.0
_STOP_S: Final = 10.0


@dataclass(slots=True, eq=False)
class _Running:
    """A recorder on its thread."""

    ring: ClipRing
    recorder: CameraRecorder
    stop: threading.Event
    thread: threading.Thread


class Recorders:
    """Runs one recorder for each camera that is to be recorded; safe to use from several threads.

    Args:
        folder: Where parts go.
        clock: For waits.
    """

    def __init__(self, folder: RecordingFolder, *, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._running: dict[str, _Running] = {}

    def follow(self, rings: Mapping[str, ClipRing]) -> None:
        """Record these cameras from their rings, and no others."""
        for camera_id, running in list(self._running.items()):
            if rings.get(camera_id) is not running.ring:
                self._end(camera_id)
        for camera_id, ring in rings.items():
            if camera_id not in self._running:
                self._begin(camera_id, ring)
        for camera_id, running in self._running.items():
            status = running.recorder.status
            RECORDING.labels(camera_id).set(0 if status.since is None else 1)
            RECORDING_BYTES.labels(camera_id).set(status.size_bytes)

    def status(self, camera_id: str) -> RecordingStatus | None:
        """Return how a camera's recording is doing; None if it is not to be recorded."""
        running = self._running.get(camera_id)
        return None if running is None else running.recorder.status

    def tidy(self, stop: threading.Event) -> None:
        """Remove what is too old or too much, again and again until ``stop`` is set."""
        while not stop.is_set():
            try:
                self._folder.tidy()
            except Exception:
                LOOP_ERRORS.labels("recordings").inc()
                log.exception("recordings could not be tidied up")
            pause(_TIDY_EVERY_S, clock=self._clock, stop=stop)

    def close(self) -> None:
        """End all recorders; their parts are finished."""
        for running in [self._end(camera_id) for camera_id in list(self._running)]:
            running.thread.join(_STOP_S)

    def _begin(self, camera_id: str, ring: ClipRing) -> None:
        recorder = CameraRecorder(camera_id, ring=ring, folder=self._folder, clock=self._clock)
        stop = threading.Event()
        thread = threading.Thread(
            target=recorder.run, args=(stop,), name=f"recorder-{camera_id}", daemon=True
        )
        self._running[camera_id] = _Running(ring, recorder, stop, thread)
        log.info("recording begins", camera_id=camera_id)
        thread.start()

    def _end(self, camera_id: str) -> _Running:
        """Tell a recorder to finish; whoever follows cameras does not wait for its disk."""
        running = self._running.pop(camera_id)
        running.stop.set()
        RECORDING.remove(camera_id)
        RECORDING_BYTES.remove(camera_id)
        log.info("recording ends", camera_id=camera_id)
        return running
