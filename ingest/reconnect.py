"""When to try a camera again. Pure: time and chance are given."""

import random
from typing import Final

from contracts.settings import IngestSettings
from ingest.errors import CredentialsRefused, SourceError, SourceRejected

_FIRST_WAIT_S: Final = 0.5
_LIVE_RESET_S: Final = 60.0
"""A stream that has held this long was well; its end counts as a first failure."""
_DOUBLINGS_MAX: Final = 16


class Reconnect:
    """Waits for one camera, doubling and with full jitter.

    Jitter, so that a switch that comes back is not met by all its cameras at once.

    Refused credentials are tried again after ``auth_retry_s``; other refusals (no such path, not a
    video) at the longest ordinary wait.

    Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter).

    Args:
        settings: Longest waits.
        chance: Where the jitter comes from.
    """

    def __init__(self, settings: IngestSettings, *, chance: random.Random) -> None:
        self._settings = settings
        self._chance = chance
        self._failures = 0
        self._live_since_s: float | None = None

    @property
    def failures(self) -> int:
        """Attempts that failed since the camera was last well."""
        return self._failures

    def went_live(self, *, now_s: float) -> None:
        """Note that frames arrive, at monotonic ``now_s``."""
        if self._live_since_s is None:
            self._live_since_s = now_s

    def wait_after(self, error: SourceError, *, now_s: float) -> float:
        """Return how many seconds to wait after this failure at monotonic ``now_s``."""
        if self._live_since_s is not None and now_s - self._live_since_s >= _LIVE_RESET_S:
            self._failures = 0
        self._live_since_s = None
        doublings = min(self._failures, _DOUBLINGS_MAX)
        self._failures += 1
        if isinstance(error, CredentialsRefused):
            return self._settings.auth_retry_s
        if isinstance(error, SourceRejected):
            return self._settings.back_off_max_s
        longest_s = min(self._settings.back_off_max_s, _FIRST_WAIT_S * 2**doublings)
        return self._chance.uniform(0.0, longest_s)
