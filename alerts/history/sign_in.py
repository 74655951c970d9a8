"""Users and their credentials; of a secret only the hash is here."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, delete, select

from alerts.history import schema
from alerts.history.database import Database, put_row
from alerts.history.ports import Credential, User
from contracts.errors import ConfigError


class SqlSignInStore:
    """Implements ``SignInStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def user(self, user_id: str) -> User | None:
        """Return one user."""
        rows = schema.users
        with self._database.read() as connection:
            return _user(connection.execute(select(rows).where(rows.c.user_id == user_id)).first())

    def user_named(self, name: str) -> User | None:
        """Return the user of that sign-in name."""
        rows = schema.users
        with self._database.read() as connection:
            return _user(connection.execute(select(rows).where(rows.c.name == name)).first())

    def save_user(self, user: User) -> None:
        """Insert or replace a user. ConfigError: the name belongs to somebody else."""
        rows = schema.users
        with self._database.write() as connection:
            other = connection.execute(
                select(rows.c.user_id).where(
                    rows.c.name == user.name, rows.c.user_id != user.user_id
                )
            ).first()
            if other is not None:
                raise ConfigError(f"user name {user.name[:80]!r} is taken; choose another")
            put_row(connection, rows, asdict(user))

    def credential(self, credential_id: str) -> Credential | None:
        """Return one credential, expired or not."""
        rows = schema.credentials
        found = select(rows).where(rows.c.credential_id == credential_id)
        with self._database.read() as connection:
            return _credential(connection.execute(found).first())

    def credentials(self, *, kind: str) -> Sequence[Credential]:
        """Return all credentials of a kind, newest first."""
        rows = schema.credentials
        found = (
            select(rows)
            .where(rows.c.kind == kind)
            .order_by(rows.c.created_at.desc(), rows.c.credential_id.desc())
        )
        with self._database.read() as connection:
            listed = (_credential(row) for row in connection.execute(found))
            return [credential for credential in listed if credential is not None]

    def save_credential(self, credential: Credential) -> None:
        """Insert or replace a credential."""
        with self._database.write() as connection:
            put_row(connection, schema.credentials, asdict(credential))

    def take_credential(self, credential_id: str) -> Credential | None:
        """Remove a credential and return it: of two callers at once, one gets it."""
        rows = schema.credentials
        taken = delete(rows).where(rows.c.credential_id == credential_id).returning(*rows.c)
        with self._database.write() as connection:
            return _credential(connection.execute(taken).first())


def _user(row: Row[Any] | None) -> User | None:
    return None if row is None else User(**row._mapping)


def _credential(row: Row[Any] | None) -> Credential | None:
    return None if row is None else Credential(**row._mapping)
