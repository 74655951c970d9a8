"""The connection to SQLite or PostgreSQL: pragmas, transactions, errors in our own words."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    URL,
    Connection,
    CursorResult,
    Engine,
    Table,
    create_engine,
    event,
    exc,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite

from contracts.cameras import redact_url
from contracts.errors import ConfigError, TransportUnavailable

_BUSY_TIMEOUT_MS: Final = 10_000
"""How long a SQLite writer waits for another; a writing transaction takes milliseconds."""
_POSTGRES_DRIVER: Final = "postgresql+psycopg"
_POSTGRES_CONNECT: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    # A database host that vanished is noticed within 10 s, not after the kernel's 15 minutes.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "options": "-c statement_timeout=30000 -c lock_timeout=10000 -c timezone=UTC",
}


class Database:
    """An engine that speaks to either database, with short reading and writing transactions.

    Args:
        url: SQLAlchemy URL: ``sqlite:///<path>`` or ``postgresql://…``. May hold a password.

    Raises:
        ConfigError: The URL names no database that is supported.
    """

    def __init__(self, url: str) -> None:
        parsed = checked_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.path = Path(str(parsed.database)) if self.is_sqlite else None
        if self.path:
            _make_private(self.path)
        options: dict[str, Any] = {"pool_timeout": 10.0, "hide_parameters": True}
        if self.is_sqlite:
            options["connect_args"] = {"timeout": _BUSY_TIMEOUT_MS / 1000}
        else:
            options["connect_args"] = _POSTGRES_CONNECT
            options["pool_pre_ping"] = True
        self._engine: Engine = create_engine(
            parsed, execution_options={"preserve_rowcount": True}, **options
        )
        if self.is_sqlite:
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        self._writing = self._engine.execution_options(vigil_writes=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that only reads. Raises TransportUnavailable, ConfigError."""
        with _in_our_words(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes; it is durable once the block has ended without error.

        Raises:
            TransportUnavailable: Not reached, busy for too long or out of space: try again.
            ConfigError: The tables are not there; ``migrate`` makes them.
        """
        with _in_our_words(), self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def insert_new(connection: Connection, table: Table, values: Mapping[str, object]) -> bool:
    """Insert the row unless its key is taken; say whether it was inserted."""
    statement = (
        postgresql.insert(table).values(**values).on_conflict_do_nothing()
        if connection.dialect.name == "postgresql"
        else sqlite.insert(table).values(**values).on_conflict_do_nothing()
    )
    result: CursorResult[Any] = connection.execute(statement)
    return result.rowcount == 1


def put_row(connection: Connection, table: Table, values: Mapping[str, object]) -> None:
    """Insert the row, or replace the one that has its primary key."""
    keys = [column.name for column in table.primary_key]
    changes = {name: value for name, value in values.items() if name not in keys}
    statement = (
        postgresql.insert(table)
        .values(**values)
        .on_conflict_do_update(index_elements=keys, set_=changes)
        if connection.dialect.name == "postgresql"
        else sqlite.insert(table)
        .values(**values)
        .on_conflict_do_update(index_elements=keys, set_=changes)
    )
    connection.execute(statement)


def checked_url(url: str) -> URL:
    """Return the URL with the driver that we use.

    Raises:
        ConfigError: It is not one of SQLite or PostgreSQL; secrets in it are not repeated.
    """
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise ConfigError(
            "database_url: is not a database URL; use sqlite:///<absolute path> or "
            "postgresql://user:password@host/database"
        ) from None  # its own text holds the URL
    backend = parsed.get_backend_name()
    if backend in ("postgres", "postgresql"):
        return parsed.set(drivername=_POSTGRES_DRIVER)
    if backend != "sqlite":
        raise ConfigError(
            f"database_url: {backend!r} in {redact_url(url)} is not supported; use sqlite or "
            "postgresql"
        )
    if parsed.database in (None, "", ":memory:"):
        raise ConfigError("database_url: SQLite needs a file here, sqlite:///<absolute path>")
    return parsed


def _make_private(path: Path) -> None:
    """Make the file readable to its owner only: it holds camera passwords and webhook secrets.

    A folder that is made here is private as well; one that is there already is the operator's.
    SQLite gives its ``-wal`` and ``-shm`` files the mode of the database.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise ConfigError(
            f"database_url: {path} cannot be opened for writing ({error.strerror})"
        ) from error


def _prepare_sqlite(connection: Any, record: object) -> None:  # noqa: ANN401  # sqlite3's, by SQLAlchemy
    del record
    connection.isolation_level = None  # SQLAlchemy's own BEGIN below, none of sqlite3's
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # FULL, not NORMAL: in WAL mode NORMAL does not sync at commit, so a power cut takes back
    # alerts whose queue items were already acknowledged. One sync per alert costs milliseconds.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: a reader that becomes a writer later fails with
    # SQLITE_BUSY without waiting if somebody else wrote in between.
    writes = connection.get_execution_options().get("vigil_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except exc.TimeoutError as error:
        raise TransportUnavailable("database: all connections are busy; trying again") from error
    except exc.DBAPIError as error:
        reason = " ".join(str(error.orig).split())[:300]
        if "no such table" in reason or "UndefinedTable" in type(error.orig).__name__:
            raise ConfigError(
                f"database: its tables are not there ({reason}); start vigil run once, it makes "
                "them"
            ) from error
        if error.connection_invalidated or isinstance(
            error, (exc.OperationalError, exc.InterfaceError)
        ):
            raise TransportUnavailable(f"database: {reason}") from error
        raise
