from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alerts.history.ports import DeliveryState, DueDelivery
from alerts.history.sql import History, open_history
from contracts.rules import Severity
from tests.alerts.builders import SECRET, alert, incident, told, webhook
from tests.fakes.clock import START

LATER = START + timedelta(minutes=5)


def tell(history: History, *incident_ids: str) -> None:
    for incident_id in incident_ids:
        history.alerts.store_alert(*told(alert(incident(incident_id))))


def due(history: History, *, now: datetime = LATER, limit: int = 100) -> list[DueDelivery]:
    return list(history.deliveries.due_deliveries(now=now, limit=limit))


def test_endpoints_are_listed_oldest_first_with_everything(history: History) -> None:
    second = webhook("wh_a", created_at=START + timedelta(seconds=1), min_severity=Severity.HIGH)
    history.webhooks.add_webhook(second)
    history.webhooks.add_webhook(webhook("wh_b"))

    assert history.webhooks.webhooks() == [webhook("wh_b"), second]


def test_an_endpoint_that_is_enabled_again_gets_what_was_pending(history: History) -> None:
    history.webhooks.add_webhook(webhook())
    tell(history, "ev_1")
    history.deliveries.disable_webhook("wh_1", reason="410 Gone")
    tell(history, "ev_2")
    assert due(history) == []

    changed = history.webhooks.change_webhook("wh_1", is_enabled=True, min_severity=Severity.HIGH)

    assert changed == replace(webhook(), min_severity=Severity.HIGH)
    assert history.webhooks.webhooks() == [changed]
    assert len(due(history)) == 1


def test_an_endpoint_that_is_not_there_cannot_be_changed(history: History) -> None:
    assert (
        history.webhooks.change_webhook("wh_9", is_enabled=True, min_severity=Severity.LOW) is None
    )


def test_a_removed_endpoint_takes_its_deliveries_along(history: History) -> None:
    history.webhooks.add_webhook(webhook())
    tell(history, "ev_1")

    assert history.webhooks.remove_webhook("wh_1")
    assert not history.webhooks.remove_webhook("wh_1")

    assert due(history) == []
    assert history.webhooks.deliveries("wh_1", limit=10) == []


def test_a_due_delivery_brings_all_that_is_needed_to_send_it(history: History) -> None:
    history.webhooks.add_webhook(webhook())
    tell(history, "ev_1")

    [item] = due(history)

    assert item.webhook == webhook()
    assert item.webhook.secret == SECRET
    assert item.entry == history.archive.feed_after(0, limit=1)[0]
    assert item.delivery.state is DeliveryState.PENDING
    assert item.delivery.attempts == 0


def test_nothing_is_due_before_its_time(history: History) -> None:
    history.webhooks.add_webhook(webhook())
    tell(history, "ev_1")
    [item] = due(history)
    history.deliveries.record_attempt(
        replace(item.delivery, attempts=1, next_attempt_at=LATER, last_error="webhook: no answer")
    )

    assert due(history, now=LATER - timedelta(microseconds=1)) == []
    [again] = due(history, now=LATER)
    assert again.delivery.attempts == 1
    assert again.delivery.last_error == "webhook: no answer"


@pytest.mark.parametrize("state", [DeliveryState.DELIVERED, DeliveryState.DEAD])
def test_what_is_settled_is_not_due(history: History, state: DeliveryState) -> None:
    history.webhooks.add_webhook(webhook())
    tell(history, "ev_1")
    [item] = due(history)
    settled = replace(
        item.delivery,
        state=state,
        attempts=1,
        next_attempt_at=None,
        last_status=204,
        latency_ms=12.5,
        delivered_at=LATER,
    )

    history.deliveries.record_attempt(settled)

    assert due(history) == []
    assert history.webhooks.deliveries("wh_1", limit=10) == [settled]


@pytest.mark.parametrize("state", [DeliveryState.DELIVERED, DeliveryState.DEAD])
def test_what_is_settled_can_be_sent_again_with_all_its_attempts(
    history: History, state: DeliveryState
) -> None:
    history.webhooks.add_webhook(webhook())
    tell(history, "ev_1")
    [item] = due(history)
    spent = replace(
        item.delivery, state=state, attempts=10, next_attempt_at=None, delivered_at=START
    )
    history.deliveries.record_attempt(spent)

    again = history.webhooks.redeliver(spent.delivery_id, at=LATER)

    assert again == replace(
        spent,
        state=DeliveryState.PENDING,
        attempts=0,
        next_attempt_at=LATER,
        delivered_at=None,
    )
    assert [found.delivery for found in due(history)] == [again]


def test_what_waits_for_its_next_attempt_can_be_hurried(history: History) -> None:
    history.webhooks.add_webhook(webhook())
    tell(history, "ev_1")
    [item] = due(history)
    in_a_day = LATER + timedelta(days=1)
    waiting = replace(item.delivery, attempts=9, next_attempt_at=in_a_day)
    history.deliveries.record_attempt(waiting)

    again = history.webhooks.redeliver(waiting.delivery_id, at=LATER)

    assert again == replace(waiting, next_attempt_at=LATER)


def test_a_delivery_that_is_not_there_cannot_be_sent_again(history: History) -> None:
    assert history.webhooks.redeliver("de_none", at=LATER) is None


def test_endpoints_take_turns(history: History) -> None:
    history.webhooks.add_webhook(webhook("wh_old"))
    tell(history, "ev_1", "ev_2", "ev_3")
    history.webhooks.add_webhook(webhook("wh_new"))
    tell(history, "ev_4")

    served = [(item.webhook.webhook_id, item.entry.seq) for item in due(history, limit=3)]

    assert served == [("wh_old", 1), ("wh_new", 4), ("wh_old", 2)]


def test_busy_endpoints_are_left_out(history: History) -> None:
    history.webhooks.add_webhook(webhook("wh_1"))
    history.webhooks.add_webhook(webhook("wh_2"))
    tell(history, "ev_1")

    found = history.deliveries.due_deliveries(now=LATER, limit=5, except_webhooks=["wh_1"])

    assert [item.webhook.webhook_id for item in found] == ["wh_2"]


def test_a_claimed_delivery_is_due_again_after_the_claim(history: History) -> None:
    history.webhooks.add_webhook(webhook())
    tell(history, "ev_1")

    [claimed] = history.deliveries.due_deliveries(now=LATER, limit=5, claim_s=20.0)

    assert claimed.delivery.next_attempt_at is not None
    assert claimed.delivery.next_attempt_at < LATER
    assert due(history, now=LATER + timedelta(seconds=19)) == []
    assert len(due(history, now=LATER + timedelta(seconds=20))) == 1


def test_two_relays_do_not_claim_the_same_delivery(history_url: str, history: History) -> None:
    history.webhooks.add_webhook(webhook())
    tell(history, "ev_1", "ev_2", "ev_3", "ev_4")
    other = open_history(history_url)

    first = history.deliveries.due_deliveries(now=LATER, limit=2, claim_s=20.0)
    second = other.deliveries.due_deliveries(now=LATER, limit=10, claim_s=20.0)
    other.close()

    assert [item.entry.seq for item in (*first, *second)] == [1, 2, 3, 4]


def test_a_disabled_endpoint_keeps_its_deliveries_and_gets_none(history: History) -> None:
    history.webhooks.add_webhook(webhook())
    tell(history, "ev_1")

    history.deliveries.disable_webhook("wh_1", reason="it answered 410")

    [disabled] = history.webhooks.webhooks()
    assert not disabled.is_enabled
    assert disabled.disabled_reason == "it answered 410"
    assert due(history) == []
    [waiting] = history.webhooks.deliveries("wh_1", limit=10)
    assert waiting.state is DeliveryState.PENDING


def test_deliveries_are_listed_newest_first(history: History) -> None:
    history.webhooks.add_webhook(webhook())
    tell(history, "ev_1", "ev_2", "ev_3")
    newest_first = [entry.event_id for entry in history.archive.feed_after(0, limit=10)][::-1]

    listed = history.webhooks.deliveries("wh_1", limit=2)

    assert [item.event_id for item in listed] == newest_first[:2]


def test_an_attempt_at_a_removed_endpoint_is_forgotten(history: History) -> None:
    history.webhooks.add_webhook(webhook())
    tell(history, "ev_1")
    [item] = due(history)
    history.webhooks.remove_webhook("wh_1")

    history.deliveries.record_attempt(replace(item.delivery, attempts=1))

    assert history.webhooks.deliveries("wh_1", limit=10) == []
