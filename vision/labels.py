"""Whether what something was called is among what a rule is about."""

from collections.abc import Sequence

from contracts.detections import ANY_LABEL, VEHICLE_LABELS


def label_matches(label: str, wanted: Sequence[str]) -> bool:
    """Say whether a track's label satisfies a rule's list.

    An empty list takes everything; ``object`` satisfies any list; ``vehicle`` in a list stands
    for all vehicle labels.
    """
    if not wanted or label == ANY_LABEL or label in wanted:
        return True
    return "vehicle" in wanted and label in VEHICLE_LABELS
