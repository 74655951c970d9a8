"""Whether the pictures of one connection come early enough to be shown as live. Pure."""

from typing import Final

LATE_MAX_S: Final = 2.0
"""A picture that comes so long after it was taken shows what has been, not what is."""
CAUGHT_UP_S: Final = 1.0
"""Pictures that were too late are in time again from here on."""
TRIAL_S: Final = 3.0
KEEPS_UP_S: Final = 0.5
"""A connection on trial has passed once no picture was later than this for so long."""


class Punctuality:
    """Says of each picture whether it may be shown and analysed as what happens now.

    How late a picture is can only be told against the least delay of its connection. On a line that
    is too thin for the stream that delay is itself seconds: the first key frame alone takes them.
    So a connection that follows one that fell behind is on trial: nothing of it is shown until its
    pictures have kept up for ``TRIAL_S``.

    Args:
        is_on_trial: The connection before fell behind.
    """

    def __init__(self, *, is_on_trial: bool = False) -> None:
        self._is_on_trial = is_on_trial
        self._kept_up_from_s: float | None = None
        self._is_behind = False

    @property
    def is_kept(self) -> bool:
        """Whether the picture seen last may be shown."""
        return not (self._is_behind or self._is_on_trial)

    def admits(self, now_s: float, late_s: float) -> bool:
        """Take in a picture.

        Args:
            now_s: Monotonic time of its arrival.
            late_s: Its delay beyond the least delay of the connection.
        """
        self._is_behind = late_s > (CAUGHT_UP_S if self._is_behind else LATE_MAX_S)
        if self._is_on_trial:
            if self._kept_up_from_s is None or late_s > KEEPS_UP_S:
                self._kept_up_from_s = now_s
            self._is_on_trial = now_s - self._kept_up_from_s < TRIAL_S
        return self.is_kept
