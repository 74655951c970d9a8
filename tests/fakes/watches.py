"""Watches in memory."""

from collections.abc import Sequence
from datetime import datetime

from alerts.history.watches import Watch
from contracts.errors import TransportUnavailable


class InMemoryWatches:
    """Implements ``WatchLog``; ``is_down`` makes it raise."""

    def __init__(self) -> None:
        self.is_down = False
        self.kept: dict[tuple[str, datetime], Watch] = {}

    def keep(self, watches: Sequence[Watch]) -> None:
        self._check()
        self.kept.update({(watch.camera_id, watch.started_at): watch for watch in watches})

    def between(self, camera_id: str, starts_at: datetime, ends_at: datetime) -> Sequence[Watch]:
        self._check()
        found = [watch for watch in self.kept.values() if watch.camera_id == camera_id]
        inside = [w for w in found if w.started_at < ends_at and w.ended_at > starts_at]
        return sorted(inside, key=lambda watch: watch.started_at)

    def forget_before(self, at: datetime) -> int:
        self._check()
        old = [key for key, watch in self.kept.items() if watch.ended_at < at]
        for key in old:
            del self.kept[key]
        return len(old)

    def _check(self) -> None:
        if self.is_down:
            raise TransportUnavailable("watches: told to be down")
