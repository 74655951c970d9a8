"""The tables. Contracts are kept as JSON documents; beside them stands what queries ask for.

A new table or column needs a migration in ``alerts/history/migrations/versions/``; a test holds
the two together.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    """Return microseconds since 1970 of an aware time; exact, unlike a float of seconds."""
    return (at - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the UTC time of microseconds since 1970."""
    return _EPOCH + micros * _MICROSECOND


class UtcMicros(TypeDecorator[datetime]):
    """An aware UTC time as an integer, so that both databases compare and sort it alike.

    SQLite has no time type, and its text form sorts wrongly once offsets or precision differ.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return what is stored."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return what was given."""
        return None if value is None else from_micros(value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

incidents = Table(
    "incidents",
    metadata,
    Column("incident_id", String(80), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("camera_id", String(63), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("severity_rank", SmallInteger, nullable=False),
    Column("state", String(20), nullable=False),
    Column("started_at", UtcMicros, nullable=False),
    # Why no alert was raised, once counted: a repeat of the message must not count again.
    Column("suppressed", String(40), nullable=False, server_default=""),
    Column("document", Text, nullable=False),
    Index(None, "started_at", "incident_id"),
    Index(None, "camera_id", "started_at", "incident_id"),
)

# No foreign key to incidents: a finding may overtake its incident.
findings = Table(
    "findings",
    metadata,
    Column("finding_id", String(80), primary_key=True),
    Column("incident_id", String(80), nullable=False),
    Column("incident_revision", Integer, nullable=False),
    Column("created_at", UtcMicros, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "incident_id", "incident_revision", "created_at"),
)

# The document leaves incident and finding out; they are read from their own rows, so that an
# alert always shows the newest incident with its late evidence.
alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", String(80), primary_key=True),
    Column("incident_id", ForeignKey("incidents.incident_id"), nullable=False, unique=True),
    Column("finding_id", ForeignKey("findings.finding_id"), nullable=True),
    Column("revision", Integer, nullable=False),
    Column("camera_id", String(63), nullable=False),
    Column("rule_id", String(63), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("severity_rank", SmallInteger, nullable=False),
    Column("state", String(20), nullable=False),
    Column("opened_at", UtcMicros, nullable=False),
    Column("updated_at", UtcMicros, nullable=False),
    Column("awaits_reasoning", Boolean, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "opened_at", "alert_id"),
    Index(None, "camera_id", "rule_id", "opened_at"),
    Index(None, "awaits_reasoning", "updated_at"),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("camera_id", String(63), primary_key=True),
    Column("rule_id", String(63), primary_key=True),
    Column("reason", String(40), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("last_at", UtcMicros, nullable=False),
)

feed = Table(
    "feed",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", String(80), nullable=False, unique=True),
    Column("alert_id", String(80), nullable=False),
    Column("feed_type", String(60), nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("document", Text, nullable=False),
)

# One row. A sequence or identity column would hand out numbers before commit, and a reader that
# has seen 7 would never look for a 6 that commits later. Raising this row's number inside the
# writing transaction holds its lock until commit, so numbers appear in the order of commits.
feed_counter = Table(
    "feed_counter",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("last_seq", BigInteger, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("webhook_id", String(80), primary_key=True),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("min_severity_rank", SmallInteger, nullable=False),
    Column("created_at", UtcMicros, nullable=False),
    Column("disabled_reason", Text, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", String(80), primary_key=True),
    Column("webhook_id", ForeignKey("webhooks.webhook_id", ondelete="CASCADE"), nullable=False),
    Column("seq", ForeignKey("feed.seq"), nullable=False),
    Column("event_id", String(80), nullable=False),
    Column("alert_id", String(80), nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcMicros, nullable=True),
    Column("last_status", Integer, nullable=True),
    Column("last_error", Text, nullable=False),
    Column("latency_ms", Float, nullable=True),
    Column("created_at", UtcMicros, nullable=False),
    Column("delivered_at", UtcMicros, nullable=True),
    Index(None, "state", "next_attempt_at"),
    Index(None, "webhook_id", "seq"),
    Index(None, "alert_id", "webhook_id"),
)

cameras = Table(
    "cameras",
    metadata,
    Column("camera_id", String(63), primary_key=True),
    Column("document", Text, nullable=False),
)

# Only ever added to: no code changes or removes a line.
audit = Table(
    "audit",
    metadata,
    # In the order of writing: clocks are set back, and two changes may have one time.
    Column("seq", Integer, primary_key=True),
    Column("at", UtcMicros, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("how", String(200), nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "subject", "action", "seq"),
)

users = Table(
    "users",
    metadata,
    Column("user_id", String(80), primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("role", String(40), nullable=False),
    Column("password_hash", Text, nullable=False),
)

credentials = Table(
    "credentials",
    metadata,
    Column("credential_id", String(80), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("user_id", String(80), nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", UtcMicros, nullable=False),
    Column("expires_at", UtcMicros, nullable=False),
    Column("last_used_at", UtcMicros, nullable=True),
    Index(None, "kind", "created_at"),
)

watches = Table(
    "watches",
    metadata,
    Column("camera_id", String(63), primary_key=True),
    Column("started_at", UtcMicros, primary_key=True),
    Column("ended_at", UtcMicros, nullable=False),
    Column("state", String(20), nullable=False),
    Column("phase", String(20), nullable=False),
    Column("cause", Text, nullable=False),
    Index(None, "ended_at"),
)
