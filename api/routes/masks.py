"""Privacy masks of a camera: shown, replaced, and who replaced them."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from pydantic import Field

from alerts.history.ports import AuditLine
from alerts.payload import rfc3339
from api.access import ADMIN, IdentityDep
from api.camera_audit import MASKS_CHANGED, zones_of
from api.cameras import CameraDesk
from api.problems import bad_field
from api.routes.cameras import DeskDep
from api.schemas import Answer, Body
from api.services import ServicesDep
from contracts.cameras import Camera
from contracts.errors import ConfigError
from contracts.geometry import Zone

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])

_MASKS_MAX: Final = 32
_CORNERS_MAX: Final = 64
Corner = Annotated[list[float], Field(min_length=2, max_length=2)]


class MaskBody(Body):
    """One zone that is to be covered."""

    id: str
    name: str = Field(default="", max_length=100)
    polygon: Annotated[list[Corner], Field(max_length=_CORNERS_MAX)] = Field(
        description="Corners `[x, y]`, 0 to 1 of width and height, origin top left"
    )


class MasksBody(Body):
    """All privacy masks of a camera; those left out are masks no more."""

    masks: list[MaskBody] = Field(max_length=_MASKS_MAX)
    version: int | None = Field(
        default=None,
        description="Of the camera, as the masks were read; 409 if it has another by now",
    )


class Mask(Answer):
    """One zone that is covered."""

    id: str
    name: str
    polygon: list[list[float]]


class MasksAnswer(Answer):
    """All privacy masks of a camera."""

    masks: list[Mask]
    version: int = Field(description="Of the camera; goes up by one with each change")
    in_force: bool = Field(
        description="Whether ingest has been told, which covers what it reads 0.2 s later; false "
        "while the queue cannot be reached: what was in force before still is"
    )

    @classmethod
    def of(cls, camera: Camera, desk: CameraDesk) -> "MasksAnswer":
        """Return the wire form."""
        return cls(
            masks=_shown(camera.masks), version=camera.version, in_force=desk.is_told(camera)
        )


class MasksEdit(Answer):
    """One change of a camera's privacy masks."""

    at: str
    by: str
    signed_in_by: str = Field(
        description="link, password, or the name of an API token; start for vigil itself"
    )
    before: list[Mask]
    after: list[Mask]

    @classmethod
    def of(cls, line: AuditLine) -> "MasksEdit":
        """Return the wire form."""
        return cls(
            at=rfc3339(line.at) or "",
            by=line.by,
            signed_in_by=line.how,
            before=_shown(zones_of(line.before)),
            after=_shown(zones_of(line.after)),
        )


class MasksEdits(Answer):
    """Changes of a camera's privacy masks, newest first."""

    items: list[MasksEdit]


@router.get("/{camera_id}/masks", openapi_extra=ADMIN)
def get_masks(camera_id: str, desk: DeskDep) -> MasksAnswer:
    """Return the privacy masks."""
    return MasksAnswer.of(desk.get(camera_id), desk)


@router.put(
    "/{camera_id}/masks",
    openapi_extra=ADMIN,
    responses={202: {"model": MasksAnswer, "description": "Stored, not in force yet"}},
)
def put_masks(
    camera_id: str, body: MasksBody, identity: IdentityDep, desk: DeskDep, response: Response
) -> MasksAnswer:
    """Replace the privacy masks; the running stream is covered from the next picture on."""
    masks = tuple(_zone(mask, at) for at, mask in enumerate(body.masks))
    ids = [mask.zone_id for mask in masks]
    doubled = sorted({name for name in ids if ids.count(name) > 1})
    if doubled:
        raise bad_field("masks", f"id(s) {doubled} stand more than once")
    masked = desk.mask(camera_id, masks, identity=identity, read_at=body.version)
    answer = MasksAnswer.of(masked, desk)
    if not answer.in_force:
        response.status_code = 202
    return answer


@router.get("/{camera_id}/masks/edits", openapi_extra=ADMIN)
def list_edits(
    camera_id: str,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> MasksEdits:
    """List who changed the privacy masks, newest first; also of a camera that was removed."""
    lines = services.audit.audit_lines(camera_id, action=MASKS_CHANGED, limit=limit)
    return MasksEdits(items=[MasksEdit.of(line) for line in lines])


def _zone(mask: MaskBody, at: int) -> Zone:
    try:
        return Zone(
            zone_id=mask.id,
            name=mask.name,
            polygon=tuple((corner[0], corner[1]) for corner in mask.polygon),
        )
    except ConfigError as error:
        raise bad_field(f"masks[{at}]", str(error)) from error


def _shown(masks: tuple[Zone, ...]) -> list[Mask]:
    return [
        Mask(id=mask.zone_id, name=mask.name, polygon=[list(point) for point in mask.polygon])
        for mask in masks
    ]
