import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from alerts.history.database import Database
from alerts.history.ports import AlertFilter
from alerts.history.schema import metadata
from alerts.history.sql import History, migrate, open_history
from contracts.errors import ConfigError, TransportUnavailable
from tests.alerts.builders import alert, told, webhook
from tests.alerts.postgres_server import PostgresServer

START_TOGETHER = """
import sys
from alerts.history.sql import migrate
migrate(sys.argv[1])
"""


def start_together(url: str, *, processes: int) -> list[tuple[int, str]]:
    """Migrate in several processes at once; return codes and errors."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", START_TOGETHER, url],
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        for _ in range(processes)
    ]
    ended = [(process.communicate(timeout=60)[1], process) for process in running]
    return [(process.returncode, errors) for errors, process in ended]


def test_the_migrations_make_exactly_the_tables_of_the_schema(history_url: str) -> None:
    database = Database(history_url)
    with database.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    database.close()

    assert differences == []


def test_migrating_again_changes_nothing(history: History, history_url: str) -> None:
    history.alerts.store_alert(*told(alert()))

    migrate(history_url)

    assert history.archive.last_feed_seq() == 1


def test_processes_that_start_at_once_migrate_once_on_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'vigil.db'}"

    assert start_together(url, processes=3) == [(0, "")] * 3

    history = open_history(url)
    assert history.archive.last_feed_seq() == 0
    history.close()


def test_processes_that_start_at_once_migrate_once_on_postgresql(
    postgres: PostgresServer,
) -> None:
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE together")

    assert start_together(postgres.url("together"), processes=3) == [(0, "")] * 3

    history = open_history(postgres.url("together"))
    assert history.archive.last_feed_seq() == 0
    history.close()


def test_the_file_with_the_secrets_is_private(tmp_path: Path) -> None:
    path = tmp_path / "state" / "vigil.db"
    url = f"sqlite:///{path}"
    migrate(url)
    history = open_history(url)

    history.webhooks.add_webhook(webhook())

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("*.db*")}
    history.close()
    assert modes["vigil.db"] == modes["vigil.db-wal"] == modes["vigil.db-shm"] == 0o600


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "vigil.db"
    path.touch(mode=0o644)

    migrate(f"sqlite:///{path}")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_sqlite_syncs_each_commit_and_checks_references(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.read() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    database.close()

    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 10_000,
    }


def test_a_database_without_tables_says_what_to_do(tmp_path: Path) -> None:
    history = open_history(f"sqlite:///{tmp_path / 'empty.db'}")

    with pytest.raises(ConfigError, match="its tables are not there"):
        history.archive.list_alerts(AlertFilter(), cursor=None, limit=1)
    history.close()


def test_a_postgresql_without_tables_says_what_to_do(postgres: PostgresServer) -> None:
    history = open_history(postgres.url("postgres"))

    with pytest.raises(ConfigError, match="its tables are not there"):
        history.archive.list_alerts(AlertFilter(), cursor=None, limit=1)
    history.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://user:hunter2@host/db", "'mysql' in mysql://\\*\\*\\*@host/db is not supported"),
        ("no url with hunter2", "is not a database URL"),
        ("sqlite://", "SQLite needs a file"),
        ("sqlite:///:memory:", "SQLite needs a file"),
    ],
)
def test_other_databases_are_refused_without_echoing_passwords(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refusal:
        open_history(url)

    assert "hunter2" not in str(refusal.value)


def test_a_folder_in_the_way_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be opened for writing"):
        open_history(f"sqlite:///{tmp_path}")


def test_a_server_that_is_not_there_is_a_reason_to_try_again(tmp_path: Path) -> None:
    history = open_history(f"postgresql://user:hunter2@/vigil?host={tmp_path}")

    with pytest.raises(TransportUnavailable) as failure:
        history.archive.last_feed_seq()
    history.close()

    assert "hunter2" not in str(failure.value)


def test_a_server_that_was_started_again_is_found_again(migrated_postgres: str) -> None:
    history = open_history(migrated_postgres)
    history.archive.last_feed_seq()
    with psycopg.connect(migrated_postgres, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = 'vigil' AND pid <> pg_backend_pid()"
        )

    assert history.archive.last_feed_seq() >= 0
    history.close()


def test_a_connection_that_breaks_in_a_transaction_is_a_reason_to_try_again(
    migrated_postgres: str,
) -> None:
    database = Database(migrated_postgres)

    def break_off() -> None:
        with database.write() as connection:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(TransportUnavailable):
        break_off()
    database.close()


def test_a_locked_file_is_a_reason_to_try_again(sqlite_url: str) -> None:
    path = sqlite_url.removeprefix("sqlite:///")
    database = Database(sqlite_url)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    def write_without_patience() -> None:
        with database.read() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 1")
            connection.exec_driver_sql("INSERT INTO cameras VALUES ('gate', '{}')")

    try:
        with pytest.raises(TransportUnavailable, match="locked"):
            write_without_patience()
    finally:
        other.close()
        database.close()


def test_what_was_stored_is_there_after_the_process_was_killed(sqlite_url: str) -> None:
    script = """
import os, sys
from alerts.history.sql import open_history
from tests.alerts.builders import alert, told
history = open_history(sys.argv[1])
assert history.alerts.store_alert(*told(alert()))
os.kill(os.getpid(), 9)
"""
    killed = subprocess.run(
        [sys.executable, "-c", script, sqlite_url], cwd=Path(__file__).parents[3], check=False
    )

    history = open_history(sqlite_url)
    stored = history.archive.list_alerts(AlertFilter(), cursor=None, limit=5).items
    history.close()

    assert killed.returncode == -9
    assert stored == (alert(),)
