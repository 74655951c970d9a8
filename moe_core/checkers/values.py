"""The comparison under every check: claim, cited fact and what the tracks show must agree."""

import math

from contracts.incidents import Fact, FactName
from contracts.reasoning import Claim
from moe_core.checkers.case import (
    EXACT,
    K_SIGMA,
    Case,
    Check,
    contradicted,
    supported,
    unverifiable,
)
from moe_core.checkers.recompute import measured_again
from moe_core.fact_table import problem_of


def cited_fact(case: Case, claim: Claim, name: FactName) -> Fact | Check:
    """Return the fact of that name which the claim cites, or a check that could not be made."""
    return case.cited(claim, name) or unverifiable(f"cites no fact {name}")


def citation_problem(case: Case, claim: Claim) -> str | None:
    """Return why a claim cannot be checked by what it cites; None if it can.

    The track, zone, line and rule that it names must be the incident's, and every cited fact
    must be usable and about just these.
    """
    problem = place_problem(case, claim)
    if problem is not None:
        return problem
    subject = claim.args.get("track", case.incident.camera_id)
    for fact_id in claim.evidence:
        fact = case.facts.get(fact_id)
        if fact is None:
            return f"there is no fact {fact_id!r}"
        problem = problem_of(fact)
        if problem is not None:
            return problem
        if fact.subject != subject:
            return f"fact {fact_id} is about {fact.subject!r}, not {subject!r}"
        target = _target(claim, fact.name)
        if target is not None and fact.target != target:
            return f"fact {fact_id} is about {fact.target!r}, not {target!r}"
    return None


def place_problem(case: Case, claim: Claim) -> str | None:
    """Return what the claim names that the incident does not have: track, zone, line, rule."""
    args = claim.args
    if "track" in args and case.track(str(args["track"])) is None:
        return f"the incident has no track {args['track']!r}"
    if "zone" in args and case.zone(str(args["zone"])) is None:
        return f"the incident has no zone {args['zone']!r}"
    if "line" in args and case.line(str(args["line"])) is None:
        return f"the incident has no line {args['line']!r}"
    place = args.get("place")
    if place is not None and not case.has_place(str(place)):
        return f"the incident has no zone or line {place!r}"
    if "rule" in args and case.event(str(args["rule"]), str(args.get("track"))) is None:
        return f"rule {args['rule']!r} said nothing about track {args.get('track')!r}"
    return None


def check_value(case: Case, fact: Fact, *, claimed: float, word: str | None = None) -> Check:
    """Compare a claimed number, and word, with the cited fact and with the tracks themselves.

    The claim must be within ``K_SIGMA`` uncertainties of what the fact says, and of what the
    tracks and zones give when measured again, if they still show it. The tolerance of the second
    comparison holds both uncertainties, and honest differences of definition.

    Args:
        case: The incident.
        fact: Usable and about the right things.
        claimed: The claim's number, in the fact's unit.
        word: The claim's word; None if it has none.
    """
    tolerance = K_SIGMA * fact.sigma
    unit = fact.unit
    if abs(claimed - fact.value) > tolerance + EXACT:
        return contradicted(
            f"says {claimed:.4g}, fact {fact.fact_id} measured {fact.value:.4g}",
            measured=fact.value,
            tolerance=tolerance,
            unit=unit,
        )
    if word is not None and word != fact.text:
        return contradicted(
            f"says {word!r}, fact {fact.fact_id} measured {fact.text!r}",
            measured=fact.value,
            tolerance=tolerance,
            unit=unit,
        )
    again = measured_again(case, fact)
    if again is None:
        return supported(fact.value, tolerance=tolerance, unit=unit)
    tolerance = K_SIGMA * math.hypot(fact.sigma, again.sigma)
    if not again.low - tolerance - EXACT <= claimed <= again.high + tolerance + EXACT:
        return contradicted(
            f"says {claimed:.4g}, the track gives {again.value:.4g}",
            measured=again.value,
            tolerance=tolerance,
            unit=unit,
        )
    if word is not None and again.word and word != again.word:
        return contradicted(
            f"says {word!r}, the track gives {again.word!r}",
            measured=again.value,
            tolerance=tolerance,
            unit=unit,
        )
    return supported(again.value, tolerance=tolerance, unit=unit)


def _target(claim: Claim, name: FactName) -> str | None:
    """Return what the fact must relate to; None if facts of that name relate to nothing."""
    args = claim.args
    if name is FactName.RULE_VALUE:
        return str(args.get("rule", ""))
    if name in (FactName.INSIDE, FactName.DWELL):
        return str(args.get("zone", args.get("place", "")))
    if name is FactName.CROSSED:
        return str(args.get("line", args.get("place", "")))
    if name in (FactName.NEAR, FactName.LEFT_BY, FactName.OWNER_AWAY, FactName.TAKEN_BY):
        return str(args.get("other", ""))
    return None
