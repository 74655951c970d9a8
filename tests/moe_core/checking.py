"""Incidents to check claims against, and one claim checked in one line."""

from collections.abc import Mapping
from dataclasses import replace

from contracts.clock import SystemClock
from contracts.incidents import FactName, Incident
from contracts.reasoning import Claim, ClaimStatus
from contracts.rules import RuleKind
from moe_core.checkers.case import Case
from moe_core.claims import PREDICATES, draft
from moe_core.program import ProgramReasoner
from moe_core.verify import check_claim
from tests.fakes.bodies import LYING, STANDING, stays
from tests.fakes.builders import fact
from tests.fakes.fall_incidents import fall_incident
from tests.fakes.incidents import STAY, WALK_IN, situation, together

SUPPORTED = ClaimStatus.SUPPORTED
CONTRADICTED = ClaimStatus.CONTRADICTED
UNVERIFIABLE = ClaimStatus.UNVERIFIABLE

Args = dict[str, str | float]


def fact_id_of(incident: Incident, name: FactName) -> str:
    return next(fact.fact_id for fact in incident.facts if fact.name is name)


def value_of(incident: Incident, name: FactName) -> float:
    return next(fact.value for fact in incident.facts if fact.name is name)


def sigma_of(incident: Incident, name: FactName) -> float:
    return next(fact.sigma for fact in incident.facts if fact.name is name)


def status_of(incident: Incident, predicate: str, args: Mapping[str, str | float]) -> ClaimStatus:
    """Check one claim that cites just the facts it needs."""
    entry = PREDICATES[predicate]
    names = entry.needs or (FactName.RULE_VALUE,)
    evidence = [fact_id_of(incident, name) for name in names]
    claim = draft("c1", predicate, args, evidence)
    return check_claim(Case(incident), claim, checked={}).status


def reasoned(incident: Incident) -> tuple[Claim, ...]:
    return ProgramReasoner(SystemClock()).reason(incident).reasoning.claims


LINE = situation(kind=RuleKind.LINE_CROSS)
ZONE = situation()
LOITER = situation(kind=RuleKind.LOITER, feet=STAY, threshold=8.0)
UNKNOWN = situation(label="object")
PAIR = situation(others=1)
FALL = fall_incident()
FALLEN = fall_incident(stays((STANDING, 2.0), (LYING, 4.0)), down_s=3.0)
NEAR = replace(
    together(situation(), situation(track_id="t2", feet=[(x, 0.8) for x, _ in WALK_IN])),
    facts=(
        *situation(others=1).facts,
        replace(
            fact(FactName.NEAR, 0.2, fact_id="n1", target="t2", unit="picture", sigma=0.005),
            end_s=4.0,
        ),
    ),
)

BY_KIND = [
    situation(kind=RuleKind.INTRUSION),
    situation(kind=RuleKind.ZONE_ENTRY),
    situation(kind=RuleKind.LINE_CROSS),
    situation(kind=RuleKind.LOITER, feet=STAY, threshold=8.0),
]
