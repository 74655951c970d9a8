import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from api.middleware import CONTENT_SECURITY_POLICY
from api.problems import Refusal, not_found, problem_of
from contracts.errors import (
    ConfigError,
    EvidenceMissing,
    ModelError,
    StorageFull,
    TransportUnavailable,
)
from tests.fakes.archive import InMemoryHistory
from tests.fakes.web import FakeWeb, WebClient


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ConfigError("x"), 422, "invalid-request"),
        (EvidenceMissing("x"), 404, "evidence-missing"),
        (TransportUnavailable("x"), 503, "temporarily-unavailable"),
        (StorageFull("x"), 507, "storage-full"),
        (ModelError("x"), 500, "internal-error"),
        (RuntimeError("x"), 500, "internal-error"),
        (not_found("camera"), 404, "not-found"),
        (Refusal(418, "teapot", "x"), 418, "teapot"),
    ],
)
def test_each_error_has_its_status_and_code(error: Exception, status: int, code: str) -> None:
    problem = problem_of(error)

    assert (problem.status, problem.code) == (status, code)


def test_an_unexpected_error_tells_nothing_of_itself() -> None:
    assert "secret" not in problem_of(RuntimeError("secret")).detail


def test_a_problem_has_all_members(client: WebClient) -> None:
    answer = client.get("/api/v1/alerts/al_none", headers={"X-Correlation-Id": "abc-1"})

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:vigil:problem:not-found",
        "title": "Not Found",
        "status": 404,
        "code": "not-found",
        "detail": "there is no such alert",
        "instance": "/api/v1/alerts/al_none",
        "correlation_id": "abc-1",
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("DELETE", "/api/v1/alerts", 405, "method-not-allowed"),
        ("GET", "/api/v1/alerts?limit=0", 422, "invalid-request"),
        ("GET", "/api/v1/alerts?cursor=junk", 422, "invalid-request"),
    ],
)
def test_the_frameworks_own_refusals_are_problems_too(
    client: WebClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code


def test_a_crash_is_a_500_problem_with_headers_and_correlation_id(web: FakeWeb) -> None:
    def crash() -> str:
        raise RuntimeError("secret detail")

    with capture_logs() as logs, WebClient(web.app(metrics_text=crash)) as client:
        answer = client.sign_in(web).get("/metrics", headers={"X-Correlation-Id": "c-9"})

    assert answer.status_code == 500
    assert answer.json()["correlation_id"] == answer.headers["X-Correlation-Id"] == "c-9"
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert "secret" not in answer.text
    [logged] = [entry for entry in logs if entry["log_level"] == "error"]
    assert (logged["event"], logged["path"]) == ("request failed", "/metrics")


def test_an_unreachable_database_is_a_503_with_a_time_to_retry() -> None:
    history = InMemoryHistory()
    web = FakeWeb(history=history)
    with WebClient(web.app()) as client:
        client.sign_in(web)
        history.is_down = True
        answer = client.get("/api/v1/alerts")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"


def test_what_was_sent_is_not_echoed(client: WebClient) -> None:
    body = {"source": {"url": "rtsp://root:hunter2@cam", "transport": "pigeon"}, "colour": "red"}
    answer = client.post("/api/v1/cameras", json=body)

    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"source.transport", "colour"}
    assert "hunter2" not in answer.text
    assert "pigeon" not in answer.text


def test_a_body_that_is_not_json_is_a_problem(client: WebClient) -> None:
    answer = client.post(
        "/api/v1/cameras", content=b"{nope", headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid-request"
    assert "body: is not valid JSON: " in answer.json()["detail"]


def test_no_route_of_the_framework_is_left(web: FakeWeb) -> None:
    app: FastAPI = web.app()

    assert app.docs_url is None
    assert app.redoc_url is None
    assert app.openapi_url is None
