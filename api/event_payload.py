"""Incidents on the wire, where they are called events, with links to their evidence."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from alerts.payload import reasoning_data, rfc3339
from api.plain import to_plain
from contracts.incidents import EvidenceItem, EvidenceKind, Incident
from contracts.reasoning import Finding
from contracts.tracks import Track, TrackPoint

CLIP_AWAITED_FOR: Final = timedelta(minutes=3)
"""After an event's last news; a clip that has not come by then will not come."""


def event_data(incident: Incident, *, now: datetime) -> dict[str, object]:
    """Return one event: what happened, where, the rules' words, objects, zones and evidence."""
    url = f"/api/v1/events/{incident.incident_id}"
    return {
        "event_id": incident.incident_id,
        "revision": incident.revision,
        "state": incident.state.value,
        "camera_id": incident.camera_id,
        "camera_name": incident.camera_name,
        "place": incident.place,
        "run_id": incident.run_id,
        "kind": incident.kind.value,
        "severity": incident.severity.value,
        "start": rfc3339(incident.started_at),
        "end": rfc3339(incident.ended_at),
        "decisive_at": rfc3339(incident.decisive_at),
        "detected_at": rfc3339(incident.detected_at),
        "detector": {"name": incident.detector.name, "sha256": incident.detector.sha256},
        "rule_events": [_plain_times(event) for event in incident.rule_events],
        "objects": [_object(track) for track in incident.tracks],
        "zones": [
            {
                "id": zone.zone_id,
                "name": zone.name,
                "polygon": zone.polygon,
                "restricted": zone.is_restricted,
            }
            for zone in incident.zones
        ],
        "lines": [
            {"id": line.line_id, "name": line.name, "points": line.points}
            for line in incident.lines
        ],
        "frames": _frames(incident, url),
        "clip": {**clip_state(incident, now=now), "url": f"{url}/clip.mp4"},
        "still": f"{url}/still.jpg" if still_item(incident) else None,
        "links": {
            "snapshot": f"{url}/snapshot.jpg",
            "tracks": f"{url}/tracks",
            "reasoning": f"{url}/reasoning",
            "evidence": f"{url}/evidence",
        },
    }


def tracks_data(incident: Incident) -> dict[str, object]:
    """Return the tracks of an event with their whole kept history."""
    return {
        "event_id": incident.incident_id,
        "tracks": [
            {**_object(track), "points": [_point(point) for point in track.points]}
            for track in incident.tracks
        ],
    }


def evidence_data(incident: Incident, *, now: datetime) -> dict[str, object]:
    """Return what is kept of an event, each with its content address, and the facts measured."""
    url = f"/api/v1/events/{incident.incident_id}"
    return {
        "event_id": incident.incident_id,
        "revision": incident.revision,
        "items": [
            {
                "kind": item.kind.value,
                "frame_id": item.frame_id,
                "stream": item.stream,
                "captured_at": rfc3339(item.captured_at),
                "digest": item.ref.partition(".")[0].replace("-", ":", 1),
                "problem": item.problem,
                "url": _url_of(item, url) if item.ref else None,
            }
            for item in incident.evidence
        ],
        "clip": clip_state(incident, now=now),
        "facts": [to_plain(fact) for fact in incident.facts],
    }


def finding_data(finding: Finding) -> dict[str, object]:
    """Return a finding; its chain in the same form as in alerts."""
    return {
        "finding_id": finding.finding_id,
        "event_id": finding.incident_id,
        "camera_id": finding.camera_id,
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "decision": finding.decision.value,
        "confidence": round(finding.confidence, 4),
        "title": finding.title,
        "summary": finding.summary,
        "decisive_at": rfc3339(finding.decisive_at),
        "created_at": rfc3339(finding.created_at),
        "reasoned_ms": round(finding.reasoned_ms, 1),
        "reasoning": reasoning_data(finding),
    }


def clip_state(incident: Incident, *, now: datetime) -> dict[str, object]:
    """Return ``state`` (``ready``, ``pending``, ``unavailable``), ``stream``, ``problem`` in words.

    ``stream`` is ``main`` or ``sub``, of a camera that has both.
    """
    clips = [item for item in incident.evidence if item.kind is EvidenceKind.CLIP]
    kept = next((item for item in clips if item.ref), None)
    if kept is not None:
        return {"state": "ready", "stream": kept.stream, "problem": ""}
    if clips:
        return _no_clip("unavailable", clips[-1].problem or "it could not be kept")
    newest = max([incident.detected_at, *([incident.ended_at] if incident.ended_at else [])])
    if now - newest < CLIP_AWAITED_FOR:
        return _no_clip("pending", "the clip is made once its end has passed")
    return _no_clip("unavailable", "no clip came from the camera's ingest stage")


def _no_clip(state: str, problem: str) -> dict[str, object]:
    return {"state": state, "stream": "", "problem": problem}


def still_item(incident: Incident) -> EvidenceItem | None:
    """Return the picture at full size, if it is kept."""
    stills = (item for item in incident.evidence if item.kind is EvidenceKind.STILL)
    return next((item for item in stills if item.ref), None)


def snapshot_item(incident: Incident) -> EvidenceItem | None:
    """Return the snapshot that is kept; without one the decisive frame, or another."""
    pictures = [item for item in incident.evidence if item.frame_id and item.ref]
    decisive = f"f_{incident.rule_events[0].frame_seq}"
    by_merit = sorted(
        pictures,
        key=lambda item: (item.kind is EvidenceKind.SNAPSHOT, item.frame_id == decisive),
    )
    return by_merit[-1] if by_merit else None


def frame_item(incident: Incident, frame_id: str) -> EvidenceItem | None:
    """Return a kept frame, without drawing if there is the choice."""
    pictures = [item for item in incident.evidence if item.frame_id == frame_id and item.ref]
    plain = [item for item in pictures if item.kind is EvidenceKind.FRAME]
    return next(iter(plain or pictures), None)


def _frames(incident: Incident, url: str) -> list[dict[str, object]]:
    decisive = f"f_{incident.rule_events[0].frame_seq}"
    frames: dict[str, dict[str, object]] = {}
    for item in _plain_first(incident.evidence):
        frames.setdefault(
            item.frame_id,
            {
                "frame_id": item.frame_id,
                "captured_at": rfc3339(item.captured_at),
                "url": f"{url}/frames/{item.frame_id}.jpg",
                "boxes": {track_id: _rounded(box) for track_id, box in item.boxes.items()},
                "is_decisive": item.frame_id == decisive,
                "is_drawn": item.kind is EvidenceKind.SNAPSHOT,
            },
        )
    return sorted(frames.values(), key=lambda frame: str(frame["captured_at"]))


def _plain_first(evidence: Sequence[EvidenceItem]) -> list[EvidenceItem]:
    pictures = [item for item in evidence if item.ref and item.frame_id]
    return sorted(pictures, key=lambda item: item.kind is EvidenceKind.SNAPSHOT)


def _url_of(item: EvidenceItem, url: str) -> str:
    match item.kind:
        case EvidenceKind.SNAPSHOT:
            return f"{url}/snapshot.jpg"
        case EvidenceKind.CLIP:
            return f"{url}/clip.mp4"
        case EvidenceKind.STILL:
            return f"{url}/still.jpg"
        case EvidenceKind.FRAME:
            return f"{url}/frames/{item.frame_id}.jpg"


def _object(track: Track) -> dict[str, object]:
    return {
        "track_id": track.track_id,
        "label": track.label,
        "label_confidence": round(track.label_confidence, 4),
        "confidence": round(track.last.confidence, 4),
        "state": track.state.value,
        "first_seen": rfc3339(track.first_seen_at),
        "last_seen": rfc3339(track.last_seen.captured_at),
        "seen_s": round(track.last_seen.monotonic_s - track.first_seen_s, 3),
        "hit_ratio": round(track.hit_ratio, 4),
        "box": _rounded(track.last.box),
    }


def _point(point: TrackPoint) -> dict[str, object]:
    return {
        "frame_id": f"f_{point.seq}",
        "at": rfc3339(point.captured_at),
        "box": _rounded(point.box),
        "confidence": round(point.confidence, 4),
        "observed": point.is_observed,
    }


def _rounded(box: Sequence[float]) -> list[float]:
    return [round(value, 4) for value in box]


def _plain_times(item: object) -> dict[str, object]:
    """Return the contract's fields; its times in the API's one form."""
    plain: dict[str, object] = to_plain(item)
    for name, value in plain.items():
        if name == "at" or name.endswith("_at"):
            plain[name] = rfc3339(datetime.fromisoformat(str(value)))
    return plain
