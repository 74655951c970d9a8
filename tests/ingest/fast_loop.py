"""The real loop of one camera, four times as fast as the wall's clock."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from contracts.cameras import CameraStatus, RtspTransport
from contracts.settings import IngestSettings, QueueSettings
from ingest.camera import CameraIngest
from ingest.carrier import CarrierChange
from ingest.clip_ring import ClipRing
from ingest.local_queue import LocalFrameQueue
from ingest.phases import PhaseChange
from ingest.status import StatusKeeper
from tests.fakes.clock import START
from tests.fakes.ports import InMemoryCameras
from tests.ingest.recordings import rtsp_camera
from tests.quirkcam import QuirkCam


class FastClock:
    """Runs ``RATE`` times as fast as the wall, as the cameras of these tests play."""

    RATE = 4.0

    def __init__(self) -> None:
        self._from_s = time.monotonic()

    def monotonic_s(self) -> float:
        return (time.monotonic() - self._from_s) * self.RATE

    def now(self) -> datetime:
        return START.astimezone(UTC) + timedelta(seconds=self.monotonic_s())

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / self.RATE)


class Watch:
    """One camera's loop, and what it told."""

    def __init__(
        self, url: str, transport: RtspTransport, queue: LocalFrameQueue | None = None
    ) -> None:
        clock = FastClock()
        settings = IngestSettings(
            open_timeout_s=3.0, read_timeout_s=1.0, stall_after_s=4.0, back_off_max_s=0.5
        )
        camera = rtsp_camera(url, transport=transport)
        self.told: list[PhaseChange | CarrierChange] = []
        self.directory = InMemoryCameras()
        self.queue = queue or LocalFrameQueue(QueueSettings(frames_per_camera=1000))
        self.status = StatusKeeper(
            "gate",
            directory=self.directory,
            stall_after_s=settings.stall_after_s,
            clock=clock,
            wanted_fps=camera.analysis_fps,
            tell=self.told.append,
        )
        self.ring = ClipRing(keep_s=300.0)
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

    @property
    def carriers(self) -> list[str]:
        return [str(change.after) for change in self.told if isinstance(change, CarrierChange)]

    @property
    def corrupt(self) -> int:
        return self.queue.account("gate").corrupt

    def published(self) -> CameraStatus:
        self.status.publish()
        return self.directory.statuses[-1]

    def until(self, is_so: Callable[[], bool]) -> None:
        for _ in range(1200):
            if is_so():
                return
            self.stop.wait(0.025)
        raise AssertionError(f"not so within 30 s; carriers: {self.carriers}")


@contextmanager
def watching(
    camera: QuirkCam,
    transport: RtspTransport = RtspTransport.UDP,
    *,
    queue: LocalFrameQueue | None = None,
) -> Iterator[Watch]:
    """Watch a camera that plays at ``speed=FastClock.RATE`` for the length of the block."""
    watch = Watch(camera.url, transport, queue)
    watch.thread.start()
    try:
        yield watch
    finally:
        watch.stop.set()
        watch.thread.join(10)
    assert not watch.thread.is_alive()
