"""What each followed object looks like: embeddings remembered, and how far a new one is from them.

Shape legend: N = tracks, M = detections, G = remembered looks of a track and their mean,
D = embedding size.
"""

import math
from collections.abc import Sequence
from itertools import compress
from typing import Final

import numpy as np
import numpy.typing as npt

Embeddings = npt.NDArray[np.float32]

GALLERY: Final = 4
"""Looks that are remembered beside the running mean: from the front, from the side, crouching."""
GALLERY_EVERY_S: Final = 1.0
"""... taken so far apart; the oldest makes room."""
MEMORY: Final = 0.9
"""Share of what was known in the running mean after a new look."""


def squares(embeddings_MD: Embeddings) -> list[float]:
    """Return the squared length of each: 0 where there is no look."""
    found: list[float] = np.einsum("md,md->m", embeddings_MD, embeddings_MD).tolist()
    return found


class Looks:
    """Embeddings of N tracks, kept in rows that the caller numbers as those of ``BoxFilters``.

    Unit vectors; an embedding of all zeros is none.
    """

    def __init__(self) -> None:
        # The running mean first, then the looks that are remembered; places that no look has
        # taken yet hold the first one, which changes no nearest.
        self._memory_GND: Embeddings = np.zeros((1 + GALLERY, 0, 0), np.float32)
        self._taken: list[int] = []
        self._due_s: list[float] = []

    def add(self, count: int) -> None:
        """Append rows of which nothing is known yet."""
        fresh = np.zeros((1 + GALLERY, count, self._memory_GND.shape[2]), np.float32)
        self._memory_GND = np.concatenate([self._memory_GND, fresh], axis=1)
        self._taken += [0] * count
        self._due_s += [-math.inf] * count

    def keep(self, is_kept: Sequence[bool]) -> None:
        """Drop the rows that are not kept; the others move up."""
        self._memory_GND = self._memory_GND.compress(is_kept, axis=1)
        self._taken = list(compress(self._taken, is_kept))
        self._due_s = list(compress(self._due_s, is_kept))

    def learn(self, rows: Sequence[int], embeddings_MD: Embeddings, *, now_s: float) -> None:
        """Remember what these rows look like now."""
        is_look = [square > 0 for square in squares(embeddings_MD)]
        if not all(is_look):
            rows = list(compress(rows, is_look))
            embeddings_MD = embeddings_MD.compress(is_look, axis=0)
        if not rows:
            return
        if embeddings_MD.shape[1] != self._memory_GND.shape[2]:
            self._begin_size(embeddings_MD.shape[1])
        mean_ND = self._memory_GND[0]
        mean_MD = mean_ND.take(rows, axis=0)
        mean_MD *= MEMORY
        mean_MD += (1 - MEMORY) * embeddings_MD
        lengths_M = np.sqrt(np.einsum("md,md->m", mean_MD, mean_MD))
        mean_MD /= np.maximum(lengths_M, 1e-9)[:, None]
        mean_ND[rows] = mean_MD
        for index, row in enumerate(rows):
            if now_s < self._due_s[row]:
                continue
            taken = self._taken[row]
            place = 1 + taken % GALLERY if taken else slice(1, None)
            self._memory_GND[place, row] = embeddings_MD[index]
            self._taken[row] = taken + 1
            self._due_s[row] = now_s + GALLERY_EVERY_S - 1e-6

    def distances(self, embeddings_MD: Embeddings) -> Embeddings | None:
        """Return the cosine distance (0 to 2) to the nearest remembered look, shape (N, M).

        NaN where either side has none; None if nothing is known of anybody.
        """
        count, size = self._memory_GND.shape[1:]
        if embeddings_MD.shape[1] != size or not any(self._taken):
            return None
        likeness_GNM = self._memory_GND.reshape(-1, size) @ embeddings_MD.T
        nearest_NM = likeness_GNM.reshape(1 + GALLERY, count, -1).max(axis=0)
        if not all(self._taken):
            nearest_NM[[taken == 0 for taken in self._taken]] = np.nan
        is_none = [square == 0 for square in squares(embeddings_MD)]
        if any(is_none):
            nearest_NM[:, is_none] = np.nan
        return np.asarray(1 - nearest_NM)

    def _begin_size(self, size: int) -> None:
        """Forget looks of another embedding size: the detector has changed."""
        count = len(self._taken)
        self._memory_GND = np.zeros((1 + GALLERY, count, size), np.float32)
        self._taken = [0] * count
        self._due_s = [-math.inf] * count
