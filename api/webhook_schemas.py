"""The wire format of webhooks and their deliveries."""

from typing import Any, Literal

from pydantic import Field, SecretStr

from alerts.history.ports import Delivery, Webhook
from alerts.payload import rfc3339
from api.schemas import Answer, Body
from contracts.cameras import redact_url
from contracts.rules import Severity


class WebhookBody(Body):
    """An endpoint to tell about alerts."""

    url: SecretStr = Field(max_length=2048, description="https:// or http://")
    min_severity: Severity = Severity.INFO


class WebhookChange(Body):
    """What to change of an endpoint; what is left out stays."""

    enabled: bool | None = None
    min_severity: Severity | None = None


class WebhookAnswer(Answer):
    """An endpoint, its URL without secrets."""

    id: str
    url: str
    enabled: bool
    min_severity: Severity
    created_at: str | None
    disabled_reason: str

    @classmethod
    def of(cls, webhook: Webhook) -> "WebhookAnswer":
        """Return the wire form."""
        return cls(**_webhook_fields(webhook))


class WebhookCreated(WebhookAnswer):
    """An endpoint and, this once, the secret (``whsec_...``) that verifies signatures."""

    secret: str

    @classmethod
    def of(cls, webhook: Webhook) -> "WebhookCreated":
        """Return the wire form with the secret."""
        return cls(**_webhook_fields(webhook), secret=webhook.secret)


def _webhook_fields(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.webhook_id,
        "url": redact_url(webhook.url),
        "enabled": webhook.is_enabled,
        "min_severity": webhook.min_severity,
        "created_at": rfc3339(webhook.created_at),
        "disabled_reason": webhook.disabled_reason,
    }


class WebhookList(Answer):
    """All endpoints, oldest first."""

    items: list[WebhookAnswer]


class DeliveryAnswer(Answer):
    """What became of one event at one endpoint."""

    id: str
    event_id: str
    state: Literal["pending", "delivered", "dead"]
    attempts: int
    next_attempt_at: str | None
    last_status: int | None
    last_error: str
    latency_ms: float | None
    created_at: str | None
    delivered_at: str | None

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryAnswer":
        """Return the wire form."""
        return cls(
            id=delivery.delivery_id,
            event_id=delivery.event_id,
            state=delivery.state.value,
            attempts=delivery.attempts,
            next_attempt_at=rfc3339(delivery.next_attempt_at),
            last_status=delivery.last_status,
            last_error=delivery.last_error,
            latency_ms=delivery.latency_ms,
            created_at=rfc3339(delivery.created_at),
            delivered_at=rfc3339(delivery.delivered_at),
        )


class DeliveryList(Answer):
    """An endpoint's deliveries, newest first."""

    items: list[DeliveryAnswer]


class TestAnswer(Answer):
    """What an endpoint answered to a test message."""

    delivered: bool
    status: int | None
    latency_ms: float
    error: str
