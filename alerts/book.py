"""Alerts of one recorded video, kept in memory: the same decisions as the dispatcher's."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from alerts.decide import Situation, cooldown_of, decide
from alerts.evidence import merge_evidence
from contracts.alerts import Alert
from contracts.cameras import Camera
from contracts.incidents import EvidenceReady, Incident
from contracts.reasoning import Finding
from contracts.rules import Severity
from contracts.settings import AlertSettings


class AlertBook:
    """Takes incidents and findings in any order and knows the alerts that they amount to.

    Time is the video's: an alert is opened at its incident's decisive frame. There is no deadline
    for the reasoning, since a recording waits for it.

    Args:
        settings: For ``min_severity``.
        cameras: Whose rules' cool-downs apply; others have the default.
    """

    def __init__(self, settings: AlertSettings, *, cameras: Sequence[Camera] = ()) -> None:
        self._min_severity = Severity(settings.min_severity)
        self._cameras = tuple(cameras)
        self._incidents: dict[str, Incident] = {}
        self._findings: dict[str, Finding] = {}
        self._alerts: dict[str, Alert] = {}
        self._suppressed: dict[str, str] = {}

    def take_incident(self, incident: Incident) -> None:
        """Take a revision of an incident; an older one than is known changes nothing."""
        known = self._incidents.get(incident.incident_id)
        if known is not None:
            if known.revision >= incident.revision:
                return
            evidence = merge_evidence(known.evidence, incident.evidence)
            incident = replace(incident, evidence=evidence)
        self._incidents[incident.incident_id] = incident
        self._settle(incident.incident_id)

    def take_finding(self, finding: Finding) -> None:
        """Take a finding; it may come before its incident."""
        known = self._findings.get(finding.incident_id)
        if known is None or _order(finding) > _order(known):
            self._findings[finding.incident_id] = finding
            self._settle(finding.incident_id)

    def take_evidence(self, ready: EvidenceReady) -> bool:
        """Add evidence that came later; False if the incident is not known (yet)."""
        known = self._incidents.get(ready.incident_id)
        if known is None:
            return False
        evidence = merge_evidence(known.evidence, (ready.item,))
        self._incidents[ready.incident_id] = replace(known, evidence=evidence)
        return True

    def alerts(self) -> list[Alert]:
        """Return all alerts at their newest revision, in the order of their decisive frames."""
        whole = [
            replace(alert, incident=self._incidents[incident_id])
            for incident_id, alert in self._alerts.items()
        ]
        return sorted(whole, key=lambda alert: (alert.incident.decisive_at, alert.alert_id))

    def suppressed(self) -> Mapping[str, int]:
        """Return how many incidents raised no alert, by ``camera/rule/reason``."""
        return dict(Counter(self._suppressed.values()))

    def _settle(self, incident_id: str) -> None:
        incident = self._incidents.get(incident_id)
        if incident is None:
            return
        while True:
            step = decide(
                Situation(
                    incident=incident,
                    finding=self._findings.get(incident_id),
                    alert=self._alerts.get(incident_id),
                    recent=self._alerts_of_rule(incident),
                    cooldown_s=cooldown_of(self._cameras, incident),
                ),
                min_severity=self._min_severity,
                now=incident.decisive_at,
            )
            if step.suppressed is not None:
                rule_id = incident.rule_events[0].rule_id
                self._suppressed[incident_id] = f"{incident.camera_id}/{rule_id}/{step.suppressed}"
            if step.alert is None:
                return
            self._alerts[incident_id] = step.alert

    def _alerts_of_rule(self, incident: Incident) -> list[Alert]:
        rule_id = incident.rule_events[0].rule_id
        return [
            alert
            for alert in self._alerts.values()
            if alert.camera_id == incident.camera_id
            and alert.incident.rule_events[0].rule_id == rule_id
        ]


def _order(finding: Finding) -> tuple[int, str]:
    return (finding.incident_revision, finding.created_at.isoformat())
