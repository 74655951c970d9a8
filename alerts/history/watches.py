"""When each camera was seen by, how well, and why not: intervals of one state each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import delete, select

from alerts.history import schema
from alerts.history.database import Database, put_row
from contracts.cameras import CameraState


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A time in which a camera was in one state for one cause.

    Times that no watch covers are unknown: nobody was there to say anything.

    Attributes:
        phase: As ``CameraStatus.phase`` at its beginning.
        cause: In words, without secrets; empty if all was well.
    """

    camera_id: str
    started_at: datetime
    ended_at: datetime
    state: CameraState
    phase: str
    cause: str = ""


class WatchLog(Protocol):
    """Keeps watches. Every method is one transaction."""

    def keep(self, watches: Sequence[Watch]) -> None:
        """Insert watches, or replace those of the same camera and beginning: they grew."""
        ...

    def between(self, camera_id: str, starts_at: datetime, ends_at: datetime) -> Sequence[Watch]:
        """Return the camera's watches that reach into a time, oldest first."""
        ...

    def forget_before(self, at: datetime) -> int:
        """Remove what ended before, and return how many."""
        ...


class SqlWatchLog:
    """Implements ``WatchLog``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, watches: Sequence[Watch]) -> None:
        """Insert watches, or replace those of the same camera and beginning: they grew."""
        with self._database.write() as connection:
            for watch in watches:
                values = {
                    "camera_id": watch.camera_id,
                    "started_at": watch.started_at,
                    "ended_at": watch.ended_at,
                    "state": watch.state.value,
                    "phase": watch.phase,
                    "cause": watch.cause,
                }
                put_row(connection, schema.watches, values)

    def between(self, camera_id: str, starts_at: datetime, ends_at: datetime) -> Sequence[Watch]:
        """Return the camera's watches that reach into a time, oldest first."""
        columns = schema.watches.c
        wanted = (
            select(schema.watches)
            .where(columns.camera_id == camera_id)
            .where(columns.started_at < ends_at, columns.ended_at > starts_at)
            .order_by(columns.started_at)
        )
        with self._database.read() as connection:
            rows = connection.execute(wanted).all()
        return [
            Watch(
                camera_id=row.camera_id,
                started_at=row.started_at,
                ended_at=row.ended_at,
                state=CameraState(row.state),
                phase=row.phase,
                cause=row.cause,
            )
            for row in rows
        ]

    def forget_before(self, at: datetime) -> int:
        """Remove what ended before, and return how many."""
        old = delete(schema.watches).where(schema.watches.c.ended_at < at)
        with self._database.write() as connection:
            return connection.execute(old).rowcount
