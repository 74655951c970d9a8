"""What one writer has offered to the frame queue for one camera, and how much of it is counted."""

import threading
from dataclasses import dataclass
from typing import Final

from ingest.retry_pause import RetryPause

_FLUSH_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Totals to bring the account up to, and what they were when it last was.

    Attributes:
        offered: Frames offered so far, the one being sent included.
    """

    offered: int = 0
    offered_before: int = 0
    skipped: int = 0
    skipped_before: int = 0
    corrupt: int = 0
    corrupt_before: int = 0


class FrameTally:
    """Totals since the writer was made; they only grow.

    Attributes:
        lock: Held from ``offer`` until the batch is sent, so that a frame's number reaches the
            account together with the frame.
        pause: Of this camera alone, after what concerns no other.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pause = RetryPause()
        self._counts = threading.Lock()
        self._offered = 0
        self._skipped = 0
        self._corrupt = 0
        self._sent = Batch()
        self._sent_s = float("-inf")

    def offer(self) -> None:
        """Number one more frame."""
        with self._counts:
            self._offered += 1

    def add(self, *, skipped: int, corrupt: int) -> None:
        """Count pictures that became no frame."""
        with self._counts:
            self._skipped += skipped
            self._corrupt += corrupt

    def is_flush_due(self, *, now_s: float) -> bool:
        """Say whether something has been outstanding for long enough to be sent by itself."""
        with self._counts:
            now = (self._offered, self._skipped, self._corrupt)
            sent = (self._sent.offered, self._sent.skipped, self._sent.corrupt)
            return now != sent and now_s - self._sent_s >= _FLUSH_EVERY_S

    def batch(self) -> Batch:
        """Return the totals now."""
        with self._counts:
            return Batch(
                offered=self._offered,
                offered_before=self._sent.offered,
                skipped=self._skipped,
                skipped_before=self._sent.skipped,
                corrupt=self._corrupt,
                corrupt_before=self._sent.corrupt,
            )

    def sent(self, batch: Batch, *, now_s: float) -> None:
        """Note that the account is up to this batch."""
        with self._counts:
            self._sent = batch
            self._sent_s = now_s
