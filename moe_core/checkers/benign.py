"""Checks of benign causes: ruled out beyond doubt, or standing as counter-evidence."""

import math

from contracts.detections import ANY_LABEL
from contracts.incidents import Fact, FactName
from contracts.reasoning import Claim, ClaimRole, ClaimStatus
from moe_core import measure
from moe_core.causes import Cause
from moe_core.checkers.case import (
    EXACT,
    K_SIGMA,
    Case,
    Check,
    contradicted,
    supported,
    unverifiable,
)
from moe_core.checkers.recompute import way_of_fact
from moe_core.checkers.values import check_value, cited_fact
from moe_core.claims import PREDICATES


def check_cause(case: Case, claim: Claim) -> Check:
    """Check a ruled-out or counter claim: its numbers first, then on which side of the limit.

    A ruled-out cause must be beyond its limit by more than the tolerance; a standing one must
    not be. So exactly one of the two can be supported by the same measurement.
    """
    cause = PREDICATES[claim.predicate].cause
    if cause is None:
        return unverifiable(f"{claim.predicate} is about no benign cause")
    found = _measure(case, claim, cause)
    if found.status is not ClaimStatus.SUPPORTED or found.measured is None:
        return found
    tolerance = found.tolerance or 0.0
    is_ruled_out = cause.is_ruled_out(found.measured, tolerance=tolerance)
    if is_ruled_out is (claim.role is ClaimRole.RULED_OUT):
        return found
    side = "beyond" if is_ruled_out else "not clearly beyond"
    return contradicted(
        f"{found.measured:.4g} (within {tolerance:.2g}) is {side} the limit {cause.limit:g}",
        measured=found.measured,
        tolerance=tolerance,
        unit=found.unit,
    )


def beyond_line(case: Case, fact: Fact) -> float | None:
    """Return how far beyond the line the track is by now, for a fact ``crossed``; None unseen."""
    line, way = case.line(fact.target), case.way(fact.subject)
    until = way_of_fact(case, fact)
    if line is None or way is None or until is None or until.times_N[0] > fact.start_s:
        return None
    return measure.distance_beyond(way.since(until.times_N[0]), line, direction=fact.text)


def _measure(case: Case, claim: Claim, cause: Cause) -> Check:
    fact = cited_fact(case, claim, cause.fact)
    if isinstance(fact, Check):
        return fact
    if _is_overtaken(case, claim, fact, cause):
        return unverifiable("the track was followed for longer than this was measured")
    if cause.fact is FactName.CROSSED:
        return _measure_beyond(case, fact, claimed=float(claim.args["value"]))
    if cause.per is not None:
        return _measure_pace(case, claim, fact, cause.per)
    if cause.fact is FactName.LABEL_SHARE:
        label = str(claim.args["label"])
        if label == ANY_LABEL:
            return unverifiable("the detector names no kinds, so none can be wrong")
        return check_value(case, fact, claimed=float(claim.args["value"]), word=label)
    found = check_value(case, fact, claimed=float(claim.args["value"]))
    if found.measured is None or cause.rules_out_above:
        return found
    # A change is as large downward as upward.
    return Check(
        status=found.status,
        measured=abs(found.measured),
        tolerance=found.tolerance,
        unit=found.unit,
        note=found.note,
    )


def _is_overtaken(case: Case, claim: Claim, fact: Fact, cause: Cause) -> bool:
    """Say whether a displacement may have grown since it was measured, and would have to count.

    It can only grow: what once got far is no sway, however long ago. All else that is said by it
    must hold for as long as the track was present.
    """
    if fact.name is not FactName.DISPLACEMENT:
        return False
    if cause.per is None and claim.role is ClaimRole.RULED_OUT:
        return False
    present = case.facts.newest(FactName.PRESENT, fact.subject)
    return present is not None and present.end_s > fact.end_s + measure.GRACE_S


def _measure_beyond(case: Case, fact: Fact, *, claimed: float) -> Check:
    beyond = beyond_line(case, fact)
    if beyond is None:
        return unverifiable("the track no longer shows the crossing")
    tolerance = K_SIGMA * max(fact.sigma, measure.FOOT_SIGMA / 2)
    if abs(claimed - beyond) > tolerance + EXACT:
        return contradicted(
            f"says {claimed:.4g}, the track gives {beyond:.4g}",
            measured=beyond,
            tolerance=tolerance,
            unit="picture",
        )
    return supported(beyond, tolerance=tolerance, unit="picture")


def _measure_pace(case: Case, claim: Claim, fact: Fact, per: FactName) -> Check:
    distance = check_value(case, fact, claimed=float(claim.args["distance"]))
    lasting = cited_fact(case, claim, per)
    if isinstance(lasting, Check):
        return lasting
    time = check_value(case, lasting, claimed=float(claim.args["seconds"]))
    for part in (distance, time):
        if part.status is not ClaimStatus.SUPPORTED:
            return part
    if distance.measured is None or time.measured is None or time.measured <= EXACT:
        return unverifiable("no time has passed that a pace could be told from")
    pace = distance.measured / time.measured
    tolerance = math.hypot(
        (distance.tolerance or 0.0) / time.measured,
        pace * (time.tolerance or 0.0) / time.measured,
    )
    return supported(pace, tolerance=tolerance, unit="picture/s")
