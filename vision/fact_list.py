"""The facts of one incident as a list: brought up to date, and citing only what is kept (pure)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from contracts.incidents import Fact, FactName


def merge_facts(known: Sequence[Fact], fresh: Iterable[Fact]) -> tuple[Fact, ...]:
    """Return the known facts, brought up to date by the fresh ones, with ids ``a1``, ``a2``, ….

    A fresh fact replaces the known one about the same thing and keeps its id, so that a claim
    about an earlier revision still finds it; what each rule event measured stays for itself.
    """
    merged = {_key(fact): fact for fact in known}
    for fact in fresh:
        key = _key(fact)
        fact_id = merged[key].fact_id if key in merged else f"a{len(merged) + 1}"
        merged[key] = replace(fact, fact_id=fact_id)
    return tuple(merged.values())


def cite_only(facts: Iterable[Fact], kept: Collection[str]) -> tuple[Fact, ...]:
    """Return the facts without references to frames that are not kept."""
    return tuple(
        replace(fact, frames=tuple(name for name in fact.frames if name in kept)) for fact in facts
    )


def _key(fact: Fact) -> tuple[object, ...]:
    key = (fact.name, fact.subject, fact.target)
    if fact.name in (FactName.RULE_VALUE, FactName.CROSSED):
        return (*key, round(fact.start_s, 3))
    return key
