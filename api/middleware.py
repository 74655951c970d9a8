"""What every request passes through: correlation id, security headers, body limit, last resort."""

import re
import secrets
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import REQUEST_SECONDS, REQUESTS
from api.problems import Problem, Refusal, problem_of, problem_response
from contracts.clock import Clock

log = structlog.get_logger()

_CORRELATION_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

_SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
"""Set where a response does not say otherwise itself."""


class Envelope:
    """Gives each request a correlation id and each response the security headers; counts them.

    ``X-Correlation-Id`` is taken over if it is 1 to 64 of letters, digits, ``.``, ``_``, ``:``
    and ``-``, and made up otherwise.
    """

    def __init__(self, app: ASGIApp, *, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a correlation id in ``scope["state"]``."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = Headers(scope=scope).get("X-Correlation-Id", "")
        correlation_id = wanted if _CORRELATION_ID.fullmatch(wanted) else secrets.token_hex(8)
        scope.setdefault("state", {})["correlation_id"] = correlation_id
        started_s = self._clock.monotonic_s()

        async def send_wrapped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Correlation-Id"] = correlation_id
                for name, value in _SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                self._count(scope, status=message["status"], started_s=started_s)
            await send(message)

        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
            await self._app(scope, receive, send_wrapped)

    def _count(self, scope: Scope, *, status: int, started_s: float) -> None:
        # The template, never the path: a label's values must stay few.
        route = getattr(scope.get("route"), "path", "(none)")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        REQUESTS.labels(method, route, str(status)).inc()
        REQUEST_SECONDS.labels(route).observe(self._clock.monotonic_s() - started_s)


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Boundary:
    """The loop boundary of a request: what nobody handled is answered as a problem and logged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and answer what it raises, if nothing has been answered yet."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_started = False

        async def send_noting(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception as error:  # the boundary: one bad request must not hide
            problem = problem_of(error)
            if problem.status >= 500:
                _log_failure(scope, error, problem)
            if has_started:
                raise
            await problem_response(scope, problem)(scope, receive, send)


def _log_failure(scope: Scope, error: Exception, problem: Problem) -> None:
    if problem.code == "internal-error":
        log.error("request failed", path=scope["path"], method=scope["method"], exc_info=error)
    else:
        log.warning(
            "request could not be answered",
            path=scope["path"],
            method=scope["method"],
            code=problem.code,
            reason=str(error),
        )


class BodyLimit:
    """Refuses bodies of more than ``max_bytes``, declared or not."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a ``receive`` that counts.

        Raises:
            Refusal: 413, before or while the body is read.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("Content-Length", "0")
        if not declared.isdigit() or int(declared) > self._max_bytes:
            raise self._refusal()
        received_bytes = 0

        async def receive_counting() -> Message:
            nonlocal received_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            if received_bytes > self._max_bytes:
                raise self._refusal()
            return message

        await self._app(scope, receive_counting, send)

    def _refusal(self) -> Refusal:
        return Refusal(
            413, "body-too-large", f"a request body may have at most {self._max_bytes} bytes"
        )
