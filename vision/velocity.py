"""How fast and where to something moves, so that one wrong box or a jump of the id is no speed.

In plain numbers rather than arrays: ways of a second have a handful of points, and there may be
hundreds of them in a frame.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contracts.geometry import Point
from vision.estimates import MAD_TO_SIGMA

LEAST_POINTS: Final = 4
MOST_POINTS: Final = 8
"""More of them, from cameras analysed faster, are thinned out: pairs grow with the square."""
_OUTLIERS: Final = 0.2
"""Share of the points that may be wrong boxes."""
_OFF_SIGMAS: Final = 4.0
_OFF_SHARE: Final = 0.3
"""A point further off the straight way than this share of its length is off it: ways bend."""
_JUMP_SHARE: Final = 0.3
"""A step longer than its time explains by more than this share of the whole way is a jump; one who
sets out or stops evenly has a fifth."""
_LEAST_BASE: Final = 1 / 3
"""Pairs nearer in time than this share of the whole say more about jitter than about motion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Velocity:
    """A straight motion in units per second.

    Attributes:
        x, y: Its parts.
        sigma: Standard uncertainty of ``speed``.
    """

    x: float
    y: float
    sigma: float

    @property
    def speed(self) -> float:
        """How fast, whichever way."""
        return math.hypot(self.x, self.y)


def velocity(times: Sequence[float], places: Sequence[Point], *, noise: float) -> Velocity | None:
    """Return the median velocity of a few points, or None where they are on no straight way.

    Args:
        times: Seconds, rising.
        places: Where it was, finite, in any one unit.
        noise: Least standard deviation of a coordinate, in that unit.

    Returns:
        None for fewer than ``LEAST_POINTS``, without time between them, or where more of them
        than a fifth do not fit: a box that jumps to another object moves at no speed.

    Source: the slope of Theil (1950) and Sen (1968), for each axis.
    """
    if len(times) < LEAST_POINTS or not times[-1] > times[0]:
        return None
    times, places = _thinned(times, places)
    least_s = _LEAST_BASE * (times[-1] - times[0])
    pairs = [
        (first, last)
        for first, last in itertools.combinations(range(len(times)), 2)
        if times[last] - times[first] >= least_s
    ]
    slopes = [
        _median([(places[b][axis] - places[a][axis]) / (times[b] - times[a]) for a, b in pairs])
        for axis in (0, 1)
    ]
    middle_s = sum(times) / len(times)
    levels = [
        [
            place[axis] - (at_s - middle_s) * slopes[axis]
            for at_s, place in zip(times, places, strict=True)
        ]
        for axis in (0, 1)
    ]
    off = _offsets(levels)
    spread = max(noise, MAD_TO_SIGMA * _median([value for one in off for value in one]))
    length = math.hypot(*slopes) * (times[-1] - times[0])
    bound = max(_OFF_SIGMAS * noise, _OFF_SHARE * length)
    kept = [index for index, one in enumerate(off) if max(one) <= bound]
    if len(times) - len(kept) > _OUTLIERS * len(times):
        return None
    if _largest_step(levels, kept) > max(2 * _OFF_SIGMAS * noise, _JUMP_SHARE * length):
        return None
    spanned = sum((at_s - middle_s) ** 2 for at_s in times)
    return Velocity(x=slopes[0], y=slopes[1], sigma=1.05 * spread / math.sqrt(spanned))


def _offsets(levels: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """Return how far each point is off the way, by axis."""
    across, along = (_median(level) for level in levels)
    return [(abs(x - across), abs(y - along)) for x, y in zip(*levels, strict=True)]


def _largest_step(levels: Sequence[Sequence[float]], kept: Sequence[int]) -> float:
    """Return the largest step between neighbours that the velocity does not explain."""
    return max(
        (
            abs(level[after] - level[before])
            for level in levels
            for before, after in itertools.pairwise(kept)
        ),
        default=0.0,
    )


def _thinned(
    times: Sequence[float], places: Sequence[Point]
) -> tuple[Sequence[float], Sequence[Point]]:
    if len(times) <= MOST_POINTS:
        return times, places
    last = len(times) - 1
    chosen = [round(index * last / (MOST_POINTS - 1)) for index in range(MOST_POINTS)]
    return [times[index] for index in chosen], [places[index] for index in chosen]


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
