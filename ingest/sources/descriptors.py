"""File descriptors: a camera that there are none left for is not opened, and the others go on.

Without this, whoever comes first would take the last one: a new camera, or the connection to Redis
by which frames of the cameras that run are queued and their states are told.
"""

import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from contracts.cameras import Camera
from ingest.errors import SourceUnavailable

KEPT: Final = 24
"""For what runs: parts being written, connections to Redis, whoever looks at the live view."""
_A_CAMERA: Final = 6
"""Connection and relay, its way to Redis, shared memory, a part of its recording."""
_OPEN: Final = Path("/proc/self/fd")

_opening: Final = [0]
_lock: Final = threading.Lock()


def in_use() -> int:
    """Return how many descriptors this process has open; 0 where that cannot be told."""
    with suppress(OSError):
        return sum(1 for _ in _OPEN.iterdir())
    return 0


@contextmanager
def room_for(camera: Camera, *, used: Callable[[], int] = in_use) -> Iterator[None]:
    """Hold room for one more camera while it is being opened.

    Args:
        camera: Whose error it would be.
        used: Tells how many descriptors are in use.

    Raises:
        SourceUnavailable: There is none; trying again later may succeed.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    with _lock:
        taken = used() + _opening[0] * _A_CAMERA
        if limit != resource.RLIM_INFINITY and taken + _A_CAMERA + KEPT > limit:
            raise SourceUnavailable(
                camera.camera_id,
                f"it is not opened: too many open files ({taken} of {limit} are in use, {KEPT} are "
                "kept for the cameras that run). Raise the limit "
                "(ulimit -n, LimitNOFILE=) or have fewer cameras in a process "
                "(ingest.cameras_per_process)",
            )
        _opening[0] += 1
    try:
        yield
    finally:
        with _lock:
            _opening[0] -= 1
