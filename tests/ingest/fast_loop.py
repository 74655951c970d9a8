"""The real loop of one camera, four times as fast as the wall's clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from contracts.cameras import RtspTransport
from contracts.settings import IngestSettings
from ingest.local_queue import LocalFrameQueue
from tests.fakes.clock import START
from tests.ingest.loop_bench import LoopBench
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


class Watch(LoopBench):
    """One camera's loop, and what it told."""

    def __init__(
        self, url: str, transport: RtspTransport, queue: LocalFrameQueue | None = None
    ) -> None:
        settings = IngestSettings(
            open_timeout_s=3.0, read_timeout_s=1.0, stall_after_s=4.0, back_off_max_s=0.5
        )
        camera = rtsp_camera(url, transport=transport)
        super().__init__(camera, FastClock(), settings, queue=queue, keep_s=300.0)

    @property
    def carriers(self) -> list[str]:
        return [change.after for change in self.told if change.after in set(RtspTransport)]

    @property
    def corrupt(self) -> int:
        return self.queue.account("gate").corrupt


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
