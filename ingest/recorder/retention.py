"""Which parts of recordings go: what is too old, then the oldest of what is too much (pure)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.recorder.parts import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is kept.

    Attributes:
        days: A part that ended longer ago goes.
        quota_bytes: Kept at most of all cameras together; 0 means no limit but the disk.
    """

    days: float
    quota_bytes: int = 0

    def too_old(self, part: Part, now: datetime) -> bool:
        """Whether its time is over."""
        return part.ends_at < now - timedelta(days=self.days)

    def too_much(self, parts: Iterable[Part], *, held_bytes: int) -> list[Part]:
        """Return the oldest parts that have to go, whichever camera's, oldest first.

        Args:
            parts: Those that may go.
            held_bytes: What there is in all, these included.
        """
        gone: list[Part] = []
        for part in sorted(parts, key=lambda part: (part.starts_at, part.camera_id, part.digest)):
            if not self.quota_bytes or held_bytes <= self.quota_bytes:
                break
            gone.append(part)
            held_bytes -= part.size_bytes
        return gone
