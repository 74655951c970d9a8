import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from alerts.history.ports import NewFeedEntry
from api.problems import Refusal
from api.sse import FeedStream
from contracts.alerts import FeedType
from contracts.clock import SystemClock
from contracts.rules import Severity
from tests.fakes.archive import InMemoryHistory
from tests.fakes.clock import START
from tests.fakes.web import FakeWeb
from tests.fakes.web_alerts import alert, several, store
from tests.fakes.web_server import RunningServer


def add(history: InMemoryHistory, count: int = 1) -> None:
    """Append bare entries to the feed."""
    for _ in range(count):
        number = len(history.feed) + 1
        entry = NewFeedEntry(
            event_id=f"ce_{number}",
            feed_type=FeedType.ALERT_OPENED,
            at=START,
            cloud_event={"id": f"ce_{number}"},
            severity=Severity.LOW,
        )
        history.append(entry)


def feed_stream(history: InMemoryHistory, *, heartbeat_every_s: float = 5.0) -> FeedStream:
    return FeedStream(
        history, poll_every_s=0.005, heartbeat_every_s=heartbeat_every_s, max_clients=2
    )


def ids_in(chunk: bytes) -> list[int]:
    return [int(line[4:]) for line in chunk.decode().splitlines() if line.startswith("id: ")]


async def next_ids(messages: AsyncIterator[bytes]) -> list[int]:
    async with asyncio.timeout(5):
        return ids_in(await anext(messages))


def test_a_new_client_gets_what_comes_from_now_on() -> None:
    history = InMemoryHistory()
    add(history, 3)

    async def listen() -> list[int]:
        stream = feed_stream(history)
        messages = stream.messages(None, is_welcome=lambda: True)
        assert (await anext(messages)).startswith(b"retry: ")
        add(history, 2)
        return await next_ids(messages)

    assert asyncio.run(listen()) == [4, 5]


def test_what_was_missed_is_replayed_then_what_is_new_without_a_gap() -> None:
    history = InMemoryHistory()
    add(history, 600)

    async def listen() -> list[int]:
        stream = feed_stream(history)
        messages = stream.messages(10, is_welcome=lambda: True)
        await anext(messages)
        got: list[int] = []
        while len(got) < 590:
            got += await next_ids(messages)
        add(history, 400)
        while len(got) < 990:
            got += await next_ids(messages)
        return got

    assert asyncio.run(listen()) == list(range(11, 1001))


def test_a_slow_client_falls_back_to_the_database_and_misses_nothing() -> None:
    history = InMemoryHistory()

    async def listen() -> list[int]:
        stream = feed_stream(history)
        slow = stream.messages(None, is_welcome=lambda: True)
        quick = stream.messages(None, is_welcome=lambda: True)
        await anext(slow)
        await anext(quick)
        seen = 0
        add(history, 1500)
        while seen < 1500:
            seen += len(await next_ids(quick))
        got: list[int] = []
        while len(got) < 1500:
            got += await next_ids(slow)
        return got

    assert asyncio.run(listen()) == list(range(1, 1501))


def test_silence_brings_heartbeats() -> None:
    async def listen() -> bytes:
        stream = feed_stream(InMemoryHistory(), heartbeat_every_s=0.01)
        messages = stream.messages(None, is_welcome=lambda: True)
        await anext(messages)
        return await anext(messages)

    assert asyncio.run(listen()) == b"event: vigil.stream.heartbeat\ndata: {}\n\n"


def test_a_client_that_is_not_welcome_any_more_is_let_go_although_news_never_end() -> None:
    """On a busy site there is no silence in which to look."""
    history = InMemoryHistory()
    add(history)

    async def listen() -> None:
        stream = feed_stream(history, heartbeat_every_s=0.02)
        async with asyncio.timeout(5):
            async for _ in stream.messages(0, is_welcome=lambda: False):
                add(history)

    asyncio.run(listen())


def test_a_client_that_is_not_welcome_any_more_is_let_go_at_the_heartbeat() -> None:
    async def listen() -> list[bytes]:
        stream = feed_stream(InMemoryHistory(), heartbeat_every_s=0.01)
        return [message async for message in stream.messages(None, is_welcome=lambda: False)]

    assert len(asyncio.run(listen())) == 1


def test_a_feed_that_was_replaced_is_announced() -> None:
    history = InMemoryHistory()
    add(history, 2)

    async def listen() -> tuple[bytes, list[int]]:
        stream = feed_stream(history)
        messages = stream.messages(99, is_welcome=lambda: True)
        await anext(messages)
        reset = await anext(messages)
        add(history)
        return reset, await next_ids(messages)

    reset, ids = asyncio.run(listen())
    assert b"event: vigil.stream.reset" in reset
    assert ids == [3]


def test_one_more_than_the_limit_is_refused() -> None:
    async def listen() -> None:
        stream = feed_stream(InMemoryHistory())
        open_streams = [stream.messages(None, is_welcome=lambda: True) for _ in range(2)]
        for messages in open_streams:
            stream.refuse_if_full()
            await anext(messages)
        with pytest.raises(Refusal, match="2 clients"):
            stream.refuse_if_full()
        for messages in open_streams:
            await messages.aclose()  # type: ignore[attr-defined]  # they are generators
        stream.refuse_if_full()

    asyncio.run(listen())


def test_a_database_that_is_away_is_waited_for() -> None:
    history = InMemoryHistory()

    async def listen() -> list[int]:
        stream = feed_stream(history)
        messages = stream.messages(None, is_welcome=lambda: True)
        await anext(messages)
        history.is_down = True
        add(history)
        await asyncio.sleep(0.05)
        history.is_down = False
        return await next_ids(messages)

    assert asyncio.run(listen()) == [1]


@contextmanager
def listening(
    web: FakeWeb, server: RunningServer, *, last_event_id: int | None = None
) -> Iterator[Iterator[str]]:
    """Lines of the stream as a signed-in client gets them from a real server."""
    headers = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
    with httpx.Client(base_url=server.url, timeout=5, trust_env=False) as client:
        signed_in = client.post("/api/v1/sign-in", json={"link": web.link_secret()})
        assert signed_in.status_code == 200
        with client.stream("GET", "/api/v1/stream", headers=headers) as answer:
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            yield answer.iter_lines()


def event_of(lines: Iterator[str]) -> dict[str, str]:
    """Return the fields of the next event; comments and ``retry`` are passed over."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line and name in ("id", "event", "data"):
            fields[name] = value
        elif not line and "data" in fields:
            return fields
    raise AssertionError("the stream ended")


def test_an_alert_arrives_as_its_cloud_event_over_a_real_server(web: FakeWeb) -> None:
    with RunningServer(web.app()) as server, listening(web, server) as lines:
        assert next(lines) == "retry: 2000"
        stored = store(web.history, alert())
        event = event_of(lines)

    assert (event["id"], event["event"]) == ("1", "vigil.alert.revised.v1")
    assert json.loads(event["data"])["data"]["alert_id"] == stored.alert_id


def test_a_client_that_connects_again_misses_nothing(web: FakeWeb) -> None:
    several(web.history, 5)
    with (
        RunningServer(web.app()) as server,
        listening(web, server, last_event_id=2) as lines,
    ):
        assert [event_of(lines)["id"] for _ in range(3)] == ["3", "4", "5"]


def test_an_open_stream_does_not_keep_the_server_from_stopping(web: FakeWeb) -> None:
    with RunningServer(web.app()) as server, listening(web, server) as lines:
        next(lines)
        assert server.stop(timeout_s=3)
        assert [line for line in lines if line] == []


def test_a_client_that_leaves_is_forgotten(web: FakeWeb) -> None:
    app = web.app()
    app.state.stream = FeedStream(web.history, max_clients=1)
    with RunningServer(app) as server:
        for _ in range(3):
            with listening(web, server) as lines:
                next(lines)
            wait_for_room(app.state.stream)


def wait_for_room(stream: FeedStream) -> None:
    """Wait until the server has noticed that the client is gone."""
    for _ in range(200):
        with suppress(Refusal):
            stream.refuse_if_full()
            return
        SystemClock().sleep(0.02)
    raise AssertionError("the client that left still counts")


@pytest.mark.parametrize("last", ["x", "-1", "1.5"])
def test_an_event_id_that_is_no_number_is_refused(web: FakeWeb, last: str) -> None:
    with (
        RunningServer(web.app()) as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        client.post("/api/v1/sign-in", json={"link": web.link_secret()})
        answer = client.get("/api/v1/stream", headers={"Last-Event-ID": last})

    assert answer.status_code == 422
