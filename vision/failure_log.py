"""Counts what fails and logs it without drowning the log."""

from dataclasses import dataclass
from typing import Final

import structlog

from contracts.clock import Clock
from vision.metrics import ERRORS

log = structlog.get_logger()

LOG_EVERY_S: Final = 1.0
"""Failures of one camera are logged at most this often, with their number."""


@dataclass(slots=True)
class _Failures:
    """Failures of one camera since they were last logged."""

    count: int = 0
    logged_s: float = float("-inf")


class FailureLog:
    """Every failure is counted; of one camera's, one a second is logged, with their number."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: dict[str, _Failures] = {}

    def note(self, camera_id: str, error: Exception) -> None:
        """Count a failure; ``camera_id`` is empty if it is no camera's."""
        ERRORS.labels(camera=camera_id).inc()
        failures = self._failures.setdefault(camera_id, _Failures())
        failures.count += 1
        now_s = self._clock.monotonic_s()
        if now_s - failures.logged_s < LOG_EVERY_S:
            return
        log.error("analysis failed", camera_id=camera_id, failures=failures.count, exc_info=error)
        failures.count, failures.logged_s = 0, now_s
