"""Who changed what of a camera, and who looked at its recordings."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from alerts.history.ports import AuditLine
from alerts.payload import rfc3339
from api.access import ADMIN
from api.schemas import Answer
from api.services import ServicesDep

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])


class AuditLineAnswer(Answer):
    """What somebody did."""

    at: str
    by: str = Field(description="The person; `vigil` for what a start does by itself")
    signed_in_by: str = Field(description="`link`, `password`, `start`, or the name of a token")
    action: str = Field(
        description="`camera.keeping` (recording, sound), `camera.masks`, `camera.removed`, "
        "`recording.read`"
    )
    before: Any = Field(description="What it was; null where nothing was changed")
    after: Any = Field(description="What it became, or what was looked at")

    @classmethod
    def of(cls, line: AuditLine) -> "AuditLineAnswer":
        """Return the wire form."""
        return cls(
            at=rfc3339(line.at) or "",
            by=line.by,
            signed_in_by=line.how,
            action=line.action,
            before=line.before,
            after=line.after,
        )


class AuditLines(Answer):
    """What was done about a camera, newest first."""

    items: list[AuditLineAnswer]


@router.get("/{camera_id}/audit", openapi_extra=ADMIN)
def list_audit_lines(
    camera_id: str,
    services: ServicesDep,
    action: Annotated[str, Query(max_length=60, description="Only these; empty: all")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AuditLines:
    """List who changed what of a camera and who looked at its recordings, also once it is gone."""
    lines = services.audit.audit_lines(camera_id, action=action, limit=limit)
    return AuditLines(items=[AuditLineAnswer.of(line) for line in lines])
