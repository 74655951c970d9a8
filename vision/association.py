"""Giving detections to tracks: what may go together, and the cheapest assignment.

Shape legend: N = tracks, M = detections, 4 = x1, y1, x2, y2, D = embedding size.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

Array = npt.NDArray[np.float64]
Embeddings = npt.NDArray[np.float32]
Pairs = npt.NDArray[np.int64]

FORBIDDEN: Final = 1e3
"""A cost that no sum of allowed ones reaches; such pairs are dropped after the assignment."""
SIZE_RATIO: Final = 4.0
"""Boxes whose areas differ by more than this factor need to overlap to be one object."""
APPEARANCE_SHARE: Final = 0.4
"""Weight of appearance where both sides have an embedding; the rest is position."""


def intersections(first_N4: Array, second_M4: Array) -> Array:
    """Return the common area of each pair, shape (N, M)."""
    low = np.maximum(first_N4[:, None, :2], second_M4[None, :, :2])
    high = np.minimum(first_N4[:, None, 2:], second_M4[None, :, 2:])
    sides = np.clip(high - low, 0, None)
    return np.asarray(sides[..., 0] * sides[..., 1])


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


def position_costs(tracks_N4: Array, detections_M4: Array, *, reach_N: Array) -> Array:
    """Return what it costs, 0 to 1, to take a detection for a track; FORBIDDEN where it cannot be.

    Overlap counts, and the distance of centres within a gate for small or fast objects, whose
    boxes at five frames a second do not overlap.

    Args:
        tracks_N4: Predicted boxes.
        detections_M4: Measured boxes.
        reach_N: Radius of each track's gate in object sizes: grows while it is not seen.
    """
    overlap = ious(tracks_N4, detections_M4)
    centres_N2 = (tracks_N4[:, :2] + tracks_N4[:, 2:]) / 2
    centres_M2 = (detections_M4[:, :2] + detections_M4[:, 2:]) / 2
    sides_N2 = tracks_N4[:, 2:] - tracks_N4[:, :2]
    sides_M2 = detections_M4[:, 2:] - detections_M4[:, :2]
    # In units of both objects' mean sides, so a tall box reaches farther up than sideways.
    sides = np.maximum((sides_N2[:, None] + sides_M2[None]) / 2, 0.02)
    offsets = np.abs(centres_N2[:, None] - centres_M2[None]) / sides
    distance = np.hypot(offsets[..., 0], offsets[..., 1]) / reach_N[:, None]
    ratio = areas(detections_M4)[None] / np.maximum(areas(tracks_N4)[:, None], 1e-12)
    alike = (ratio < SIZE_RATIO) & (ratio > 1 / SIZE_RATIO)
    allowed = (overlap > 0.2) | ((distance < 1) & (alike | (overlap > 0.05)))
    cost = 0.5 * (1 - overlap) + 0.5 * np.minimum(distance, 1)
    return np.where(allowed, cost, FORBIDDEN)


def add_appearance(costs_NM: Array, tracks_ND: Embeddings, detections_MD: Embeddings) -> Array:
    """Mix the cosine distance of unit embeddings into allowed costs.

    A track whose embedding is all zeros has none; its costs stay as they are.
    """
    distance_NM = np.clip((1 - tracks_ND @ detections_MD.T) / 2, 0, 1)
    known_N1 = (np.abs(tracks_ND).sum(axis=1) > 0)[:, None]
    mixed_NM = (1 - APPEARANCE_SHARE) * costs_NM + APPEARANCE_SHARE * distance_NM
    return np.where(known_N1 & (costs_NM < FORBIDDEN), mixed_NM, costs_NM)


def assign(costs_NM: Array) -> Pairs:
    """Return pairs (track, detection), shape (K, 2), of least total cost; each stands once."""
    if costs_NM.size == 0:
        return np.zeros((0, 2), np.int64)
    rows, columns = linear_sum_assignment(costs_NM)
    allowed = costs_NM[rows, columns] < FORBIDDEN
    return np.stack([rows[allowed], columns[allowed]], axis=1).astype(np.int64)
