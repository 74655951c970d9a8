"""The wire format of alerts as OpenAPI describes it; ``alerts/payload.py`` makes them.

Webhooks and the live stream send the same form as ``data`` of a CloudEvent.
"""

from typing import Annotated, Any

from pydantic import Field

from api.schemas import Answer
from contracts.alerts import AlertPhase, AlertState
from contracts.reasoning import ClaimRole, ClaimStatus, Decision, ReasoningVerdict
from contracts.rules import RuleKind, Severity

Time = Annotated[str, Field(description="RFC 3339, UTC, milliseconds")]
Box = Annotated[
    list[float], Field(description="x1, y1, x2, y2 as shares of the picture, origin top left")
]


class NoteAnswer(Answer):
    """What somebody wrote when moving the alert to ``state``."""

    text: str
    by: str
    at: Time
    state: AlertState


class RuleAnswer(Answer):
    """The rule that fired, as it was then."""

    id: str
    version: int


class ObjectAnswer(Answer):
    """Something that was followed."""

    track_id: str
    label: str
    fired_rule: bool = Field(description="It set off the rule; others were there too")
    score: float
    first_seen: Time
    last_seen: Time
    box: Box
    dwell_s: float | None
    speed_mps: float | None
    attributes: dict[str, Any]


class ClaimAnswer(Answer):
    """One step of the reasoning and what checking it against the facts gave."""

    id: str
    role: ClaimRole
    type: str
    args: dict[str, str | float]
    text: str
    status: ClaimStatus
    measured: float | None
    tolerance: float | None
    unit: str
    evidence: list[str] = Field(description="Facts and claims that it rests on")
    frames: list[str] = Field(description="Frames that show it")
    note: str


class ModelAnswer(Answer):
    """What reasoned."""

    name: str
    sha256: str


class ReasoningAnswer(Answer):
    """The chain, claim by claim."""

    verdict: ReasoningVerdict
    reasoner: str
    model: ModelAnswer
    confidence_basis: str
    event_revision: int
    attributes: dict[str, Any]
    claims: list[ClaimAnswer]


class MarginAnswer(Answer):
    """How far past its threshold the rule was."""

    param: str
    threshold: float
    measured: float
    slack: float
    sigma: float
    unit: str


class TimingAnswer(Answer):
    """From the picture to the alert."""

    capture: Time
    detect_ms: float
    reason_ms: float | None
    publish_ms: float
    late: bool


class EvidenceAnswer(Answer):
    """Where the evidence is; None for what is not kept (yet)."""

    snapshot: str | None
    clip: str | None
    still: str | None
    frames: list[str]
    frames_digest: str | None
    problems: list[str]


class AlertAnswer(Answer):
    """An alert at one revision."""

    alert_id: str
    event_id: str
    revision: int
    phase: AlertPhase
    state: AlertState
    acknowledged_by: str
    notes: list[NoteAnswer]
    is_unreasoned: bool
    camera_id: str
    camera_name: str
    place: str
    kind: RuleKind
    severity: Severity
    decision: Decision
    confidence: float = Field(ge=0, le=1)
    title: str
    summary: str
    start: Time
    end: Time | None
    opened_at: Time
    updated_at: Time
    zones: list[str]
    zone_names: list[str]
    lines: list[str]
    line_names: list[str]
    rule: RuleAnswer
    joins: list[str] = Field(
        description="Events that a sequence across cameras joins, in their order"
    )
    objects: list[ObjectAnswer]
    reasoning: ReasoningAnswer | None
    margin: MarginAnswer
    timing: TimingAnswer
    evidence: EvidenceAnswer
    correlation_id: str
    tags: list[str]


class AlertList(Answer):
    """A page of alerts, newest first; each as in webhooks and the live stream."""

    items: list[AlertAnswer]
    next_cursor: str | None
