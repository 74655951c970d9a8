"""Keyset cursors: where a page ended, by (time, id), opaque to clients."""

import base64
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.sql.schema import Column

from alerts.history.schema import from_micros, to_micros
from contracts.errors import ConfigError


def encode_cursor(at: datetime, item_id: str) -> str:
    """Return the cursor of the item that a page ends with."""
    content = msgspec.json.encode((to_micros(at), item_id))
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[datetime, str]:
    """Return the time and id of the last item seen.

    Raises:
        ConfigError: It is none that ``encode_cursor`` gave.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        content = base64.b64decode(padded, altchars=b"-_", validate=True)
        micros, item_id = msgspec.json.decode(content, type=tuple[int, str], strict=True)
        return from_micros(micros), item_id
    except (ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise ConfigError(
            "cursor: is none that this server gave; use next_cursor of the page before, or leave "
            "it out to begin with the newest"
        ) from error


def older_than(cursor: str, at: "Column[datetime]", item_id: "Column[str]") -> ColumnElement[bool]:
    """Return the condition for items after the cursor in a listing with the newest first."""
    last_at, last_id = decode_cursor(cursor)
    return or_(at < last_at, and_(at == last_at, item_id < last_id))
