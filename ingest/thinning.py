"""When only a camera's key pictures are decoded, for want of time. Pure: times are given.

Decoding is what a camera costs that is analysed in its main stream, and a loop that cannot decode
what comes is late with all of it: more than 2 s, and nothing is shown or analysed. Vision's ladder
(``vision/ladder.py``) sees nothing of that, since what is late so is not queued. Key pictures need
no other to be decoded, and cost little: with them alone a camera is seen, seldom but in time.
"""

import random
from typing import Final

LATE_S: Final = 1.0
"""Before it is so late that nothing is shown (``ingest/punctuality.py``)."""
LATE_FOR_S: Final = 1.5
"""Less is decoded once every picture of so many seconds was late."""
WAITING_MAX: Final = 0.9
"""Of its time that a loop waits for what comes: with more of it, the line is slow and not we. Where
many loops share what time there is, each waits for its turn as well, as if it were the line."""
CALM_S: Final = 0.5
CALM_FOR_S: Final = 30.0
"""All is decoded again once every picture of so many seconds was in time: at first, and at most."""
CALM_FOR_MAX_S: Final = 480.0
HELD_S: Final = 30.0
"""If there was no time for all again sooner, it was tried in vain: the next try waits longer."""
VAIN_S: Final = 15.0
"""If it is as late by then and waits for more, key pictures do not help: the line is slow."""
AGAIN_S: Final = 300.0
"""Then it is not tried again sooner."""
KEYS_APART_MAX_S: Final = 4.5
"""Where key pictures come less often, or were never seen to come, all are decoded."""


class Thinning:
    """Decides for each picture of one camera whether it is decoded, over all its connections.

    Args:
        chance: So that not all cameras try again at once.

    Attributes:
        is_on: Whether key pictures alone are decoded now.
    """

    def __init__(self, *, chance: random.Random) -> None:
        self._chance = chance
        self.is_on = False
        self._is_wanted = False
        self._is_ordered = True
        self._key_s: float | None = None
        self._apart_s = 0.0
        self._others = 0
        self._late_since_s: float | None = None
        self._calm_since_s: float | None = None
        self._tried_s = float("-inf")
        self._calm_for_s = CALM_FOR_S
        self._not_before_s = float("-inf")

    def begin(self, *, is_ordered: bool) -> None:
        """Take pictures of a new connection; its key pictures come as before until it shows.

        Args:
            is_ordered: No picture has to wait for others to be shown.
        """
        self._is_ordered = is_ordered
        self._key_s = None
        self._others = 0

    def takes(self, is_key: bool, stream_s: float) -> bool:  # noqa: FBT001  # as a reader asks
        """Say whether the next encoded picture is to be decoded."""
        if not is_key:
            self._others += 1
            return not self.is_on
        if self._key_s is not None:
            # Where all are key pictures (MJPEG), nothing is won.
            self._apart_s = stream_s - self._key_s if self._others else 0.0
        self._key_s, self._others = stream_s, 0
        # What follows a key picture can be decoded only if all after it is.
        has_keys = 0 < self._apart_s <= KEYS_APART_MAX_S
        self.is_on = self._is_wanted and self._is_ordered and has_keys
        return True

    def look(self, *, late_s: float, waiting: float, now_s: float) -> None:
        """Take in a decoded picture.

        Args:
            late_s: How late it came.
            waiting: Share (0..1) of the last seconds that the loop waited for more to come.
            now_s: Monotonic time, never decreasing.
        """
        self._late_since_s = _since(self._late_since_s, now_s, is_so=late_s > LATE_S)
        self._calm_since_s = _since(self._calm_since_s, now_s, is_so=late_s <= CALM_S)
        if not self._is_wanted:
            is_late = _has_lasted(self._late_since_s, now_s, LATE_FOR_S)
            if is_late and waiting < WAITING_MAX and now_s >= self._not_before_s:
                self._go_on(now_s)
        elif waiting >= WAITING_MAX and _has_lasted(self._late_since_s, now_s, VAIN_S):
            self._not_before_s = now_s + AGAIN_S
            self._want(is_wanted=False)
        elif _has_lasted(self._calm_since_s, now_s, self._calm_for_s):
            self._tried_s = now_s
            self._want(is_wanted=False)

    def _go_on(self, now_s: float) -> None:
        is_vain = now_s - self._tried_s < HELD_S
        calm_for_s = 2 * self._calm_for_s if is_vain else CALM_FOR_S
        self._calm_for_s = min(CALM_FOR_MAX_S, calm_for_s * self._chance.uniform(1.0, 1.5))
        self._want(is_wanted=True)

    def _want(self, *, is_wanted: bool) -> None:
        self._is_wanted = is_wanted
        self._late_since_s = self._calm_since_s = None


def _since(since_s: float | None, now_s: float, *, is_so: bool) -> float | None:
    if not is_so:
        return None
    return now_s if since_s is None else since_s


def _has_lasted(since_s: float | None, now_s: float, seconds: float) -> bool:
    return since_s is not None and now_s - since_s >= seconds
