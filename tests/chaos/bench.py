"""One camera's real ingest loop with everything around it in memory, read by its time codes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import cv2
import numpy as np

from contracts.cameras import RtspTransport
from contracts.clock import SystemClock
from contracts.frames import FrameHeader
from contracts.settings import IngestSettings, QueueSettings
from ingest.local_queue import LocalFrameQueue
from tests.chaos.measured import elapsed_until
from tests.ingest.loop_bench import LoopBench
from tests.ingest.recordings import rtsp_camera
from tests.quirkcam import timecode

HASTY: Final = IngestSettings(
    open_timeout_s=2.0, read_timeout_s=1.0, stall_after_s=1.0, back_off_max_s=0.5
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A frame that came out of ingest.

    Attributes:
        number: The time code in its pixels; None if it cannot be read.
    """

    header: FrameHeader
    number: int | None

    @property
    def captured_at(self) -> datetime:
        return self.header.captured_at


class TimedLoop(LoopBench):
    """Runs the loop of one camera; ``frames`` are those that it queued so far."""

    def __init__(self, url: str, *, transport: RtspTransport, settings: IngestSettings) -> None:
        queue = LocalFrameQueue(QueueSettings(frames_per_camera=5000))
        camera = rtsp_camera(url, transport=transport)
        super().__init__(camera, SystemClock(), settings, queue=queue, keep_s=120.0)
        self.camera_id = camera.camera_id
        self.thread.start()

    @property
    def is_alive(self) -> bool:
        return self.thread.is_alive()

    @property
    def received(self) -> int:
        return self.queue.account(self.camera_id).received

    @property
    def corrupt(self) -> int:
        return self.queue.account(self.camera_id).corrupt

    def until_received(self, count: int, *, within_s: float = 30.0) -> float:
        """Wait until so many frames are queued; the seconds that it took."""
        return elapsed_until(lambda: self.received >= count, within_s=within_s)

    def frames(self) -> list[Seen]:
        """Everything queued so far, oldest first, with its time codes."""
        taken = self.queue.take([self.camera_id], timeout_s=0.0)
        self.queue.restart_reading()
        return [
            Seen(header=queued.frame.header, number=_number(queued.frame.jpeg)) for queued in taken
        ]


def _number(jpeg: bytes) -> int | None:
    pixels_HW3 = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels_HW3 is not None
    return timecode.read(np.asarray(pixels_HW3, np.uint8))


@contextmanager
def reading(
    url: str,
    *,
    transport: RtspTransport = RtspTransport.TCP,
    settings: IngestSettings = HASTY,
) -> Iterator[TimedLoop]:
    """Run the loop until the end of the block."""
    bench = TimedLoop(url, transport=transport, settings=settings)
    try:
        yield bench
    finally:
        bench.end()
