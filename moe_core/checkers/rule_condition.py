"""The check of the deciding claim: that the rule's condition really held.

Only a measurement may contradict this claim, since a contradicted one lowers an alert. A claim
that miscopies its evidence is therefore unverifiable, not contradicted.
"""

import math

from contracts.geometry import Line
from contracts.incidents import Fact, FactName, RuleEvent
from contracts.reasoning import Claim
from contracts.rules import RuleKind
from moe_core import measure
from moe_core.checkers.case import (
    EXACT,
    K_SIGMA,
    Case,
    Check,
    contradicted,
    supported,
    unverifiable,
)
from moe_core.checkers.motion_condition import MOTION_CONDITIONS
from moe_core.claims import RULE_FACTS
from moe_core.measure import FOOT_SIGMA, Measurement
from moe_core.way import Way

_FOOT_SLACK = K_SIGMA * FOOT_SIGMA
_RECOMPUTED = frozenset(
    {RuleKind.INTRUSION, RuleKind.ZONE_ENTRY, RuleKind.LINE_CROSS, RuleKind.LOITER}
)
"""Kinds whose condition the points of one track and the place decide by themselves."""


def check_meets_rule(case: Case, claim: Claim) -> Check:
    """Check that the rule's condition held, by the track's own points and the zone or line.

    Supported where the claim repeats the rule's statement and its evidence, and the points, if
    they still show the decisive frame, agree. Contradicted only where no honest way of measuring
    reaches the threshold. Where the points give another value that meets the rule as well, the
    number cannot be stood by: unverifiable.
    """
    args = claim.args
    fact = next((fact for name in RULE_FACTS if (fact := case.cited(claim, name))), None)
    if fact is None:
        return unverifiable("cites nothing that the rule measured")
    event = case.event(str(args["rule"]), str(args["track"]))
    if event is None:
        return unverifiable(f"rule {args['rule']!r} said nothing about track {args['track']!r}")
    miscopied = _copy_problem(claim, event, fact)
    if miscopied is not None:
        return unverifiable(miscopied)
    claimed, tolerance = float(args["value"]), K_SIGMA * event.sigma
    again = condition_again(case, event)
    if again is None:
        return supported(event.value, tolerance=tolerance, unit=event.unit)
    tolerance = K_SIGMA * math.hypot(event.sigma, again.sigma)
    is_missed, reached = _misses(event, again, tolerance)
    if is_missed:
        return contradicted(
            f"the track gives {reached}, the rule asks for {event.threshold:.4g}",
            measured=again.value if math.isfinite(again.value) else None,
            tolerance=tolerance,
            unit=event.unit,
        )
    if again.word and event.detail.get("direction", again.word) != again.word:
        return unverifiable(f"the track crosses to the {again.word}, the rule said otherwise")
    if not again.low - tolerance - EXACT <= claimed <= again.high + tolerance + EXACT:
        return unverifiable(
            f"says {claimed:.4g}, the track gives {again.value:.4g}, which does not rule it out"
        )
    return supported(again.value, tolerance=tolerance, unit=event.unit)


def condition_again(case: Case, event: RuleEvent) -> Measurement | None:
    """Return what the rule measured, from points and geometry; None where they do not show it."""
    if not case.is_under_way(event):
        return None
    way = case.way(event.track_id)
    if way is None:
        return None
    until = way.until(event.monotonic_s)
    if event.kind in MOTION_CONDITIONS:
        return MOTION_CONDITIONS[event.kind](case, event, until)
    if event.kind not in _RECOMPUTED:
        return None
    zone, line = case.zone(event.zone_id), case.line(event.line_id)
    if line is not None and event.unit == "picture":
        return _over_line(until, line, event)
    if zone is None:
        return None
    if event.unit == "s":
        return measure.dwell(
            until, zone, end_s=event.monotonic_s, grace_s=_grace_s(event), slack=_FOOT_SLACK
        )
    if event.unit == "picture":
        depth = float(measure.depths(zone, until.feet_N2[-1:])[0])
        distance = zone.distance_to_edge((float(until.feet_N2[-1, 0]), float(until.feet_N2[-1, 1])))
        # Rules measure the depth with or without the edges along the picture's border.
        low = min(depth, distance) if depth >= 0 else depth
        return Measurement(value=depth, low=low, high=depth, sigma=FOOT_SIGMA)
    return None


def _misses(event: RuleEvent, again: Measurement, tolerance: float) -> tuple[bool, str]:
    """Return whether no honest way of measuring meets the threshold, and the best in words."""
    if event.kind.fires_below:
        return again.low - tolerance > event.threshold, f"{again.low:.4g} at least"
    return again.high + tolerance < event.threshold, f"{again.high:.4g} at most"


def _over_line(until: Way, line: Line, event: RuleEvent) -> Measurement | None:
    """Return how far beyond the line the foot was in the decisive frame.

    Without any passage it is a negative number: how far it stayed off the line.
    """
    if until.times_N[0] > event.since_s + EXACT:
        return None
    x, y = (float(value) for value in until.feet_N2[-1])
    beyond = measure.line_distance(line, (x, y))
    found = measure.passages(until, line)
    if not found:
        nearest = min(
            measure.line_distance(line, (float(at_x), float(at_y))) for at_x, at_y in until.feet_N2
        )
        return Measurement.of(-nearest, sigma=FOOT_SIGMA)
    directions = {passage.direction for passage in found}
    said = event.detail.get("direction", found[-1].direction)
    word = said if said in directions else found[-1].direction
    return Measurement.of(beyond, sigma=FOOT_SIGMA, word=word)


def _grace_s(event: RuleEvent) -> float | None:
    try:
        grace_s = float(event.detail["grace_s"])
    except (KeyError, ValueError):
        return None
    return grace_s if math.isfinite(grace_s) and grace_s >= 0 else None


def _copy_problem(claim: Claim, event: RuleEvent, fact: Fact) -> str | None:
    """Return where the claim does not say what the rule and the cited fact say."""
    args = claim.args
    if not all(math.isfinite(value) for value in (event.value, event.threshold, event.sigma)):
        return f"rule {event.rule_id} measured no number"
    if args["place"] != event.place:
        return f"rule {event.rule_id} is about {event.place}"
    if args["unit"] != event.unit:
        return f"rule {event.rule_id} measured in {event.unit}"
    if abs(float(args["threshold"]) - event.threshold) > EXACT:
        return f"rule {event.rule_id} asks for {event.threshold:.4g}"
    claimed, tolerance = float(args["value"]), K_SIGMA * event.sigma + EXACT
    if abs(claimed - event.value) > tolerance:
        return f"says {claimed:.4g}, rule {event.rule_id} measured {event.value:.4g}"
    past = claimed - event.threshold
    if (-past if event.kind.fires_below else past) < -tolerance:
        return f"{claimed:.4g} does not meet {event.threshold:.4g}"
    if fact.name is FactName.RULE_VALUE and abs(claimed - fact.value) > tolerance:
        return f"says {claimed:.4g}, fact {fact.fact_id} measured {fact.value:.4g}"
    return None
