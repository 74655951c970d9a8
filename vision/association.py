"""Giving detections to tracks: what may go together, and the cheapest assignment.

Shape legend: N = tracks, M = detections, K = pairs of them that lie near each other,
4 and C = x1, y1, x2, y2.
"""

import math
from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from contracts.geometry import Box

Array = npt.NDArray[np.float64]
Edge = tuple[int, int, float]
"""A track and a detection that may be one, and what that costs."""
Terms = tuple[float, float, float]
"""What holds for a track: radius of its gate in object sizes, which grows while it is not seen;
what is added to its costs; how many times as large as its box a detection of it may be."""

FORBIDDEN: Final = 1e3
"""A cost that no sum of allowed ones reaches; such pairs are dropped after the assignment."""
SIZE_RATIO: Final = 4.0
"""Boxes whose areas differ by more than this factor need to overlap to be one object."""
_LEAST_SIDES: Final = 0.04
"""Two sides that are smaller together count as these: smaller objects get their reach."""
_TOUCH: Final = 2.0
"""Square of the distance, in mean sides, beyond which boxes cannot touch: less than 1 both ways."""
_COVERS: Final = 0.5
"""Share of the smaller of two boxes from which on one covers the other."""
_FEW: Final = 400
"""Pairs up to which plain numbers are faster than arrays."""
ALIKE: Final = 0.12
"""Looks with a cosine distance below this may be one object though their boxes do not overlap."""
SAME_LOOK: Final = 0.05
OTHER_LOOK: Final = 0.35
"""Cosine distances from which on two looks are not quite the same, and surely different: to the
nearest of four looks, one person's median is 0.09 and another's 0.25 on the recordings that the
noise model is fitted to."""
APPEARANCE_SHARE: Final = 0.5
"""Weight of appearance where both sides have an embedding; the rest is position."""
_PLACE_SHARE: Final = 1 - APPEARANCE_SHARE


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


class Pairs(NamedTuple):
    """The pairs of a track and a detection that may be one, measured once a frame.

    Pairs come by track, then by detection.

    Attributes:
        rows, columns: Of the track and of the detection.
        ious: Intersection over union.
        costs: What it costs to take the detection for the track.
        covers: Track, detection and common area of those of which one covers half of the other
            or more, whether they may be one or not.
    """

    rows: list[int]
    columns: list[int]
    ious: list[float]
    costs: list[float]
    covers: list[tuple[int, int, float]]


def measure(tracks: Sequence[Box], found: Sequence[Box], terms: Sequence[Terms]) -> Pairs:
    """Return how tracks and detections lie to each other.

    Overlap counts, and the distance of centres within a gate for small or fast objects, whose
    boxes at five frames a second do not overlap. The offset of centres is taken in mean sides, so
    that a tall box reaches farther up than sideways.

    Args:
        tracks: Where the tracks should be.
        found: The detections; their sides are above zero.
        terms: What holds for each track.
    """
    # A call of a library takes longer than the arithmetic of few pairs.
    is_few = len(tracks) * len(found) <= _FEW
    return (_measure_few if is_few else _measure_many)(tracks, found, terms)


def _measure_few(tracks: Sequence[Box], found: Sequence[Box], terms: Sequence[Terms]) -> Pairs:
    near: list[tuple[int, int, float, float]] = []
    covers: list[tuple[int, int, float]] = []
    shapes = [
        (column, u1, v1, u2, v2, u1 + u2, v1 + v2, u2 - u1, v2 - v1)
        for column, (u1, v1, u2, v2) in enumerate(found)
    ]
    for row, (x1, y1, x2, y2) in enumerate(tracks):
        double_x, double_y, wide, high = x1 + x2, y1 + y2, x2 - x1, y2 - y1
        reach, extra, largest = terms[row]
        gate = max(reach * reach, _TOUCH)
        for column, u1, v1, u2, v2, double_u, double_v, other_wide, other_high in shapes:
            # Twice the offset over twice the mean side.
            sides = wide + other_wide
            across = (double_x - double_u) / (sides if sides > _LEAST_SIDES else _LEAST_SIDES)
            squared = across * across
            if squared >= gate:
                continue
            sides = high + other_high
            down = (double_y - double_v) / (sides if sides > _LEAST_SIDES else _LEAST_SIDES)
            squared += down * down
            if squared >= gate:
                continue
            across = (x2 if x2 < u2 else u2) - (x1 if x1 > u1 else u1)
            down = (y2 if y2 < v2 else v2) - (y1 if y1 > v1 else v1)
            common = across * down if across > 0 and down > 0 else 0.0
            area, other_area = wide * high, other_wide * other_high
            iou = common / (area + other_area - common)
            distance, growth = math.sqrt(squared) / reach, other_area / area
            is_alike = iou > 0.05 or 1 / SIZE_RATIO < growth < SIZE_RATIO
            if common >= _COVERS * (area if area < other_area else other_area):
                covers.append((row, column, common))
            if growth <= largest and (iou > 0.2 or (distance < 1 and is_alike)):
                cost = 0.5 * ((distance if distance < 1 else 1.0) - iou) + 0.5 + extra
                near.append((row, column, iou, cost))
    if not near:
        return Pairs([], [], [], [], covers)
    rows, columns, ious, costs = zip(*near, strict=True)
    return Pairs(list(rows), list(columns), list(ious), list(costs), covers)


def _measure_many(tracks: Sequence[Box], found: Sequence[Box], terms: Sequence[Terms]) -> Pairs:
    corners_CN, corners_CM = _upright(tracks, 4), _upright(found, 4)
    reach_N, extra_N, largest_N = _upright(terms, 3)
    # Low and high corners across and up the picture at once: P = x, y.
    double_PN, double_PM = corners_CN[:2] + corners_CN[2:], corners_CM[:2] + corners_CM[2:]
    sides_PN, sides_PM = corners_CN[2:] - corners_CN[:2], corners_CM[2:] - corners_CM[:2]
    offsets_PNM = double_PN[:, :, None] - double_PM[:, None]
    both_PNM = sides_PN[:, :, None] + sides_PM[:, None]
    np.maximum(both_PNM, _LEAST_SIDES, out=both_PNM)
    offsets_PNM /= both_PNM
    offsets_PNM *= offsets_PNM
    squared_NM = offsets_PNM[0] + offsets_PNM[1]
    gate_N = np.maximum(reach_N * reach_N, _TOUCH)
    near_K = (squared_NM < gate_N[:, None]).ravel().nonzero()[0]
    rows_K, columns_K = near_K // len(found), near_K % len(found)
    # From here on only what is near.
    distances_K = np.sqrt(squared_NM.take(near_K)) / reach_N.take(rows_K)
    corners_CK, others_CK = corners_CN.take(rows_K, axis=1), corners_CM.take(columns_K, axis=1)
    common_PK = np.minimum(corners_CK[2:], others_CK[2:])
    common_PK -= np.maximum(corners_CK[:2], others_CK[:2])
    np.maximum(common_PK, 0, out=common_PK)
    common_K = common_PK[0] * common_PK[1]
    area_K = (sides_PN[0] * sides_PN[1]).take(rows_K)
    other_area_K = (sides_PM[0] * sides_PM[1]).take(columns_K)
    ious_K = common_K / (area_K + other_area_K - common_K)
    growth_K = other_area_K / area_K
    is_alike_K = (growth_K < SIZE_RATIO) & (growth_K > 1 / SIZE_RATIO)
    is_alike_K |= ious_K > 0.05
    is_allowed_K = is_alike_K & (distances_K < 1)
    is_allowed_K |= ious_K > 0.2
    is_allowed_K &= growth_K <= largest_N.take(rows_K)
    costs_K = 0.5 * (np.minimum(distances_K, 1) - ious_K) + 0.5 + extra_N.take(rows_K)
    told, covers = (
        is_told_K.nonzero()[0]
        for is_told_K in (
            is_allowed_K,
            common_K >= _COVERS * np.minimum(area_K, other_area_K),
        )
    )
    rows, columns, ious, costs = (
        each_K.take(told).tolist() for each_K in (rows_K, columns_K, ious_K, costs_K)
    )
    covering = (each_K.take(covers).tolist() for each_K in (rows_K, columns_K, common_K))
    return Pairs(rows, columns, ious, costs, list(zip(*covering, strict=True)))


def _upright(rows: Sequence[tuple[float, ...]], width: int) -> Array:
    """Return rows of numbers as columns, each of them in one piece."""
    flat = np.fromiter(chain.from_iterable(rows), np.float64, len(rows) * width)
    return np.ascontiguousarray(flat.reshape(len(rows), width).T)


def contested(pairs: Pairs, *, is_near: Sequence[bool], is_sure: Sequence[bool]) -> list[int]:
    """Return which pairs have a side with another choice, or need a look to be taken.

    Args:
        pairs: All of them.
        is_near: Of each pair, whether it may be taken however the detection looks.
        is_sure: The same of each detection.
    """
    if not pairs.rows:
        return []
    # How many pairs a track, or a detection, stands in; pairs come by track.
    of_row, of_column = [0] * (pairs.rows[-1] + 1), [0] * len(is_sure)
    for row in pairs.rows:
        of_row[row] += 1
    for column in pairs.columns:
        of_column[column] += 1
    return [
        at
        for at, (row, column, is_close) in enumerate(
            zip(pairs.rows, pairs.columns, is_near, strict=True)
        )
        if of_row[row] > 1 or of_column[column] > 1 or not (is_close or is_sure[column])
    ]


def mix_in_looks(
    pairs: Pairs, is_near: list[bool], asked: Sequence[int], distances: Sequence[float]
) -> None:
    """Let looks change the costs of some pairs, and who is near because it looks alike.

    Args:
        pairs: All of them.
        is_near: Of each pair, whether it may be taken however the detection looks.
        asked: Which pairs.
        distances: Cosine distance of each of these to what is remembered; NaN where one side has
            no look, and the cost stays as it is.
    """
    costs = pairs.costs
    for at, distance in zip(asked, distances, strict=True):
        # Comparisons with what is not a number are false.
        if distance <= SAME_LOOK:
            costs[at] = _PLACE_SHARE * costs[at]
        elif distance >= OTHER_LOOK:
            costs[at] = _PLACE_SHARE * costs[at] + APPEARANCE_SHARE
        elif distance > SAME_LOOK:
            strange = (distance - SAME_LOOK) / (OTHER_LOOK - SAME_LOOK)
            costs[at] = _PLACE_SHARE * costs[at] + APPEARANCE_SHARE * strange
        if distance < ALIKE:
            is_near[at] = True


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
    # Whether a track, or a detection, stands in more than one edge.
    rows: dict[int, bool] = {}
    columns: dict[int, bool] = {}
    for row, column, _ in edges:
        rows[row] = row in rows
        columns[column] = column in columns
    pairs: list[tuple[int, int]] = []
    left: list[Edge] = []
    for edge in edges:
        row, column, _ = edge
        if rows[row] or columns[column]:
            left.append(edge)
        else:
            pairs.append((row, column))
    return pairs, left


def _cheapest(edges: Sequence[Edge]) -> list[tuple[int, int]]:
    rows = list(dict.fromkeys(row for row, _, _ in edges))
    columns = list(dict.fromkeys(column for _, column, _ in edges))
    if len(rows) == 1 or len(columns) == 1:
        row, column, _ = min(edges, key=itemgetter(2))
        return [(row, column)]
    at_row = {row: place for place, row in enumerate(rows)}
    at_column = {column: place for place, column in enumerate(columns)}
    wide = len(columns)
    costs = [FORBIDDEN] * (len(rows) * wide)
    for row, column, cost in edges:
        costs[at_row[row] * wide + at_column[column]] = cost
    found = linear_sum_assignment(np.array(costs).reshape(-1, wide))
    places = zip(*(side.tolist() for side in found), strict=True)
    return [(rows[a], columns[b]) for a, b in places if costs[a * wide + b] < FORBIDDEN]
