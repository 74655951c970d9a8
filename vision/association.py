"""Giving detections to tracks: what may go together, and the cheapest assignment.

Shape legend: N = tracks, M = detections, K = pairs of them that lie near each other,
4 = x1, y1, x2, y2, D = embedding size.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from vision.outlines import Outlines

Array = npt.NDArray[np.float64]
Embeddings = npt.NDArray[np.float32]
Edge = tuple[int, int, float]
"""A track and a detection that may be one, and what that costs."""

FORBIDDEN: Final = 1e3
"""A cost that no sum of allowed ones reaches; such pairs are dropped after the assignment."""
SIZE_RATIO: Final = 4.0
"""Boxes whose areas differ by more than this factor need to overlap to be one object."""
_LEAST_SIDE: Final = 0.02
"""Smaller objects get the reach of this side."""
_TOUCH: Final = 0.5
"""Square of the distance, in sums of sides, beyond which boxes cannot touch: both ways half."""
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
    """The K pairs of a track and a detection that lie near each other, measured once a frame.

    What is not listed is farther away than two boxes that touch and than the track's gate. Pairs
    come by track, then by detection.

    Attributes:
        rows_K, columns_K: Of the track and of the detection.
        common_K: Area that they share.
        ious_K: Intersection over union.
        growth_K: How many times as large as the track's box the detection is.
        costs_K: What it costs, 0 to 1, to take the detection for the track; FORBIDDEN if it cannot
            be. Overlap counts, and the distance of centres within a gate for small or fast
            objects, whose boxes at five frames a second do not overlap.
    """

    def __init__(self, tracks: Outlines, found: Outlines, *, reach_N: Array) -> None:
        """Measure them.

        Args:
            tracks: Where the tracks should be.
            found: The detections.
            reach_N: Radius of each track's gate in object sizes: grows while it is not seen.
        """
        # The offset of centres over the sum of sides, so that a tall box reaches farther up than
        # sideways. Boxes that touch are less than 1 apart, across and up the picture (P).
        offsets_PNM = tracks.centre_PN[:, :, None] - found.centre_PN[:, None]
        sides_PNM = tracks.sides_PN[:, :, None] + found.sides_PN[:, None]
        np.maximum(sides_PNM, 2 * _LEAST_SIDE, out=sides_PNM)
        offsets_PNM /= sides_PNM
        offsets_PNM *= offsets_PNM
        squared_NM = offsets_PNM[0] + offsets_PNM[1]
        gate_N = np.maximum(0.25 * reach_N * reach_N, _TOUCH)
        rows_K, columns_K = (squared_NM < gate_N[:, None]).nonzero()
        self.rows_K, self.columns_K = rows_K, columns_K
        distances_K = np.sqrt(squared_NM[rows_K, columns_K])
        distances_K *= 2
        distances_K /= reach_N.take(rows_K)
        lines_LK = tracks.lines_LN.take(rows_K, axis=1)
        others_LK = found.lines_LN.take(columns_K, axis=1)
        common_PK = np.minimum(lines_LK[2:4], others_LK[2:4])
        common_PK -= np.maximum(lines_LK[:2], others_LK[:2])
        np.maximum(common_PK, 0, out=common_PK)
        self.common_K: Array = common_PK[0] * common_PK[1]
        self.ious_K: Array = self.common_K / (lines_LK[4] + others_LK[4] - self.common_K)
        self.growth_K: Array = others_LK[4] / lines_LK[4]
        self.costs_K = self._costs(distances_K)

    def where(self, is_so_K: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
        """Return track and detection of the pairs that are so."""
        return zip(self.rows_K[is_so_K].tolist(), self.columns_K[is_so_K].tolist(), strict=True)

    def _costs(self, distances_K: Array) -> Array:
        is_near_K = distances_K < 1
        is_alike_K = self.growth_K < SIZE_RATIO
        is_alike_K &= self.growth_K > 1 / SIZE_RATIO
        is_alike_K |= self.ious_K > 0.05
        is_near_K &= is_alike_K
        is_near_K |= self.ious_K > 0.2
        np.minimum(distances_K, 1, out=distances_K)
        distances_K -= self.ious_K
        distances_K *= 0.5
        distances_K += 0.5
        return np.where(is_near_K, distances_K, FORBIDDEN)


def add_appearance(costs_K: Array, distances_K: Embeddings) -> Array:
    """Mix how differently two look into allowed costs.

    Args:
        costs_K: Of position.
        distances_K: Cosine distances to what is remembered; NaN where one side has no look, and
            costs stay as they are.
    """
    strange_K = (distances_K - SAME_LOOK) * (APPEARANCE_SHARE / (OTHER_LOOK - SAME_LOOK))
    np.maximum(strange_K, 0, out=strange_K)
    np.minimum(strange_K, APPEARANCE_SHARE, out=strange_K)
    is_known_K = np.isfinite(distances_K)
    is_known_K &= costs_K < FORBIDDEN
    return np.where(is_known_K, (1 - APPEARANCE_SHARE) * costs_K + strange_K, costs_K)


def plain(edges: Sequence[Edge]) -> list[tuple[int, int]]:
    """Return the pairs (track, detection) of which neither side has another choice."""
    return _parted(edges)[0]


def assign(edges: Sequence[Edge]) -> list[tuple[int, int]]:
    """Return as many pairs (track, detection) as can be, of least total cost; each stands once.

    Plain pairs are taken at once: mostly these are all, and the assignment grows with the cube
    of what is left to choose from.
    """
    pairs, left = _parted(edges)
    return pairs + _cheapest(left) if left else pairs


def _parted(edges: Sequence[Edge]) -> tuple[list[tuple[int, int]], list[Edge]]:
    """Return the plain pairs, and the edges of whoever has a choice."""
    rows = Counter([row for row, _, _ in edges])
    columns = Counter([column for _, column, _ in edges])
    pairs: list[tuple[int, int]] = []
    left: list[Edge] = []
    for edge in edges:
        row, column, _ = edge
        if rows[row] == columns[column] == 1:
            pairs.append((row, column))
        else:
            left.append(edge)
    return pairs, left


def _cheapest(edges: Sequence[Edge]) -> list[tuple[int, int]]:
    rows = list(dict.fromkeys(row for row, _, _ in edges))
    columns = list(dict.fromkeys(column for _, column, _ in edges))
    if len(rows) == 1 or len(columns) == 1:
        row, column, _ = min(edges, key=itemgetter(2))
        return [(row, column)]
    at_row = {row: place for place, row in enumerate(rows)}
    at_column = {column: place for place, column in enumerate(columns)}
    costs = [[FORBIDDEN] * len(columns) for _ in rows]
    for row, column, cost in edges:
        costs[at_row[row]][at_column[column]] = cost
    places = zip(*(side.tolist() for side in linear_sum_assignment(costs)), strict=True)
    return [(rows[a], columns[b]) for a, b in places if costs[a][b] < FORBIDDEN]
