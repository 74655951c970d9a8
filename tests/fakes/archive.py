"""The history ports in memory: what the API reads and writes, without a database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol, TypeVar, cast

from alerts.history.ports import (
    AlertArchive,
    AlertFilter,
    AlertHistory,
    AuditLine,
    AuditLog,
    CameraStore,
    Credential,
    Delivery,
    DeliveryState,
    FeedEntry,
    NewFeedEntry,
    Page,
    SignInStore,
    User,
    Webhook,
    WebhookStore,
)
from alerts.history.sql import History
from contracts.alerts import Alert
from contracts.cameras import Camera
from contracts.errors import ConfigError, TransportUnavailable
from contracts.incidents import EvidenceItem, Incident
from contracts.reasoning import Finding
from contracts.rules import Severity

ItemT = TypeVar("ItemT")


class WebHistory(
    AlertArchive, AlertHistory, WebhookStore, CameraStore, AuditLog, SignInStore, Protocol
):
    """All of the history that the API uses, in one object."""


class JoinedHistory:
    """A real history's parts as one object; what no part has is an AttributeError."""

    def __init__(self, history: History) -> None:
        self._parts = (
            history.archive,
            history.alerts,
            history.webhooks,
            history.cameras,
            history.audit,
            history.sign_in,
        )

    def __getattr__(self, name: str) -> object:
        part = next((part for part in self._parts if hasattr(part, name)), self._parts[0])
        return getattr(part, name)


def joined(history: History) -> WebHistory:
    """A real history as the API's fakes want it."""
    return cast(WebHistory, JoinedHistory(history))


class InMemoryHistory:
    """Implements what the API needs of ``alerts.history.ports``.

    ``is_down`` makes every reading of alerts and of the feed raise.
    """

    def __init__(self) -> None:
        self.is_down = False
        self.alerts: dict[str, Alert] = {}
        self.incidents: dict[str, Incident] = {}
        self.findings: dict[str, Finding] = {}
        self.feed: list[FeedEntry] = []
        self.added_webhooks: dict[str, Webhook] = {}
        self.recorded_deliveries: list[Delivery] = []
        self.saved_cameras: dict[str, Camera] = {}
        self.audit: list[AuditLine] = []
        self.users: dict[str, User] = {}
        self.saved_credentials: dict[str, Credential] = {}

    def list_alerts(self, where: AlertFilter, *, cursor: str | None, limit: int) -> Page[Alert]:
        self._check()
        found = [
            alert
            for alert in sorted(
                self.alerts.values(), key=lambda a: (a.opened_at, a.alert_id), reverse=True
            )
            if _passes(where, alert.camera_id, alert.severity.rank, alert.opened_at)
            and (not where.states or alert.state in where.states)
            and (not where.kinds or alert.kind in where.kinds)
        ]
        return _page([(alert.alert_id, alert) for alert in found], cursor, limit)

    def alert(self, alert_id: str) -> Alert | None:
        self._check()
        return self.alerts.get(alert_id)

    def list_incidents(
        self, where: AlertFilter, *, cursor: str | None, limit: int
    ) -> Page[Incident]:
        self._check()
        found = [
            incident
            for incident in sorted(
                self.incidents.values(), key=lambda i: (i.started_at, i.incident_id), reverse=True
            )
            if _passes(where, incident.camera_id, incident.severity.rank, incident.started_at)
            and (not where.states or incident.state in where.states)
            and (not where.kinds or incident.kind in where.kinds)
        ]
        return _page([(incident.incident_id, incident) for incident in found], cursor, limit)

    def incident(self, incident_id: str) -> Incident | None:
        return self.incidents.get(incident_id)

    def finding_of_incident(self, incident_id: str) -> Finding | None:
        return self.findings.get(incident_id)

    def feed_after(self, seq: int, *, limit: int) -> Sequence[FeedEntry]:
        self._check()
        return [entry for entry in self.feed if entry.seq > seq][:limit]

    def last_feed_seq(self) -> int:
        self._check()
        return self.feed[-1].seq if self.feed else 0

    def suppressed(self) -> Mapping[str, int]:
        return {}

    def alert_of_incident(self, incident_id: str) -> Alert | None:
        found = (a for a in self.alerts.values() if a.incident.incident_id == incident_id)
        return next(found, None)

    def latest_alerts(self, camera_id: str, rule_id: str, *, since: datetime) -> Sequence[Alert]:
        return [
            alert
            for alert in self.alerts.values()
            if alert.camera_id == camera_id
            and alert.opened_at >= since
            and alert.incident.rule_events[0].rule_id == rule_id
        ]

    def store_incident(self, incident: Incident) -> bool:
        known = self.incidents.get(incident.incident_id)
        if known and known.revision >= incident.revision:
            return False
        self.incidents[incident.incident_id] = incident
        return True

    def store_alert(self, alert: Alert, entry: NewFeedEntry) -> bool:
        known = self.alerts.get(alert.alert_id)
        if known and known.revision >= alert.revision:
            return False
        self.alerts[alert.alert_id] = alert
        self.incidents[alert.incident.incident_id] = alert.incident
        if alert.finding:
            self.findings[alert.incident.incident_id] = alert.finding
        self.append(entry)
        return True

    def append(self, entry: NewFeedEntry) -> None:
        """Give an entry the next place in the feed."""
        self.feed.append(
            FeedEntry(
                seq=len(self.feed) + 1,
                event_id=entry.event_id,
                feed_type=entry.feed_type,
                at=entry.at,
                cloud_event=entry.cloud_event,
            )
        )

    def store_finding(self, finding: Finding) -> None:
        self.findings[finding.incident_id] = finding

    def add_evidence(self, incident_id: str, item: EvidenceItem) -> bool:
        known = self.incidents.get(incident_id)
        if known is None:
            return False
        self.incidents[incident_id] = replace(known, evidence=(*known.evidence, item))
        return True

    def count_suppressed(self, camera_id: str, rule_id: str, reason: str, *, at: datetime) -> None:
        del camera_id, rule_id, reason, at

    def webhooks(self) -> Sequence[Webhook]:
        return list(self.added_webhooks.values())

    def add_webhook(self, webhook: Webhook) -> None:
        self.added_webhooks[webhook.webhook_id] = webhook

    def change_webhook(
        self, webhook_id: str, *, is_enabled: bool, min_severity: Severity
    ) -> Webhook | None:
        known = self.added_webhooks.get(webhook_id)
        if known is None:
            return None
        changed = replace(
            known,
            is_enabled=is_enabled,
            min_severity=min_severity,
            disabled_reason="" if is_enabled else known.disabled_reason,
        )
        self.added_webhooks[webhook_id] = changed
        return changed

    def remove_webhook(self, webhook_id: str) -> bool:
        return self.added_webhooks.pop(webhook_id, None) is not None

    def deliveries(self, webhook_id: str, *, limit: int) -> Sequence[Delivery]:
        return [d for d in self.recorded_deliveries if d.webhook_id == webhook_id][:limit]

    def redeliver(self, delivery_id: str, *, at: datetime) -> Delivery | None:
        for index, known in enumerate(self.recorded_deliveries):
            if known.delivery_id == delivery_id:
                due = replace(known, state=DeliveryState.PENDING, attempts=0, next_attempt_at=at)
                self.recorded_deliveries[index] = due
                return due
        return None

    def cameras(self) -> Sequence[Camera]:
        return [self.saved_cameras[camera_id] for camera_id in sorted(self.saved_cameras)]

    def camera(self, camera_id: str) -> Camera | None:
        return self.saved_cameras.get(camera_id)

    def save_camera(self, camera: Camera, *, line: AuditLine | None = None) -> None:
        self.saved_cameras[camera.camera_id] = camera
        self.audit.extend([line] if line else [])

    def remove_camera(self, camera_id: str, *, line: AuditLine | None = None) -> bool:
        is_removed = self.saved_cameras.pop(camera_id, None) is not None
        self.audit.extend([line] if line and is_removed else [])
        return is_removed

    def audit_lines(self, subject: str, *, action: str, limit: int) -> Sequence[AuditLine]:
        found = [line for line in self.audit if line.subject == subject]
        lines = [line for line in found if action in ("", line.action)]
        return lines[: -limit - 1 : -1]

    def add_line(self, line: AuditLine) -> None:
        self.audit.append(line)

    def user(self, user_id: str) -> User | None:
        return self.users.get(user_id)

    def user_named(self, name: str) -> User | None:
        return next((user for user in self.users.values() if user.name == name), None)

    def save_user(self, user: User) -> None:
        self.users[user.user_id] = user

    def credential(self, credential_id: str) -> Credential | None:
        return self.saved_credentials.get(credential_id)

    def credentials(self, *, kind: str) -> Sequence[Credential]:
        return [item for item in self.saved_credentials.values() if item.kind == kind][::-1]

    def save_credential(self, credential: Credential) -> None:
        self.saved_credentials[credential.credential_id] = credential

    def take_credential(self, credential_id: str) -> Credential | None:
        return self.saved_credentials.pop(credential_id, None)

    def _check(self) -> None:
        if self.is_down:
            raise TransportUnavailable("history: told to be down")


def _passes(where: AlertFilter, camera_id: str, rank: int, at: datetime) -> bool:
    return (
        (not where.camera_ids or camera_id in where.camera_ids)
        and (where.min_severity is None or rank >= where.min_severity.rank)
        and (where.starts_at is None or at >= where.starts_at)
        and (where.ends_at is None or at < where.ends_at)
    )


def _page(items: list[tuple[str, ItemT]], cursor: str | None, limit: int) -> Page[ItemT]:
    ids = [item_id for item_id, _ in items]
    if cursor is not None and cursor not in ids:
        raise ConfigError("cursor: unknown; use next_cursor of the page before")
    start = ids.index(cursor) + 1 if cursor is not None else 0
    page = items[start : start + limit]
    has_more = start + limit < len(items)
    return Page(
        items=tuple(item for _, item in page), next_cursor=page[-1][0] if has_more else None
    )
