"""File descriptors: a camera that there are none left for is not opened, and the others go on.

Without this, whoever comes first would take the last one: a new camera, or the connection to Redis
by which frames of the cameras that run are queued and their states are told.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from contracts.cameras import Camera
from contracts.clock import Clock, SystemClock
from ingest import open_files
from ingest.errors import SourceUnavailable

KEPT: Final = 24
"""For what runs: parts being written, connections to Redis, whoever looks at the live view."""
A_CAMERA: Final = 6
"""Connection and relay, its way to Redis, shared memory, a part of its recording."""
SETTLES_S: Final = 10.0
"""After it was opened a camera takes the rest of these."""


class DescriptorRoom:
    """Room for cameras in what a process may have open. For any thread.

    Args:
        used: Tells how many descriptors are in use.
        limit: Tells how many there may be.
        clock: For how long room is held after an opening.
    """

    def __init__(
        self,
        *,
        used: Callable[[], float] = open_files.in_use,
        limit: Callable[[], float] = open_files.limit,
        clock: Clock | None = None,
    ) -> None:
        self._used = used
        self._limit = limit
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._opening = 0
        self._settling: deque[float] = deque()

    @contextmanager
    def held_for(self, camera: Camera) -> Iterator[None]:
        """Hold room for one more camera while it is being opened, and for a while after that.

        Raises:
            SourceUnavailable: There is none; trying again later may succeed.
        """
        with self._lock:
            now_s = self._clock.monotonic_s()
            while self._settling and self._settling[0] <= now_s:
                self._settling.popleft()
            held = self._opening + len(self._settling)
            used, limit = self._used(), self._limit()
            if used + (held + 1) * A_CAMERA + KEPT > limit:
                raise SourceUnavailable(
                    camera.camera_id,
                    f"it is not opened: too many open files ({used + held * A_CAMERA:g} of "
                    f"{limit:g} are in use or spoken for, {KEPT} are kept for the cameras that "
                    "run). Raise the limit (ulimit -n, LimitNOFILE=) or have fewer cameras in a "
                    "process (ingest.cameras_per_process)",
                )
            self._opening += 1
        is_open = False
        try:
            yield
            is_open = True
        finally:
            with self._lock:
                self._opening -= 1
                if is_open:
                    self._settling.append(self._clock.monotonic_s() + SETTLES_S)
