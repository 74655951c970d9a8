"""For how much of the time a camera was really watched: frames came, were looked at, and showed it.

"No alert" is evidence only for the time that is covered. Pure: times are ``captured_at``.
"""

from collections import OrderedDict
from datetime import datetime
from typing import Final

WINDOW_S: Final = 3600.0
"""Coverage is stated of the last hour; any other interval is read from the counters."""
LONGEST_GAP_S: Final = 2.0
"""Between two frames farther apart than this nobody knows what happened."""
_BUCKET_S: Final = 10


class Coverage:
    """Counts the covered time of one camera, runs and reconnects included.

    Where time goes back, as between two recordings, counting begins anew.
    """

    def __init__(self) -> None:
        self._first_s: float | None = None
        self._last_s = 0.0
        self._covered_s: OrderedDict[int, float] = OrderedDict()

    def look(self, at: datetime, *, is_blind: bool) -> float:
        """Count the time up to a frame that was looked at, and return what it adds, seconds.

        Args:
            at: ``captured_at`` of the frame.
            is_blind: The camera does not see what it should in it.
        """
        at_s = at.timestamp()
        step_s = at_s - self._last_s
        if self._first_s is None or step_s < 0:
            self._first_s, step_s = at_s, 0.0
            self._covered_s.clear()
        self._last_s = at_s
        if is_blind or not 0 < step_s <= LONGEST_GAP_S:
            return 0.0
        bucket = int(at_s // _BUCKET_S)
        self._covered_s[bucket] = self._covered_s.get(bucket, 0.0) + step_s
        while next(iter(self._covered_s)) < (at_s - WINDOW_S) // _BUCKET_S:
            self._covered_s.popitem(last=False)
        return step_s

    @property
    def share(self) -> float:
        """Share (0..1) of the last hour that is covered; of what there was so far at the start.

        A camera of which only one frame was seen is not covered at all.
        """
        if self._first_s is None:
            return 0.0
        began_s = max(self._first_s, self._last_s - WINDOW_S)
        elapsed_s = self._last_s - began_s
        covered_s = sum(
            seconds
            for bucket, seconds in self._covered_s.items()
            if (bucket + 1) * _BUCKET_S > began_s
        )
        return min(1.0, covered_s / elapsed_s) if elapsed_s > 0 else 0.0
