"""What each followed object looks like: embeddings remembered, and how far a new one is from them.

Shape legend: N = tracks, M = detections, G = remembered looks of a track, D = embedding size.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Embeddings = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

GALLERY: Final = 4
"""Looks that are remembered beside the running mean: from the front, from the side, crouching."""
GALLERY_EVERY_S: Final = 1.0
"""... taken so far apart; the oldest makes room."""
MEMORY: Final = 0.9
"""Share of what was known in the running mean after a new look."""


class Looks:
    """Embeddings of N tracks, kept in rows that the caller numbers as those of ``BoxFilters``.

    Unit vectors; an embedding of all zeros is none.
    """

    def __init__(self) -> None:
        self._mean_ND: Embeddings = np.zeros((0, 0), np.float32)
        self._gallery_NGD: Embeddings = np.zeros((0, GALLERY, 0), np.float32)
        self._taken_N: Rows = np.zeros(0, np.int64)
        self._taken_at_N: Array = np.zeros(0)

    def add(self, count: int) -> None:
        """Append rows of which nothing is known yet."""
        size = self._mean_ND.shape[1]
        self._mean_ND = np.concatenate([self._mean_ND, np.zeros((count, size), np.float32)])
        fresh = np.zeros((count, GALLERY, size), np.float32)
        self._gallery_NGD = np.concatenate([self._gallery_NGD, fresh])
        self._taken_N = np.concatenate([self._taken_N, np.zeros(count, np.int64)])
        self._taken_at_N = np.concatenate([self._taken_at_N, np.full(count, -np.inf)])

    def keep(self, rows_N: npt.NDArray[np.bool_]) -> None:
        """Drop the rows that are not kept; the others move up."""
        self._mean_ND = self._mean_ND[rows_N]
        self._gallery_NGD = self._gallery_NGD[rows_N]
        self._taken_N = self._taken_N[rows_N]
        self._taken_at_N = self._taken_at_N[rows_N]

    def learn(self, rows_M: Rows, embeddings_MD: Embeddings, *, now_s: float) -> None:
        """Remember what these rows look like now."""
        is_look_M = embeddings_MD.any(axis=1)
        rows, looks_MD = rows_M[is_look_M], embeddings_MD[is_look_M]
        if not len(rows):
            return
        if looks_MD.shape[1] != self._mean_ND.shape[1]:
            self._begin_size(looks_MD.shape[1])
        mean_MD = MEMORY * self._mean_ND[rows] + (1 - MEMORY) * looks_MD
        self._mean_ND[rows] = mean_MD / np.maximum(
            np.sqrt((mean_MD * mean_MD).sum(axis=1, keepdims=True)), 1e-9
        )
        is_due_M = now_s - self._taken_at_N[rows] >= GALLERY_EVERY_S - 1e-6
        if is_due_M.any():
            due = rows[is_due_M]
            self._gallery_NGD[due, self._taken_N[due] % GALLERY] = looks_MD[is_due_M]
            self._taken_N[due] += 1
            self._taken_at_N[due] = now_s

    def distances(self, embeddings_MD: Embeddings) -> Embeddings | None:
        """Return the cosine distance (0 to 2) to the nearest remembered look, shape (N, M).

        NaN where either side has none; None if nothing is known of anybody.
        """
        if embeddings_MD.shape[1] != self._mean_ND.shape[1] or not self._taken_N.any():
            return None
        nearest_NM = self._mean_ND @ embeddings_MD.T
        for index in range(min(GALLERY, int(self._taken_N.max()))):
            likeness_NM = self._gallery_NGD[:, index] @ embeddings_MD.T
            likeness_NM[self._taken_N <= index] = -1.0
            np.maximum(nearest_NM, likeness_NM, out=nearest_NM)
        nearest_NM[self._taken_N == 0] = np.nan
        nearest_NM[:, ~embeddings_MD.any(axis=1)] = np.nan
        return np.asarray(1 - nearest_NM)

    def _begin_size(self, size: int) -> None:
        """Forget looks of another embedding size: the detector has changed."""
        count = len(self._mean_ND)
        self._mean_ND = np.zeros((count, size), np.float32)
        self._gallery_NGD = np.zeros((count, GALLERY, size), np.float32)
        self._taken_N = np.zeros(count, np.int64)
        self._taken_at_N = np.full(count, -np.inf)
