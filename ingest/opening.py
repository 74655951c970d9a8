"""When the burst with which a stream begins is over. Pure: what arrives when is an argument.

What a server kept since its last key frame, and what waited while libav looked at the stream, comes
all at once. Its true times are known only when the first picture comes that nothing held up.
"""

from typing import Final

LIVE_RATE: Final = 0.75
"""Pictures that come after so much of the time that lies between them come as they are taken."""
OPENING_MAX_S: Final = 5.0
"""Nobody waits longer for times that are better."""


class Opening:
    """Watches the first pictures of a run.

    Args:
        stream_s: Stream time of the first.
        now_s: Monotonic time of its arrival.
    """

    def __init__(self, stream_s: float, now_s: float) -> None:
        self._from_s = self._now_s = now_s
        self._stream_s = stream_s
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether pictures come as fast as they are taken, or have been waited for in vain."""
        return self._is_over

    def add(self, stream_s: float, now_s: float) -> None:
        """Take in the next picture's stream time (never decreasing) and arrival."""
        step_s, took_s = stream_s - self._stream_s, now_s - self._now_s
        self._stream_s, self._now_s = stream_s, now_s
        is_live = step_s > 0 and took_s >= LIVE_RATE * step_s
        self._is_over |= is_live or now_s - self._from_s >= OPENING_MAX_S
