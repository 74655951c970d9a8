"""What a row measured, against its bar."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

POLL_S: Final = 0.05
KEY: Final = "chaos row"
"""Under which a test hands its row to the report, as a user property."""
KEY_ID: Final = "chaos row id"
"""The same for the row's name, which is there even if the test could not be set up."""


def elapsed_until(is_so: Callable[[], object], *, within_s: float) -> float:
    """Return the seconds until something is so; infinite if it is not within the time."""
    began_s = time.monotonic()
    while (now_s := time.monotonic()) - began_s < within_s:
        if is_so():
            return now_s - began_s
        time.sleep(POLL_S)
    return float("inf")


@dataclass(slots=True, kw_only=True)
class Measured:
    """Collects the measurements of one row; ``hold`` fails the test if one misses its bar."""

    row_id: str
    detect: str = ""
    recover: str = ""
    loss: str = ""
    notes: list[str] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)

    def detected(self, seconds: float, *, at_most_s: float) -> None:
        """Note the time to detect; of several in a row the longest counts."""
        self.detect = self._worst(self.detect, seconds)
        self.check(f"detected after {seconds:.1f} s", seconds <= at_most_s)

    def recovered(self, seconds: float, *, at_most_s: float) -> None:
        """Note the time to recover; of several in a row the longest counts."""
        self.recover = self._worst(self.recover, seconds)
        self.check(f"recovered after {seconds:.1f} s", seconds <= at_most_s)

    def lost(self, words: str, *, is_allowed: bool) -> None:
        """Note what was lost."""
        self.loss = words
        self.check(words, is_allowed)

    def note(self, words: str, *, holds: bool = True) -> None:
        """Note anything else that was measured."""
        self.notes.append(words)
        self.check(words, holds)

    def check(self, words: str, holds: bool) -> None:
        """Keep what missed its bar."""
        if not holds:
            self.misses.append(words)

    def hold(self) -> None:
        """Fail with everything that missed its bar."""
        assert not self.misses, f"{self.row_id}: {'; '.join(self.misses)}"

    def as_property(self) -> dict[str, Any]:
        """Return what the report needs."""
        return {
            "row_id": self.row_id,
            "detect": self.detect,
            "recover": self.recover,
            "loss": self.loss,
            "notes": list(self.notes),
            "misses": list(self.misses),
        }

    def _worst(self, before: str, seconds: float) -> str:
        known = float(before.removesuffix(" s")) if before else 0.0
        return f"{max(known, seconds):.1f} s"
