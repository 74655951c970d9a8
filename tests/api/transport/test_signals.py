import threading
from datetime import timedelta

import pytest

from api.transport.connection import RedisClient, connect
from api.transport.leases import RedisLeases
from api.transport.signals import RedisSignalInbox, RedisSignals
from contracts.clock import SystemClock
from contracts.errors import TransportUnavailable
from contracts.ids import new_id
from ingest.webrtc.signals import Signal, SignalAnswer, SignalKind, SignalRefused

CLOCK = SystemClock()


def signal(*, within_s: float = 5.0, camera_id: str = "gate") -> Signal:
    return Signal(
        signal_id=new_id("sig"),
        kind=SignalKind.PUBLISH,
        camera_id=camera_id,
        sdp="v=0\r\na=ice-pwd:secret\r\n",
        until=CLOCK.now() + timedelta(seconds=within_s),
    )


def test_a_request_reaches_the_holder_of_the_camera_and_its_answer_comes_back(
    client: RedisClient,
) -> None:
    RedisLeases(client, holder="ingest-a", lease_s=5).acquire("ingest:gate")
    inbox = RedisSignalInbox(client, holder="ingest-a")
    asked = signal()
    answers: list[SignalAnswer] = []
    asking = threading.Thread(
        target=lambda: answers.append(RedisSignals(client, clock=CLOCK).ask(asked))
    )
    asking.start()

    received: list[Signal] = []
    while not received:
        received += inbox.receive(timeout_s=1.0)
    inbox.answer(received[0], SignalAnswer(status=201, session_id="s", sdp="v=0"))
    asking.join(5)

    assert received == [asked]
    assert answers == [SignalAnswer(status=201, session_id="s", sdp="v=0")]


def test_a_camera_that_nobody_holds_is_said_at_once(client: RedisClient) -> None:
    with pytest.raises(SignalRefused, match="no ingest stage") as caught:
        RedisSignals(client, clock=CLOCK).ask(signal(camera_id="nobody"))

    assert (caught.value.answer.status, caught.value.answer.problem) == (503, "ingest-not-there")


def test_a_holder_that_does_not_answer_is_not_waited_for_longer_than_said(
    client: RedisClient,
) -> None:
    RedisLeases(client, holder="hung", lease_s=5).acquire("ingest:hung")

    with pytest.raises(SignalRefused) as caught:
        RedisSignals(client, clock=CLOCK).ask(signal(within_s=0.3, camera_id="hung"))

    assert (caught.value.answer.status, caught.value.answer.problem) == (504, "ingest-silent")


def test_no_more_requests_wait_than_a_process_can_answer(client: RedisClient) -> None:
    RedisLeases(client, holder="busy", lease_s=5).acquire("ingest:busy")
    signals = RedisSignals(client, clock=CLOCK)
    problems = set()
    for _ in range(70):
        with pytest.raises(SignalRefused) as caught:
            signals.ask(signal(within_s=0.0, camera_id="busy"))
        problems.add(caught.value.answer.problem)

    assert problems == {"ingest-silent", "busy"}
    assert client.llen("vigil:signals:{busy}") == 64


def test_nothing_of_an_offer_stays_on_redis(client: RedisClient) -> None:
    RedisLeases(client, holder="gone", lease_s=5).acquire("ingest:left")
    with pytest.raises(SignalRefused):
        RedisSignals(client, clock=CLOCK).ask(signal(within_s=0.0, camera_id="left"))
    RedisSignalInbox(client, holder="gone").answer(signal(), SignalAnswer(status=201))

    keys = list(client.scan_iter("vigil:signals:*"))
    assert keys
    assert all(0 < client.ttl(key) <= 30 for key in keys)


def test_what_cannot_be_read_is_dropped(client: RedisClient) -> None:
    client.rpush("vigil:signals:{odd}", b"{}")

    assert list(RedisSignalInbox(client, holder="odd").receive(timeout_s=0.1)) == []


def test_a_redis_that_is_away_is_said_so() -> None:
    away = connect("redis://127.0.0.1:1/0")

    with pytest.raises(TransportUnavailable):
        RedisSignals(away, clock=CLOCK).ask(signal())
    with pytest.raises(TransportUnavailable):
        RedisSignalInbox(away, holder="a").receive(timeout_s=0.1)
