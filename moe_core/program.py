"""The deterministic reasoner: the floor under every trained one, its draft and its fallback."""

from typing import Final

from contracts.clock import Clock
from contracts.incidents import Incident
from contracts.reasoning import Claim, Decision, Finding, Reasoning, ReasoningVerdict
from contracts.rules import Severity
from moe_core.chain_writer import add_verdict, told_events, write_chain
from moe_core.checkers.case import Case
from moe_core.checkers.conclusions import verdict_of
from moe_core.claims import VERDICT, check_structure
from moe_core.confidence import confidence_of
from moe_core.findings import finding_id
from moe_core.render import lowered_text, naming_of, summary_of, title_of
from moe_core.verify import verify_case

PROGRAM: Final = "program"


class ProgramReasoner:
    """Writes the chain from an incident's facts and draws the finding from what survives checking.

    The same incident gives the same claims, decision, severity and confidence, always. Doubt is
    written down and lowers the confidence. Decision and severity are lowered (to ``watch``, by
    one step, never below ``info``) only where every rule statement of the incident is
    contradicted by measurement.
    """

    name = PROGRAM

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def reason(self, incident: Incident) -> Finding:
        """Return the finding about this revision of the incident.

        Raises:
            ChainError: The chain that was written breaks the grammar, which is a fault here.
        """
        started_s = self._clock.monotonic_s()
        case = Case(incident)
        claims = verified_chain(case)
        verdict = ReasoningVerdict(str(claims[-1].args["verdict"]))
        is_lowered = verdict is ReasoningVerdict.CONTRADICTED
        severity = _one_lower(incident.severity) if is_lowered else incident.severity
        naming = naming_of(claims, case)
        summary = summary_of(claims, naming=naming)
        attributes = {}
        if is_lowered:
            summary += " " + lowered_text(before=incident.severity, after=severity)
            attributes["lowered_from"] = str(incident.severity)
        left_out = len(case.events) - len(told_events(case))
        if left_out:
            attributes["rule_events_left_out"] = str(left_out)
        return Finding(
            finding_id=finding_id(incident, reasoner=self.name),
            incident_id=incident.incident_id,
            incident_revision=incident.revision,
            camera_id=incident.camera_id,
            kind=incident.kind,
            severity=severity,
            decision=Decision.WATCH if is_lowered else Decision.ALERT,
            confidence=confidence_of(case, claims),
            confidence_basis=PROGRAM,
            title=title_of(claims, kind=incident.kind, naming=naming),
            summary=summary,
            reasoning=Reasoning(reasoner=self.name, verdict=verdict, claims=claims),
            decisive_at=incident.decisive_at,
            created_at=self._clock.now(),
            reasoned_ms=(self._clock.monotonic_s() - started_s) * 1000,
            attributes=attributes,
        )


def verified_chain(case: Case) -> tuple[Claim, ...]:
    """Return the program's chain of an incident, checked, the verdict last."""
    drafted = write_chain(case)
    verdict = verdict_of(case, verify_case(drafted, case))
    chain = add_verdict(drafted, verdict)
    check_structure(chain, facts=case.facts.names)
    return verify_case(chain, case)


def verdict_claim(claims: tuple[Claim, ...]) -> Claim:
    """Return the claim that closes a chain."""
    return next(claim for claim in claims if claim.predicate == VERDICT)


def _one_lower(severity: Severity) -> Severity:
    return list(Severity)[max(0, severity.rank - 1)]
