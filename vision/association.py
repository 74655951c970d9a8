"""Giving detections to tracks: what may go together, and the cheapest assignment.

Shape legend: N = tracks, M = detections, 4 = x1, y1, x2, y2, D = embedding size.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

Array = npt.NDArray[np.float64]
Embeddings = npt.NDArray[np.float32]

FORBIDDEN: Final = 1e3
"""A cost that no sum of allowed ones reaches; such pairs are dropped after the assignment."""
SIZE_RATIO: Final = 4.0
"""Boxes whose areas differ by more than this factor need to overlap to be one object."""
_LEAST_SIDE: Final = 0.02
"""Smaller objects get the reach of this side."""
_FEW: Final = 256
"""Pairs up to which the assignment is faster than thinking about it."""
SAME_LOOK: Final = 0.05
OTHER_LOOK: Final = 0.35
"""Cosine distances from which on two looks are not quite the same, and surely different: to the
nearest of four looks, one person's median is 0.09 and another's 0.25 on the recordings that the
noise model is fitted to."""
APPEARANCE_SHARE: Final = 0.5
"""Weight of appearance where both sides have an embedding; the rest is position."""


def intersections(first_N4: Array, second_M4: Array) -> Array:
    """Return the common area of each pair, shape (N, M)."""
    x1_N, y1_N, x2_N, y2_N = first_N4.T[:, :, None]
    x1_M, y1_M, x2_M, y2_M = second_M4.T
    wide_NM = np.minimum(x2_N, x2_M) - np.maximum(x1_N, x1_M)
    high_NM = np.minimum(y2_N, y2_M) - np.maximum(y1_N, y1_M)
    return np.asarray(np.maximum(wide_NM, 0) * np.maximum(high_NM, 0))


def areas(boxes_N4: Array) -> Array:
    """Return the area of each box, shape (N,)."""
    return np.asarray((boxes_N4[:, 2] - boxes_N4[:, 0]) * (boxes_N4[:, 3] - boxes_N4[:, 1]))


def ious(first_N4: Array, second_M4: Array) -> Array:
    """Return intersection over union of each pair, shape (N, M)."""
    both = intersections(first_N4, second_M4)
    union = areas(first_N4)[:, None] + areas(second_M4)[None] - both
    return np.asarray(both / np.maximum(union, 1e-12))


def coverage(inner_M4: Array, outer_N4: Array) -> Array:
    """Return the share of each inner box that lies in each outer one, shape (M, N)."""
    return np.asarray(
        intersections(inner_M4, outer_N4) / np.maximum(areas(inner_M4), 1e-12)[:, None]
    )


class Pairs:
    """How every track's box lies to every detection's, measured once a frame.

    Boxes must have sides above zero.
    """

    def __init__(self, tracks_N4: Array, detections_M4: Array) -> None:
        self.tracks_N4 = tracks_N4
        # Across and up the picture at once: P = x, y.
        self._low_PN1, self._high_PN1 = _corners(tracks_N4)[..., None]
        self._low_PM, self._high_PM = _corners(detections_M4)
        self._sides_PN1 = self._high_PN1 - self._low_PN1
        self._sides_PM = self._high_PM - self._low_PM
        self._areas_N1 = self._sides_PN1[0] * self._sides_PN1[1]
        self._areas_M = self._sides_PM[0] * self._sides_PM[1]
        common_PNM = np.minimum(self._high_PN1, self._high_PM[:, None])
        common_PNM -= np.maximum(self._low_PN1, self._low_PM[:, None])
        np.maximum(common_PNM, 0, out=common_PNM)
        self.common_NM: Array = common_PNM[0] * common_PNM[1]
        self.ious_NM: Array = self.common_NM / (self._areas_N1 + self._areas_M - self.common_NM)

    def growth(self) -> Array:
        """Return how many times as large as the track's box each detection is, shape (N, M)."""
        return np.asarray(self._areas_M / self._areas_N1)

    def position_costs(self, *, reach_N: Array, growth_NM: Array) -> Array:
        """Return what it costs, 0 to 1, to take a detection for a track; FORBIDDEN if it cannot be.

        Overlap counts, and the distance of centres within a gate for small or fast objects, whose
        boxes at five frames a second do not overlap.

        Args:
            reach_N: Radius of each track's gate in object sizes: grows while it is not seen.
            growth_NM: As ``growth`` says.
        """
        # Twice the offset of centres over twice the mean side, so that a tall box reaches farther
        # up than sideways.
        offsets_PNM = (self._low_PN1 + self._high_PN1) - (self._low_PM + self._high_PM)[:, None]
        offsets_PNM /= np.maximum(self._sides_PN1 + self._sides_PM[:, None], 2 * _LEAST_SIDE)
        offsets_PNM *= offsets_PNM
        distances_NM = np.sqrt(offsets_PNM[0] + offsets_PNM[1])
        distances_NM /= reach_N[:, None]
        is_near_NM = distances_NM < 1
        is_alike_NM = (growth_NM < SIZE_RATIO) & (growth_NM > 1 / SIZE_RATIO)
        is_alike_NM |= self.ious_NM > 0.05
        is_near_NM &= is_alike_NM
        is_near_NM |= self.ious_NM > 0.2
        np.minimum(distances_NM, 1, out=distances_NM)
        distances_NM -= self.ious_NM
        return np.where(is_near_NM, 0.5 * distances_NM + 0.5, FORBIDDEN)

    def inside(self) -> Array:
        """Return the share of each detection that lies in each track's box, shape (M, N)."""
        return np.asarray((self.common_NM / self._areas_M).T)


def _corners(boxes_N4: Array) -> Array:
    """Return the low and the high corners, shape (2, 2, N)."""
    return np.ascontiguousarray(boxes_N4.T).reshape(2, 2, -1)


def position_costs(tracks_N4: Array, detections_M4: Array, *, reach_N: Array) -> Array:
    """Return ``Pairs.position_costs`` of these boxes."""
    pairs = Pairs(tracks_N4, detections_M4)
    return pairs.position_costs(reach_N=reach_N, growth_NM=pairs.growth())


def add_appearance(costs_NM: Array, distances_NM: Embeddings) -> Array:
    """Mix how differently two look into allowed costs.

    Args:
        costs_NM: Of position.
        distances_NM: Cosine distances to what is remembered; NaN where one side has no look, and
            costs stay as they are.
    """
    strange_NM = np.clip((distances_NM - SAME_LOOK) / (OTHER_LOOK - SAME_LOOK), 0, 1)
    mixed_NM = (1 - APPEARANCE_SHARE) * costs_NM + APPEARANCE_SHARE * strange_NM
    is_known_NM = np.isfinite(distances_NM) & (costs_NM < FORBIDDEN)
    return np.where(is_known_NM, mixed_NM, costs_NM)


def assign(costs_NM: Array) -> list[tuple[int, int]]:
    """Return pairs (track, detection) of least total cost; each stands once.

    Of many, pairs of which neither side has another choice are taken at once: the assignment
    grows with the cube of what is left to choose from.
    """
    if costs_NM.size > _FEW:
        return _assign_many(costs_NM)
    if not costs_NM.size:
        return []
    rows, columns = linear_sum_assignment(costs_NM)
    costs = costs_NM[rows, columns].tolist()
    return [
        pair
        for pair, cost in zip(zip(rows.tolist(), columns.tolist(), strict=True), costs, strict=True)
        if cost < FORBIDDEN
    ]


def _assign_many(costs_NM: Array) -> list[tuple[int, int]]:
    allowed_NM = costs_NM < FORBIDDEN
    choices_N, choices_M = allowed_NM.sum(axis=1), allowed_NM.sum(axis=0)
    first_N = allowed_NM.argmax(axis=1)
    is_plain_N = (choices_N == 1) & (choices_M[first_N] == 1)
    plain = is_plain_N.nonzero()[0]
    taken = first_N[plain]
    pairs = list(zip(plain.tolist(), taken.tolist(), strict=True))
    rows = ((choices_N > 0) & ~is_plain_N).nonzero()[0]
    choices_M[taken] = 0
    columns = choices_M.nonzero()[0]
    left = costs_NM[rows[:, None], columns]
    for row, column in zip(*linear_sum_assignment(left), strict=True):
        if left[row, column] < FORBIDDEN:
            pairs.append((int(rows[row]), int(columns[column])))
    return pairs
