"""Pages of other origins may publish and watch by WebRTC, with a token; nothing else.

``Access-Control-Allow-Origin: *`` makes browsers refuse to send or show anything with cookies, so
that only who holds an API token can do something from another page. The guard refuses unsafe
requests of other pages that carry no token.
"""

import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PATH: Final = re.compile(r"/api/v1/cameras/[^/]+/(?:whip|whep)(?P<session>/[^/]+)?")
_ALLOWED: Final = {"Access-Control-Allow-Origin": "*"}
_EXPOSED: Final = "Location, ETag, Link, Accept-Post, Accept-Patch, Retry-After, X-Correlation-Id"
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "600",
}


class MediaCors:
    """Answers ``OPTIONS`` of WHIP and WHEP and lets pages of other origins read the answers.

    Source: RFC 9725, 4.2: every answer of a WHIP endpoint to OPTIONS names what it accepts.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the preflight; else pass the request on."""
        match = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if match is None:
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            accepts = (
                {"Accept-Patch": "application/trickle-ice-sdpfrag"}
                if match["session"]
                else {"Accept-Post": "application/sdp"}
            )
            response = Response(status_code=204, headers={**_ALLOWED, **_PREFLIGHT, **accepts})
            await response(scope, receive, send)
            return

        async def send_open(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Allow-Origin"] = "*"
                headers["Access-Control-Expose-Headers"] = _EXPOSED
            await send(message)

        await self._app(scope, receive, send_open)
