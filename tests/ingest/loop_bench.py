"""One camera's loop with everything around it in memory."""

import threading
from collections.abc import Callable

from contracts.cameras import Camera, CameraStatus
from contracts.clock import Clock
from contracts.settings import IngestSettings, QueueSettings
from ingest.camera import CameraIngest
from ingest.changes import CameraChange
from ingest.clip_ring import ClipRing
from ingest.local_queue import LocalFrameQueue
from ingest.status import StatusKeeper
from tests.fakes.ports import InMemoryCameras


class LoopBench:
    """The loop, what it queued, and what it told."""

    def __init__(
        self,
        camera: Camera,
        clock: Clock,
        settings: IngestSettings,
        *,
        queue: LocalFrameQueue | None = None,
        keep_s: float = 60.0,
    ) -> None:
        self.told: list[CameraChange] = []
        self.queue = queue or LocalFrameQueue(QueueSettings(frames_per_camera=1000))
        self.directory = InMemoryCameras()
        self.ring = ClipRing(keep_s=keep_s)
        self.status = StatusKeeper(
            camera.camera_id,
            directory=self.directory,
            stall_after_s=settings.stall_after_s,
            clock=clock,
            wanted_fps=camera.analysis_fps,
            tell=self.told.append,
        )
        self.stop = threading.Event()
        self.ingest = CameraIngest(
            camera,
            writer=self.queue,
            ring=self.ring,
            status=self.status,
            settings=settings,
            clock=clock,
        )
        self.thread = threading.Thread(target=self.ingest.run, args=(self.stop,), daemon=True)

    def run(self) -> None:
        self.ingest.run(self.stop)

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait, in real time, until something is so."""
        for _ in range(1200):
            if is_so():
                return
            threading.Event().wait(0.025)
        changes = [(change.before, change.after) for change in self.told]
        raise AssertionError(f"not so within 30 s; changes: {changes}")

    def end(self) -> None:
        self.stop.set()
        self.thread.join(15)
        assert not self.thread.is_alive(), "the loop did not end within its deadlines"

    def published(self) -> CameraStatus:
        """The status as the supervisor would publish it now."""
        self.status.publish()
        return self.directory.statuses[-1]

    @property
    def phases(self) -> list[str]:
        """Each phase said, in order, repetitions left out."""
        found: list[str] = []
        for status in self.directory.statuses:
            if not found or found[-1] != status.phase:
                found.append(status.phase)
        return found

    @property
    def runs(self) -> list[str]:
        """The runs of the frames in the queue, in order."""
        taken = self.queue.take(["gate"], timeout_s=0.0)
        self.queue.restart_reading()
        return list(dict.fromkeys(queued.frame.header.run_id for queued in taken))
