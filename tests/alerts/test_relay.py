import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels.webhook import WebhookChannel
from alerts.history.ports import Delivery, DeliveryState
from alerts.history.sql import History
from alerts.relay import SCHEDULE_S, WebhookRelay, next_wait_s
from contracts.clock import SystemClock
from contracts.rules import Severity
from contracts.settings import AlertSettings
from tests.alerts.builders import SECRET, alert, incident, told, webhook
from tests.alerts.channels.receiver import Answer, WebhookReceiver, status
from tests.fakes.clock import ManualClock


@dataclass
class Bench:
    history: History
    clock: ManualClock
    relay: WebhookRelay

    def add(self, receiver: WebhookReceiver, webhook_id: str = "wh_1") -> None:
        self.history.webhooks.add_webhook(webhook(webhook_id, url=receiver.url))

    def tell(self, *incident_ids: str) -> None:
        for incident_id in incident_ids:
            raised = alert(incident(incident_id, severity=Severity.HIGH), now=self.clock.now())
            assert self.history.alerts.store_alert(*told(raised))

    def deliver(self) -> int:
        handed_out = self.relay.step()
        self.relay.wait_idle()
        return handed_out

    def deliveries(self, webhook_id: str = "wh_1") -> list[Delivery]:
        return list(self.history.webhooks.deliveries(webhook_id, limit=100))[::-1]


def relay_over(history: History, clock: ManualClock, *, timeout_s: float = 5.0) -> WebhookRelay:
    settings = AlertSettings(allow_private_webhooks=True, webhook_timeout_s=timeout_s)
    channel = WebhookChannel(settings, clock=clock)
    return WebhookRelay(history.deliveries, channel, timeout_s=timeout_s, clock=clock)


@pytest.fixture
def bench(sqlite_history: History) -> Iterator[Bench]:
    # Receivers refuse signatures that are not of now.
    clock = ManualClock(SystemClock().now())
    relay = relay_over(sqlite_history, clock)
    yield Bench(sqlite_history, clock, relay)
    relay.close()


def test_an_alert_is_delivered_signed_and_recorded(bench: Bench) -> None:
    with WebhookReceiver() as receiver:
        bench.add(receiver)
        bench.tell("ev_1")

        assert bench.deliver() == 1
        assert bench.deliver() == 0

        [event] = receiver.events
    [entry] = bench.history.archive.feed_after(0, limit=5)
    assert event == entry.cloud_event
    assert receiver.requests[0]["webhook-id"] == entry.event_id
    [delivery] = bench.deliveries()
    assert delivery.state is DeliveryState.DELIVERED
    assert (delivery.attempts, delivery.last_status) == (1, 204)
    assert delivery.delivered_at == bench.clock.now()
    assert delivery.next_attempt_at is None


def test_the_same_on_both_databases(history: History) -> None:
    bench = Bench(history, clock := ManualClock(SystemClock().now()), relay_over(history, clock))
    with WebhookReceiver(status(500), status(200)) as receiver:
        bench.add(receiver)
        bench.tell("ev_1")
        bench.deliver()
        bench.clock.advance(6)
        bench.deliver()
    bench.relay.close()

    [delivery] = bench.deliveries()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 2)


def test_a_failed_attempt_is_made_again_under_the_same_id(bench: Bench) -> None:
    with WebhookReceiver(status(500), status(200)) as receiver:
        bench.add(receiver)
        bench.tell("ev_1")
        bench.deliver()
        [failed] = bench.deliveries()
        assert (failed.state, failed.attempts) == (DeliveryState.PENDING, 1)
        assert (failed.last_status, failed.last_error) == (500, "webhook: answered 500")
        assert failed.next_attempt_at is not None
        wait_s = (failed.next_attempt_at - bench.clock.now()).total_seconds()
        assert 5.0 <= wait_s <= 5.5

        bench.clock.advance(4.9)
        assert bench.deliver() == 0
        bench.clock.advance(0.6)
        assert bench.deliver() == 1

        assert len({request["webhook-id"] for request in receiver.requests}) == 1
    [delivery] = bench.deliveries()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 2)
    assert delivery.last_error == ""


def test_the_receivers_wish_for_a_longer_wait_is_honoured(bench: Bench) -> None:
    with WebhookReceiver(status(429, Retry_After="600"), status(200)) as receiver:
        bench.add(receiver)
        bench.tell("ev_1")
        bench.deliver()
        bench.clock.advance(599)
        assert bench.deliver() == 0


def test_a_wish_for_a_shorter_wait_does_not_shorten_the_schedule(bench: Bench) -> None:
    with WebhookReceiver(status(503, Retry_After="0")) as receiver:
        bench.add(receiver)
        bench.tell("ev_1")
        bench.deliver()
        bench.clock.advance(4)
        assert bench.deliver() == 0


def test_an_endpoint_that_is_gone_is_disabled(bench: Bench) -> None:
    with WebhookReceiver(status(410)) as receiver:
        bench.add(receiver)
        bench.tell("ev_1", "ev_2")
        bench.deliver()
        bench.clock.advance(100_000)
        assert bench.deliver() == 0
        assert len(receiver.requests) == 1

    [disabled] = bench.history.webhooks.webhooks()
    assert not disabled.is_enabled
    assert "410" in disabled.disabled_reason
    states = [item.state for item in bench.deliveries()]
    assert states == [DeliveryState.DEAD, DeliveryState.PENDING]


def test_a_message_refused_for_good_does_not_hold_up_the_next(bench: Bench) -> None:
    with WebhookReceiver(status(422), status(200)) as receiver:
        bench.add(receiver)
        bench.tell("ev_1", "ev_2")
        bench.deliver()

    states = [item.state for item in bench.deliveries()]
    assert states == [DeliveryState.DEAD, DeliveryState.DELIVERED]


def test_all_attempts_are_made_and_then_the_delivery_is_given_up(bench: Bench) -> None:
    answered = []
    channel_clock = bench.clock

    def fail(request: BaseHTTPRequestHandler) -> None:
        answered.append(channel_clock.now())
        status(500)(request)

    # The receiver's own clock stands still while ours runs for days: it must not check ours.
    with LenientReceiver(fail) as receiver:
        bench.add(receiver)
        bench.tell("ev_1")
        for _ in range(20):
            bench.deliver()
            bench.clock.advance(86_400 * 1.1)

    [delivery] = bench.deliveries()
    assert delivery.state is DeliveryState.DEAD
    assert delivery.attempts == len(answered) == len(SCHEDULE_S) == 10


class LenientReceiver(WebhookReceiver):
    """Does not look at signatures."""

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        request.rfile.read(int(request.headers["Content-Length"]))
        self.requests.append({})
        self._script[0](request)


def test_an_endpoint_that_fails_is_left_alone_for_a_while(bench: Bench) -> None:
    with WebhookReceiver(status(500)) as receiver:
        bench.add(receiver)
        bench.tell("ev_1", "ev_2", "ev_3")

        bench.deliver()
        assert len(receiver.requests) == 1
        assert bench.deliver() == 0
        bench.clock.advance(5.6)
        bench.deliver()

        assert len(receiver.requests) == 2
    assert sorted(item.attempts for item in bench.deliveries()) == [0, 0, 2]


def test_events_arrive_in_the_order_of_the_feed(bench: Bench) -> None:
    names = [f"ev_{number}" for number in range(20)]
    with WebhookReceiver() as receiver:
        bench.add(receiver)
        bench.tell(*names)
        bench.deliver()

        assert [event["data"]["event_id"] for event in receiver.events] == names


def hold(receiver_of: "list[WebhookReceiver]") -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        receiver_of[0].released.wait(10)
        status(204)(request)

    return answer


def test_a_slow_endpoint_holds_up_nobody_else(bench: Bench) -> None:
    holders: list[WebhookReceiver] = []
    with WebhookReceiver(hold(holders)) as slow, WebhookReceiver() as quick:
        holders.append(slow)
        bench.add(slow, "wh_slow")
        bench.add(quick, "wh_quick")
        bench.tell("ev_1")
        bench.relay.step()
        clock = SystemClock()
        deadline_s = clock.monotonic_s() + 10
        while len(quick.events) < 1 and clock.monotonic_s() < deadline_s:
            clock.sleep(0.01)
        bench.tell("ev_2")
        while len(quick.events) < 2 and clock.monotonic_s() < deadline_s:
            bench.relay.step()
            clock.sleep(0.01)
        assert [event["data"]["event_id"] for event in quick.events] == ["ev_1", "ev_2"]
        assert len(slow.events) == 1
        slow.released.set()
        bench.relay.wait_idle()


def test_what_a_killed_relay_had_in_hand_is_delivered_later_by_another(bench: Bench) -> None:
    with WebhookReceiver() as receiver:
        bench.add(receiver)
        bench.tell("ev_1")
        # Claimed and sent, then killed before it was recorded.
        [lost] = bench.history.deliveries.due_deliveries(
            now=bench.clock.now(), limit=5, claim_s=10.0
        )
        WebhookChannel(AlertSettings(allow_private_webhooks=True), clock=bench.clock).send(
            lost.entry.cloud_event,
            url=lost.webhook.url,
            secret=SECRET,
            message_id=lost.entry.event_id,
        )

        assert bench.deliver() == 0
        bench.clock.advance(10)
        bench.deliver()

        ids = [request["webhook-id"] for request in receiver.requests]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert [item.state for item in bench.deliveries()] == [DeliveryState.DELIVERED]


def test_the_loop_delivers_and_ends_when_told_to(sqlite_history: History) -> None:
    clock = SystemClock()
    settings = AlertSettings(allow_private_webhooks=True)
    channel = WebhookChannel(settings, clock=clock)
    relay = WebhookRelay(sqlite_history.deliveries, channel, timeout_s=5.0, clock=clock)
    stop = threading.Event()
    with WebhookReceiver() as receiver:
        sqlite_history.webhooks.add_webhook(webhook(url=receiver.url))
        sqlite_history.alerts.store_alert(*told(alert(now=clock.now())))
        running = threading.Thread(target=relay.run, args=(stop,))
        running.start()
        deadline_s = clock.monotonic_s() + 10
        while not receiver.events and clock.monotonic_s() < deadline_s:
            clock.sleep(0.01)
        stop.set()
        running.join(timeout=10)

    assert not running.is_alive()
    assert len(receiver.events) == 1


@given(st.integers(1, len(SCHEDULE_S) - 1), st.text())
def test_a_wait_is_the_schedules_and_up_to_a_tenth_longer(attempts: int, key: str) -> None:
    wait_s = next_wait_s(attempts, key=key)

    assert wait_s == next_wait_s(attempts, key=key)
    assert wait_s is not None
    assert SCHEDULE_S[attempts] <= wait_s <= SCHEDULE_S[attempts] * 1.1


def test_after_the_last_attempt_there_is_no_wait() -> None:
    assert next_wait_s(len(SCHEDULE_S), key="dl_1") is None


def test_what_fails_together_is_not_tried_together() -> None:
    waits = {next_wait_s(1, key=f"dl_{number}") for number in range(50)}

    assert len(waits) == 50
