"""Alerts: what policy decided that people must know, with its life cycle."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.incidents import Incident
from contracts.reasoning import Decision, Finding
from contracts.rules import RuleKind, Severity


class AlertPhase(StrEnum):
    """How far the system itself is with the alert."""

    PROVISIONAL = "provisional"
    """A rule fired; nothing has been reasoned yet."""
    REVISED = "revised"
    """The reasoning has spoken; more revisions may follow while the incident goes on."""
    FINAL = "final"
    """The incident is closed and reasoned."""


class AlertState(StrEnum):
    """How far the people are with it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertNote:
    """What somebody wrote when moving an alert to ``state``; text for people, never executed."""

    text: str
    by: str
    at: datetime
    state: AlertState


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert at one revision. Its id stays; revisions only add and correct.

    Attributes:
        alert_id: ``al_…``, derived from the incident id: one incident, one alert.
        revision: Grows with each change that receivers are told of.
        incident: The event behind it, newest revision stored.
        finding: None while provisional.
        is_unreasoned: The reasoning missed its deadline or failed; the rule's word stands alone.
        opened_at: Wall clock when the provisional alert was stored.
        notes: In the order in which they were written.
        correlation_id: Goes through logs, webhooks and API answers.
    """

    alert_id: str
    revision: int
    phase: AlertPhase
    state: AlertState
    camera_id: str
    kind: RuleKind
    severity: Severity
    decision: Decision
    confidence: float
    title: str
    summary: str
    incident: Incident
    finding: Finding | None
    is_unreasoned: bool = False
    opened_at: datetime
    updated_at: datetime
    acknowledged_by: str = ""
    notes: tuple[AlertNote, ...] = ()
    correlation_id: str


class FeedType(StrEnum):
    """CloudEvents types that Vigil sends; also the names of server-sent events."""

    ALERT_OPENED = "vigil.alert.opened.v1"
    ALERT_REVISED = "vigil.alert.revised.v1"
    ALERT_ACKNOWLEDGED = "vigil.alert.acknowledged.v1"
    ALERT_RESOLVED = "vigil.alert.resolved.v1"
