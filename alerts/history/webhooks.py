"""Webhook endpoints, and what became of each delivery."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from alerts.history import schema
from alerts.history.database import Database
from alerts.history.feed import entry_of
from alerts.history.ports import Delivery, DeliveryState, DueDelivery, Webhook
from contracts.rules import Severity


class SqlWebhookStore:
    """Implements ``WebhookStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def webhooks(self) -> Sequence[Webhook]:
        """Return all endpoints, oldest first."""
        rows = schema.webhooks
        found = select(rows).order_by(rows.c.created_at, rows.c.webhook_id)
        with self._database.read() as connection:
            return [_webhook(row) for row in connection.execute(found)]

    def add_webhook(self, webhook: Webhook) -> None:
        """Add an endpoint; it receives what is stored from now on."""
        with self._database.write() as connection:
            connection.execute(
                insert(schema.webhooks).values(
                    webhook_id=webhook.webhook_id,
                    url=webhook.url,
                    secret=webhook.secret,
                    is_enabled=webhook.is_enabled,
                    min_severity_rank=webhook.min_severity.rank,
                    created_at=webhook.created_at,
                    disabled_reason=webhook.disabled_reason,
                )
            )

    def change_webhook(
        self, webhook_id: str, *, is_enabled: bool, min_severity: Severity
    ) -> Webhook | None:
        """Change an endpoint and return it; None if there is none."""
        rows = schema.webhooks
        values: dict[str, object] = {
            "is_enabled": is_enabled,
            "min_severity_rank": min_severity.rank,
        }
        if is_enabled:
            values["disabled_reason"] = ""
        with self._database.write() as connection:
            connection.execute(update(rows).where(rows.c.webhook_id == webhook_id).values(**values))
            row = connection.execute(
                select(rows).where(rows.c.webhook_id == webhook_id)
            ).one_or_none()
        return _webhook(row) if row is not None else None

    def remove_webhook(self, webhook_id: str) -> bool:
        """Remove an endpoint with all its deliveries; False if there was none."""
        rows = schema.webhooks
        with self._database.write() as connection:
            removed = connection.execute(delete(rows).where(rows.c.webhook_id == webhook_id))
            return removed.rowcount == 1

    def deliveries(self, webhook_id: str, *, limit: int) -> Sequence[Delivery]:
        """Return an endpoint's deliveries, newest first."""
        rows = schema.deliveries
        found = (
            select(rows)
            .where(rows.c.webhook_id == webhook_id)
            .order_by(rows.c.seq.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_delivery(row) for row in connection.execute(found)]

    def redeliver(self, delivery_id: str, *, at: datetime) -> Delivery | None:
        """Make a delivery due, with all its attempts again if it was settled; see the port."""
        rows = schema.deliveries
        is_this = rows.c.delivery_id == delivery_id
        with self._database.write() as connection:
            settled = update(rows).where(is_this, rows.c.state != DeliveryState.PENDING.value)
            connection.execute(
                settled.values(state=DeliveryState.PENDING.value, attempts=0, delivered_at=None)
            )
            connection.execute(update(rows).where(is_this).values(next_attempt_at=at))
            row = connection.execute(select(rows).where(is_this)).one_or_none()
        return None if row is None else _delivery(row)


class SqlDeliveryHistory:
    """Implements ``DeliveryHistory``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due_deliveries(
        self,
        *,
        now: datetime,
        limit: int,
        claim_s: float = 0.0,
        except_webhooks: Sequence[str] = (),
    ) -> Sequence[DueDelivery]:
        """Return deliveries whose time has come, endpoints in turns; see the port."""
        # Most polls find nothing: those must not take SQLite's one write lock.
        with self._database.read() as connection:
            turns = connection.execute(_turns(now, limit, except_webhooks)).scalars().all()
        if not turns:
            return []
        with self._database.write() as connection:
            due = _claim(connection, turns, now=now, until=now + timedelta(seconds=claim_s))
        position = {delivery_id: index for index, delivery_id in enumerate(turns)}
        return sorted(due, key=lambda item: position[item.delivery.delivery_id])

    def record_attempt(self, delivery: Delivery) -> None:
        """Store how a delivery stands; nothing happens if its endpoint was removed."""
        rows = schema.deliveries
        with self._database.write() as connection:
            connection.execute(
                update(rows)
                .where(rows.c.delivery_id == delivery.delivery_id)
                .values(
                    state=delivery.state.value,
                    attempts=delivery.attempts,
                    next_attempt_at=delivery.next_attempt_at,
                    last_status=delivery.last_status,
                    last_error=delivery.last_error,
                    latency_ms=delivery.latency_ms,
                    delivered_at=delivery.delivered_at,
                )
            )

    def disable_webhook(self, webhook_id: str, *, reason: str) -> None:
        """Stop delivering to an endpoint; what is pending stays pending."""
        rows = schema.webhooks
        with self._database.write() as connection:
            connection.execute(
                update(rows)
                .where(rows.c.webhook_id == webhook_id)
                .values(is_enabled=False, disabled_reason=reason)
            )


def _turns(now: datetime, limit: int, except_webhooks: Sequence[str]) -> Select[Any]:
    rows, hooks = schema.deliveries, schema.webhooks
    turn = func.row_number().over(
        partition_by=rows.c.webhook_id, order_by=(rows.c.next_attempt_at, rows.c.seq)
    )
    due = (
        select(rows.c.delivery_id, rows.c.next_attempt_at, rows.c.seq, turn.label("turn"))
        .join(hooks, hooks.c.webhook_id == rows.c.webhook_id)
        .where(
            rows.c.state == DeliveryState.PENDING.value,
            rows.c.next_attempt_at <= now,
            hooks.c.is_enabled.is_(True),
            rows.c.webhook_id.not_in(except_webhooks),
        )
        .subquery()
    )
    return (
        select(due.c.delivery_id)
        .order_by(due.c.turn, due.c.next_attempt_at, due.c.seq, due.c.delivery_id)
        .limit(limit)
    )


def _claim(
    connection: Connection, delivery_ids: Sequence[str], *, now: datetime, until: datetime
) -> list[DueDelivery]:
    """Return those of the deliveries that no other relay took meanwhile, now ours until then."""
    rows = schema.deliveries
    found = (
        select(rows)
        .where(
            rows.c.delivery_id.in_(delivery_ids),
            rows.c.state == DeliveryState.PENDING.value,
            rows.c.next_attempt_at <= now,
        )
        .with_for_update(skip_locked=True)
    )
    taken = connection.execute(found).all()
    ids = [row.delivery_id for row in taken]
    if until > now and ids:
        connection.execute(
            update(rows).where(rows.c.delivery_id.in_(ids)).values(next_attempt_at=until)
        )
    hooks = {
        row.webhook_id: _webhook(row)
        for row in connection.execute(
            select(schema.webhooks).where(
                schema.webhooks.c.webhook_id.in_({row.webhook_id for row in taken})
            )
        )
    }
    entries = {
        row.seq: entry_of(row)
        for row in connection.execute(
            select(schema.feed).where(schema.feed.c.seq.in_({row.seq for row in taken}))
        )
    }
    return [
        DueDelivery(delivery=_delivery(row), webhook=hooks[row.webhook_id], entry=entries[row.seq])
        for row in taken
    ]


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(
        webhook_id=row.webhook_id,
        url=row.url,
        secret=row.secret,
        is_enabled=row.is_enabled,
        min_severity=list(Severity)[row.min_severity_rank],
        created_at=row.created_at,
        disabled_reason=row.disabled_reason,
    )


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        delivery_id=row.delivery_id,
        webhook_id=row.webhook_id,
        event_id=row.event_id,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        last_status=row.last_status,
        last_error=row.last_error,
        latency_ms=row.latency_ms,
        created_at=row.created_at,
        delivered_at=row.delivered_at,
    )
