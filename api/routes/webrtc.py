"""WHIP and WHEP: publishing to a camera and watching one live, by WebRTC.

Source: RFC 9725 (WHIP), draft-ietf-wish-whep.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Request, Response

from api.access import ADMIN, Identity, IdentityDep
from api.live_sessions import LiveSessions
from api.problems import Refusal
from ingest.webrtc.signals import SDP_BYTES_MAX, SignalKind

router = APIRouter(prefix="/api/v1/cameras", tags=["webrtc"])

SDP: Final = "application/sdp"
FRAGMENT: Final = "application/trickle-ice-sdpfrag"
_TEXT: Final[dict[str, Any]] = {"schema": {"type": "string"}}
_OFFER: Final = {**ADMIN, "requestBody": {"required": True, "content": {SDP: _TEXT}}}
_CANDIDATES: Final = {**ADMIN, "requestBody": {"required": True, "content": {FRAGMENT: _TEXT}}}
_ANSWER: Final[Mapping[int | str, dict[str, Any]]] = {
    201: {"description": "The SDP answer", "content": {SDP: _TEXT}}
}


class Role(StrEnum):
    """Which side of a camera a session is on."""

    PUBLISHER = "whip"
    VIEWER = "whep"


async def sessions_of(request: Request) -> LiveSessions:
    """Return the app's WebRTC sessions."""
    sessions: LiveSessions = request.app.state.live_sessions
    return sessions


SessionsDep = Annotated[LiveSessions, Depends(sessions_of)]
"""Parameter type with which a route asks for the WebRTC sessions."""


@router.post(
    "/{camera_id}/whip",
    status_code=201,
    openapi_extra=_OFFER,
    response_class=Response,
    responses=dict(_ANSWER),
)
async def publish(
    camera_id: str, request: Request, identity: IdentityDep, sessions: SessionsDep
) -> Response:
    """Publish video to a camera of type webrtc: an SDP offer in, the answer out (WHIP).

    ``Location`` names the session: DELETE ends it, PATCH adds ICE candidates. A camera has one
    publisher; a second is refused while the first sends, and takes over after 3 s of silence.
    """
    return await _begin(SignalKind.PUBLISH, camera_id, request, identity, sessions)


@router.post(
    "/{camera_id}/whep",
    status_code=201,
    openapi_extra=_OFFER,
    response_class=Response,
    responses=dict(_ANSWER),
)
async def watch(
    camera_id: str, request: Request, identity: IdentityDep, sessions: SessionsDep
) -> Response:
    """Watch a camera live: an SDP offer in, the answer out (WHEP).

    ``Location`` names the session: DELETE ends it, PATCH adds ICE candidates. A camera has a few
    viewers (setting ``webrtc.viewers``); ``latest.jpg`` has no limit.
    """
    return await _begin(SignalKind.WATCH, camera_id, request, identity, sessions)


@router.patch("/{camera_id}/{role}/{session_id}", status_code=204, openapi_extra=_CANDIDATES)
async def trickle(
    camera_id: str,
    role: Role,
    session_id: str,
    request: Request,
    sessions: SessionsDep,
    if_match: Annotated[str, Header(alias="If-Match", max_length=100)] = "",
) -> None:
    """Add ICE candidates to a session (trickle); ICE is not restarted.

    ``If-Match`` holds the ``ETag`` that began the session.
    """
    fragment = await _body(request, FRAGMENT)
    await sessions.trickle(
        camera_id, session_id, fragment, is_publisher=role is Role.PUBLISHER, etag=if_match
    )


@router.delete("/{camera_id}/{role}/{session_id}", openapi_extra=ADMIN)
async def end(camera_id: str, role: Role, session_id: str, sessions: SessionsDep) -> Response:
    """End a session."""
    await sessions.end(camera_id, session_id, is_publisher=role is Role.PUBLISHER)
    return Response(status_code=200)


async def _begin(
    kind: SignalKind,
    camera_id: str,
    request: Request,
    identity: Identity,
    sessions: LiveSessions,
) -> Response:
    offer = await _body(request, SDP)
    answer = await sessions.begin(kind, camera_id, offer, ends_at=identity.expires_at)
    role = Role.PUBLISHER if kind is SignalKind.PUBLISH else Role.VIEWER
    response = Response(answer.sdp, status_code=201, media_type=SDP)
    response.headers["Location"] = f"/api/v1/cameras/{camera_id}/{role.value}/{answer.session_id}"
    response.headers["ETag"] = answer.etag
    response.headers["Accept-Patch"] = FRAGMENT
    for link in answer.links:
        response.headers.append("Link", link)
    return response


async def _body(request: Request, media_type: str) -> str:
    """Return the body's text.

    Raises:
        Refusal: 415 another media type, 413 too long, 400 not UTF-8.
    """
    given = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if given != media_type:
        name = "Accept-Post" if media_type == SDP else "Accept-Patch"
        raise Refusal(
            415,
            "media-type-not-supported",
            f"wanted: a body of type {media_type}",
            headers={name: media_type},
        )
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > SDP_BYTES_MAX:
            raise Refusal(413, "body-too-large", f"an SDP may have at most {SDP_BYTES_MAX} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Refusal(400, "sdp-malformed", "this is no SDP: it is not UTF-8 text") from None
