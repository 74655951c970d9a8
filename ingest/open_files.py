"""How many files this process has open, and errors that come of having no more."""

import errno
import resource
from pathlib import Path
from typing import Final

_OPEN: Final = Path("/proc/self/fd")
_NONE_LEFT: Final = (errno.EMFILE, errno.ENFILE)


def limit() -> float:
    """Return how many descriptors this process may have; infinite without a limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return float("inf") if soft == resource.RLIM_INFINITY else soft


def in_use() -> float:
    """Return how many descriptors are open; 0 where the system does not tell.

    Counting takes one itself: where there is none, all that there may be are in use.
    """
    try:
        return sum(1 for _ in _OPEN.iterdir())
    except OSError as error:
        return limit() if is_short_of_files(error) else 0


def is_short_of_files(error: BaseException) -> bool:
    """Whether an error comes, at whatever remove, from having no file descriptor left.

    That befalls who wants a new connection; those that are open go on.
    """
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.errno in _NONE_LEFT:
            return True
        found = found.__cause__ or found.__context__
    return False
