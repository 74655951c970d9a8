"""Who changed what, in the transaction of the change itself, and who looked: only ever added to."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, insert, select

from alerts.history import schema
from alerts.history.database import Database
from alerts.history.ports import AuditLine


class SqlAuditLog:
    """Implements ``AuditLog``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def audit_lines(self, subject: str, *, action: str, limit: int) -> Sequence[AuditLine]:
        """Return the newest lines about ``subject``, newest first; of any action if it is empty."""
        rows = schema.audit
        newest = (
            select(rows)
            .where(rows.c.subject == subject, *([rows.c.action == action] if action else []))
            .order_by(rows.c.seq.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            found = connection.execute(newest).all()
        return [
            AuditLine(
                at=row.at,
                by=row.actor,
                how=row.how,
                action=row.action,
                subject=row.subject,
                **msgspec.json.decode(row.document),
            )
            for row in found
        ]

    def add_line(self, line: AuditLine) -> None:
        """Add a line that belongs to no change. Raises TransportUnavailable."""
        with self._database.write() as connection:
            add_line(connection, line)


def add_line(connection: Connection, line: AuditLine) -> None:
    """Add a line to the transaction of the change that it is about."""
    document = msgspec.json.encode({"before": line.before, "after": line.after}).decode()
    values = {
        "at": line.at,
        "actor": line.by,
        "how": line.how,
        "action": line.action,
        "subject": line.subject,
        "document": document,
    }
    connection.execute(insert(schema.audit).values(**values))
