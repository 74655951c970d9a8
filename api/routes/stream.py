"""The live stream of alerts."""

from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from api.access import ADMIN, IdentityDep
from api.problems import bad_field
from api.routes.sign_in import SignInDep
from api.sse import FeedStream

router = APIRouter(prefix="/api/v1", tags=["stream"])


@router.get("/stream", openapi_extra=ADMIN, response_class=StreamingResponse)
async def stream(
    request: Request,
    identity: IdentityDep,
    sign_in: SignInDep,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=20)] = None,
) -> StreamingResponse:
    """Send each change of an alert as a server-sent event; ``data`` is its CloudEvent.

    With ``Last-Event-ID`` everything after it is sent first, so that a client which connects
    again has missed nothing. ``vigil.stream.heartbeat`` comes every 15 s: a client that hears
    nothing for 30 s has lost the connection and should connect again.
    """
    if last_event_id is not None and not last_event_id.isdecimal():
        raise bad_field("Last-Event-ID", "must be the number of an event of this stream")
    feed: FeedStream = request.app.state.stream
    feed.refuse_if_full()
    messages = feed.messages(
        int(last_event_id) if last_event_id else None,
        is_welcome=lambda: sign_in.is_valid(identity),
    )
    # Without buffering by proxies: an alert must not wait for the next one.
    return StreamingResponse(
        messages, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )
