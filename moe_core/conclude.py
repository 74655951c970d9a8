"""From a checked chain to a finding: the same for every reasoner.

Decision and severity are lowered (to ``watch``, by one step, never below ``info``) only where every
rule statement of the incident is contradicted by measurement. Doubt lowers the confidence.
"""

from collections.abc import Mapping

from contracts.clock import Clock
from contracts.reasoning import Claim, Decision, Finding, Reasoning, ReasoningVerdict
from contracts.rules import Severity
from moe_core.chain_writer import told_events
from moe_core.checkers.case import Case
from moe_core.findings import finding_id
from moe_core.render import lowered_text, naming_of, summary_of, title_of


def concluded(  # noqa: PLR0913  # what a finding is made of; each is named by its callers
    case: Case,
    claims: tuple[Claim, ...],
    *,
    reasoner: str,
    confidence: float,
    basis: str,
    clock: Clock,
    started_s: float,
    model_sha256: str = "",
    attributes: Mapping[str, str] | None = None,
) -> Finding:
    """Return the finding that a checked chain leads to.

    Args:
        case: The incident.
        claims: The chain, checked, the verdict last.
        reasoner: Who wrote it.
        confidence: 0..1 that the rule's condition really held.
        basis: Of the confidence: ``calibrated`` or ``program``.
        clock: For the time of the finding and how long it took.
        started_s: When the reasoning began, by the clock's durations.
        model_sha256: Of the weights that wrote it; empty for the program.
        attributes: What the reasoner adds in words.
    """
    incident = case.incident
    verdict = ReasoningVerdict(str(claims[-1].args["verdict"]))
    is_lowered = verdict is ReasoningVerdict.CONTRADICTED
    severity = _one_lower(incident.severity) if is_lowered else incident.severity
    naming = naming_of(claims, case)
    summary = summary_of(claims, naming=naming)
    told = dict(attributes or {})
    if is_lowered:
        summary += " " + lowered_text(before=incident.severity, after=severity)
        told["lowered_from"] = str(incident.severity)
    left_out = len(case.events) - len(told_events(case))
    if left_out:
        told["rule_events_left_out"] = str(left_out)
    return Finding(
        finding_id=finding_id(incident, reasoner=reasoner),
        incident_id=incident.incident_id,
        incident_revision=incident.revision,
        camera_id=incident.camera_id,
        kind=incident.kind,
        severity=severity,
        decision=Decision.WATCH if is_lowered else Decision.ALERT,
        confidence=confidence,
        confidence_basis=basis,
        title=title_of(claims, kind=incident.kind, naming=naming),
        summary=summary,
        reasoning=Reasoning(
            reasoner=reasoner, verdict=verdict, claims=claims, model_sha256=model_sha256
        ),
        decisive_at=incident.decisive_at,
        created_at=clock.now(),
        reasoned_ms=(clock.monotonic_s() - started_s) * 1000,
        attributes=told,
    )


def _one_lower(severity: Severity) -> Severity:
    return list(Severity)[max(0, severity.rank - 1)]
