"""Where a track was seen, as arrays.

Shape legend: N = points of a track, oldest first, 2 = x and y, normalised, 4 = x1, y1, x2, y2.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.geometry import PICTURE_MARGIN
from contracts.tracks import Track

FloatArray = npt.NDArray[np.float64]

TIME_SLACK_S: Final = 1e-6
"""Stream times are sums of floats."""
_DEFAULT_STEP_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """A track's observed points up to a time, as arrays; what is not finite is left out."""

    seqs_N: npt.NDArray[np.int64]
    times_N: FloatArray
    boxes_N4: FloatArray
    feet_N2: FloatArray
    confidences_N: FloatArray
    is_whole: bool
    """Whether the points reach back to the track's first hit."""
    is_complete: bool
    """Whether none of its hits is missing: long tracks are handed on with some points left out."""

    def __len__(self) -> int:
        return len(self.times_N)

    @property
    def step_s(self) -> float:
        """Median time between points, seconds; 0.2 where it cannot be told."""
        if len(self) < 2:
            return _DEFAULT_STEP_S
        return float(np.median(np.diff(self.times_N)))

    def until(self, end_s: float) -> "Way":
        """Return the part up to and including ``end_s``."""
        return self._cut(0, int(np.searchsorted(self.times_N, end_s + TIME_SLACK_S)))

    def since(self, start_s: float) -> "Way":
        """Return the part from ``start_s`` on, included."""
        first = int(np.searchsorted(self.times_N, start_s - TIME_SLACK_S))
        return self._cut(first, len(self))

    def _cut(self, first: int, last: int) -> "Way":
        return Way(
            seqs_N=self.seqs_N[first:last],
            times_N=self.times_N[first:last],
            boxes_N4=self.boxes_N4[first:last],
            feet_N2=self.feet_N2[first:last],
            confidences_N=self.confidences_N[first:last],
            is_whole=self.is_whole and first == 0,
            is_complete=self.is_complete,
        )


def way_of(track: Track) -> Way:
    """Return the track's observed points as arrays, in order of time."""
    points = sorted(
        (point for point in track.points if point.is_observed),
        key=lambda point: point.monotonic_s,
    )
    times_N = np.array([point.monotonic_s for point in points], np.float64)
    boxes_N4 = np.array([point.box for point in points], np.float64).reshape(-1, 4)
    usable_N = np.isfinite(boxes_N4).all(axis=1) & np.isfinite(times_N)
    times_N, boxes_N4 = times_N[usable_N], boxes_N4[usable_N]
    feet_N2 = np.stack([(boxes_N4[:, 0] + boxes_N4[:, 2]) / 2, boxes_N4[:, 3]], axis=1)
    return Way(
        seqs_N=np.array([point.seq for point in points], np.int64)[usable_N],
        times_N=times_N,
        boxes_N4=boxes_N4,
        # As ``contracts.geometry.standing_point`` has it.
        feet_N2=np.clip(feet_N2, PICTURE_MARGIN, 1.0 - PICTURE_MARGIN),
        confidences_N=np.array([point.confidence for point in points], np.float64)[usable_N],
        is_whole=bool(len(times_N)) and bool(times_N[0] <= track.first_seen_s + TIME_SLACK_S),
        is_complete=len(times_N) >= track.hits,
    )
