"""The published description of the API: what FastAPI derives, completed with what it cannot know.

Every operation answers errors as problems (RFC 9457), every operation but the public ones needs a
session or a token, and pictures, clips and streams have media types of their own.
"""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import Field

from api.access import PUBLIC
from api.problems import MEDIA_TYPE
from api.schemas import Answer

_TAGS: Final = (
    ("sign-in", "Sessions of people, and API tokens of programs"),
    ("cameras", "What is watched, how it is doing, and what it is watched for"),
    ("webrtc", "Publishing to a camera (WHIP) and watching one live (WHEP)"),
    ("alerts", "What people were told, and what they did about it"),
    ("events", "What happened: objects, reasoning, pictures, clip"),
    ("webhooks", "Endpoints that are told, and what became of each delivery"),
    ("stream", "Alerts as they happen"),
    ("system", "Health, version, metrics"),
)
_MEDIA_TYPES: Final = (
    (".jpg", "image/jpeg"),
    (".mp4", "video/mp4"),
    ("/stream", "text/event-stream"),
    ("/metrics", "text/plain"),
)
_SECURITY: Final[list[dict[str, list[str]]]] = [{"token": []}, {"session": []}]
_SCHEMES: Final = {
    "token": {"type": "http", "scheme": "bearer", "description": "vgl_..., made on page Account"},
    "session": {"type": "apiKey", "in": "cookie", "name": "vigil_session"},
}


class FieldProblem(Answer):
    """One field of a request that is wrong."""

    field: str
    message: str


class ProblemAnswer(Answer):
    """An error, as RFC 9457 describes it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str = Field(description="Stable word for programs")
    correlation_id: str
    errors: list[FieldProblem] | None = None


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of an app, JSON-ready."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in _TAGS],
    )
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _complete(path, operation)
    schemas = document["components"]["schemas"]
    for derived in ("HTTPValidationError", "ValidationError"):
        schemas.pop(derived, None)
    problem = ProblemAnswer.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**problem.pop("$defs"), "ProblemAnswer": problem}
    document["components"]["securitySchemes"] = _SCHEMES
    return document


def _complete(path: str, operation: dict[str, Any]) -> None:
    # Titles made of function names say less than the first sentence of what the function promises.
    sentence, _, rest = operation.get("description", "").partition(".")
    operation["summary"] = " ".join(sentence.split())
    operation["description"] = (rest if rest.strip() else sentence + ".").strip()
    responses = operation["responses"]
    responses.pop("422", None)
    responses["default"] = {
        "description": "A problem",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}},
    }
    for ending, media_type in _MEDIA_TYPES:
        if path.endswith(ending):
            responses["200"]["content"] = {media_type: {"schema": {"type": "string"}}}
    is_public = PUBLIC.items() <= operation.items()
    operation["security"] = [] if is_public else _SECURITY
