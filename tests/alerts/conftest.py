"""Histories on both databases."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from alerts.history.sql import History, migrate, open_history
from contracts.settings import AlertSettings
from tests.alerts.bench import Bench, bench_with
from tests.alerts.postgres_server import PostgresServer, PostgresUnavailable

_TABLES = (
    "deliveries, webhooks, alerts, findings, incidents, suppressions, feed, cameras, users, "
    "credentials, watches, audit"
)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL; tests that need one are skipped, with the reason, where none can run."""
    server = PostgresServer()
    try:
        server.start()
    except PostgresUnavailable as error:
        server.stop()
        pytest.skip(f"no PostgreSQL here: {error}")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated_postgres(postgres: PostgresServer) -> str:
    """URL of a database with our tables."""
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE vigil")
    migrate(postgres.url("vigil"))
    return postgres.url("vigil")


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with our tables; copy it."""
    path = tmp_path_factory.mktemp("template") / "vigil.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """An empty SQLite database."""
    path = tmp_path / "vigil.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def history_url(request: pytest.FixtureRequest) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    url = str(request.getfixturevalue("migrated_postgres"))
    with psycopg.connect(url) as connection:
        connection.execute(f"TRUNCATE {_TABLES}")
        connection.execute("UPDATE feed_counter SET last_seq = 0")
    return url


@pytest.fixture
def history(history_url: str) -> Iterator[History]:
    """An empty history on either database."""
    opened = open_history(history_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_history(sqlite_url: str) -> Iterator[History]:
    """An empty history where the kind of database does not matter."""
    opened = open_history(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def bench(sqlite_history: History) -> Bench:
    """A dispatcher over an empty history."""
    return bench_with(sqlite_history, AlertSettings())
