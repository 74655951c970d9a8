"""What every reasoner's findings have in common: their id, and what is said when it fails."""

from dataclasses import replace

from contracts.clock import Clock
from contracts.ids import derived_id
from contracts.incidents import Incident
from contracts.reasoning import (
    Claim,
    ClaimStatus,
    Decision,
    Finding,
    Reasoning,
    ReasoningVerdict,
)
from moe_core.checkers.case import Case
from moe_core.claims import VERDICT, draft
from moe_core.render import failure_text, failure_title

UNREASONED_CONFIDENCE = 0.5
"""Of a finding that nobody reasoned about: neither way."""


def finding_id(incident: Incident, *, reasoner: str) -> str:
    """Return the id of a reasoner's finding about one revision: a repeat has the same."""
    return derived_id("fi", incident.incident_id, incident.revision, reasoner)


def abstained(incident: Incident, *, reasoner: str, error: Exception, clock: Clock) -> Finding:
    """Return the finding of a reasoner that failed: the rule's word stands, nothing is lowered.

    Args:
        incident: What it failed on.
        reasoner: Its name.
        error: Its class is named, its message is not: that may hold anything.
        clock: For the time of the finding.
    """
    failed_as = type(error).__name__
    claim: Claim = replace(
        draft("c1", VERDICT, {"verdict": str(ReasoningVerdict.ABSTAINED)}, ()),
        status=ClaimStatus.UNVERIFIABLE,
        text=failure_text(failed_as),
        note=f"the reasoner raised {failed_as}",
    )
    return Finding(
        finding_id=finding_id(incident, reasoner=reasoner),
        incident_id=incident.incident_id,
        incident_revision=incident.revision,
        camera_id=incident.camera_id,
        kind=incident.kind,
        severity=incident.severity,
        decision=Decision.ALERT,
        confidence=UNREASONED_CONFIDENCE,
        confidence_basis="program",
        title=failure_title(incident.kind, Case(incident)),
        summary=failure_text(failed_as),
        reasoning=Reasoning(reasoner=reasoner, verdict=ReasoningVerdict.ABSTAINED, claims=(claim,)),
        decisive_at=incident.decisive_at,
        created_at=clock.now(),
        reasoned_ms=0.0,
        attributes={"error": failed_as},
    )
