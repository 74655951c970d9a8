"""Playing a recording at its own speed, and waiting that can be stopped."""

import threading
from typing import Final

from contracts.clock import Clock
from ingest.timeline import BACKWARD_MAX_S, FORWARD_MAX_S

_SLICE_S: Final = 0.2
"""A stop is seen within this time."""
_NOTHING_S: Final = 1e-6


def pause(seconds: float, *, clock: Clock, stop: threading.Event) -> None:
    """Wait ``seconds`` by the clock, less if ``stop`` is set meanwhile."""
    until_s = clock.monotonic_s() + seconds
    while not stop.is_set():
        left_s = until_s - clock.monotonic_s()
        if left_s <= _NOTHING_S:
            return
        clock.sleep(min(left_s, _SLICE_S))


class Pacer:
    """Says how long to wait so that stream time passes as fast as the clock. Pure."""

    def __init__(self) -> None:
        self._offset_s: float | None = None
        self._last_s = 0.0

    def wait_s(self, stream_s: float | None, *, now_s: float) -> float:
        """Return the wait, 0 if late, before the frame at ``stream_s``.

        A jump of stream time that ends a run starts the pace anew.
        """
        if stream_s is None:
            return 0.0
        step_s = stream_s - self._last_s
        self._last_s = stream_s
        if self._offset_s is None or not -BACKWARD_MAX_S <= step_s <= FORWARD_MAX_S:
            self._offset_s = now_s - stream_s
        return max(0.0, stream_s + self._offset_s - now_s)
