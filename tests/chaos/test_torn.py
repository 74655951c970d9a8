"""Row P10: a reader never gets half of one frame and half of another."""

import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pytest

from contracts.clock import SystemClock
from contracts.frames import BgrImage, EncodedFrame, FrameOutcome
from contracts.settings import QueueSettings
from ingest.frame_queue import RedisFrameQueue
from ingest.frame_ring import RingReader
from tests.chaos.measured import Measured
from tests.fakes.footage import encoded

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(700)]

TORN_S: Final = 20.0
READS: Final = 10_000_000
PICTURE_BYTES: Final = 4096
_WRITING: Final = f"""
import sys, zlib
from pathlib import Path
import numpy as np
from ingest.frame_ring import RingWriter
ring = RingWriter(Path(sys.argv[1]), "gate", slots=2, slot_bytes={PICTURE_BYTES})
chance = np.random.default_rng(5)
pictures = chance.integers(0, 256, (64, {PICTURE_BYTES}), np.uint8)
for picture in pictures:
    seal = zlib.crc32(picture[4:].tobytes()).to_bytes(4, "big")
    picture[:4] = np.frombuffer(seal, np.uint8)
print(ring.name, flush=True)
number = 0
while True:
    number = ring.write(pictures[number % 64]) + 1
"""


@contextmanager
def _writer(folder: Path) -> Iterator[Path]:
    """A process that writes sealed pictures into two slots as fast as it can; the ring's file."""
    command = [sys.executable, "-c", _WRITING, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield folder / process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.row("P10")
def test_pixels_in_shared_memory_are_never_torn(tmp_path: Path, measured: Measured) -> None:
    """The reader asks for the newest picture, whose place the next but one takes."""
    torn = whole = caught = asked = 0
    copied = [0]

    def take(content: npt.NDArray[np.uint8]) -> BgrImage:
        copied[0] += 1
        return content.copy()

    with _writer(tmp_path) as path:
        reader = RingReader(path)
        stamps_S = reader._stamps_S
        began_s = time.monotonic()
        while whole < READS:
            asked += 1
            before = copied[0]
            number = max(int(stamps_S[0]), int(stamps_S[1])) // 2 - 1
            copy = reader.read(max(0, number), size=PICTURE_BYTES, take=take)
            if copy is None:
                caught += copied[0] - before
                continue
            whole += 1
            sealed = copy.tobytes()
            torn += zlib.crc32(sealed[4:]) != int.from_bytes(sealed[:4], "big")
        took_s = time.monotonic() - began_s
    measured.lost(f"{torn} torn of {whole} read", is_allowed=torn == 0)
    measured.note(
        f"in shared memory, by two processes and through two places, {PICTURE_BYTES} bytes with a "
        f"CRC: {asked} asked for, {caught} overtaken while they were copied and dropped, in "
        f"{took_s:.0f} s",
        holds=caught > 0,
    )
    measured.hold()


@pytest.mark.row("P10")
def test_frames_through_redis_are_never_torn(redis_url: str, measured: Measured) -> None:
    """JPEG travels by value through Redis; there is no shared slot that a writer could reuse."""
    settings = QueueSettings(frames_per_camera=4)
    writer = RedisFrameQueue(redis_url, settings=settings, clock=SystemClock())
    reader = RedisFrameQueue(redis_url, settings=settings, clock=SystemClock())
    is_over = threading.Event()
    written = [0]

    def write() -> None:
        chance = np.random.default_rng(5)
        while not is_over.is_set():
            content = chance.bytes(20_000)
            writer.put(_sealed(written[0], content))
            written[0] += 1

    thread = threading.Thread(target=write)
    thread.start()
    torn = read = 0
    until_s = time.monotonic() + TORN_S
    while time.monotonic() < until_s:
        for queued in reader.take(["cam"], timeout_s=0.1):
            jpeg = queued.frame.jpeg
            torn += zlib.crc32(jpeg[4:]).to_bytes(4, "big") != jpeg[:4]
            read += 1
            reader.settle(queued, FrameOutcome.ANALYSED)
    is_over.set()
    thread.join()
    account = reader.account("cam")
    measured.lost(f"{torn} torn of {read} read", is_allowed=torn == 0 and read > 0)
    measured.note(f"{written[0]} written into 4 places", holds=account.is_balanced)
    measured.note("JPEG by value through Redis, which has no places to reuse")
    writer.close()
    reader.close()
    measured.hold()


def _sealed(seq: int, content: bytes) -> EncodedFrame:
    frame = encoded(seq % 5)
    seal = zlib.crc32(content).to_bytes(4, "big")
    return replace(frame, header=replace(frame.header, seq=seq), jpeg=seal + content)
