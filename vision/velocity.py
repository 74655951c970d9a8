"""How fast and where to something moves, so that one wrong box or a jump of the id is no speed.

Shape legend: N = points in order of time, P = pairs of them, 2 = x and y in any one unit.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LEAST_POINTS: Final = 4
_MAD_TO_SIGMA: Final = 1.4826
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


def velocity(times_N: FloatArray, places_N2: FloatArray, *, noise: float) -> Velocity | None:
    """Return the median velocity of a few points, or None where they are on no straight way.

    Args:
        times_N: Seconds, rising.
        places_N2: Where it was, finite.
        noise: Least standard deviation of a coordinate, in the unit of places.

    Returns:
        None for fewer than ``LEAST_POINTS``, without time between them, or where more of them
        than ``_OUTLIERS`` do not fit: a box that jumps to another object moves at no speed.

    Source: the slope of Theil (1950) and Sen (1968), for each axis.
    """
    if len(times_N) < LEAST_POINTS or not times_N[-1] > times_N[0]:
        return None
    first_P, last_P = _pairs(len(times_N))
    base_P = times_N[last_P] - times_N[first_P]
    is_long_P = base_P >= _LEAST_BASE * (times_N[-1] - times_N[0])
    moved_P2 = (places_N2[last_P] - places_N2[first_P])[is_long_P]
    slope_2 = np.median(moved_P2 / base_P[is_long_P, None], axis=0)
    since_N = times_N - times_N.mean()
    level_N2 = places_N2 - since_N[:, None] * slope_2
    off_N2 = np.abs(level_N2 - np.median(level_N2, axis=0))
    spread = max(noise, _MAD_TO_SIGMA * float(np.median(off_N2)))
    length = float(np.hypot(*slope_2)) * float(times_N[-1] - times_N[0])
    is_off_N = off_N2.max(axis=1) > max(_OFF_SIGMAS * noise, _OFF_SHARE * length)
    if np.count_nonzero(is_off_N) > _OUTLIERS * len(times_N):
        return None
    excess = np.abs(np.diff(level_N2[~is_off_N], axis=0)).max(initial=0.0)
    if excess > max(2 * _OFF_SIGMAS * noise, _JUMP_SHARE * length):
        return None
    sigma = 1.05 * spread / math.sqrt(float((since_N**2).sum()))
    return Velocity(x=float(slope_2[0]), y=float(slope_2[1]), sigma=sigma)


@cache
def _pairs(count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    first_P, last_P = np.triu_indices(count, 1)
    return first_P.astype(np.int64), last_P.astype(np.int64)
