"""Identifiers: random where a thing is new, derived where the same thing must get the same id.

Derived ids make at-least-once delivery harmless: whoever sees the incident twice stores it once.
"""

import hashlib
import re
import secrets
from typing import Final

from contracts.errors import ConfigError

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def new_id(prefix: str) -> str:
    """Return ``prefix_`` and 96 random bits in hexadecimal."""
    return f"{prefix}_{secrets.token_hex(12)}"


def derived_id(prefix: str, *parts: str | int) -> str:
    """Return ``prefix_`` and 96 bits that depend on nothing but ``parts``, order included."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()
    return f"{prefix}_{digest[:24]}"


def check_name(value: str, *, what: str) -> str:
    """Return ``value`` if it can name a camera, zone, line or rule.

    Args:
        value: 1 to 63 of ``a-z 0-9 _ -``, beginning with a letter or digit: it becomes part of
            Redis keys, URLs and metric labels.
        what: For the message, for instance ``"camera id"``.

    Raises:
        ConfigError: It cannot.
    """
    if not _NAME.fullmatch(value):
        raise ConfigError(
            f"{what} must be 1 to 63 characters of a-z, 0-9, '_' and '-', beginning with a "
            f"letter or digit, got {value[:80]!r}"
        )
    return value
