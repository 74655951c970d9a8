"""Ends an ingest process that takes too much memory, before the machine runs out of it."""

import resource
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from contracts.errors import VigilError

log = structlog.get_logger()

_STATM: Final = Path("/proc/self/statm")
_LOOK_EVERY_S: Final = 1.0
_BACKSTOP: Final = 4
"""Times the limit: what one allocation between two looks may take, stacks of threads included."""


class MemoryExceeded(VigilError):  # noqa: N818  # named as the condition, as httpx does
    """This process is to be ended and started again; its cameras come back within seconds."""


def resident_bytes() -> int:
    """Return the memory that this process holds; 0 where nobody can say."""
    try:
        pages = int(_STATM.read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * resource.getpagesize()


def limit_process(limit_bytes: int) -> None:
    """Keep decoders from writing core dumps, and from taking all memory in one go."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _BACKSTOP * limit_bytes
    if hard == resource.RLIM_INFINITY or wanted < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


def watch_memory(
    stop: threading.Event, *, limit_bytes: int, held_bytes: Callable[[], int] = resident_bytes
) -> None:
    """Look once a second until ``stop``.

    Raises:
        MemoryExceeded: The limit is passed.
    """
    while not stop.wait(_LOOK_EVERY_S):
        found = held_bytes()
        if found > limit_bytes:
            raise MemoryExceeded(
                f"ingest holds {found / 1e6:.0f} MB (allowed: ingest.memory_limit_mb = "
                f"{limit_bytes / 1e6:.0f}); its process is started again"
            )
