"""Claims, reasoning and findings: what may be said about an incident, and how sure it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from contracts.rules import RuleKind, Severity


class ClaimRole(StrEnum):
    """A claim's place in the chain, in the order in which a chain is written."""

    OBSERVATION = "observation"
    RELATION = "relation"
    HYPOTHESIS = "hypothesis"
    RULED_OUT = "ruled_out"
    """A benign cause and the measurement that speaks against it."""
    COUNTER = "counter"
    """What speaks against the alert, and stands."""
    VERDICT = "verdict"


class ClaimStatus(StrEnum):
    """What the verifier found when it recomputed the claim from the facts."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    UNVERIFIABLE = "unverifiable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One typed statement. The text is rendered from it and cannot say more than it.

    Attributes:
        claim_id: ``c1``, ``c2``, … in the order of the chain.
        predicate: From the grammar in ``moe_core/claims.py``.
        args: The predicate's arguments by name.
        evidence: Fact ids (observations, relations) or claim ids (hypotheses, verdict).
        frames: Frame ids that show it.
        measured, tolerance, unit: What the verifier computed and allowed for; None where the
            predicate has no number.
        note: Why it is contradicted or unverifiable; empty if supported.
    """

    claim_id: str
    role: ClaimRole
    predicate: str
    args: Mapping[str, str | float]
    evidence: tuple[str, ...]
    frames: tuple[str, ...] = ()
    text: str
    status: ClaimStatus
    measured: float | None = None
    tolerance: float | None = None
    unit: str = ""
    note: str = ""


class Decision(StrEnum):
    """What the reasoning would have people do."""

    ALERT = "alert"
    WATCH = "watch"
    IGNORE = "ignore"
    ABSTAIN = "abstain"


class ReasoningVerdict(StrEnum):
    """What the chain, once checked, says about the rule's statement."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    UNVERIFIED = "unverified"
    ABSTAINED = "abstained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoning:
    """The whole chain, every claim checked.

    Attributes:
        reasoner: ``program`` (deterministic) or the name of a trained core.
        model_sha256: Of the trained core's weights; empty for the program.
    """

    reasoner: str
    verdict: ReasoningVerdict
    claims: tuple[Claim, ...]
    model_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the reasoning concludes about one revision of an incident.

    Attributes:
        finding_id: Derived from incident, revision and reasoner.
        confidence: 0..1 that the rule's condition really held.
        confidence_basis: ``calibrated`` or ``program`` (from uncertainties, not calibrated).
        title, summary: For people; rendered from the claims.
        decisive_at: ``captured_at`` of the incident's decisive frame.
        reasoned_ms: Time the reasoning took.
    """

    finding_id: str
    incident_id: str
    incident_revision: int
    camera_id: str
    kind: RuleKind
    severity: Severity
    decision: Decision
    confidence: float
    confidence_basis: str
    title: str
    summary: str
    reasoning: Reasoning
    decisive_at: datetime
    created_at: datetime
    reasoned_ms: float
    attributes: Mapping[str, str] = field(default_factory=dict)
