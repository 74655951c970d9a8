"""How sure the program is that a rule's condition really held: from uncertainties, uncalibrated.

For each rule statement that the chain speaks about

    confidence = held * seen * considered * checked

* ``held``: the chance that the true value reaches the threshold, ``Phi(margin / sigma)`` with the
  standard normal distribution function and the value as it is by now, measured again. A stay
  that goes on is reported just when it reaches its threshold, so its margin says little; of the
  chance that is missing, ``CONTINUES`` is given back as far as the foot is surely inside
  (``Phi(depth / sigma)``).
* ``seen``: ``0.5 + 0.5 * hit ratio``: what is seen in few frames may be a flicker.
* ``considered``: ``0.6 + 0.4 * ruled out / (ruled out + standing + 1)``: each benign cause ruled
  out by measurement adds, each that stands takes away; nothing considered gives 0.6.
* ``checked``: 1 if the deciding claim is supported or contradicted, ``UNCHECKED`` if it could not
  be verified.

The finding's confidence is the largest of these (one true statement is enough for an alert),
kept within 0.01 to 0.99.
"""

import math
from collections.abc import Sequence
from typing import Final

from contracts.incidents import FactName, IncidentState, RuleEvent
from contracts.reasoning import Claim, ClaimRole, ClaimStatus
from contracts.rules import RuleKind
from moe_core.checkers.benign import beyond_line
from moe_core.checkers.case import K_SIGMA, Case
from moe_core.claims import MEETS_RULE, PREDICATES

LOWEST: Final = 0.01
HIGHEST: Final = 0.99
CONTINUES: Final = 0.8
"""Share of stays that, surely inside at their threshold, last a frame longer; our estimate."""
UNCHECKED: Final = 0.8
_HALF: Final = 0.5
"""Of one more: counts are whole numbers, their uncertainty is not."""
_UNSEEN_HIT_RATIO: Final = 0.5
"""Assumed where nobody measured in how many frames the track was seen."""


def confidence_of(case: Case, chain: Sequence[Claim]) -> float:
    """Return 0.01 to 0.99 that at least one rule's condition held, by the formula above.

    Args:
        case: The incident.
        chain: Checked claims.
    """
    best = 0.0
    for event in case.events:
        deciding = next(
            (
                claim
                for claim in chain
                if claim.predicate == MEETS_RULE
                and claim.args["rule"] == event.rule_id
                and claim.args["track"] == event.track_id
            ),
            None,
        )
        best = max(best, _of_event(case, event, deciding, chain))
    return min(HIGHEST, max(LOWEST, best))


def _of_event(
    case: Case, event: RuleEvent, deciding: Claim | None, chain: Sequence[Claim]
) -> float:
    is_checked = deciding is not None and deciding.status is not ClaimStatus.UNVERIFIABLE
    hit_ratio = case.facts.newest(FactName.HIT_RATIO, event.track_id)
    share = _UNSEEN_HIT_RATIO if hit_ratio is None else min(1.0, max(0.0, hit_ratio.value))
    seen = 0.5 + 0.5 * share
    checked = 1.0 if is_checked else UNCHECKED
    held = _held(case, event, deciding if is_checked else None)
    return held * seen * _considered(event.track_id, chain) * checked


def _held(case: Case, event: RuleEvent, deciding: Claim | None) -> float:
    """Return the chance that the condition held, from its margin and uncertainty."""
    value, sigma = event.value, event.sigma
    if deciding is not None and deciding.measured is not None:
        value = deciding.measured
        sigma = (deciding.tolerance or 0.0) / K_SIGMA
    is_supported = deciding is not None and deciding.status is ClaimStatus.SUPPORTED
    dwell = case.facts.newest(FactName.DWELL, event.track_id, event.zone_id)
    if is_supported and event.unit == "s" and dwell is not None:
        value = max(value, dwell.value)
    crossed = case.facts.at(
        FactName.CROSSED, event.track_id, event.line_id, end_s=event.monotonic_s
    )
    if is_supported and crossed is not None:
        value = max(value, beyond_line(case, crossed) or 0.0)
    if event.kind.fires_below:
        return chance_above(event.threshold - value, sigma)
    if event.unit == "1":
        value += _HALF  # a count of just the threshold meets it, and is no more likely short of it
    inside = case.facts.newest(FactName.INSIDE, event.track_id, event.zone_id)
    if event.kind is RuleKind.ZONE_EXIT and is_supported and inside is not None:
        return chance_above(-inside.value, inside.sigma)
    held = chance_above(value - event.threshold, sigma)
    goes_on = event.unit == "s" and case.incident.state is not IncidentState.CLOSED
    if is_supported and goes_on and inside is not None:
        held += (1 - held) * CONTINUES * chance_above(inside.value, inside.sigma)
    return held


def _considered(track_id: str, chain: Sequence[Claim]) -> float:
    """Return 0.6 to 1 by how many benign causes the measurements rule out."""
    about = [
        claim
        for claim in chain
        if claim.status is ClaimStatus.SUPPORTED
        and claim.args.get("track", track_id) == track_id
        and PREDICATES[claim.predicate].role in (ClaimRole.RULED_OUT, ClaimRole.COUNTER)
    ]
    ruled_out = sum(claim.role is ClaimRole.RULED_OUT for claim in about)
    return 0.6 + 0.4 * ruled_out / (len(about) + 1)


def chance_above(margin: float, sigma: float) -> float:
    """Return the chance that a value measured ``margin`` above a limit is really above it.

    0.5 where the numbers are no numbers; 0 or 1 where there is no uncertainty.
    """
    if not (math.isfinite(margin) and math.isfinite(sigma)):
        return 0.5
    if sigma <= 0:
        return 1.0 if margin >= 0 else 0.0
    return 0.5 * (1 + math.erf(margin / sigma / math.sqrt(2)))
