"""An alert from opened to resolved: what each piece of news makes of it (pure).

One incident has one alert, under an id derived from the incident's. Functions return the alert at
its next revision, or None where the news is old: repeats and late messages change nothing.
"""

from dataclasses import replace
from datetime import datetime

from alerts.policy import extended_severity, opening_severity, severity_of
from alerts.wording import rule_confidence, summary_of, title_of
from contracts.alerts import Alert, AlertNote, AlertPhase, AlertState
from contracts.ids import derived_id
from contracts.incidents import Incident, IncidentState
from contracts.reasoning import Decision, Finding


def alert_id_of(incident_id: str) -> str:
    """Return the id of the alert that an incident raises, if it does."""
    return derived_id("al", incident_id)


def open_alert(incident: Incident, finding: Finding | None, *, now: datetime) -> Alert:
    """Return the provisional alert of an incident.

    Args:
        incident: What raised it.
        finding: One that overtook the incident; it may raise the severity and is told next.
        now: Wall clock.
    """
    return Alert(
        alert_id=alert_id_of(incident.incident_id),
        revision=1,
        phase=AlertPhase.PROVISIONAL,
        state=AlertState.OPEN,
        camera_id=incident.camera_id,
        kind=incident.kind,
        severity=opening_severity(incident, finding),
        decision=Decision.ALERT,
        confidence=rule_confidence(incident),
        title=title_of(incident),
        summary=summary_of(incident),
        incident=incident,
        finding=None,
        opened_at=now,
        updated_at=now,
        correlation_id=derived_id("co", incident.incident_id),
    )


def revise(
    alert: Alert, *, incident: Incident | None, finding: Finding | None, now: datetime
) -> Alert | None:
    """Return the alert after news, or None if it knows all of it already.

    Args:
        alert: As stored.
        incident: The newest revision known; None for no news of it.
        finding: The newest finding known; one about an older revision of the incident than the
            alert's own finding does not replace it.
        now: Wall clock.
    """
    has_incident = incident is not None and incident.revision > alert.incident.revision
    has_finding = finding is not None and _is_newer(finding, alert.finding)
    if not has_incident and not has_finding:
        return None
    newest = incident if incident is not None and has_incident else alert.incident
    severity = extended_severity(newest, alert.incident, current=alert.severity)
    if finding is not None and has_finding:
        severity = severity_of(newest, finding, current=severity)
    revised = replace(
        alert,
        revision=alert.revision + 1,
        incident=newest,
        finding=finding if has_finding else alert.finding,
        kind=newest.kind,
        severity=severity,
        updated_at=now,
    )
    return _phased(_worded(revised))


def give_up_waiting(alert: Alert, *, now: datetime) -> Alert | None:
    """Return the alert once the reasoning has missed its deadline, or None if it did not.

    Without any finding it is marked unreasoned: the rule's word stands alone. With one about an
    earlier revision that finding stands. If the incident is closed the alert is final; a finding
    that comes later still revises it.
    """
    if not awaits_reasoning(alert):
        return None
    phase = AlertPhase.FINAL if _is_closed(alert) else alert.phase
    return replace(
        alert,
        revision=alert.revision + 1,
        phase=phase,
        is_unreasoned=alert.finding is None,
        updated_at=now,
    )


def awaits_reasoning(alert: Alert) -> bool:
    """Say whether something will be told when the reasoning's deadline passes."""
    if alert.phase is AlertPhase.FINAL:
        return False
    return _is_closed(alert) or (alert.finding is None and not alert.is_unreasoned)


def with_evidence(alert: Alert, *, now: datetime) -> Alert:
    """Return the alert at its next revision after evidence was added to its incident."""
    return replace(alert, revision=alert.revision + 1, updated_at=now)


def acknowledge(alert: Alert, *, by: str, now: datetime, note: str = "") -> Alert | None:
    """Return the alert as seen by somebody; None if it is resolved, or if this is a repeat.

    Args:
        alert: As stored.
        by: Who has seen it.
        now: Wall clock.
        note: What they wrote; one that is not known yet is kept even if the alert was seen before.
    """
    if alert.state is AlertState.RESOLVED:
        return None
    return _moved(alert, AlertState.ACKNOWLEDGED, by=by, now=now, note=note)


def resolve(alert: Alert, *, by: str, now: datetime, note: str = "") -> Alert | None:
    """Return the alert as dealt with; None if this is a repeat. ``note`` as in acknowledge."""
    return _moved(alert, AlertState.RESOLVED, by=by, now=now, note=note)


def _moved(alert: Alert, to: AlertState, *, by: str, now: datetime, note: str) -> Alert | None:
    said = any((item.text, item.by, item.state) == (note, by, to) for item in alert.notes)
    added = (AlertNote(text=note, by=by, at=now, state=to),) if note and not said else ()
    if alert.state is to and not added:
        return None
    return replace(
        alert,
        revision=alert.revision + 1,
        state=to,
        acknowledged_by=alert.acknowledged_by or by,
        notes=(*alert.notes, *added),
        updated_at=now,
    )


def _is_newer(finding: Finding, known: Finding | None) -> bool:
    if known is None:
        return True
    if finding.finding_id == known.finding_id:
        return False
    return (finding.incident_revision, finding.created_at) > (
        known.incident_revision,
        known.created_at,
    )


def _is_closed(alert: Alert) -> bool:
    return alert.incident.state is IncidentState.CLOSED


def _worded(alert: Alert) -> Alert:
    """Return the alert in the reasoning's words, or the rule's while there are none."""
    finding = alert.finding
    if finding is None:
        return replace(alert, title=title_of(alert.incident), summary=summary_of(alert.incident))
    return replace(
        alert,
        title=finding.title,
        summary=finding.summary,
        decision=finding.decision,
        confidence=finding.confidence,
        is_unreasoned=False,
    )


def _phased(alert: Alert) -> Alert:
    if alert.finding is None or alert.phase is AlertPhase.FINAL:
        return alert
    is_reasoned = alert.finding.incident_revision >= alert.incident.revision
    phase = AlertPhase.FINAL if _is_closed(alert) and is_reasoned else AlertPhase.REVISED
    return replace(alert, phase=phase)
