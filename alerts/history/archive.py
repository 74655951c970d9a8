"""What the API reads of incidents, alerts and the feed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Row, Select, Table, select

from alerts.history import feed, incidents, schema
from alerts.history.alerts import alert_of, all_alerts, whole_alerts
from alerts.history.cursors import encode_cursor, older_than
from alerts.history.database import Database
from alerts.history.ports import AlertFilter, FeedEntry, Page
from contracts.alerts import Alert
from contracts.codec import decode
from contracts.errors import ConfigError
from contracts.incidents import Incident
from contracts.reasoning import Finding

ItemT = TypeVar("ItemT")


class SqlAlertArchive:
    """Implements ``AlertArchive``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_alerts(self, where: AlertFilter, *, cursor: str | None, limit: int) -> Page[Alert]:
        """Return a page of alerts, newest first; see the port."""
        rows = schema.alerts
        found = _page_of(
            _filtered(whole_alerts(), rows, rows.c.opened_at, where),
            (rows.c.opened_at, rows.c.alert_id),
            cursor=cursor,
            limit=limit,
        )
        with self._database.read() as connection:
            listed = all_alerts(connection, found)
        return _page(listed, limit, lambda alert: (alert.opened_at, alert.alert_id))

    def alert(self, alert_id: str) -> Alert | None:
        """Return one alert."""
        with self._database.read() as connection:
            found = whole_alerts().where(schema.alerts.c.alert_id == alert_id)
            return alert_of(connection.execute(found).first())

    def list_incidents(
        self, where: AlertFilter, *, cursor: str | None, limit: int
    ) -> Page[Incident]:
        """Return a page of incidents, newest first; see the port."""
        rows = schema.incidents
        found = _page_of(
            _filtered(select(rows.c.document), rows, rows.c.started_at, where),
            (rows.c.started_at, rows.c.incident_id),
            cursor=cursor,
            limit=limit,
        )
        with self._database.read() as connection:
            listed = [_incident(row) for row in connection.execute(found)]
        return _page(listed, limit, lambda item: (item.started_at, item.incident_id))

    def incident(self, incident_id: str) -> Incident | None:
        """Return one incident."""
        with self._database.read() as connection:
            return incidents.incident_of(connection, incident_id)

    def finding_of_incident(self, incident_id: str) -> Finding | None:
        """Return the newest finding about an incident."""
        with self._database.read() as connection:
            return incidents.newest_finding(connection, incident_id)

    def feed_after(self, seq: int, *, limit: int) -> Sequence[FeedEntry]:
        """Return feed entries after ``seq``, in order."""
        with self._database.read() as connection:
            return feed.feed_after(connection, seq, limit=limit)

    def last_feed_seq(self) -> int:
        """Return the newest feed number, 0 if there is none."""
        with self._database.read() as connection:
            return feed.last_seq(connection)

    def suppressed(self) -> Mapping[str, int]:
        """Return counts by ``camera/rule/reason``."""
        rows = schema.suppressions
        found = select(rows).order_by(rows.c.camera_id, rows.c.rule_id, rows.c.reason)
        with self._database.read() as connection:
            return {
                f"{row.camera_id}/{row.rule_id}/{row.reason}": row._mapping["count"]
                for row in connection.execute(found)
            }


def _filtered(found: Select[Any], rows: Table, at: Any, where: AlertFilter) -> Select[Any]:  # noqa: ANN401  # a column
    if where.camera_ids:
        found = found.where(rows.c.camera_id.in_(where.camera_ids))
    if where.kinds:
        found = found.where(rows.c.kind.in_([kind.value for kind in where.kinds]))
    if where.min_severity:
        found = found.where(rows.c.severity_rank >= where.min_severity.rank)
    if where.states:
        found = found.where(rows.c.state.in_(where.states))
    if where.starts_at:
        found = found.where(at >= where.starts_at)
    if where.ends_at:
        found = found.where(at < where.ends_at)
    return found


def _page_of(
    found: Select[Any], key: tuple[Any, Any], *, cursor: str | None, limit: int
) -> Select[Any]:
    if limit < 1:
        raise ConfigError(f"limit must be at least 1, got {limit}")
    if cursor is not None:
        found = found.where(older_than(cursor, *key))
    # One more than asked for says whether there is a next page.
    return found.order_by(*(column.desc() for column in key)).limit(limit + 1)


def _page(
    listed: list[ItemT], limit: int, key: Callable[[ItemT], tuple[datetime, str]]
) -> Page[ItemT]:
    items = tuple(listed[:limit])
    has_more = len(listed) > limit
    return Page(items=items, next_cursor=encode_cursor(*key(items[-1])) if has_more else None)


def _incident(row: Row[Any]) -> Incident:
    return decode(row.document.encode(), Incident)
