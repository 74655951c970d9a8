"""Events (incidents): what happened, with tracks, reasoning, pictures and clip."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.access import ADMIN
from api.content import content_response
from api.event_payload import (
    clip_state,
    event_data,
    evidence_data,
    finding_data,
    frame_item,
    snapshot_item,
    still_item,
    tracks_data,
)
from api.problems import Refusal, not_found
from api.routes.filters import Cursor, EventFilterDep, Limit
from api.schemas import EventList
from api.services import Services, ServicesDep
from contracts.errors import EvidenceMissing
from contracts.incidents import EvidenceKind, Incident

router = APIRouter(prefix="/api/v1/events", tags=["events"])


@router.get("", openapi_extra=ADMIN)
def list_events(
    services: ServicesDep, where: EventFilterDep, cursor: Cursor = None, limit: Limit = 50
) -> EventList:
    """List events, newest first; also those that raised no alert."""
    page = services.archive.list_incidents(where, cursor=cursor, limit=limit)
    now = services.clock.now()
    return EventList(
        items=[event_data(incident, now=now) for incident in page.items],
        next_cursor=page.next_cursor,
    )


@router.get("/{event_id}", openapi_extra=ADMIN)
def get_event(event_id: str, services: ServicesDep) -> dict[str, Any]:
    """Return one event."""
    return event_data(_incident(event_id, services), now=services.clock.now())


@router.get("/{event_id}/tracks", openapi_extra=ADMIN)
def get_tracks(event_id: str, services: ServicesDep) -> dict[str, Any]:
    """Return the event's tracks, point by point."""
    return tracks_data(_incident(event_id, services))


@router.get("/{event_id}/reasoning", openapi_extra=ADMIN)
def get_reasoning(event_id: str, services: ServicesDep) -> dict[str, Any]:
    """Return what the reasoning says about the event, claim by claim."""
    finding = services.archive.finding_of_incident(_incident(event_id, services).incident_id)
    if finding is None:
        raise Refusal(
            404,
            "not-reasoned",
            "nothing has been reasoned about this event (yet)",
            headers={"Retry-After": "1"},
        )
    return finding_data(finding)


@router.get("/{event_id}/evidence", openapi_extra=ADMIN)
def get_evidence(event_id: str, services: ServicesDep) -> dict[str, Any]:
    """Return what is kept of the event, with content addresses, and all measured facts."""
    return evidence_data(_incident(event_id, services), now=services.clock.now())


@router.get("/{event_id}/snapshot.jpg", openapi_extra=ADMIN, response_class=Response)
def get_snapshot(event_id: str, request: Request, services: ServicesDep) -> Response:
    """Return the decisive frame as JPEG, with boxes drawn if it was kept like that."""
    incident = _incident(event_id, services)
    item = snapshot_item(incident)
    if item is None:
        raise EvidenceMissing(f"no picture of this event is kept{_why_not(incident)}")
    content = services.evidence.get(item.ref)
    return content_response(request, content, media_type="image/jpeg", etag=item.ref)


@router.get("/{event_id}/still.jpg", openapi_extra=ADMIN, response_class=Response)
def get_still(event_id: str, request: Request, services: ServicesDep) -> Response:
    """Return the key frame nearest to the decisive moment as JPEG, at the camera's full size."""
    incident = _incident(event_id, services)
    item = still_item(incident)
    if item is None:
        why = [one.problem for one in incident.evidence if one.kind is EvidenceKind.STILL]
        raise EvidenceMissing(f"no still of this event is kept{f': {why[0]}' if why else ''}")
    content = services.evidence.get(item.ref)
    return content_response(request, content, media_type="image/jpeg", etag=item.ref)


@router.get("/{event_id}/frames/{frame_id}.jpg", openapi_extra=ADMIN, response_class=Response)
def get_frame(event_id: str, frame_id: str, request: Request, services: ServicesDep) -> Response:
    """Return one kept frame as JPEG, without drawing."""
    incident = _incident(event_id, services)
    item = frame_item(incident, frame_id)
    if item is None:
        raise EvidenceMissing(f"this frame of the event is not kept{_why_not(incident)}")
    content = services.evidence.get(item.ref)
    return content_response(request, content, media_type="image/jpeg", etag=item.ref)


@router.get("/{event_id}/clip.mp4", openapi_extra=ADMIN, response_class=Response)
def get_clip(event_id: str, request: Request, services: ServicesDep) -> Response:
    """Return the clip as MP4, whole or the bytes asked for with ``Range``."""
    incident = _incident(event_id, services)
    for item in incident.evidence:
        if item.kind is EvidenceKind.CLIP and item.ref:
            content = services.evidence.get(item.ref)
            return content_response(request, content, media_type="video/mp4", etag=item.ref)
    clip = clip_state(incident, now=services.clock.now())
    if clip["state"] == "pending":
        raise Refusal(404, "clip-pending", str(clip["problem"]), headers={"Retry-After": "2"})
    raise Refusal(404, "clip-unavailable", str(clip["problem"]))


def _why_not(incident: Incident) -> str:
    """Return what kept the event's pictures from being kept, as the end of a sentence."""
    problems = [item.problem for item in incident.evidence if item.frame_id and item.problem]
    return f": {problems[0]}" if problems else ""


def _incident(event_id: str, services: Services) -> Incident:
    incident = services.archive.incident(event_id)
    if incident is None:
        raise not_found("event")
    return incident
