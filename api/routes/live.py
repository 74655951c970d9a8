"""The newest picture of a camera, with its tracks."""

import json
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from alerts.payload import rfc3339
from api.access import ADMIN
from api.content import is_known
from api.problems import Refusal
from api.routes.cameras import DeskDep
from api.services import ServicesDep
from contracts.queues import LiveBox

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])

_BOXES_MAX: Final = 48
"""A header of more than 8 KB is refused by common proxies; 48 boxes take about 5."""


@router.get("/{camera_id}/latest.jpg", openapi_extra=ADMIN, response_class=Response)
def latest_picture(
    camera_id: str, request: Request, services: ServicesDep, desk: DeskDep
) -> Response:
    """Return the newest analysed frame as JPEG; its tracks stand in ``X-Vigil-Boxes`` as JSON.

    The ``ETag`` changes with the frame: ask with ``If-None-Match`` and get 304 while there is no
    newer one.
    """
    desk.get(camera_id)
    picture = services.live_pictures.latest(camera_id, is_watched=True)
    if picture is None:
        raise Refusal(
            404,
            "no-picture",
            "no picture of this camera has come within the last seconds",
            headers={"Retry-After": "1"},
        )
    header = picture.header
    etag = f'"{header.run_id}-{header.seq}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if is_known(request, etag):
        return Response(status_code=304, headers=headers)
    headers |= {
        "X-Vigil-Boxes": json.dumps(
            [_box(box) for box in picture.boxes[:_BOXES_MAX]], separators=(",", ":")
        ),
        "X-Vigil-Captured-At": rfc3339(header.captured_at) or "",
        "X-Vigil-Frame": header.frame_id,
    }
    return Response(picture.jpeg, media_type="image/jpeg", headers=headers)


def _box(box: LiveBox) -> dict[str, object]:
    return {
        "track_id": box.track_id,
        "label": box.label,
        "box": [round(value, 4) for value in box.box],
        "alerting": box.is_alerting,
    }
