"""Who may call what. Each route states its rule; what states none is refused.

A rule stands in the route's ``openapi_extra`` (``@router.get(..., openapi_extra=ADMIN)``), so the
published OpenAPI document shows it. The guard stands before routing and refuses by default: a
path that no public route matches needs a sign-in, whether it exists or not.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import quote, urlsplit

import anyio.to_thread
from fastapi import Depends, Request
from fastapi.routing import iter_route_contexts
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import Refusal

_KEY: Final = "x-vigil-access"
PUBLIC: Final[dict[str, Any]] = {_KEY: "public"}
"""Anybody may call it."""
ADMIN: Final[dict[str, Any]] = {_KEY: "admin"}
"""Signed-in administrators only."""
_LEVELS: Final = frozenset({"public", "admin"})
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who sends a request.

    Attributes:
        credential_id: Of the session or API token.
        kind: ``session`` (cookie) or ``token`` (bearer).
        how: How the session began: ``link`` or ``password``; a token's name.
    """

    user_id: str
    name: str
    role: str
    credential_id: str
    kind: str
    how: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRule:
    """One route's rule."""

    path: str
    methods: frozenset[str]
    pattern: re.Pattern[str]
    level: str


def rules_of(routes: Sequence[BaseRoute]) -> tuple[RouteRule, ...]:
    """Return the rule of every route.

    Raises:
        LookupError: A route (or a mounted app) states none; the app must not start like that.
    """
    rules: list[RouteRule] = []
    for route in iter_route_contexts(routes):
        extra: Mapping[str, Any] = getattr(route, "openapi_extra", None) or {}
        pattern = getattr(route, "path_regex", None)
        level = extra.get(_KEY)
        if level not in _LEVELS or pattern is None or not route.methods:
            raise LookupError(
                f"route {route.path}: states no access rule; give it openapi_extra=ADMIN or PUBLIC"
            )
        rules.append(
            RouteRule(
                path=str(route.path),
                methods=frozenset(route.methods),
                pattern=pattern,
                level=level,
            )
        )
    return tuple(rules)


class Guard:
    """Lets through what a rule allows, and puts the caller's identity into ``scope["state"]``.

    Args:
        rules: From ``rules_of``.
        identify: Returns the identity that a cookie value or a bearer token stands for. Called
            in a worker thread. Exactly one of its two keyword arguments is not empty.
        cookie_name: Of the session cookie.
        own_hosts: Host names (with port) besides the request's own under which browsers reach
            this server, for instance through a proxy.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        rules: Sequence[RouteRule],
        identify: Callable[[str, str], Identity | None],
        cookie_name: str,
        own_hosts: frozenset[str],
    ) -> None:
        self._app = app
        self._rules = tuple(rules)
        self._identify = identify
        self._cookie_name = cookie_name
        self._own_hosts = own_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if its sender may do that.

        Raises:
            Refusal: 401 (who are you), 403 (not you, or not from another site).
        """
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        level = self._level_of(scope["method"], scope["path"])
        cookie = cookie_parser(headers.get("Cookie", "")).get(self._cookie_name, "")
        bearer = _bearer_of(headers)
        is_unsafe = scope["method"] not in _SAFE_METHODS
        if is_unsafe and not bearer and self._is_cross_site(headers, has_cookie=bool(cookie)):
            raise Refusal(403, "cross-site", "this request did not come from Vigil's own pages")
        if level != "public":
            identity = await anyio.to_thread.run_sync(
                self._identify, "" if bearer else cookie, bearer
            )
            if identity is None:
                await self._refuse(scope, receive, send)
                return
            if identity.role != level:
                raise Refusal(403, "forbidden", f"this needs the role {level}")
            scope.setdefault("state", {})["identity"] = identity
        await self._app(scope, receive, send)

    def _level_of(self, method: str, path: str) -> str:
        for rule in self._rules:
            if method in rule.methods and rule.pattern.match(path):
                return rule.level
        return "admin"

    def _is_cross_site(self, headers: Headers, *, has_cookie: bool) -> bool:
        """Say whether a browser sent an unsafe request from somebody else's page.

        Browsers say where a request comes from in ``Sec-Fetch-Site`` (secure origins only) or
        ``Origin``. With a cookie one of them is needed; programs without cookies send neither.
        """
        site = headers.get("Sec-Fetch-Site")
        if site is not None:
            return site != "same-origin"
        origin = headers.get("Origin")
        if origin is None:
            return has_cookie
        host = urlsplit(origin).netloc
        return host != headers.get("Host", "") and host not in self._own_hosts

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        wants_page = scope["method"] == "GET" and "text/html" in Headers(scope=scope).get(
            "Accept", ""
        )
        if not wants_page or scope["path"].startswith("/api/"):
            raise Refusal(
                401,
                "sign-in-needed",
                "sign in, or send an API token as 'Authorization: Bearer vgl_...'",
                headers={"WWW-Authenticate": 'Bearer realm="vigil"'},
            )
        target = "" if scope["path"] == "/" else f"?next={quote(scope['path'])}"
        await RedirectResponse(f"/sign-in{target}", status_code=303)(scope, receive, send)


def _bearer_of(headers: Headers) -> str:
    scheme, _, value = headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


async def identity_of(request: Request) -> Identity:
    """Return who sent the request; only for routes that need a sign-in."""
    identity: Identity = request.state.identity
    return identity


IdentityDep = Annotated[Identity, Depends(identity_of)]
"""Parameter type with which a route asks who is calling."""
