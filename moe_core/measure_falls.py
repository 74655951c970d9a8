"""How a body came down, measured again from its way: claims about falls are checked against it."""

from typing import Final

import numpy as np

from moe_core.measure import Measurement
from moe_core.way import Way

NOW_S: Final = 0.7
"""How a body is at a moment is the median of so much time before it."""
STOOD: Final = 0.1
"""A body still stood while its head was within so many heights of its highest."""
BOX_EDGE_SIGMA: Final = 0.04
"""Body heights: about what a small detector's boxes of people jitter by."""


def head_drop(way: Way) -> Measurement | None:
    """Return how far the top edge came down, in heights of the first box.

    Args:
        way: From where the body stood to where it is down.

    Returns:
        By the median of the last 0.7 s; ``low`` and ``high`` by the least and the most of it.
    """
    if len(way) < 2:
        return None
    height = float(way.boxes_N4[0, 3] - way.boxes_N4[0, 1])
    if height <= 0:
        return None
    tops_N = way.since(float(way.times_N[-1]) - NOW_S).boxes_N4[:, 1] - way.boxes_N4[0, 1]
    drops_N = tops_N / height
    return Measurement(
        value=float(np.median(drops_N)),
        low=float(drops_N.min()),
        high=float(drops_N.max()) + STOOD,
        sigma=BOX_EDGE_SIGMA,
    )


def down(way: Way, *, until_s: float, end_s: float) -> Measurement | None:
    """Return for how long the top edge has been more than halfway down, seconds.

    Args:
        way: From where the body stood.
        until_s: When it was said to be down: how deep that is, is measured up to then.
        end_s: Stream time up to which it counts.

    Returns:
        From the first point after which it stayed below half of its way; None if it never was.
        ``low`` counts from where it was nearly at its lowest.
    """
    fell = way.until(until_s)
    if len(fell) < 2:
        return None
    depth = float(fell.boxes_N4[:, 1].max() - fell.boxes_N4[0, 1])
    counted = way.until(end_s)
    tops_N = counted.boxes_N4[:, 1] - counted.boxes_N4[0, 1]
    if depth <= 0 or tops_N[-1] < depth / 2:
        return None
    above = np.flatnonzero(tops_N < depth / 2)
    first = int(above[-1]) + 1 if len(above) else 0
    low_from = first + int(np.argmax(tops_N[first:] >= 0.9 * depth))
    end = float(counted.times_N[-1])
    return Measurement(
        value=end - float(counted.times_N[first]),
        low=min(end - float(counted.times_N[first]), end - float(counted.times_N[low_from])),
        high=end - float(counted.times_N[max(0, first - 1)]),
        sigma=counted.step_s,
    )
