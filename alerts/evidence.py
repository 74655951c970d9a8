"""Which evidence an incident has when two messages about it each bring some (pure)."""

from collections.abc import Iterable

from contracts.incidents import EvidenceItem, EvidenceKind


def merge_evidence(
    older: Iterable[EvidenceItem], newer: Iterable[EvidenceItem]
) -> tuple[EvidenceItem, ...]:
    """Return every piece once, in the order in which they came first.

    A picture is known by its kind and frame, the clip by its kind: an incident has one. Of two
    about the same thing the newer one stands, unless it says that it could not be kept and the
    older one was.
    """
    pieces: dict[tuple[EvidenceKind, str], EvidenceItem] = {}
    for item in (*older, *newer):
        key = (item.kind, item.frame_id)
        known = pieces.get(key)
        if known is None or item.ref or not known.ref:
            pieces[key] = item
    return tuple(pieces.values())
