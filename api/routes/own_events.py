"""What a camera said by itself, by ONVIF: shown beside what Vigil saw, and never an alert."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from alerts.payload import rfc3339
from api.access import ADMIN
from api.routes.cameras import DeskDep
from api.schemas import Answer
from api.services import ServicesDep

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])


class OwnEventAnswer(Answer):
    """One change that a camera told; its own word, not checked by anything."""

    at: str = Field(description="When it arrived")
    said_at: str | None = Field(description="By the camera's clock")
    kind: str = Field(description="motion, tamper, poor_picture, signal_loss or other")
    topic: str
    on: bool | None = Field(description="Begins or ends; null for what has no state")
    source: str


class OwnEventList(Answer):
    """A camera's own events, newest first."""

    items: list[OwnEventAnswer]


@router.get("/{camera_id}/own-events", openapi_extra=ADMIN)
def camera_own_events(
    camera_id: str,
    services: ServicesDep,
    desk: DeskDep,
    limit: Annotated[int, Query(ge=1, le=300)] = 50,
) -> OwnEventList:
    """List what an ONVIF camera said by itself (motion, tampering), newest first."""
    desk.get(camera_id)
    return OwnEventList(
        items=[
            OwnEventAnswer(
                at=rfc3339(event.at) or "",
                said_at=rfc3339(event.said_at),
                kind=event.kind.value,
                topic=event.topic,
                on=event.is_on,
                source=event.source,
            )
            for event in services.own_events(camera_id, limit)
        ]
    )
