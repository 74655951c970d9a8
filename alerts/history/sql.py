"""The history on SQLite or PostgreSQL: opening it, and bringing its tables up to date."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from alerts.history.alerts import SqlAlertHistory
from alerts.history.archive import SqlAlertArchive
from alerts.history.audit import SqlAuditLog
from alerts.history.cameras import SqlCameraStore
from alerts.history.database import Database
from alerts.history.ports import (
    AlertArchive,
    AuditLog,
    CameraStore,
    DeliveryHistory,
    DispatchHistory,
    SignInStore,
    WebhookStore,
)
from alerts.history.sign_in import SqlSignInStore
from alerts.history.watches import SqlWatchLog, WatchLog
from alerts.history.webhooks import SqlDeliveryHistory, SqlWebhookStore

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_MIGRATION_LOCK: Final = 0x56494749
"""``VIGI``: the advisory lock that processes hold on PostgreSQL while they migrate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All storage ports over one database. Safe to share between threads.

    Attributes:
        alerts: What the dispatcher (and the API's acknowledgements) write.
        deliveries: What the webhook relay works on.
        archive: What the API reads.
    """

    alerts: DispatchHistory
    deliveries: DeliveryHistory
    archive: AlertArchive
    webhooks: WebhookStore
    cameras: CameraStore
    sign_in: SignInStore
    watches: WatchLog
    audit: AuditLog
    database: Database

    def close(self) -> None:
        """Close the database's connections."""
        self.database.close()


def open_history(url: str) -> History:
    """Return the history in a database that ``migrate`` has prepared.

    Connects when first used, so that a database that is down only delays work.

    Args:
        url: ``sqlite:///<path>`` or ``postgresql://user:password@host/database``.

    Raises:
        ConfigError: The URL is not supported, or the SQLite file cannot be opened.
    """
    database = Database(url)
    return History(
        alerts=SqlAlertHistory(database),
        deliveries=SqlDeliveryHistory(database),
        archive=SqlAlertArchive(database),
        webhooks=SqlWebhookStore(database),
        cameras=SqlCameraStore(database),
        sign_in=SqlSignInStore(database),
        watches=SqlWatchLog(database),
        audit=SqlAuditLog(database),
        database=database,
    )


def migrate(url: str) -> None:
    """Bring the tables up to date; processes that start at once take turns.

    All of it is one transaction: a migration that fails leaves the database as it was.

    Raises:
        ConfigError: The URL is not supported.
        TransportUnavailable: The database cannot be reached.
    """
    database = Database(url)
    try:
        with _one_at_a_time(database), database.write() as connection:
            if not database.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            _upgrade(connection)
    finally:
        database.close()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextmanager
def _one_at_a_time(database: Database) -> Iterator[None]:
    """Hold a lock file beside a SQLite database: turning WAL on does not wait for others."""
    if database.path is None:
        yield
        return
    lock = database.path.with_name(f"{database.path.name}.migrating")
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
