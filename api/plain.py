"""Contracts as plain values, for JSON that people and scripts read."""

from typing import Any

import msgspec


def to_plain(item: Any) -> Any:  # noqa: ANN401  # any contract dataclass, as JSON-ready values
    """Return the dataclass as dicts, lists, strings and numbers."""
    return msgspec.to_builtins(item)
