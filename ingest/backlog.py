"""Whether what comes is held up for good: frames come late, and catch up no more. Pure."""

from typing import Final

from ingest.punctuality import LATE_MAX_S

WATCH_S: Final = 4.0
_CAUGHT_UP: Final = 0.25
"""Of the time watched; what catches up more slowly would be late for a minute."""


class Backlog:
    """Follows by how much the frames of one run come late."""

    def __init__(self) -> None:
        self._since: tuple[float, float] | None = None

    def add(self, now_s: float, late_s: float) -> float | None:
        """Take in a frame.

        Args:
            now_s: Monotonic time of its arrival.
            late_s: Its delay beyond the least delay.

        Returns:
            How late frames are, if for so long none was in time and they do not catch up.
        """
        if late_s <= LATE_MAX_S:
            self._since = None
            return None
        if self._since is None:
            self._since = (now_s, late_s)
        from_s, then_late_s = self._since
        if now_s - from_s < WATCH_S:
            return None
        self._since = (now_s, late_s)
        return late_s if then_late_s - late_s < _CAUGHT_UP * (now_s - from_s) else None
