"""The web application: routes, their guard and the answers to errors, made of the services."""

import contextlib
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from api.access import Guard, rules_of
from api.alert_desk import AlertDesk
from api.auth import SignIn
from api.cameras import CameraDesk
from api.cors import MediaCors
from api.live_sessions import LiveSessions
from api.middleware import BodyLimit, Boundary, Envelope
from api.problems import on_http_exception, on_invalid_request
from api.recording_readings import RecordingReadings
from api.routes import (
    alerts,
    audit,
    backtests,
    cameras,
    coverage,
    discover,
    events,
    live,
    masks,
    own_events,
    pages,
    probe,
    recordings,
    sign_in,
    stream,
    system,
    tokens,
    webhooks,
    webrtc,
)
from api.services import Services
from api.sse import FeedStream

_BODY_MAX_BYTES: Final = 1_000_000
_ROUTERS: Final = (
    sign_in.router,
    tokens.router,
    cameras.router,
    backtests.router,
    coverage.router,
    masks.router,
    recordings.router,
    audit.router,
    probe.router,
    discover.router,
    own_events.router,
    live.router,
    webrtc.router,
    alerts.router,
    events.router,
    webhooks.router,
    stream.router,
    system.router,
    pages.router,
)


def make_app(services: Services, *, hasher: PasswordHasher | None = None) -> FastAPI:
    """Return the application; ``api.server.make_server`` serves it.

    Args:
        services: What it works on; they outlive it and are closed by who made them.
        hasher: Of passwords; None takes the default cost.

    Raises:
        LookupError: A route states no access rule.
    """
    app = FastAPI(
        title="Vigil",
        version=services.version,
        description="Security cameras, watched; every alert with the evidence that proves it.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    app.state.services = services
    app.state.sign_in = SignIn(
        services.sign_in,
        services.clock,
        session_hours=services.settings.session_hours,
        hasher=hasher,
    )
    app.state.cameras = CameraDesk(services.camera_store, services.camera_publisher, services.clock)
    app.state.live_sessions = LiveSessions(services.signals, app.state.cameras, services.clock)
    app.state.readings = RecordingReadings(services.audit, services.clock)
    app.state.alerts = AlertDesk(services.archive, services.alert_history, services.clock)
    app.state.stream = FeedStream(services.archive)
    for router in _ROUTERS:
        app.include_router(router)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.user_middleware = [
        Middleware(Envelope, clock=services.clock),
        Middleware(MediaCors),
        Middleware(Boundary),
        Middleware(BodyLimit, max_bytes=_BODY_MAX_BYTES),
        Middleware(
            Guard,
            rules=rules_of(app.routes),
            identify=app.state.sign_in.identify,
            cookie_name=sign_in.cookie_name(is_secure=services.settings.secure_cookies),
            own_hosts=_hosts_of(services.settings.public_url),
        ),
    ]
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """End the live streams with the app, whichever server runs it."""
    yield
    app.state.stream.close()


def _hosts_of(public_url: str) -> frozenset[str]:
    host = urlsplit(public_url).netloc
    return frozenset({host}) if host else frozenset()
