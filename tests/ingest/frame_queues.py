"""The two frame queues behind one face, so that one suite of tests runs on both."""

from collections.abc import Sequence
from typing import Protocol

from contracts.clock import SystemClock
from contracts.frames import EncodedFrame, FrameOutcome, QueuedFrame
from contracts.settings import QueueSettings
from ingest.frame_account import FrameAccount
from ingest.frame_queue import RedisFrameQueue
from ingest.local_queue import LocalFrameQueue
from tests.fakes.builders import header

CAPACITY = 4
SETTINGS = QueueSettings(frames_per_camera=CAPACITY)


def encoded(seq: int, *, camera_id: str = "gate", run_id: str = "run1") -> EncodedFrame:
    return EncodedFrame(
        header=header(seq, camera_id=camera_id, run_id=run_id),
        jpeg=b"\xff\xd8" + bytes([seq % 256]),
    )


class Bench(Protocol):
    """A queue with a writer, and a reader that can be killed."""

    def put(self, frame: EncodedFrame) -> None: ...

    def count_unqueued(self, camera_id: str, *, skipped: int = 0, corrupt: int = 0) -> None: ...

    def take(self, camera_ids: Sequence[str], *, timeout_s: float) -> list[QueuedFrame]: ...

    def settle(self, queued: QueuedFrame, outcome: FrameOutcome) -> bool: ...

    def account(self, camera_id: str) -> FrameAccount: ...

    def kill_reader(self) -> None:
        """Put a new reader in the place of the one that was."""
        ...


class LocalBench(LocalFrameQueue):
    def kill_reader(self) -> None:
        self.restart_reading()


class RedisBench:
    """Writer and reader in one process, as far apart as in two."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._writer = RedisFrameQueue(url, settings=SETTINGS, clock=SystemClock())
        self._reader = RedisFrameQueue(url, settings=SETTINGS, clock=SystemClock())
        self.put = self._writer.put
        self.count_unqueued = self._writer.count_unqueued
        self.account = self._writer.account

    def take(self, camera_ids: Sequence[str], *, timeout_s: float) -> list[QueuedFrame]:
        return self._reader.take(camera_ids, timeout_s=timeout_s)

    def settle(self, queued: QueuedFrame, outcome: FrameOutcome) -> bool:
        return self._reader.settle(queued, outcome)

    def kill_reader(self) -> None:
        self._reader.close()
        self._reader = RedisFrameQueue(self._url, settings=SETTINGS, clock=SystemClock())

    def close(self) -> None:
        self._writer.close()
        self._reader.close()
