"""The test message that an integrator sends to a new endpoint."""

from alerts.channels.webhook import WebhookChannel
from alerts.history.ports import Webhook
from alerts.payload import envelope
from api.services import TestDelivery
from contracts.clock import Clock
from contracts.errors import DeliveryError
from contracts.ids import new_id

_TEST_TYPE = "vigil.webhook.test.v1"


def send_test(channel: WebhookChannel, webhook: Webhook, *, clock: Clock) -> TestDelivery:
    """Send one signed test message and say what came back; raises nothing for the endpoint."""
    message_id = new_id("ce")
    began_s = clock.monotonic_s()
    event = envelope(
        {"source": "/vigil", "type": _TEST_TYPE},
        event_id=message_id,
        at=clock.now(),
        data={"webhook_id": webhook.webhook_id, "text": "Vigil can reach this endpoint."},
    )
    status: int | None = None
    error = ""
    try:
        status = channel.send(event, url=webhook.url, secret=webhook.secret, message_id=message_id)
    except DeliveryError as refused:
        error = str(refused)
        status = getattr(refused, "status", None)
    return TestDelivery(
        is_delivered=not error,
        status=status,
        latency_ms=(clock.monotonic_s() - began_s) * 1000,
        error=error,
    )
