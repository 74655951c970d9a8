"""The frame queue within one process: the same ports and the same account, without Redis."""

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from contracts.frames import EncodedFrame, Frame, FrameOutcome, QueuedFrame
from contracts.settings import QueueSettings
from ingest.encoding import as_jpeg
from ingest.frame_account import FrameAccount
from ingest.planar_frame import PlanarFrame

_QUALITY: Final = 85


@dataclass(slots=True, eq=False)
class _Lane:
    """One camera's frames and account."""

    queued: deque[QueuedFrame] = field(default_factory=deque)
    cursor: int = 0
    received: int = 0
    skipped: int = 0
    corrupt: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


class LocalFrameQueue:
    """Implements ``FrameWriter``, ``FrameReader`` and ``FrameLedger`` of ``contracts.frames``.

    Safe to use from several threads; nothing of it outlives the process.

    Args:
        settings: How many frames a camera may have waiting.
    """

    def __init__(self, settings: QueueSettings) -> None:
        self._limit = settings.frames_per_camera
        self._lanes: dict[str, _Lane] = defaultdict(_Lane)
        self._entries = 0
        self._changed = threading.Condition()

    def put(self, frame: Frame | PlanarFrame | EncodedFrame) -> None:
        """Append the frame, at the cost of the oldest if the queue is full."""
        if isinstance(frame, Frame | PlanarFrame):
            frame = as_jpeg(frame, quality=_QUALITY)
        with self._changed:
            lane = self._lanes[frame.header.camera_id]
            self._entries += 1
            lane.received += 1
            lane.queued.append(QueuedFrame(entry_id=str(self._entries), frame=frame))
            while len(lane.queued) > self._limit:
                lane.queued.popleft()
                lane.outcomes[FrameOutcome.QUEUE_FULL.value] += 1
            self._changed.notify_all()

    def count_unqueued(self, camera_id: str, *, skipped: int = 0, corrupt: int = 0) -> None:
        """Add frames that the source decoded and did not queue."""
        with self._changed:
            self._lanes[camera_id].skipped += skipped
            self._lanes[camera_id].corrupt += corrupt

    def let_go(self, camera_id: str) -> None:
        """Do nothing: frames hold no memory apart."""

    def take(self, camera_ids: Sequence[str], *, timeout_s: float) -> list[QueuedFrame]:
        """Return frames not yet returned, oldest first for each camera; empty at the time-out."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_new(camera_ids), timeout=timeout_s)
            taken: list[QueuedFrame] = []
            for camera_id in camera_ids:
                lane = self._lanes[camera_id]
                taken += [entry for entry in lane.queued if int(entry.entry_id) > lane.cursor]
                lane.cursor = _newest(lane)
            return taken

    def settle(self, queued: QueuedFrame, outcome: FrameOutcome) -> bool:
        """Remove the frame and count its end; False if it was already gone."""
        with self._changed:
            lane = self._lanes[queued.frame.header.camera_id]
            for entry in lane.queued:
                if entry.entry_id == queued.entry_id:
                    lane.queued.remove(entry)
                    lane.outcomes[outcome.value] += 1
                    return True
            return False

    def account(self, camera_id: str) -> FrameAccount:
        """Return a consistent reading of the camera's account."""
        with self._changed:
            lane = self._lanes[camera_id]
            return FrameAccount(
                received=lane.received,
                queued=len(lane.queued),
                outcomes=dict(lane.outcomes),
                skipped=lane.skipped,
                corrupt=lane.corrupt,
            )

    def restart_reading(self) -> None:
        """Return unsettled frames again, as to a new reader whose predecessor died."""
        with self._changed:
            for lane in self._lanes.values():
                lane.cursor = 0

    def _has_new(self, camera_ids: Sequence[str]) -> bool:
        return any(
            _newest(self._lanes[camera_id]) > self._lanes[camera_id].cursor
            for camera_id in camera_ids
        )


def _newest(lane: _Lane) -> int:
    return max(lane.cursor, int(lane.queued[-1].entry_id)) if lane.queued else lane.cursor
