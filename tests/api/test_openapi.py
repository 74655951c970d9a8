import pytest

from api.openapi import describe
from tests.fakes.web import FakeWeb

DOCUMENT = describe(FakeWeb().app())
OPERATIONS = [
    pytest.param(operation, id=f"{method.upper()} {path}")
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_says_what_it_does_and_how_it_fails(operation: dict[str, object]) -> None:
    summary = operation["summary"]
    assert isinstance(summary, str)
    assert " " in summary, "a sentence, not a function's name"
    assert operation["tags"]
    responses = operation["responses"]
    assert isinstance(responses, dict)
    assert list(responses["default"]["content"]) == ["application/problem+json"]
    assert not {"200", "201", "202", "204"}.isdisjoint(responses)


def test_only_what_is_public_needs_no_credential() -> None:
    public = {
        path
        for path, operations in DOCUMENT["paths"].items()
        for operation in operations.values()
        if not operation["security"]
    }

    assert public == {"/healthz", "/readyz", "/api/v1/sign-in"}


def test_every_reference_leads_somewhere() -> None:
    def references(node: object) -> set[str]:
        if isinstance(node, list):
            return set().union(*(references(item) for item in node))
        if not isinstance(node, dict):
            return set()
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(item) for item in node.values()))

    known = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert references(DOCUMENT) <= known


def test_pictures_clips_and_the_stream_have_their_media_types() -> None:
    def content(path: str) -> list[str]:
        return list(DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"])

    assert content("/api/v1/cameras/{camera_id}/latest.jpg") == ["image/jpeg"]
    assert content("/api/v1/events/{event_id}/clip.mp4") == ["video/mp4"]
    assert content("/api/v1/cameras/{camera_id}/recordings/{part_id}.mp4") == ["video/mp4"]
    assert content("/api/v1/stream") == ["text/event-stream"]
    assert content("/api/v1/alerts/{alert_id}") == ["application/json"]
