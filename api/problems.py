"""Errors on the wire: RFC 9457 problems, and what each exception becomes.

Route handlers never catch: they raise, and this module says what the client gets. A problem is
``{type, title, status, detail, instance, code, correlation_id}``, with ``errors`` where fields of
the request are to blame. Nothing the client sent is echoed: it may hold a password.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Scope

from contracts.errors import (
    ConfigError,
    EvidenceMissing,
    StorageFull,
    TransportUnavailable,
    VigilError,
)
from ingest.errors import SourceRejected

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One field of a request that is wrong; ``field`` is a path such as ``source.url``."""

    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What the client is told.

    Attributes:
        code: Stable word for programs, for instance ``clip-pending``.
        detail: Sentence for people.
    """

    status: int
    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(VigilError):  # noqa: N818  # named as what it is, like the tree it belongs to
    """A request that the API refuses, with the answer that it gives."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(
            status=status, code=code, detail=detail, headers=headers or {}, errors=tuple(errors)
        )


def not_found(what: str) -> Refusal:
    """Return the refusal for something that is not there; ``what`` names its kind only."""
    return Refusal(404, "not-found", f"there is no such {what}")


def bad_field(name: str, message: str) -> Refusal:
    """Return the refusal of one field of the request."""
    return Refusal(
        422,
        "invalid-request",
        f"{name}: {message}",
        errors=(FieldError(field=name, message=message),),
    )


def problem_of(error: Exception) -> Problem:
    """Return what the client is told about an exception; 500 without detail for unknown ones."""
    match error:
        case Refusal():
            return error.problem
        case ConfigError() | SourceRejected():
            return Problem(status=422, code="invalid-request", detail=str(error))
        case EvidenceMissing():
            return Problem(status=404, code="evidence-missing", detail=str(error))
        case TransportUnavailable():
            return Problem(
                status=503,
                code="temporarily-unavailable",
                detail=str(error),
                headers={"Retry-After": "2"},
            )
        case StorageFull():
            return Problem(status=507, code="storage-full", detail=str(error))
        case _:
            return Problem(
                status=500,
                code="internal-error",
                detail="something went wrong here; the log has it under this correlation id",
            )


def problem_response(scope: Scope, problem: Problem) -> JSONResponse:
    """Return the problem as an HTTP response."""
    body: dict[str, object] = {
        "type": f"urn:vigil:problem:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "instance": scope["path"],
        "correlation_id": scope.get("state", {}).get("correlation_id", ""),
    }
    if problem.errors:
        body["errors"] = [
            {"field": error.field, "message": error.message} for error in problem.errors
        ]
    return JSONResponse(
        body, status_code=problem.status, headers=problem.headers, media_type=MEDIA_TYPE
    )


_CODES = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}


async def on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """Answer what the framework itself refuses: unknown paths and methods."""
    if not isinstance(error, HTTPException):
        raise error
    problem = Problem(
        status=error.status_code,
        code=_CODES.get(error.status_code, "refused"),
        detail={404: "there is nothing at this path", 405: "this path has other methods"}.get(
            error.status_code, str(error.detail)
        ),
        headers=error.headers or {},
    )
    return problem_response(request.scope, problem)


async def on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    """Answer a request whose parameters or body do not have the documented form."""
    if not isinstance(error, RequestValidationError):
        raise error
    errors = tuple(_field_error(item) for item in error.errors())
    listed = "; ".join(f"{item.field}: {item.message}" for item in errors)
    problem = Problem(status=422, code="invalid-request", detail=listed, errors=errors)
    return problem_response(request.scope, problem)


def _field_error(item: Mapping[str, Any]) -> FieldError:
    if item["type"] == "json_invalid":
        cause = item.get("ctx", {}).get("error", item["msg"])
        return FieldError(
            field="body", message=f"is not valid JSON: {cause} at character {item['loc'][-1]}"
        )
    return FieldError(field=_path_of(item["loc"]), message=str(item["msg"]))


def _path_of(location: Sequence[object]) -> str:
    """Return ``source.url`` for ``("body", "source", "url")``; ``body`` for the body itself."""
    parts = [str(part) for part in location]
    if len(parts) > 1 and parts[0] in ("body", "query", "path", "header"):
        parts = parts[1:]
    return ".".join(parts)
