"""Cameras as they are configured. Their URLs hold passwords; the database file is private."""

from collections.abc import Sequence

from sqlalchemy import delete, select

from alerts.history import schema
from alerts.history.audit import add_line
from alerts.history.database import Database, put_row
from alerts.history.ports import AuditLine
from contracts.cameras import Camera
from contracts.codec import decode, encode


class SqlCameraStore:
    """Implements ``CameraStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cameras(self) -> Sequence[Camera]:
        """Return all cameras by id."""
        rows = schema.cameras
        with self._database.read() as connection:
            documents = connection.execute(select(rows.c.camera_id, rows.c.document)).all()
        # Sorted here: PostgreSQL sorts text by its locale, SQLite by bytes.
        return [decode(row.document.encode(), Camera) for row in sorted(documents)]

    def camera(self, camera_id: str) -> Camera | None:
        """Return one camera."""
        rows = schema.cameras
        found = select(rows.c.document).where(rows.c.camera_id == camera_id)
        with self._database.read() as connection:
            document = connection.execute(found).scalar()
        return None if document is None else decode(document.encode(), Camera)

    def save_camera(self, camera: Camera, *, line: AuditLine | None = None) -> None:
        """Insert or replace a camera, with the audit line of the change if it has one."""
        values = {"camera_id": camera.camera_id, "document": encode(camera).decode()}
        with self._database.write() as connection:
            put_row(connection, schema.cameras, values)
            if line is not None:
                add_line(connection, line)

    def remove_camera(self, camera_id: str, *, line: AuditLine | None = None) -> bool:
        """Remove a camera (its history stays); False, and no line, if there was none."""
        rows = schema.cameras
        with self._database.write() as connection:
            removed = connection.execute(delete(rows).where(rows.c.camera_id == camera_id))
            if removed.rowcount == 1 and line is not None:
                add_line(connection, line)
            return removed.rowcount == 1
