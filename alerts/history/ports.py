"""The storage ports: incidents, findings, alerts, feed, webhooks, cameras and sign-in.

Every method is one transaction: what it returned from is durable. Implementations raise
TransportUnavailable where the database cannot be reached and EvidenceMissing never.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from contracts.alerts import Alert, FeedType
from contracts.cameras import Camera
from contracts.incidents import EvidenceItem, Incident
from contracts.reasoning import Finding
from contracts.rules import RuleKind, Severity

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One line of the feed that SSE replays and webhooks deliver, in order of ``seq``.

    Attributes:
        seq: Grows by commit order; the SSE event id.
        event_id: CloudEvents ``id`` (``ce_…``), the same on every attempt and channel.
        cloud_event: The whole structured-mode CloudEvent, JSON-ready.
    """

    seq: int
    event_id: str
    feed_type: FeedType
    at: datetime
    cloud_event: Mapping[str, object]


class DeliveryState(StrEnum):
    """How a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up: refused for good, or all attempts spent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An integrator's endpoint. ``secret`` (``whsec_…``) is shown once, at creation."""

    webhook_id: str
    url: str = field(repr=False)
    secret: str = field(repr=False)
    is_enabled: bool = True
    min_severity: Severity = Severity.INFO
    created_at: datetime
    disabled_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one feed entry at one webhook."""

    delivery_id: str
    webhook_id: str
    event_id: str
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str
    latency_ms: float | None
    created_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """A delivery whose time has come, with all that is needed to send it."""

    delivery: Delivery
    webhook: Webhook
    entry: FeedEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[ItemT]):
    """Part of a listing, newest first; ``next_cursor`` is None on the last page."""

    items: tuple[ItemT, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts or events to list; an empty field does not restrict."""

    camera_ids: tuple[str, ...] = ()
    kinds: tuple[RuleKind, ...] = ()
    min_severity: Severity | None = None
    states: tuple[str, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFeedEntry:
    """A feed entry before it has its place in the order."""

    event_id: str
    feed_type: FeedType
    at: datetime
    cloud_event: Mapping[str, object]
    severity: Severity


class AlertHistory(Protocol):
    """What the alerts stage writes."""

    def alert_of_incident(self, incident_id: str) -> Alert | None:
        """Return the alert that an incident raised, if it did."""
        ...

    def latest_alerts(self, camera_id: str, rule_id: str, *, since: datetime) -> Sequence[Alert]:
        """Return alerts of one rule opened at or after ``since``, newest first."""
        ...

    def incident(self, incident_id: str) -> Incident | None:
        """Return the newest stored revision, later evidence included."""
        ...

    def store_incident(self, incident: Incident) -> bool:
        """Keep the incident if its revision is newer than what is stored; say whether it was."""
        ...

    def store_alert(self, alert: Alert, entry: NewFeedEntry) -> bool:
        """Keep alert, incident, finding, feed entry and one due delivery per webhook, at once.

        Returns False, and changes nothing, if this ``event_id`` is already in the feed or the
        stored alert has this revision or a newer one: a repeat.
        """
        ...

    def store_finding(self, finding: Finding) -> None:
        """Keep a finding that raised no alert (or was suppressed); a repeat changes nothing."""
        ...

    def add_evidence(self, incident_id: str, item: EvidenceItem) -> bool:
        """Add evidence that came later; False if the incident is not stored (yet)."""
        ...

    def count_suppressed(self, camera_id: str, rule_id: str, reason: str, *, at: datetime) -> None:
        """Count an alert that was not raised, by reason: suppression is never silent."""
        ...


class DispatchHistory(AlertHistory, Protocol):
    """What the dispatcher needs beyond ``AlertHistory``: to find its place again after a crash."""

    def store_incident(self, incident: Incident, *, suppressed: str = "") -> bool:
        """Keep the incident as ``AlertHistory`` says.

        Args:
            incident: At the revision at hand.
            suppressed: Why it raises no alert, if it does not. Counted in the same transaction,
                once for an incident however often its message is repeated.
        """
        ...

    def newest_finding(self, incident_id: str) -> Finding | None:
        """Return the finding about the newest revision, the newest of several."""
        ...

    def alerts_awaiting_reasoning(self, *, before: datetime, limit: int) -> Sequence[Alert]:
        """Return alerts that wait for a finding and were last told of before that, oldest first."""
        ...


class DeliveryHistory(Protocol):
    """What the webhook relay reads and writes."""

    def due_deliveries(
        self,
        *,
        now: datetime,
        limit: int,
        claim_s: float = 0.0,
        except_webhooks: Sequence[str] = (),
    ) -> Sequence[DueDelivery]:
        """Return pending deliveries whose time has come, oldest first, of enabled webhooks.

        Endpoints take turns, so that a long backlog of one does not keep another waiting.

        Args:
            now: Deliveries due at or before it are returned.
            limit: Deliveries at most.
            claim_s: Nobody else is given them for this long; a relay that dies has them tried
                again after it.
            except_webhooks: Endpoints that are being served already.
        """
        ...

    def record_attempt(self, delivery: Delivery) -> None:
        """Store how a delivery stands after an attempt."""
        ...

    def disable_webhook(self, webhook_id: str, *, reason: str) -> None:
        """Stop delivering to an endpoint until an administrator enables it again."""
        ...


class AlertArchive(Protocol):
    """What the API reads of incidents and alerts."""

    def list_alerts(self, where: AlertFilter, *, cursor: str | None, limit: int) -> Page[Alert]:
        """Return a page of alerts by (opened_at, id), newest first. ConfigError: bad cursor."""
        ...

    def alert(self, alert_id: str) -> Alert | None:
        """Return one alert."""
        ...

    def list_incidents(
        self, where: AlertFilter, *, cursor: str | None, limit: int
    ) -> Page[Incident]:
        """Return a page of incidents by (started_at, id), newest first. ConfigError: bad cursor."""
        ...

    def incident(self, incident_id: str) -> Incident | None:
        """Return one incident."""
        ...

    def finding_of_incident(self, incident_id: str) -> Finding | None:
        """Return the newest finding about an incident."""
        ...

    def feed_after(self, seq: int, *, limit: int) -> Sequence[FeedEntry]:
        """Return feed entries after ``seq``, in order."""
        ...

    def last_feed_seq(self) -> int:
        """Return the newest feed number, 0 if there is none."""
        ...

    def suppressed(self) -> Mapping[str, int]:
        """Return counts by ``camera/rule/reason``."""
        ...


class WebhookStore(Protocol):
    """What the API manages of webhooks."""

    def webhooks(self) -> Sequence[Webhook]:
        """Return all endpoints, oldest first."""
        ...

    def add_webhook(self, webhook: Webhook) -> None:
        """Add an endpoint; it receives what is stored from now on."""
        ...

    def change_webhook(
        self, webhook_id: str, *, is_enabled: bool, min_severity: Severity
    ) -> Webhook | None:
        """Change an endpoint and return it; enabling forgets why it was disabled. None: no such.

        What was pending when it was disabled is delivered when it is enabled again; what
        happened in between is not sent.
        """
        ...

    def remove_webhook(self, webhook_id: str) -> bool:
        """Remove an endpoint and its pending deliveries; False if there was none."""
        ...

    def deliveries(self, webhook_id: str, *, limit: int) -> Sequence[Delivery]:
        """Return an endpoint's deliveries, newest first."""
        ...

    def redeliver(self, delivery_id: str, *, at: datetime) -> Delivery | None:
        """Make a delivery due, with all its attempts again if it was settled. None: no such.

        One that is being tried at this moment may arrive twice, under the same ``webhook-id``.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One change that somebody made, or look that somebody took.

    Attributes:
        by: Name of the person; ``vigil`` for itself.
        how: What they were signed in by: link, password, an API token's name; ``start``: by none.
        action, subject: For instance ``camera.masks``; id of what was changed or looked at.
        before, after: What it was and became, JSON-ready. Of a look, ``after`` is what was seen.
    """

    at: datetime
    by: str
    how: str
    action: str
    subject: str
    before: object
    after: object


class AuditLog(Protocol):
    """What was changed by whom, written by the stores with the change; and who looked at what."""

    def audit_lines(self, subject: str, *, action: str, limit: int) -> Sequence[AuditLine]:
        """Return the newest lines about ``subject``, newest first; of any action if it is empty."""
        ...

    def add_line(self, line: AuditLine) -> None:
        """Add a line that belongs to no change."""
        ...


class CameraStore(Protocol):
    """The source of truth about cameras."""

    def cameras(self) -> Sequence[Camera]:
        """Return all cameras by id."""
        ...

    def camera(self, camera_id: str) -> Camera | None:
        """Return one camera."""
        ...

    def save_camera(self, camera: Camera, *, line: AuditLine | None = None) -> None:
        """Insert or replace a camera, with the audit line of the change if it has one."""
        ...

    def remove_camera(self, camera_id: str, *, line: AuditLine | None = None) -> bool:
        """Remove a camera (its history stays); False, and no line, if there was none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who can sign in. One role for now: ``admin``."""

    user_id: str
    name: str
    role: str
    password_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A session, API token or one-time link; only the hash of the secret is stored.

    Attributes:
        credential_id: Public part.
        kind: ``session``, ``token`` or ``link``.
        secret_sha256: Hex digest of the secret part.
        name: For tokens, what it is for.
    """

    credential_id: str
    kind: str
    user_id: str
    secret_sha256: str
    name: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None


class SignInStore(Protocol):
    """Users and their credentials."""

    def user(self, user_id: str) -> User | None:
        """Return one user."""
        ...

    def user_named(self, name: str) -> User | None:
        """Return the user of that sign-in name."""
        ...

    def save_user(self, user: User) -> None:
        """Insert or replace a user."""
        ...

    def credential(self, credential_id: str) -> Credential | None:
        """Return one credential, expired or not."""
        ...

    def credentials(self, *, kind: str) -> Sequence[Credential]:
        """Return all credentials of a kind, newest first."""
        ...

    def save_credential(self, credential: Credential) -> None:
        """Insert or replace a credential."""
        ...

    def take_credential(self, credential_id: str) -> Credential | None:
        """Remove a credential and return it: of two callers at once, one gets it."""
        ...
