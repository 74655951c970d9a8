"""Continuous recordings: which parts there are of a camera, and each of them as a file."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import AwareDatetime, Field

from alerts.payload import rfc3339
from api.access import ADMIN, IdentityDep
from api.content import is_known
from api.problems import bad_field, not_found
from api.recording_readings import RecordingReadings
from api.schemas import Answer
from api.services import ServicesDep
from contracts.errors import ConfigError
from contracts.ids import check_name
from ingest.recorder.parts import Part, part_of_id

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])

_LONGEST: Final = timedelta(days=400)


class RecordingPart(Answer):
    """About a minute of a camera's video, as an MP4 of its own."""

    id: str
    start: str
    end: str
    duration_s: float
    size_bytes: int
    sha256: str = Field(description="Of the file")
    url: str

    @classmethod
    def of(cls, part: Part) -> "RecordingPart":
        """Return the wire form."""
        return cls(
            id=part.part_id,
            start=rfc3339(part.starts_at) or "",
            end=rfc3339(part.ends_at) or "",
            duration_s=part.duration_s,
            size_bytes=part.size_bytes,
            sha256=part.digest,
            url=f"/api/v1/cameras/{part.camera_id}/recordings/{part.part_id}.mp4",
        )


class RecordingParts(Answer):
    """A page of parts, oldest first; what is in none of them was not recorded."""

    items: list[RecordingPart]
    next_cursor: str | None


@router.get("/{camera_id}/recordings", openapi_extra=ADMIN)
def list_recordings(
    camera_id: str,
    services: ServicesDep,
    starts_at: Annotated[
        AwareDatetime | None, Query(alias="from", description="Default: a day before `to`")
    ] = None,
    ends_at: Annotated[AwareDatetime | None, Query(alias="to", description="Default: now")] = None,
    cursor: Annotated[str, Query(max_length=128)] = "",
    limit: Annotated[int, Query(ge=1, le=1440)] = 100,
) -> RecordingParts:
    """List the parts that show anything of a time; also of a camera that was removed."""
    end = ends_at.astimezone(UTC) if ends_at else services.clock.now()
    start = starts_at.astimezone(UTC) if starts_at else end - timedelta(days=1)
    if not start < end:
        raise bad_field("from", "must be before `to`")
    if end - start > _LONGEST:
        raise bad_field("from", f"at most {_LONGEST.days} days before `to`")
    _check_camera(camera_id, services)
    parts = _after(services.recordings.parts(camera_id, start, end), camera_id, cursor)
    page = list(islice(parts, limit + 1))
    return RecordingParts(
        items=[RecordingPart.of(part) for part in page[:limit]],
        next_cursor=page[limit - 1].part_id if len(page) > limit else None,
    )


@router.get("/{camera_id}/recordings/{part_id}.mp4", openapi_extra=ADMIN, response_class=Response)
def get_recording(
    camera_id: str,
    part_id: str,
    request: Request,
    services: ServicesDep,
    identity: IdentityDep,
) -> Response:
    """Return one part as MP4, whole or the bytes asked for with ``Range``; it is written down."""
    _check_camera(camera_id, services)
    part = part_of_id(camera_id, part_id)
    path = None if part is None else services.recordings.path_of(part)
    if part is None or path is None or not path.is_file():
        raise not_found("part of the recording")
    readings: RecordingReadings = request.app.state.readings
    readings.note(part, identity)
    etag = f'"{part.digest}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if is_known(request, etag):
        return Response(status_code=304, headers=headers)
    return FileResponse(path, media_type="video/mp4", headers=headers)


def _after(parts: Iterator[Part], camera_id: str, cursor: str) -> Iterator[Part]:
    """Yield what follows the part that a page ended with."""
    if not cursor:
        yield from parts
        return
    last = part_of_id(camera_id, cursor)
    if last is None:
        raise bad_field("cursor", "is none that a listing gave")
    for part in parts:
        if _order(part) > _order(last):
            yield part


def _order(part: Part) -> tuple[datetime, str]:
    return part.starts_at, part.digest


def _check_camera(camera_id: str, services: ServicesDep) -> None:
    """Raise Refusal (404) for a camera that there is not and of which nothing is kept."""
    try:
        check_name(camera_id, what="camera id")
    except ConfigError:
        raise not_found("camera") from None
    if services.camera_store.camera(camera_id) is None and (
        camera_id not in services.recordings.cameras()
    ):
        raise not_found("camera")
