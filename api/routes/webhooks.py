"""Webhooks: endpoints that are told about alerts, and what became of it."""

import base64
import secrets
from typing import Annotated

from fastapi import APIRouter, Query, Response

from alerts.history.ports import Webhook
from api.access import ADMIN, IdentityDep
from api.problems import Refusal, not_found
from api.routes.cameras import IdempotencyKey
from api.services import Services, ServicesDep
from api.webhook_schemas import (
    DeliveryAnswer,
    DeliveryList,
    TestAnswer,
    WebhookAnswer,
    WebhookBody,
    WebhookChange,
    WebhookCreated,
    WebhookList,
)
from contracts.ids import derived_id, new_id

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])


@router.post("", status_code=201, openapi_extra=ADMIN)
def add_webhook(
    body: WebhookBody,
    identity: IdentityDep,
    response: Response,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = None,
) -> WebhookCreated:
    """Add an endpoint; it receives what happens from now on. The secret is shown only here."""
    url = body.url.get_secret_value()
    services.check_webhook_url(url)
    webhook = Webhook(
        # Derived from the key, so that a repeat finds the endpoint, also after a restart.
        webhook_id=derived_id("wh", identity.user_id, idempotency_key)
        if idempotency_key
        else new_id("wh"),
        url=url,
        secret=f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}",
        min_severity=body.min_severity,
        created_at=services.clock.now(),
    )
    known = _find(webhook.webhook_id, services)
    if known is None:
        services.webhooks.add_webhook(webhook)
    elif (known.url, known.min_severity) != (webhook.url, webhook.min_severity):
        raise Refusal(
            422, "idempotency-key-reused", "this Idempotency-Key was sent with another body"
        )
    response.headers["Location"] = f"/api/v1/webhooks/{webhook.webhook_id}"
    return WebhookCreated.of(known or webhook)


@router.get("", openapi_extra=ADMIN)
def list_webhooks(services: ServicesDep) -> WebhookList:
    """List all endpoints, oldest first, without their secrets."""
    return WebhookList(items=[WebhookAnswer.of(item) for item in services.webhooks.webhooks()])


@router.get("/{webhook_id}", openapi_extra=ADMIN)
def get_webhook(webhook_id: str, services: ServicesDep) -> WebhookAnswer:
    """Return one endpoint."""
    return WebhookAnswer.of(_get(webhook_id, services))


@router.patch("/{webhook_id}", openapi_extra=ADMIN)
def change_webhook(webhook_id: str, body: WebhookChange, services: ServicesDep) -> WebhookAnswer:
    """Enable or disable an endpoint, or change from which severity on it is told.

    What was pending when it was disabled is delivered then; what happened in between is not sent.
    """
    known = _get(webhook_id, services)
    changed = services.webhooks.change_webhook(
        webhook_id,
        is_enabled=known.is_enabled if body.enabled is None else body.enabled,
        min_severity=body.min_severity or known.min_severity,
    )
    if changed is None:
        raise not_found("webhook")
    return WebhookAnswer.of(changed)


@router.delete("/{webhook_id}", status_code=204, openapi_extra=ADMIN)
def remove_webhook(webhook_id: str, services: ServicesDep) -> None:
    """Remove an endpoint and what it has not received yet."""
    if not services.webhooks.remove_webhook(webhook_id):
        raise not_found("webhook")


@router.get("/{webhook_id}/deliveries", openapi_extra=ADMIN)
def list_deliveries(
    webhook_id: str,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> DeliveryList:
    """List an endpoint's deliveries, newest first."""
    _get(webhook_id, services)
    deliveries = services.webhooks.deliveries(webhook_id, limit=limit)
    return DeliveryList(items=[DeliveryAnswer.of(delivery) for delivery in deliveries])


@router.post("/deliveries/{delivery_id}/redeliver", status_code=202, openapi_extra=ADMIN)
def redeliver(delivery_id: str, services: ServicesDep) -> DeliveryAnswer:
    """Send a delivery again now, whatever became of it; its ``webhook-id`` stays the same.

    A disabled endpoint gets it once it is enabled again.
    """
    delivery = services.webhooks.redeliver(delivery_id, at=services.clock.now())
    if delivery is None:
        raise not_found("delivery")
    return DeliveryAnswer.of(delivery)


@router.post("/{webhook_id}/test", openapi_extra=ADMIN)
def test_webhook(webhook_id: str, services: ServicesDep) -> TestAnswer:
    """Send one signed test message now and say what came back; it is not tried again."""
    outcome = services.send_test(_get(webhook_id, services))
    return TestAnswer(
        delivered=outcome.is_delivered,
        status=outcome.status,
        latency_ms=round(outcome.latency_ms, 1),
        error=outcome.error,
    )


def _find(webhook_id: str, services: Services) -> Webhook | None:
    found = (item for item in services.webhooks.webhooks() if item.webhook_id == webhook_id)
    return next(found, None)


def _get(webhook_id: str, services: Services) -> Webhook:
    webhook = _find(webhook_id, services)
    if webhook is None:
        raise not_found("webhook")
    return webhook
