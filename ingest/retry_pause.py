"""When to try something again that just failed."""

import threading
from typing import Final

_NEVER: Final = float("-inf")
_MIN_S: Final = 0.5
_PATIENCE: Final = 2.0
"""Times what the failed attempt took, so that a frozen Redis holds up decoding for a third of the
time at most."""


class RetryPause:
    """Holds off attempts after one that failed, for longer the longer that one took.

    For any thread: of those that fail or succeed at once, one is told that this is news.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until_s = _NEVER

    def is_due(self, *, now_s: float) -> bool:
        """Whether it may be tried (again)."""
        return now_s >= self._until_s

    def failed(self, *, now_s: float, took_s: float) -> bool:
        """Note that an attempt of ``took_s`` failed; return whether the one before did not."""
        with self._lock:
            is_news = self._until_s == _NEVER
            self._until_s = now_s + max(_MIN_S, _PATIENCE * took_s)
            return is_news

    def succeeded(self) -> bool:
        """Note that it works; return whether it did not before."""
        if self._until_s == _NEVER:  # asked for each frame: no lock is taken in vain
            return False
        with self._lock:
            was_on, self._until_s = self._until_s != _NEVER, _NEVER
            return was_on
