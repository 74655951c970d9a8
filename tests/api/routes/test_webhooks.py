from datetime import timedelta

import pytest

from alerts.history.ports import Delivery, DeliveryState, Webhook
from tests.fakes.archive import InMemoryHistory
from tests.fakes.clock import START
from tests.fakes.web import FakeWeb, WebClient

URL = "https://hooks.example.org/vigil?token=s3cret"
SECRET = "whsec_c2VjcmV0"  # noqa: S105  # of a test's endpoint


def test_the_secret_is_shown_once(client: WebClient) -> None:
    made = client.post("/api/v1/webhooks", json={"url": URL, "min_severity": "high"})

    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    assert made.json()["url"] == "https://hooks.example.org/vigil?token=***"
    for path in ("/api/v1/webhooks", f"/api/v1/webhooks/{made.json()['id']}"):
        text = client.get(path).text
        assert made.json()["secret"] not in text
        assert "s3cret" not in text


def test_a_url_that_must_not_be_called_is_refused(web: FakeWeb, client: WebClient) -> None:
    answer = client.post("/api/v1/webhooks", json={"url": "http://127.0.0.1:6379/"})

    assert answer.status_code == 422
    assert not web.history.webhooks()


def test_the_same_request_under_one_key_adds_one_endpoint(web: FakeWeb, client: WebClient) -> None:
    key = {"Idempotency-Key": "k1"}

    first = client.post("/api/v1/webhooks", json={"url": URL}, headers=key)
    again = client.post("/api/v1/webhooks", json={"url": URL}, headers=key)

    assert first.json() == again.json(), "the lost secret comes again"
    assert len(web.history.webhooks()) == 1


def test_another_body_under_the_same_key_is_refused(client: WebClient) -> None:
    key = {"Idempotency-Key": "k1"}
    client.post("/api/v1/webhooks", json={"url": URL}, headers=key)

    answer = client.post("/api/v1/webhooks", json={"url": URL + "2"}, headers=key)

    assert answer.json()["code"] == "idempotency-key-reused"


def test_a_disabled_endpoint_is_enabled_again(web: FakeWeb, client: WebClient) -> None:
    made = client.post("/api/v1/webhooks", json={"url": URL, "min_severity": "high"}).json()
    path = f"/api/v1/webhooks/{made['id']}"

    off = client.patch(path, json={"enabled": False}).json()
    on = client.patch(path, json={"enabled": True, "min_severity": "low"}).json()

    assert (off["enabled"], off["min_severity"]) == (False, "high")
    assert (on["enabled"], on["min_severity"], on["disabled_reason"]) == (True, "low", "")
    assert "secret" not in on
    assert web.history.webhooks()[0].is_enabled


def test_an_endpoint_is_removed(client: WebClient) -> None:
    webhook_id = client.post("/api/v1/webhooks", json={"url": URL}).json()["id"]

    assert client.delete(f"/api/v1/webhooks/{webhook_id}").status_code == 204
    assert client.get("/api/v1/webhooks").json()["items"] == []
    assert client.delete(f"/api/v1/webhooks/{webhook_id}").status_code == 404


def web_with_a_delivery(state: DeliveryState) -> FakeWeb:
    """An endpoint ``wh_1`` at which two attempts of ``de_1`` failed."""
    history = InMemoryHistory()
    history.add_webhook(Webhook(webhook_id="wh_1", url=URL, secret=SECRET, created_at=START))
    history.recorded_deliveries.append(
        Delivery(
            delivery_id="de_1",
            webhook_id="wh_1",
            event_id="ce_1",
            state=state,
            attempts=2,
            next_attempt_at=None if state is DeliveryState.DEAD else START + timedelta(seconds=5),
            last_status=503,
            last_error="answered 503",
            latency_ms=None,
            created_at=START,
            delivered_at=None,
        )
    )
    return FakeWeb(history=history)


def test_a_delivery_that_was_given_up_is_sent_again() -> None:
    web = web_with_a_delivery(DeliveryState.DEAD)
    with WebClient(web.app()) as client:
        client.sign_in(web)
        answer = client.post("/api/v1/webhooks/deliveries/de_1/redeliver")
        unknown = client.post("/api/v1/webhooks/deliveries/de_none/redeliver")

    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["attempts"]) == ("pending", 0)
    assert answer.json()["next_attempt_at"] == "2026-03-01T12:00:00.000Z"
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")


def test_deliveries_are_listed() -> None:
    web = web_with_a_delivery(DeliveryState.PENDING)
    with WebClient(web.app()) as client:
        listed = client.sign_in(web).get("/api/v1/webhooks/wh_1/deliveries").json()

    [shown] = listed["items"]
    assert (shown["state"], shown["attempts"], shown["last_status"]) == ("pending", 2, 503)
    assert shown["next_attempt_at"] == "2026-03-01T12:00:05.000Z"


def test_a_test_message_says_what_came_back(web: FakeWeb, client: WebClient) -> None:
    webhook_id = client.post("/api/v1/webhooks", json={"url": URL}).json()["id"]

    answer = client.post(f"/api/v1/webhooks/{webhook_id}/test").json()

    assert answer == {"delivered": True, "status": 204, "latency_ms": 12.0, "error": ""}
    assert [webhook.url for webhook in web.tested] == [URL]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/deliveries"), ("POST", "/test")]
)
def test_an_unknown_endpoint_is_not_found(client: WebClient, method: str, path: str) -> None:
    assert client.request(method, f"/api/v1/webhooks/wh_none{path}").status_code == 404
