"""Whether Vigil is alive and ready, its version, metrics and the description of this API."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from alerts.payload import rfc3339
from api.access import ADMIN, PUBLIC
from api.openapi import describe
from api.readiness import is_ready, parts_of
from api.reasoner_schemas import ReasonerAnswer
from api.schemas import Alive, Readiness, Stage, SystemAnswer, Version
from api.services import ServicesDep
from contracts.errors import ModelError

router = APIRouter(tags=["system"])


@router.get("/healthz", openapi_extra=PUBLIC)
async def alive() -> Alive:
    """Say that the web server answers; it asks nobody else."""
    return Alive()


@router.get("/readyz", openapi_extra=PUBLIC, response_model=Readiness)
def ready(services: ServicesDep, response: Response) -> Readiness:
    """Say whether database, queue and all stages are there; 503 if not."""
    parts = parts_of(services)
    response.status_code = 200 if is_ready(parts) else 503
    return Readiness(status="ready" if is_ready(parts) else "not-ready", parts=parts)


@router.get("/api/v1/system", openapi_extra=ADMIN)
def system(services: ServicesDep) -> SystemAnswer:
    """Return readiness with the stage processes, always with status 200."""
    parts = parts_of(services)
    has_queue = all(part.ok for part in parts if part.name == "queue")
    return SystemAnswer(
        status="ready" if is_ready(parts) else "not-ready",
        version=services.version,
        now=rfc3339(services.clock.now()),
        parts=parts,
        stages=[Stage.of(health) for health in services.health.stages()] if has_queue else [],
    )


@router.get("/api/v1/version", openapi_extra=ADMIN)
def version(services: ServicesDep) -> Version:
    """Return the version."""
    return Version(version=services.version)


@router.get("/api/v1/reasoner", openapi_extra=ADMIN)
def reasoner(services: ServicesDep) -> ReasonerAnswer:
    """Return who reasons, what it was trained on, and how its experts share work."""
    try:
        return ReasonerAnswer.of(services.reasoner())
    except ModelError:
        return ReasonerAnswer.unreadable()


@router.get("/metrics", openapi_extra=ADMIN, response_class=PlainTextResponse)
def metrics(services: ServicesDep) -> PlainTextResponse:
    """Return all stages' metrics in Prometheus text form; scrape it with an API token."""
    return PlainTextResponse(
        services.metrics_text(), media_type="text/plain; version=0.0.4; charset=utf-8"
    )


@router.get("/api/v1/openapi.json", openapi_extra=ADMIN, include_in_schema=False)
def openapi(request: Request) -> JSONResponse:
    """Return the description of this API; each operation states its access rule."""
    return JSONResponse(describe(request.app))
