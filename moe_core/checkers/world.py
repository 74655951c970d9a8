"""Checks of what was observed and how things relate, apart from the rule's own statement."""

from contracts.detections import ANY_LABEL
from contracts.incidents import FactName
from contracts.reasoning import Claim
from moe_core.checkers.case import (
    K_SIGMA,
    Case,
    Check,
    contradicted,
    supported,
    unverifiable,
)
from moe_core.checkers.values import check_value, cited_fact
from moe_core.claims import PREDICATES, ArgType


def check_measured(case: Case, claim: Claim) -> Check:
    """Check a claim that repeats one fact: its number, and its word if it has one."""
    predicate = PREDICATES[claim.predicate]
    fact = cited_fact(case, claim, predicate.needs[0])
    if isinstance(fact, Check):
        return fact
    words = [name for name, kind in predicate.args.items() if kind is ArgType.WORD]
    return check_value(
        case,
        fact,
        claimed=float(claim.args[predicate.numbers[0]]),
        word=str(claim.args[words[0]]) if words else None,
    )


def check_alone(case: Case, claim: Claim) -> Check:
    """Check that no other track was in the frame."""
    fact = cited_fact(case, claim, FactName.OTHERS_PRESENT)
    return fact if isinstance(fact, Check) else check_value(case, fact, claimed=0.0)


def check_others(case: Case, claim: Claim) -> Check:
    """Check that others were in the frame: at least one, and as many as said."""
    fact = cited_fact(case, claim, FactName.OTHERS_PRESENT)
    if isinstance(fact, Check):
        return fact
    count = float(claim.args["count"])
    if count < 1:
        return contradicted("says that others were there, and counts none", measured=fact.value)
    return check_value(case, fact, claimed=count)


def check_near_threshold(case: Case, claim: Claim) -> Check:
    """Check that a stay was longer than asked by no more than it is uncertain by."""
    fact = cited_fact(case, claim, FactName.DWELL)
    if isinstance(fact, Check):
        return fact
    event = case.event(str(claim.args["rule"]), str(claim.args["track"]))
    if event is None or event.unit != "s" or event.kind.is_instant:
        return unverifiable("the rule asks for no time")
    threshold = float(claim.args["threshold"])
    if threshold != event.threshold:
        return contradicted(f"says {threshold:g} s, the rule asks for {event.threshold:g} s")
    found = check_value(case, fact, claimed=float(claim.args["seconds"]))
    if found.note:
        return found
    tolerance = K_SIGMA * fact.sigma
    if fact.value - threshold > tolerance:
        return contradicted(
            f"{fact.value:.4g} s is beyond {threshold:g} s by more than {tolerance:.2g} s",
            measured=fact.value,
            tolerance=tolerance,
            unit="s",
        )
    return supported(fact.value, tolerance=tolerance, unit="s")


def check_kind_unknown(case: Case, claim: Claim) -> Check:
    """Check that the detector could not say what the track is."""
    fact = cited_fact(case, claim, FactName.PRESENT)
    if isinstance(fact, Check):
        return fact
    track = case.track(fact.subject)
    if track is not None and track.is_region:
        return contradicted("it is a part of the picture, of which no detector names the kind")
    named = {fact.text, track.label if track is not None else ANY_LABEL} - {ANY_LABEL}
    if named:
        return contradicted(f"the detector says {', '.join(sorted(named))}")
    return supported()
