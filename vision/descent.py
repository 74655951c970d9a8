"""How somebody came down: measured from the boxes of one body, without a word on why (pure).

Heights and ways are in body heights, as the body stood before: what is far away falls as deep as
what is near. A box is as high as it is wide when its sides in *pixels* are equal.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from contracts.tracks import TrackPoint

LOOK_BACK_S: Final = 3.6
"""Somebody who stood within this time and lies now has come down within it."""
NOW_S: Final = 0.7
"""How a body is now is the median of so much time: single boxes are often wrong."""
SETTLED_S: Final = 0.6
"""How it stood before is not sought later than this ago."""
STOOD: Final = 0.1
"""A head within this share of the height of its highest place still stood."""
NEARLY_DOWN: Final = 0.7
"""Down begins with this share of the whole way."""
LEAST_POINTS: Final = 4
_HEIGHT_JITTER: Final = 0.04
"""Standard deviation of a box's edge in box heights, of the shipped encoder on people who stand."""
_LEAST_WAY_S: Final = 0.2
_HALF_STEP_S: Final = 0.1
"""Of frames that follow each other in time: between these nothing is unseen."""
LYING: Final = 3
"""Index of the posture ``lying`` in a point's postures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descent:
    """A body that is lower than it was.

    Attributes:
        upright: The last point at which it stood; its box is the measure of all heights here.
        height: Height of the box then, picture heights, with single bad boxes left out.
        top: Top edge then, likewise.
        down_since_s: Stream time since which its head has been nearly as low as now.
        measured_s: Stream time of the newest point.
        drop: How far the head came down, body heights.
        sigma: Standard uncertainty of ``drop``.
        took_s: Time that it took to come nearly down, at least 0.2 s.
        height_left: Height of the box now over that before.
        widened: Width of the box now over that before.
        flatness: Width of the box over its height, in pixels, now.
        flat_before: The same when it stood.
        foot: How far the lower edge moved down, body heights.
        lying: Share of the posture ``lying`` now, 0..1; None where the detector knows none.
    """

    upright: TrackPoint
    height: float
    top: float
    down_since_s: float
    measured_s: float
    drop: float
    sigma: float
    took_s: float
    height_left: float
    widened: float
    flatness: float
    flat_before: float
    foot: float
    lying: float | None

    @property
    def pace(self) -> float:
        """Body heights per second that the head came down by."""
        return NEARLY_DOWN * self.drop / self.took_s

    @property
    def down_s(self) -> float:
        """Seconds that it has been down."""
        return self.measured_s - self.down_since_s


def measure(
    points: Sequence[TrackPoint], *, aspect: float, now_s: float | None = None
) -> Descent | None:
    """Return how a body came down to where it is now, None where that cannot be told.

    Args:
        points: Of the body, oldest first; those that were not observed do not count.
        aspect: Width of the picture over its height, in pixels.
        now_s: Stream time; that of the newest point if None.

    Returns:
        A body that has not come down has a drop about 0, one that rose a negative one. None with
        too few points, or without one in the last moments.
    """
    if not points:
        return None
    now_s = points[-1].monotonic_s if now_s is None else now_s
    seen = [
        point
        for point in points
        if point.is_observed and -1e-6 <= now_s - point.monotonic_s <= LOOK_BACK_S + NOW_S
    ]
    now = [point for point in seen if now_s - point.monotonic_s <= NOW_S]
    if len(seen) < LEAST_POINTS or not now:
        return None
    tops = _calm([point.box[1] for point in seen])
    heights = _calm([_height(point) for point in seen])
    before = [
        index
        for index, point in enumerate(seen)
        if SETTLED_S - 1e-6 <= now_s - point.monotonic_s <= LOOK_BACK_S + 1e-6
    ]
    if not before:
        return None
    highest = min(tops[index] for index in before)
    stood = max(index for index in before if tops[index] <= highest + STOOD * heights[index])
    height = max(heights[stood], 1e-6)
    top_now = median(point.box[1] for point in now)
    nearly = highest + NEARLY_DOWN * (top_now - highest)
    down = next(
        (index for index in range(stood, len(seen)) if seen[index].box[1] >= nearly), len(seen) - 1
    )
    upright = seen[stood]
    # What happened unseen happened in the middle of it, for all that is known.
    came_down_s = (seen[down].monotonic_s + seen[max(stood, down - 1)].monotonic_s) / 2
    took_s = came_down_s + _HALF_STEP_S - upright.monotonic_s
    return Descent(
        upright=upright,
        height=height,
        top=highest,
        down_since_s=seen[down].monotonic_s,
        measured_s=now_s,
        drop=(top_now - highest) / height,
        sigma=_HEIGHT_JITTER * math.sqrt(0.5 + 1 / len(now)),
        took_s=max(_LEAST_WAY_S, min(took_s, seen[down].monotonic_s - upright.monotonic_s)),
        height_left=median(_height(point) for point in now) / height,
        widened=median(_width(point) for point in now) / max(_width(upright), 1e-6),
        flatness=median(_width(point) * aspect / _height(point) for point in now),
        flat_before=_width(upright) * aspect / _height(upright),
        foot=(median(point.box[3] for point in now) - upright.box[3]) / height,
        lying=_lying(now),
    )


def _lying(points: Sequence[TrackPoint]) -> float | None:
    """Return the share of ``lying`` in the postures, surer boxes counting more."""
    told = [
        (point.postures[LYING], point.confidence) for point in points if len(point.postures) > LYING
    ]
    weight = sum(confidence for _, confidence in told)
    if weight <= 0:
        return None
    return sum(share * confidence for share, confidence in told) / weight


def _calm(values: Sequence[float]) -> list[float]:
    """Return the running median of three, which a single bad box does not move."""
    return [median(values[max(0, index - 1) : index + 2]) for index in range(len(values))]


def _height(point: TrackPoint) -> float:
    return max(point.box[3] - point.box[1], 1e-6)


def _width(point: TrackPoint) -> float:
    return max(point.box[2] - point.box[0], 1e-6)
