"""The least delay between a stream's clock and ours, and how fast the two drift apart. Pure.

Delay in camera, network and decoder only ever adds, so the least of it tells the clocks apart: the
line that lies under all delays, as close to them as can be, is offset and drift at once.

Source: Moon, Skelly and Towsley, "Estimation and Removal of Clock Skew from Network Delay
Measurements", INFOCOM 1999 (the line of least distance under the points is an edge of their hull).
"""

import math
from collections import deque
from collections.abc import Sequence
from typing import Final

DRIFT_MAX: Final = 1e-3
"""1000 ppm, twice what any quartz drifts by; more is no clock."""
BUCKET_S: Final = 10.0
WINDOW_S: Final = 600.0
_DRIFT_AFTER_S: Final = 120.0
"""Over a shorter time the jitter of the network looks like drift."""
_CLOSE_S: Final = 0.1
"""Least delays that lie this close to the line, on average, leave no doubt about its slope."""

Point = tuple[float, float]


class DelayFloor:
    """Follows the least delay of the last minutes.

    Args:
        now_s: Monotonic time of the first frame.
        delay_s: Its delay: arrival minus stream time.
    """

    def __init__(self, now_s: float, delay_s: float) -> None:
        self._least: deque[Point] = deque()
        self._bucket: Point = (now_s, delay_s)
        self._bucket_from_s = now_s
        self._at_s, self._floor_s, self._drift = now_s, delay_s, 0.0
        self._raw_drift = 0.0
        self._is_sure = False

    @property
    def drift(self) -> float:
        """Seconds by which the delay grows each second; 0 until that can be told.

        Positive for a camera whose clock is slow. Not limited: see ``DRIFT_MAX``.
        """
        return self._raw_drift

    @property
    def is_sure(self) -> bool:
        """Whether the drift is beyond doubt."""
        return self._is_sure

    def at(self, now_s: float) -> float:
        """Return the least delay at a monotonic time."""
        return self._floor_s + self._drift * (now_s - self._at_s)

    def add(self, now_s: float, delay_s: float) -> None:
        """Take in one frame's delay."""
        if delay_s < self._bucket[1]:
            self._bucket = (now_s, delay_s)
        below_s = self.at(now_s) - delay_s
        if below_s > 0:
            self._floor_s -= below_s
        if now_s - self._bucket_from_s < BUCKET_S:
            return
        self._least.append(self._bucket)
        while now_s - self._least[0][0] > WINDOW_S:
            self._least.popleft()
        self._fit(now_s)
        self._bucket, self._bucket_from_s = (now_s, math.inf), now_s

    def _fit(self, now_s: float) -> None:
        points = self._least
        if points[-1][0] - points[0][0] >= _DRIFT_AFTER_S:
            self._raw_drift = _slope_under(points)
        self._drift = max(-DRIFT_MAX, min(DRIFT_MAX, self._raw_drift))
        self._at_s = now_s
        self._floor_s = min(delay_s + self._drift * (now_s - t_s) for t_s, delay_s in points)
        gaps_s = [delay_s + self._raw_drift * (now_s - t_s) for t_s, delay_s in points]
        mean_gap_s = sum(gaps_s) / len(gaps_s) - min(gaps_s)
        self._is_sure = self._raw_drift != 0.0 and mean_gap_s < _CLOSE_S


def _slope_under(points: Sequence[Point]) -> float:
    """Return the slope of the line under all points whose distances to them sum up to least.

    It is the edge of the lower hull below the mean of their times.
    """
    hull: list[Point] = []
    for point in points:
        while len(hull) > 1 and _turns_right(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    mean_s = sum(t_s for t_s, _ in points) / len(points)
    after = next(at for at in range(1, len(hull)) if hull[at][0] >= mean_s)
    (from_s, from_delay_s), (to_s, to_delay_s) = hull[after - 1], hull[after]
    return (to_delay_s - from_delay_s) / (to_s - from_s)


def _turns_right(first: Point, middle: Point, last: Point) -> bool:
    """Whether the middle point lies on or above the line from the first to the last."""
    return (middle[1] - first[1]) * (last[0] - first[0]) >= (last[1] - first[1]) * (
        middle[0] - first[0]
    )
