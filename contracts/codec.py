"""Contracts to bytes and back: JSON, strict about types, never pickle.

The form is each dataclass's fields by name. Unknown fields are ignored, so that a newer sender
does not break an older receiver; a missing field without a default is refused.
"""

from typing import Any, TypeVar

import msgspec

from contracts.errors import VigilError

ItemT = TypeVar("ItemT")


class CodecError(VigilError):
    """Bytes are not what their receiver expects."""


def encode(item: Any) -> bytes:  # noqa: ANN401  # any contract dataclass
    """Return the JSON bytes of a contract dataclass."""
    return msgspec.json.encode(item)


def decode(content: bytes, kind: type[ItemT]) -> ItemT:
    """Return the ``kind`` that the bytes describe.

    Raises:
        CodecError: They describe something else; the message names the field.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError, VigilError) as error:
        raise CodecError(f"these bytes are no {kind.__name__}: {error}") from error
