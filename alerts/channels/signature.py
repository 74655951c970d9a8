"""Signatures by which a receiver knows that a message is ours and new.

Source: Standard Webhooks 1.0.0, https://www.standardwebhooks.com, "Signature scheme":
HMAC-SHA256 over ``<id>.<timestamp>.<body>``, in base64, with the prefix ``v1,``.
"""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from typing import Final

from contracts.errors import ConfigError

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  # the standard's prefix, no secret
_SECRET_BYTES: Final = (24, 64)


def signature_headers(
    body: bytes, *, message_id: str, sent_at: datetime, secret: str
) -> dict[str, str]:
    """Return the three headers of a signed message.

    Args:
        body: Exactly the bytes that are sent.
        message_id: The same on every attempt; receivers drop repeats by it.
        sent_at: Of this attempt; receivers refuse what is older than 5 minutes.
        secret: ``whsec_<base64>`` of 24 to 64 bytes.

    Raises:
        ConfigError: The secret has another form; it is not echoed.
    """
    timestamp = str(int(sent_at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(secret_key(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def secret_key(secret: str) -> bytes:
    """Return the key in a secret. ConfigError: it has another form."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    shortest, longest = _SECRET_BYTES
    if not secret.startswith(SECRET_PREFIX) or not shortest <= len(key) <= longest:
        raise ConfigError(
            f"webhook secret: must be {SECRET_PREFIX} and {shortest} to {longest} bytes in base64"
        )
    return key
