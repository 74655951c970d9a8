"""Checks every claim of a chain by recomputing it from the incident.

The verifier takes nothing from a reasoner but predicates, arguments and citations. Status,
measured value, tolerance, frames and text are its own: frames are copied from the cited evidence
and text is rendered from the claim, so neither can say more than what was measured.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from contracts.incidents import Incident
from contracts.reasoning import Claim, ClaimRole, ClaimStatus
from moe_core.checkers import benign, conclusions, world
from moe_core.checkers.case import Case, Check, unverifiable
from moe_core.checkers.conclusions import Checked
from moe_core.checkers.rule_condition import check_meets_rule
from moe_core.checkers.values import citation_problem
from moe_core.claims import (
    COULD_BE,
    FACT_ROLES,
    MEETS_RULE,
    PREDICATES,
    VERDICT,
    evidence_problem,
    form_problem,
)
from moe_core.hypotheses import ALARMING
from moe_core.render import claim_text, naming_of

FactChecker = Callable[[Case, Claim], Check]
ConclusionChecker = Callable[[Case, Claim, Checked], Check]

FACT_CHECKERS: Final[Mapping[str, FactChecker]] = {
    **{
        name: world.check_measured
        for name, predicate in PREDICATES.items()
        if predicate.role in (ClaimRole.OBSERVATION, ClaimRole.RELATION)
    },
    MEETS_RULE: check_meets_rule,
    "alone": world.check_alone,
    "others_present": world.check_others,
    **{
        name: benign.check_cause
        for name, predicate in PREDICATES.items()
        if predicate.cause is not None
    },
    "near_threshold": world.check_near_threshold,
    "kind_unknown": world.check_kind_unknown,
}
"""The checker of each predicate that rests on facts."""

CONCLUSION_CHECKERS: Final[Mapping[str, ConclusionChecker]] = {
    **dict.fromkeys(ALARMING.values(), conclusions.check_alarming),
    COULD_BE: conclusions.check_could_be,
    VERDICT: conclusions.check_verdict,
}
"""The checker of each predicate that rests on claims."""


def check_claim(case: Case, claim: Claim, *, checked: Checked) -> Check:
    """Return what recomputing one claim gives; never raises.

    Args:
        case: The incident.
        claim: Any claim, well formed or not; what is malformed is unverifiable.
        checked: Claims that were checked before, for conclusions.
    """
    problem = form_problem(claim)
    if problem is None and claim.role in FACT_ROLES:
        problem = evidence_problem(claim, case.facts.names) or citation_problem(case, claim)
    if problem is not None:
        return unverifiable(problem)
    if claim.predicate in FACT_CHECKERS:
        return FACT_CHECKERS[claim.predicate](case, claim)
    return CONCLUSION_CHECKERS[claim.predicate](case, claim, checked)


def verify(claims: Sequence[Claim], incident: Incident) -> tuple[Claim, ...]:
    """Return the chain with every claim checked, in the same order. Ids must be unique.

    Claims about the world are checked first, then hypotheses, which cite them, then the verdict.
    Whatever the claims said about their status, numbers, frames and text is replaced.
    """
    return verify_case(claims, Case(incident))


def verify_case(claims: Sequence[Claim], case: Case) -> tuple[Claim, ...]:
    """Do what ``verify`` does, on an incident that is already laid out."""
    checked: dict[str, Claim] = {}
    for roles in (FACT_ROLES, {ClaimRole.HYPOTHESIS}, {ClaimRole.VERDICT}):
        found = {
            claim.claim_id: mark(case, claim, check_claim(case, claim, checked=checked), checked)
            for claim in claims
            if claim.role in roles
        }
        checked.update(found)
    naming = naming_of(checked.values(), case)
    return tuple(
        replace(done, text=claim_text(done, naming))
        for done in (checked[claim.claim_id] for claim in claims)
    )


def mark(case: Case, claim: Claim, check: Check, checked: Checked) -> Claim:
    """Return the claim with what the check found and the frames that its evidence shows."""
    frames: dict[str, None] = {}
    for evidence_id in claim.evidence:
        fact = case.facts.get(evidence_id) if claim.role in FACT_ROLES else None
        cited = checked.get(evidence_id)
        if fact is not None:
            frames.update(dict.fromkeys(fact.frames))
        elif cited is not None and claim.role not in FACT_ROLES:
            frames.update(dict.fromkeys(cited.frames))
    return replace(
        claim,
        frames=tuple(frames),
        status=check.status,
        measured=check.measured,
        tolerance=check.tolerance,
        unit=check.unit,
        note="" if check.status is ClaimStatus.SUPPORTED else check.note,
    )
