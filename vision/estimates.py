"""Estimators that several parts of vision share (pure)."""

import math
from typing import Final

MAD_TO_SIGMA: Final = 1.4826
"""Standard deviation of a Gaussian over its median absolute deviation."""


def weight_of(step_s: float, constant_s: float) -> float:
    """Return the weight of a new value in a running average of that time constant."""
    return 1 - math.exp(-step_s / constant_s)


def share_sigma(share: float, count: int, *, floor: float) -> float:
    """Return the standard uncertainty of a share of ``count`` trials (rule of succession)."""
    smoothed = (share * count + 1) / (count + 2)
    return max(floor, math.sqrt(smoothed * (1 - smoothed) / (count + 2)))
