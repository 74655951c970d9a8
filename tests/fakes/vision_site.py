"""A whole site around the vision worker: all ports in memory, workers that come and go."""

import threading
from collections.abc import Iterable, Sequence

from contracts.cameras import Camera
from contracts.codec import decode
from contracts.frames import EncodedFrame
from contracts.incidents import Incident
from contracts.queues import INCIDENTS
from contracts.settings import QueueSettings, VisionSettings
from tests.fakes.clock import ManualClock
from tests.fakes.footage import encoded
from tests.fakes.pipeline_rig import STANDS_IN_DOCK, camera
from tests.fakes.ports import (
    InMemoryCameras,
    InMemoryCheckpoints,
    InMemoryEvidence,
    InMemoryFrames,
    InMemoryLeases,
    InMemoryWorkQueue,
    RecordingLiveView,
)
from tests.fakes.scripted_detector import Script, ScriptedDetector
from tests.fakes.track_archives import InMemoryTracks
from vision.worker import VisionWorker, WorkerPorts


class Site:
    """All ports of one site in memory, and workers that come and go."""

    def __init__(
        self,
        script: Script = STANDS_IN_DOCK,
        *,
        cameras: Sequence[Camera] = (camera(),),
        failing_seqs: Sequence[int] = (),
        batch_frames: int = 0,
    ) -> None:
        self.settings = VisionSettings(batch_frames=batch_frames)
        self.directory = InMemoryCameras(cameras)
        self.leases = InMemoryLeases()
        self.clock = ManualClock()
        self.frames = InMemoryFrames(frames_per_camera=64, clock=self.clock)
        self.work_queue = InMemoryWorkQueue()
        self.live = RecordingLiveView()
        self.checkpoints = InMemoryCheckpoints()
        self.evidence = InMemoryEvidence()
        self.tracks = InMemoryTracks()
        self.detector = ScriptedDetector(script, failing_seqs=failing_seqs)
        self.worker = self.new_worker()

    def ports(self) -> WorkerPorts:
        return WorkerPorts(
            directory=self.directory,
            leases=self.leases,
            reader=self.frames,
            work_queue=self.work_queue,
            live=self.live,
            checkpoints=self.checkpoints,
            evidence=self.evidence,
            tracks=self.tracks,
        )

    def new_worker(self) -> VisionWorker:
        return VisionWorker(
            self.ports(),
            self.detector,
            settings=self.settings,
            queue=QueueSettings(),
            clock=self.clock,
        )

    def restart_worker(self) -> None:
        """``kill -9``: the worker is gone with all it had in its hands; another begins."""
        self.frames.restart_reader()
        self.worker = self.new_worker()

    def live_through(self, frames: Iterable[EncodedFrame]) -> None:
        """Each frame is queued at its time and worked off at once."""
        for frame in frames:
            self.reach(frame)
            self.frames.put(frame)
            self.worker.turn()

    def reach(self, frame: EncodedFrame) -> None:
        """Move the clock to the moment at which the frame is captured."""
        wait_s = (frame.header.captured_at - self.clock.now()).total_seconds()
        self.clock.advance(max(0.0, wait_s))

    def incidents(self) -> list[Incident]:
        return [decode(payload, Incident) for payload in self.work_queue.payloads(INCIDENTS)]

    def outcomes(self, camera_id: str = "cam") -> dict[str, int]:
        account = self.frames.account(camera_id)
        assert account.is_balanced
        return dict(account.outcomes)


def clip(start: int, end: int) -> list[EncodedFrame]:
    return [encoded(seq) for seq in range(start, end)]


class StopAfter(threading.Event):
    """Is set once it has been asked often enough: a loop that never looks would never end."""

    def __init__(self, *, turns: int) -> None:
        super().__init__()
        self._left = turns

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0
