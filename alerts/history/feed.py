"""The feed: what was told, in the order of commits, and who is to be told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, exists, insert, or_, select, update

from alerts.history import schema
from alerts.history.database import insert_new
from alerts.history.ports import DeliveryState, FeedEntry, NewFeedEntry
from contracts.alerts import FeedType
from contracts.errors import VigilError
from contracts.ids import derived_id

FEED_COUNTER: Final = "feed"
"""Name of the row in ``feed_counter``; the first migration makes it."""


def is_told(connection: Connection, event_id: str) -> bool:
    """Say whether the event is in the feed."""
    found = select(schema.feed.c.seq).where(schema.feed.c.event_id == event_id)
    return connection.execute(found).first() is not None


def append(connection: Connection, entry: NewFeedEntry, *, alert_id: str) -> None:
    """Append an entry and make its deliveries due.

    Takes the feed's lock until the transaction ends, so it comes last in one.

    An endpoint is told if the severity is high enough for it, or if it was told of this alert
    before: who heard the alarm also hears that it was lowered.
    """
    counter = schema.feed_counter
    raised = (
        update(counter)
        .where(counter.c.name == FEED_COUNTER)
        .values(last_seq=counter.c.last_seq + 1)
        .returning(counter.c.last_seq)
    )
    seq = connection.execute(raised).scalar()
    if seq is None:
        raise VigilError("database: the row of feed_counter is missing; restore it from a backup")
    document = msgspec.json.encode(entry.cloud_event).decode()
    connection.execute(
        insert(schema.feed).values(
            seq=seq,
            event_id=entry.event_id,
            alert_id=alert_id,
            feed_type=entry.feed_type.value,
            at=entry.at,
            document=document,
        )
    )
    for webhook_id in _receivers(connection, alert_id, entry):
        _make_due(connection, webhook_id, seq, entry, alert_id)


def feed_after(connection: Connection, seq: int, *, limit: int) -> list[FeedEntry]:
    """Return entries after ``seq``, in order."""
    found = select(schema.feed).where(schema.feed.c.seq > seq).order_by(schema.feed.c.seq)
    return [entry_of(row) for row in connection.execute(found.limit(limit))]


def last_seq(connection: Connection) -> int:
    """Return the newest number, 0 if nothing was told yet."""
    counter = schema.feed_counter
    found = select(counter.c.last_seq).where(counter.c.name == FEED_COUNTER)
    return int(connection.execute(found).scalar() or 0)


def entry_of(row: Row[Any]) -> FeedEntry:
    """Return the entry that a row of the feed holds."""
    return _entry(
        seq=row.seq,
        event_id=row.event_id,
        feed_type=row.feed_type,
        at=row.at,
        document=row.document,
    )


def _entry(*, seq: int, event_id: str, feed_type: str, at: datetime, document: str) -> FeedEntry:
    cloud_event: Mapping[str, object] = msgspec.json.decode(document, type=dict[str, object])
    return FeedEntry(
        seq=seq,
        event_id=event_id,
        feed_type=FeedType(feed_type),
        at=at,
        cloud_event=cloud_event,
    )


def _receivers(connection: Connection, alert_id: str, entry: NewFeedEntry) -> Sequence[str]:
    hooks, sent = schema.webhooks, schema.deliveries
    was_told = exists().where(sent.c.alert_id == alert_id, sent.c.webhook_id == hooks.c.webhook_id)
    found = (
        select(hooks.c.webhook_id)
        .where(
            hooks.c.is_enabled.is_(True),
            or_(hooks.c.min_severity_rank <= entry.severity.rank, was_told),
        )
        .order_by(hooks.c.webhook_id)
        # On PostgreSQL an endpoint that is being removed must not go before its delivery is in.
        .with_for_update(read=True, key_share=True)
    )
    return connection.execute(found).scalars().all()


def _make_due(
    connection: Connection, webhook_id: str, seq: int, entry: NewFeedEntry, alert_id: str
) -> None:
    insert_new(
        connection,
        schema.deliveries,
        {
            "delivery_id": derived_id("dl", webhook_id, entry.event_id),
            "webhook_id": webhook_id,
            "seq": seq,
            "event_id": entry.event_id,
            "alert_id": alert_id,
            "state": DeliveryState.PENDING.value,
            "attempts": 0,
            "next_attempt_at": entry.at,
            "last_error": "",
            "created_at": entry.at,
        },
    )
