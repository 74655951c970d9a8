"""The one place where incident, finding and alert meet (pure): what is to be told next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerts.lifecycle import open_alert, revise
from alerts.policy import is_worth_an_alert, opening_severity
from alerts.suppression import SuppressionReason, suppression
from contracts.alerts import Alert, FeedType
from contracts.cameras import Camera
from contracts.incidents import Incident
from contracts.reasoning import Finding
from contracts.rules import Severity

DEFAULT_COOLDOWN_S: Final = 30.0
"""Of a rule that is no longer configured; the default of ``RuleSettings``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that is known about one incident.

    Attributes:
        incident: The newest revision.
        finding: The newest finding about it, if any.
        alert: As it was told, if it was.
        recent: Alerts of the same camera and rule, within the cool-down at least.
        cooldown_s: Of the rule that opened the incident.
    """

    incident: Incident
    finding: Finding | None
    alert: Alert | None
    recent: Sequence[Alert] = ()
    cooldown_s: float = DEFAULT_COOLDOWN_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to do: tell an alert, count a suppression, or (both None) nothing."""

    alert: Alert | None = None
    feed_type: FeedType | None = None
    suppressed: SuppressionReason | None = None


def decide(situation: Situation, *, min_severity: Severity, now: datetime) -> Step:
    """Return the next step. Ask again with its outcome until there is nothing left to do.

    An alert is always opened before it is revised, also where the finding came first.
    """
    incident, finding, alert = situation.incident, situation.finding, situation.alert
    if alert is not None:
        revised = revise(alert, incident=incident, finding=finding, now=now)
        return Step(alert=revised, feed_type=FeedType.ALERT_REVISED) if revised else Step()
    severity = opening_severity(incident, finding)
    if not is_worth_an_alert(severity, min_severity=min_severity):
        return Step(suppressed=SuppressionReason.MIN_SEVERITY)
    reason = suppression(
        incident, situation.recent, severity=severity, cooldown_s=situation.cooldown_s
    )
    if reason is not None:
        return Step(suppressed=reason)
    return Step(alert=open_alert(incident, finding, now=now), feed_type=FeedType.ALERT_OPENED)


def cooldown_of(cameras: Iterable[Camera], incident: Incident) -> float:
    """Return the cool-down in seconds of the rule that opened the incident."""
    rule_id = incident.rule_events[0].rule_id
    for camera in cameras:
        if camera.camera_id != incident.camera_id:
            continue
        for rule in camera.scene.rules:
            if rule.rule_id == rule_id:
                return rule.cooldown_s
    return DEFAULT_COOLDOWN_S
