"""What the alerts stage writes, and how an alert is put together from its rows."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, select, update

from alerts.history import feed, incidents, schema
from alerts.history.database import Database, insert_new
from alerts.history.ports import NewFeedEntry
from alerts.lifecycle import awaits_reasoning
from contracts.alerts import Alert
from contracts.codec import decode, encode
from contracts.errors import VigilError
from contracts.incidents import EvidenceItem, Incident
from contracts.reasoning import Finding

_OWN_ROWS: Final = frozenset({"incident", "finding"})
"""Fields of an alert that are kept in rows of their own."""


class _Repeat(VigilError):  # noqa: N818  # no error: it ends a transaction early
    """Ends a transaction that found its work done already."""


class SqlAlertHistory:
    """Implements ``DispatchHistory``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def alert_of_incident(self, incident_id: str) -> Alert | None:
        """Return the incident's alert; see the port."""
        with self._database.read() as connection:
            found = whole_alerts().where(schema.alerts.c.incident_id == incident_id)
            return alert_of(connection.execute(found).first())

    def latest_alerts(self, camera_id: str, rule_id: str, *, since: datetime) -> Sequence[Alert]:
        """Return alerts of one rule, newest first; see the port."""
        rows = schema.alerts
        found = (
            whole_alerts()
            .where(
                rows.c.camera_id == camera_id,
                rows.c.rule_id == rule_id,
                rows.c.opened_at >= since,
            )
            .order_by(rows.c.opened_at.desc(), rows.c.alert_id.desc())
        )
        with self._database.read() as connection:
            return all_alerts(connection, found)

    def incident(self, incident_id: str) -> Incident | None:
        """Return the newest revision, late evidence included."""
        with self._database.read() as connection:
            return incidents.incident_of(connection, incident_id)

    def newest_finding(self, incident_id: str) -> Finding | None:
        """Return the newest finding about the newest revision; see the port."""
        with self._database.read() as connection:
            return incidents.newest_finding(connection, incident_id)

    def alerts_awaiting_reasoning(self, *, before: datetime, limit: int) -> Sequence[Alert]:
        """Return alerts that wait for a finding, oldest first; see the port."""
        rows = schema.alerts
        found = (
            whole_alerts()
            .where(rows.c.awaits_reasoning.is_(True), rows.c.updated_at <= before)
            .order_by(rows.c.updated_at, rows.c.alert_id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return all_alerts(connection, found)

    def store_incident(self, incident: Incident, *, suppressed: str = "") -> bool:
        """Keep the incident and count its suppression, at once; see the port."""
        with self._database.write() as connection:
            is_newer = incidents.keep_incident(connection, incident)
            if suppressed:
                incidents.count_suppression_once(connection, incident, suppressed)
            return is_newer

    def store_alert(self, alert: Alert, entry: NewFeedEntry) -> bool:
        """Keep alert, incident, finding, feed entry and due deliveries, at once; see the port."""
        try:
            with self._database.write() as connection:
                # First the incident, whose row makes writers about it take turns.
                incidents.keep_incident(connection, alert.incident)
                _refuse_repeat(connection, entry)
                if alert.finding:
                    incidents.keep_finding(connection, alert.finding)
                _keep_alert(connection, alert)
                feed.append(connection, entry, alert_id=alert.alert_id)
        except _Repeat:
            return False
        return True

    def store_finding(self, finding: Finding) -> None:
        """Keep a finding; a repeat changes nothing."""
        with self._database.write() as connection:
            incidents.keep_finding(connection, finding)

    def add_evidence(self, incident_id: str, item: EvidenceItem) -> bool:
        """Add evidence that came later; False if the incident is not stored (yet)."""
        with self._database.write() as connection:
            return incidents.add_evidence(connection, incident_id, item)

    def count_suppressed(self, camera_id: str, rule_id: str, reason: str, *, at: datetime) -> None:
        """Count an alert that was not raised; each call counts."""
        with self._database.write() as connection:
            incidents.count_suppression(connection, camera_id, rule_id, reason, at=at)


def whole_alerts() -> Select[Any]:
    """Return the query for alerts together with their incidents and findings."""
    return (
        select(
            schema.alerts.c.alert_id,
            schema.alerts.c.opened_at,
            schema.alerts.c.document,
            schema.incidents.c.document.label("incident_document"),
            schema.findings.c.document.label("finding_document"),
        )
        .join(schema.incidents, schema.incidents.c.incident_id == schema.alerts.c.incident_id)
        .join(
            schema.findings,
            schema.findings.c.finding_id == schema.alerts.c.finding_id,
            isouter=True,
        )
    )


def all_alerts(connection: Connection, found: Select[Any]) -> list[Alert]:
    """Return the alerts that a query of ``whole_alerts`` finds, in its order."""
    alerts = (alert_of(row) for row in connection.execute(found))
    return [alert for alert in alerts if alert is not None]


def alert_of(row: Any) -> Alert | None:  # noqa: ANN401  # a row of whole_alerts, or None
    """Return the alert of a row of ``whole_alerts``; None stays None."""
    if row is None:
        return None
    # The three documents become one before they are parsed: once, and with all checks.
    finding = row.finding_document or "null"
    parts = f'{row.document[:-1]},"incident":{row.incident_document},"finding":{finding}}}'
    return decode(parts.encode(), Alert)


def _refuse_repeat(connection: Connection, entry: NewFeedEntry) -> None:
    if feed.is_told(connection, entry.event_id):
        raise _Repeat("told already")


def _keep_alert(connection: Connection, alert: Alert) -> None:
    rows = schema.alerts
    values = _columns(alert)
    stored = connection.execute(
        select(rows.c.revision).where(rows.c.alert_id == alert.alert_id).with_for_update()
    ).scalar()
    if stored is None:
        if not insert_new(connection, rows, values):
            raise _Repeat("stored meanwhile")
        return
    if stored >= alert.revision:
        raise _Repeat("this revision or a newer one is stored")
    connection.execute(update(rows).where(rows.c.alert_id == alert.alert_id).values(**values))


def _columns(alert: Alert) -> dict[str, object]:
    kept = {
        field.name: getattr(alert, field.name)
        for field in fields(alert)
        if field.name not in _OWN_ROWS
    }
    return {
        "alert_id": alert.alert_id,
        "incident_id": alert.incident.incident_id,
        "finding_id": alert.finding.finding_id if alert.finding else None,
        "revision": alert.revision,
        "camera_id": alert.camera_id,
        "rule_id": alert.incident.rule_events[0].rule_id,
        "kind": alert.kind.value,
        "severity_rank": alert.severity.rank,
        "state": alert.state.value,
        "opened_at": alert.opened_at,
        "updated_at": alert.updated_at,
        "awaits_reasoning": awaits_reasoning(alert),
        "document": encode(kept).decode(),
    }
