"""When to try something again that just failed."""

import errno
from typing import Final

_NEVER: Final = float("-inf")
_MIN_S: Final = 0.5
_PATIENCE: Final = 2.0
"""Times what the failed attempt took, so that a frozen Redis holds up decoding for a third of the
time at most."""


class RetryPause:
    """Holds off attempts after one that failed, for longer the longer that one took."""

    def __init__(self) -> None:
        self._until_s = _NEVER

    @property
    def is_on(self) -> bool:
        """Whether the last attempt failed."""
        return self._until_s != _NEVER

    def is_due(self, *, now_s: float) -> bool:
        """Whether it may be tried (again)."""
        return now_s >= self._until_s

    def failed(self, *, now_s: float, took_s: float) -> None:
        """Note that an attempt of ``took_s`` failed."""
        self._until_s = now_s + max(_MIN_S, _PATIENCE * took_s)

    def succeeded(self) -> None:
        """Note that it works."""
        self._until_s = _NEVER


def is_short_of_files(error: BaseException) -> bool:
    """Whether an error comes, at whatever remove, from having no file descriptor left.

    That befalls who wants a new connection; those that are open go on.
    """
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.errno in (errno.EMFILE, errno.ENFILE):
            return True
        found = found.__cause__ or found.__context__
    return False
