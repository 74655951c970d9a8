"""The one after the other: pairs a first thing with a second that follows it in time (pure).

Knows nothing of frames: what it is told are happenings, of one camera or of many, in any order.
Times are seconds of one common clock: stream time within a run, ``captured_at`` across cameras.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

KEPT: Final = 256
"""Happenings of each side that are remembered; older ones are forgotten first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something a rule said.

    Attributes:
        key: Unique among all happenings; a repeat is not counted twice.
        camera_id, rule_id: Who said it.
        at_s: When, on the common clock.
        track_ids: Whom it is about, the first one mainly.
        place: Zone or line.
    """

    key: str
    camera_id: str
    rule_id: str
    at_s: float
    track_ids: tuple[str, ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A first thing and the second that followed it."""

    first: Happening
    then: Happening

    @property
    def gap_s(self) -> float:
        """Seconds from the one to the other."""
        return self.then.at_s - self.first.at_s


Fits = Callable[[Happening, Happening], bool]
"""Whether a first and a second belong together, their times apart."""


class SequenceMatcher:
    """Finds each second thing that follows a first one within ``within_s``.

    Each second thing makes at most one pair, with the newest first thing before it that fits,
    and each first thing at most one: two entries and one opened door are one pair. News that
    comes late (another camera's) is matched as if it had come in time, for as long as both are
    remembered.

    Args:
        first, then: Say which happenings are of which side; one may be of both.
        within_s: Most seconds between them; they may be at the same time.
        fits: What must hold of both together.
    """

    def __init__(
        self,
        *,
        first: Callable[[Happening], bool],
        then: Callable[[Happening], bool],
        within_s: float,
        fits: Fits,
    ) -> None:
        self._is_first = first
        self._is_then = then
        self._within_s = within_s
        self._fits = fits
        self._firsts: deque[Happening] = deque(maxlen=KEPT)
        self._thens: deque[Happening] = deque(maxlen=KEPT)
        self._known: deque[str] = deque(maxlen=2 * KEPT)

    def tell(self, happening: Happening) -> list[Pair]:
        """Take one happening; return the pairs that it completes, at most two."""
        if happening.key in self._known:
            return []
        self._known.append(happening.key)
        pairs = []
        if self._is_then(happening):
            pair = self._newest_before(happening)
            if pair is None:
                self._thens.append(happening)
            else:
                self._firsts.remove(pair.first)
                pairs.append(pair)
        if self._is_first(happening):
            pair = self._earliest_after(happening)
            if pair is None:
                self._firsts.append(happening)
            else:
                self._thens.remove(pair.then)
                pairs.append(pair)
        return pairs

    def _newest_before(self, then: Happening) -> Pair | None:
        pairs = [Pair(first, then) for first in self._firsts if self._belong(first, then)]
        return max(pairs, key=lambda pair: pair.first.at_s, default=None)

    def _earliest_after(self, first: Happening) -> Pair | None:
        pairs = [Pair(first, then) for then in self._thens if self._belong(first, then)]
        return min(pairs, key=lambda pair: pair.then.at_s, default=None)

    def _belong(self, first: Happening, then: Happening) -> bool:
        gap_s = then.at_s - first.at_s
        is_near = -1e-6 <= gap_s <= self._within_s + 1e-6
        return is_near and first.key != then.key and self._fits(first, then)
