import asyncio

import pytest
from starlette.types import Message

from api.middleware import BodyLimit, Envelope
from api.problems import Refusal
from tests.fakes.clock import ManualClock
from tests.fakes.web import WebClient


@pytest.mark.parametrize("path", ["/sign-in", "/healthz", "/api/v1/me", "/nowhere"])
def test_every_answer_has_the_security_headers(stranger: WebClient, path: str) -> None:
    headers = stranger.get(path).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_answers_of_the_api_are_not_stored(client: WebClient) -> None:
    assert client.get("/api/v1/me").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("given", ["abc", "A-1_b.c:d", "x" * 64])
def test_a_correlation_id_is_taken_over(stranger: WebClient, given: str) -> None:
    answer = stranger.get("/healthz", headers={"X-Correlation-Id": given})

    assert answer.headers["X-Correlation-Id"] == given


@pytest.mark.parametrize("given", ["", "two words", "x" * 65, "a;b", '"quoted"'])
def test_an_odd_correlation_id_is_replaced(stranger: WebClient, given: str) -> None:
    answer = stranger.get("/healthz", headers={"X-Correlation-Id": given})

    assert len(answer.headers["X-Correlation-Id"]) == 16


def test_a_large_body_is_refused(client: WebClient) -> None:
    answer = client.post("/api/v1/cameras", content=b"x" * 1_000_001)

    assert answer.status_code == 413
    assert answer.json()["code"] == "body-too-large"


def test_a_body_that_is_larger_than_declared_is_refused_while_it_is_read() -> None:
    async def greedy(scope: object, receive: object, send: object) -> None:
        while True:
            await receive()  # type: ignore[operator]  # an ASGI callable

    async def chunk() -> Message:
        return {"type": "http.request", "body": b"x" * 40, "more_body": True}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    limited = BodyLimit(greedy, max_bytes=100)
    scope = {"type": "http", "headers": [(b"content-length", b"10")]}

    with pytest.raises(Refusal, match="at most 100 bytes"):
        asyncio.run(limited(scope, chunk, send))


def test_other_than_http_passes_untouched() -> None:
    seen: list[str] = []

    async def app(scope: dict[str, str], receive: object, send: object) -> None:
        seen.append(scope["type"])

    asyncio.run(Envelope(app, clock=ManualClock())({"type": "lifespan"}, None, None))  # type: ignore[arg-type]  # unused by this scope

    assert seen == ["lifespan"]
