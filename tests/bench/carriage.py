"""What carrying an analysed frame costs its two ends: in shared memory, and as JPEG.

Processor time of one thread, without Redis' own: *put* is what ingest does with a decoded picture,
*take* what vision does until the motion gate has its small picture, *whole* what it does further
for the detector, *shown* a live picture made for nobody (as JPEG each frame was one). Both ways are
taken in turn in each round, on a real Redis; figures are medians over the rounds.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import av
import cv2
import structlog

from api.transport.connection import connect
from api.transport.live import RedisLiveView
from api.transport.redis_server import EmbeddedRedis
from contracts.clock import SystemClock
from contracts.frames import BgrImage, FrameHeader, FrameOutcome
from contracts.queues import LivePicture
from contracts.settings import QueueSettings
from ingest.frame_queue import RedisFrameQueue
from ingest.planar_frame import PlanarFrame, Plane, planes_of
from ingest.shared_pixels import pixel_receiver, pixel_sender
from tests.bench.__main__ import machine
from tests.fakes.clips import WalkerClip
from vision.motion_gate import gate_frame
from vision.picture import Picture

CLOCK: Final = SystemClock()
STEPS: Final = ("put", "take", "whole", "shown")
AnswerT = TypeVar("AnswerT")


class Carriage:
    """One way from ingest to vision; ``spent`` holds seconds by step and frame."""

    def __init__(self, url: str, settings: QueueSettings, *, camera_id: str) -> None:
        self._camera_id = camera_id
        sender, receiver = pixel_sender(settings, CLOCK), pixel_receiver(settings, CLOCK)
        self._writer = RedisFrameQueue(url, settings=settings, clock=CLOCK, sender=sender)
        self._reader = RedisFrameQueue(url, settings=settings, clock=CLOCK, receiver=receiver)
        self._live = RedisLiveView(connect(url), clock=CLOCK)
        self._is_shared = sender is not None
        self.spent: dict[str, list[float]] = {step: [] for step in STEPS}

    def run(self, frames: Iterable[PlanarFrame]) -> dict[str, float]:
        """Carry frames; return milliseconds for one, by step."""
        self._reader.take([self._camera_id], timeout_s=0.01)
        spent: dict[str, list[float]] = {step: [] for step in STEPS}
        for given in frames:
            frame = replace(given, header=replace(given.header, camera_id=self._camera_id))
            _, put_s = timed(lambda frame=frame: self._writer.put(frame))  # type: ignore[misc]
            picture, take_s = timed(self._take)
            _, whole_s = timed(picture.whole)
            _, shown_s = timed(lambda picture=picture: self._show(picture))  # type: ignore[misc]
            for step, seconds in zip(STEPS, (put_s, take_s, whole_s, shown_s), strict=True):
                spent[step].append(seconds)
        return {step: 1000 * statistics.mean(found) for step, found in spent.items()}

    def close(self) -> None:
        self._writer.close()
        self._reader.close()

    def _take(self) -> Picture:
        [queued] = self._reader.take([self._camera_id], timeout_s=1.0)
        self._reader.settle(queued, FrameOutcome.ANALYSED)
        picture = Picture.of(queued.frame)
        assert picture is not None
        assert gate_frame(picture) is not None
        return picture

    def _show(self, picture: Picture) -> None:
        """As JPEG each frame was sent, watched or not."""
        if not self._is_shared or self._live.is_due(self._camera_id):
            self._live.show(LivePicture(header=picture.header, jpeg=picture.jpeg, boxes=()))


def timed(work: Callable[[], AnswerT]) -> tuple[AnswerT, float]:
    """Return what the work gave and the processor seconds of this thread."""
    began = time.thread_time()
    answer = work()
    return answer, time.thread_time() - began


def frames_of(width: int, height: int, count: int) -> list[PlanarFrame]:
    clip = WalkerClip(width=width, height=height, fps=5, duration_s=count / 5)
    started_at = datetime.now(UTC)  # frames of now
    return [
        PlanarFrame(
            header=FrameHeader(
                camera_id="",
                run_id="run",
                seq=seq,
                captured_at=started_at + timedelta(seconds=seq / 5),
                monotonic_s=seq / 5,
                width=width,
                height=height,
            ),
            planes=_decoded(clip.picture(seq)),
        )
        for seq in range(count)
    ]


def _decoded(pixels_HW3: BgrImage) -> tuple[Plane, Plane, Plane]:
    """Return a picture's planes as a decoder leaves them."""
    planes = planes_of(
        av.VideoFrame.from_ndarray(pixels_HW3, format="bgr24").reformat(format="yuv420p")
    )
    assert planes is not None
    return planes


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.carriage", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="how often each way is taken (9)")
    parser.add_argument("--frames", type=int, default=50, help="frames in a round (50)")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    cv2.setNumThreads(1)
    where = machine()
    sys.stdout.write(
        f"{where['cpu']}, {where['cores']} cores, commit {where['commit']}, load "
        f"{where['load']:.1f}; ms of processor time a frame, medians of {arguments.rounds} rounds "
        f"of {arguments.frames} frames\n\n"
        f"| size | frames | {' | '.join(STEPS)} | sum |\n|---|---|{'--:|' * (len(STEPS) + 1)}\n"
    )
    with tempfile.TemporaryDirectory(prefix="vigil-carriage-") as name:
        server = EmbeddedRedis(Path(name) / "redis", clock=CLOCK)
        server.start()
        try:
            for size in ((640, 360), (1280, 720)):
                ways = {
                    "in shared memory": Carriage(server.url, QueueSettings(), camera_id="shared"),
                    "as JPEG": Carriage(
                        server.url, QueueSettings(shared_memory_mb=0), camera_id="jpeg"
                    ),
                }
                for row in rows(ways, frames_of(*size, arguments.frames), arguments.rounds):
                    sys.stdout.write(f"| {size[0]}x{size[1]} | {row}\n")
        finally:
            server.stop()
    return 0


def rows(ways: dict[str, Carriage], frames: list[PlanarFrame], rounds: int) -> Iterable[str]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            spent = way.run(frames)
            if number:  # the first round warms caches
                found[name].append(spent)
    for name, way in ways.items():
        way.close()
        by_step = [statistics.median(one[step] for one in found[name]) for step in STEPS]
        whole = statistics.median(sum(one.values()) for one in found[name])
        yield f"{name} | {' | '.join(f'{ms:.2f}' for ms in by_step)} | {whole:.2f} |"


if __name__ == "__main__":
    sys.exit(main())
