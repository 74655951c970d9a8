"""Time as a port, so that dwell, back-off and suppression are tested without waiting.

Wall-clock time and durations are different kinds of value: ``now()`` may step when an
administrator or NTP corrects the clock, ``monotonic_s()`` may not.
"""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where every component gets its time from."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds from an arbitrary origin; never goes back. For durations only."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; a test's clock advances instead."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return the system's monotonic clock in seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block this thread for ``seconds``; zero or less returns at once."""
        if seconds > 0:
            time.sleep(seconds)
