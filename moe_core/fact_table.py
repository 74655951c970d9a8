"""The facts of one incident, by id and by what they are about."""

import math
from collections.abc import Mapping, Sequence

from contracts.incidents import Fact, FactName


class FactTable:
    """Finds facts in constant time; made once for each incident.

    A fact with a value, uncertainty or time that is not finite, or with a negative uncertainty,
    is kept (a claim that cites it must learn why it cannot be checked) but never offered. An id
    that stands for two different facts stands for none.
    """

    def __init__(self, facts: Sequence[Fact]) -> None:
        self._by_id: dict[str, Fact] = {}
        self._ambiguous: set[str] = set()
        self._about: dict[tuple[FactName, str, str], list[Fact]] = {}
        for fact in facts:
            known = self._by_id.setdefault(fact.fact_id, fact)
            if known != fact:
                self._ambiguous.add(fact.fact_id)
        for fact in facts:
            if problem_of(fact) is not None or fact.fact_id in self._ambiguous:
                continue
            self._about.setdefault((fact.name, fact.subject, fact.target), []).append(fact)
        for about in self._about.values():
            about.sort(key=lambda fact: fact.end_s)

    @property
    def names(self) -> Mapping[str, FactName]:
        """Name of each fact that can be cited, by fact id."""
        return {
            fact_id: fact.name
            for fact_id, fact in self._by_id.items()
            if fact_id not in self._ambiguous
        }

    def get(self, fact_id: str) -> Fact | None:
        """Return the fact of that id, usable or not; None if there is none or more than one."""
        return None if fact_id in self._ambiguous else self._by_id.get(fact_id)

    def newest(self, name: FactName, subject: str, target: str = "") -> Fact | None:
        """Return the usable fact that is about the latest time; the later one if two are."""
        about = self._about.get((name, subject, target))
        return about[-1] if about else None

    def at(self, name: FactName, subject: str, target: str, *, end_s: float) -> Fact | None:
        """Return the usable fact that is about the time nearest to ``end_s``."""
        about = self._about.get((name, subject, target))
        return min(about, key=lambda fact: abs(fact.end_s - end_s)) if about else None


def problem_of(fact: Fact) -> str | None:
    """Return why a fact cannot be used, or None if it can."""
    if not math.isfinite(fact.value):
        return f"fact {fact.fact_id} has no value ({fact.value})"
    if not (math.isfinite(fact.sigma) and fact.sigma >= 0):
        return f"fact {fact.fact_id} has no uncertainty ({fact.sigma})"
    if not (math.isfinite(fact.start_s) and math.isfinite(fact.end_s)):
        return f"fact {fact.fact_id} has no time"
    return None
