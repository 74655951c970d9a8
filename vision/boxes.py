"""Single boxes and what they share; for many at once see ``vision/association.py``.

All boxes are x1, y1, x2, y2 in picture units.
"""

from contracts.geometry import Box


def area(box: Box) -> float:
    """Return the area of a box, in squared picture units."""
    return (box[2] - box[0]) * (box[3] - box[1])


def share_within(inner: Box, outer: Box) -> float:
    """Return which share (0..1) of ``inner`` lies in ``outer``; 0 if ``inner`` has no area."""
    across = min(inner[2], outer[2]) - max(inner[0], outer[0])
    down = min(inner[3], outer[3]) - max(inner[1], outer[1])
    whole = area(inner)
    return max(0.0, across) * max(0.0, down) / whole if whole > 0 else 0.0


def overlap(box: Box, other: Box) -> float:
    """Return the share (0..1) of the smaller box that lies in the other."""
    smaller, larger = sorted((box, other), key=area)
    return share_within(smaller, larger)
