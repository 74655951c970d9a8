"""The wire form of an alert: the ``data`` of a CloudEvent, and the event around it.

The REST API answers with the same ``alert_data``, so there is one form only. Boxes and numbers
are rounded here, at the edge, and nowhere before.

Source: CloudEvents 1.0.2, structured mode, https://github.com/cloudevents/spec.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from alerts.history.ports import NewFeedEntry
from contracts.alerts import Alert, AlertNote, FeedType
from contracts.ids import derived_id
from contracts.incidents import EvidenceKind, Fact, FactName, Incident, RuleEvent
from contracts.reasoning import Claim, Finding
from contracts.rules import RuleKind
from contracts.tracks import Track, TrackPoint

CONTENT_TYPE: Final = "application/cloudevents+json"
"""Of a CloudEvent in structured mode."""

_MARGIN_NAMES: Final[dict[RuleKind, str]] = {
    RuleKind.INTRUSION: "dwell_s",
    RuleKind.LOITER: "dwell_s",
    RuleKind.ZONE_ENTRY: "depth",
    RuleKind.LINE_CROSS: "step",
    RuleKind.ZONE_EXIT: "depth",
    RuleKind.CROWD: "count",
    RuleKind.WRONG_WAY: "angle",
    RuleKind.SPEED: "speed",
    RuleKind.RUNNING: "speed",
    RuleKind.TAILGATE: "gap_s",
    RuleKind.SEQUENCE: "gap_s",
    RuleKind.FALL: "lying",
    RuleKind.FIGHT: "likelihood",
    RuleKind.ABANDONED: "alone_s",
    RuleKind.REMOVED: "gone_s",
    RuleKind.FIRE: "likelihood",
    RuleKind.SMOKE: "likelihood",
    RuleKind.TAMPER: "change",
}


_JOINED: Final = ("first_incident", "then_incident")
"""Where a sequence across cameras names the events that it joins."""


def feed_entry(alert: Alert, feed_type: FeedType, *, cause: str = "") -> NewFeedEntry:
    """Return the feed entry that tells of an alert at its revision.

    Args:
        alert: At the revision that is told.
        feed_type: What kind of news it is.
        cause: What makes the news the same news if it comes twice; the entry's id is derived from
            it. Without one, from the revision.
    """
    event_id = derived_id("ce", alert.alert_id, cause or alert.revision)
    return NewFeedEntry(
        event_id=event_id,
        feed_type=feed_type,
        at=alert.updated_at,
        cloud_event=cloud_event(alert, feed_type, event_id=event_id),
        severity=alert.severity,
    )


def cloud_event(alert: Alert, feed_type: FeedType, *, event_id: str) -> dict[str, object]:
    """Return the CloudEvent, JSON-ready."""
    rule_id = alert.incident.rule_events[0].rule_id
    about = {
        "source": f"/cameras/{alert.camera_id}",
        "type": feed_type.value,
        "subject": f"{alert.camera_id}/rule/{rule_id}",
    }
    return envelope(about, event_id=event_id, at=alert.updated_at, data=alert_data(alert))


def envelope(
    about: Mapping[str, str], *, event_id: str, at: datetime, data: Mapping[str, object]
) -> dict[str, object]:
    """Return a CloudEvent, JSON-ready.

    Args:
        about: Its ``source``, ``type`` and, if it has one, ``subject``.
        event_id: Names it for good: receivers tell repeats by it.
        at: When what it tells of happened.
        data: Its content, JSON-ready.
    """
    return {
        "specversion": "1.0",
        "id": event_id,
        **about,
        "time": rfc3339(at),
        "datacontenttype": "application/json",
        "data": data,
    }


def alert_data(alert: Alert) -> dict[str, object]:
    """Return an alert as API and webhooks show it, JSON-ready."""
    incident, finding = alert.incident, alert.finding
    event = incident.rule_events[0]
    zones = _unique(item.zone_id for item in incident.rule_events)
    lines = _unique(item.line_id for item in incident.rule_events)
    zone_names = {zone.zone_id: zone.name for zone in incident.zones}
    line_names = {line.line_id: line.name for line in incident.lines}
    return {
        "alert_id": alert.alert_id,
        "event_id": incident.incident_id,
        "revision": alert.revision,
        "phase": alert.phase.value,
        "state": alert.state.value,
        "acknowledged_by": alert.acknowledged_by,
        "notes": [_note(note) for note in alert.notes],
        "is_unreasoned": alert.is_unreasoned,
        "camera_id": alert.camera_id,
        "camera_name": incident.camera_name,
        "place": incident.place,
        "kind": alert.kind.value,
        "severity": alert.severity.value,
        "decision": alert.decision.value,
        "confidence": round(alert.confidence, 4),
        "title": alert.title,
        "summary": alert.summary,
        "start": rfc3339(incident.started_at),
        "end": rfc3339(incident.ended_at),
        "opened_at": rfc3339(alert.opened_at),
        "updated_at": rfc3339(alert.updated_at),
        "zones": zones,
        "zone_names": [zone_names.get(zone_id) or zone_id for zone_id in zones],
        "lines": lines,
        "line_names": [line_names.get(line_id) or line_id for line_id in lines],
        "rule": {"id": event.rule_id, "version": event.rule_version},
        "joins": [event.detail[side] for side in _JOINED if side in event.detail],
        "objects": [_object(track, incident) for track in incident.tracks],
        "reasoning": None if finding is None else reasoning_data(finding),
        "margin": _margin(event),
        "timing": _timing(alert),
        "evidence": _evidence(incident),
        "correlation_id": alert.correlation_id,
        "tags": [],
    }


def reasoning_data(finding: Finding) -> dict[str, object]:
    """Return the chain that a finding rests on, JSON-ready, claim by claim."""
    reasoning = finding.reasoning
    return {
        "verdict": reasoning.verdict.value,
        "reasoner": reasoning.reasoner,
        "model": {"name": reasoning.reasoner, "sha256": reasoning.model_sha256},
        "confidence_basis": finding.confidence_basis,
        "event_revision": finding.incident_revision,
        "attributes": dict(finding.attributes),
        "claims": [_claim(claim) for claim in reasoning.claims],
    }


def rfc3339(at: datetime | None) -> str | None:
    """Return ``2026-11-23T10:15:30.123Z``; None stays None."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _object(track: Track, incident: Incident) -> dict[str, object]:
    seen = _decisive_point(track, incident)
    dwell = _fact(incident, FactName.DWELL, track.track_id)
    confidence = _fact(incident, FactName.CONFIDENCE, track.track_id)
    return {
        "track_id": track.track_id,
        "label": track.label,
        "fired_rule": any(event.track_id == track.track_id for event in incident.rule_events),
        "score": round(seen.confidence if confidence is None else confidence.value, 4),
        "first_seen": rfc3339(track.first_seen_at),
        "last_seen": rfc3339(track.last_seen.captured_at),
        "box": [round(value, 4) for value in seen.box],
        "dwell_s": None if dwell is None else round(dwell.value, 2),
        # Metres need a calibrated camera.
        "speed_mps": None,
        "attributes": {},
    }


def _note(note: AlertNote) -> dict[str, object]:
    return {
        "text": note.text,
        "by": note.by,
        "at": rfc3339(note.at),
        "state": note.state.value,
    }


def _decisive_point(track: Track, incident: Incident) -> TrackPoint:
    """Return where the track was when its rule fired, or where it was last."""
    fired = [event for event in incident.rule_events if event.track_id == track.track_id]
    decisive = {event.frame_seq for event in fired}
    points = [point for point in track.points if point.seq in decisive]
    return points[0] if points else track.last


def _fact(incident: Incident, name: FactName, subject: str) -> Fact | None:
    found = (fact for fact in incident.facts if fact.name is name and fact.subject == subject)
    return next(found, None)


def _claim(claim: Claim) -> dict[str, object]:
    return {
        "id": claim.claim_id,
        "role": claim.role.value,
        "type": claim.predicate,
        "args": {name: _rounded(value) for name, value in claim.args.items()},
        "text": claim.text,
        "status": claim.status.value,
        "measured": _rounded(claim.measured),
        "tolerance": _rounded(claim.tolerance),
        "unit": claim.unit,
        "evidence": list(claim.evidence),
        "frames": list(claim.frames),
        "note": claim.note,
    }


def _margin(event: RuleEvent) -> dict[str, object]:
    return {
        "param": _MARGIN_NAMES[event.kind],
        "threshold": _rounded(event.threshold),
        "measured": _rounded(event.value),
        "slack": _rounded(event.margin),
        "sigma": _rounded(event.sigma),
        "unit": event.unit,
    }


def _timing(alert: Alert) -> dict[str, object]:
    incident = alert.incident
    # From capture to detection, ingest and rules included: stages do not share a stopwatch.
    detected = incident.detected_at - incident.decisive_at
    opened = alert.opened_at - incident.detected_at
    return {
        "capture": rfc3339(incident.decisive_at),
        "detect_ms": _milliseconds(detected.total_seconds()),
        "reason_ms": None if alert.finding is None else round(alert.finding.reasoned_ms, 1),
        "publish_ms": _milliseconds(opened.total_seconds()),
        "late": alert.is_unreasoned,
    }


def _milliseconds(seconds: float) -> float:
    return round(max(0.0, seconds) * 1000, 1)


def _evidence(incident: Incident) -> dict[str, object]:
    url = f"/api/v1/events/{incident.incident_id}"
    kept = [item for item in incident.evidence if item.ref]
    kinds = {item.kind for item in kept}
    pictures = [item for item in kept if item.kind in (EvidenceKind.SNAPSHOT, EvidenceKind.FRAME)]
    return {
        "snapshot": f"{url}/snapshot.jpg" if pictures else None,
        "clip": f"{url}/clip.mp4" if EvidenceKind.CLIP in kinds else None,
        "still": f"{url}/still.jpg" if EvidenceKind.STILL in kinds else None,
        "frames": _unique(item.frame_id for item in pictures),
        "frames_digest": _digest([item.ref for item in pictures]) if pictures else None,
        "problems": [item.problem for item in incident.evidence if item.problem],
    }


def _digest(refs: Sequence[str]) -> str:
    """Return one hash over all pictures; their own hashes are in their addresses."""
    return "sha256:" + hashlib.sha256("\n".join(sorted(refs)).encode()).hexdigest()


def _rounded(value: float | str | None) -> float | str | None:
    return round(value, 4) if isinstance(value, float) else value


def _unique(names: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name]
