"""What each followed object looks like: embeddings remembered, and how far a new one is from them.

Shape legend: S = slots, one for each track and some to spare, G = a track's mean and its
remembered looks, M = detections, K = pairs of a track and a detection, D = embedding size.
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
_KNOWN: Final = np.float32(MEMORY / (1 - MEMORY))
"""How many times a new look's weight what is known has."""
_PLACES: Final = 1 + GALLERY


def squares(embeddings_MD: Embeddings) -> list[float]:
    """Return the squared length of each: 0 where there is no look."""
    found: list[float] = np.vecdot(embeddings_MD, embeddings_MD).tolist()
    return found


class Looks:
    """Embeddings of N tracks, kept in rows that the caller numbers as those of ``BoxFilters``.

    Unit vectors; where there is no look, NaN.
    """

    def __init__(self) -> None:
        # The running mean first, then the looks that are remembered; places that no look has
        # taken yet hold the first one, which changes no nearest. A track keeps its slot, so that
        # nothing is copied when others come and go.
        self._memory_SGD: Embeddings = np.zeros((0, _PLACES, 0), np.float32)
        self._slots: list[int] = []
        self._spare: list[int] = []
        self._taken: list[int] = []
        self._due_s: list[float] = []

    def add(self, count: int) -> None:
        """Append rows of which nothing is known yet."""
        slots, _, size = self._memory_SGD.shape
        if count > len(self._spare):
            more = max(slots, count)
            fresh = np.zeros((more, _PLACES, size), np.float32)
            self._memory_SGD = np.concatenate([self._memory_SGD, fresh])
            self._spare += range(slots, slots + more)
        fresh_slots = self._spare[:count]
        del self._spare[:count]
        self._memory_SGD[fresh_slots] = np.nan
        self._slots += fresh_slots
        self._taken += [0] * count
        self._due_s += [-math.inf] * count

    def keep(self, is_kept: Sequence[bool]) -> None:
        """Drop the rows that are not kept; the others move up."""
        self._spare += compress(self._slots, [not kept for kept in is_kept])
        self._slots = list(compress(self._slots, is_kept))
        self._taken = list(compress(self._taken, is_kept))
        self._due_s = list(compress(self._due_s, is_kept))

    def learn(self, rows: Sequence[int], embeddings_MD: Embeddings, *, now_s: float) -> None:
        """Remember what these rows look like now; each has a look."""
        if embeddings_MD.shape[1] != self._memory_SGD.shape[2]:
            self._begin_size(embeddings_MD.shape[1])
        slots, due_s = self._slots, self._due_s
        means = [_PLACES * slots[row] for row in rows]
        places: list[int] = []
        sources: list[int] = []
        for index, row in enumerate(rows):
            if now_s < due_s[row]:
                continue
            taken, first = self._taken[row], means[index]
            if taken:
                places.append(first + 1 + taken % GALLERY)
                sources.append(index)
            else:
                places += range(first, first + _PLACES)
                sources += [index] * _PLACES
            self._taken[row] = taken + 1
            due_s[row] = now_s + GALLERY_EVERY_S - 1e-6
        memory_FD = self._memory_SGD.reshape(-1, embeddings_MD.shape[1])
        if places:
            memory_FD[places] = embeddings_MD.take(sources, axis=0)
        mean_MD = memory_FD.take(means, axis=0)
        mean_MD *= _KNOWN
        mean_MD += embeddings_MD
        # One look weighs less than what is known of others: the length is never near zero.
        mean_MD /= np.sqrt(np.vecdot(mean_MD, mean_MD))[:, None]
        memory_FD[means] = mean_MD

    def distances(
        self, rows: Sequence[int], columns: Sequence[int], embeddings_MD: Embeddings
    ) -> list[float]:
        """Return the cosine distance (0 to 2) of K pairs to the nearest remembered look.

        NaN where either side has no look.

        Args:
            rows: Of each pair, the track.
            columns: Of each pair, the detection.
            embeddings_MD: What the detections look like.
        """
        if embeddings_MD.shape[1] != self._memory_SGD.shape[2]:
            return [math.nan] * len(rows)
        slots = self._slots
        looks_KD = embeddings_MD.take(columns, axis=0)
        memory_KGD = self._memory_SGD.take([slots[row] for row in rows], axis=0)
        likeness_KG = np.vecdot(memory_KGD, looks_KD[:, None])
        distances: list[float] = (1 - np.maximum.reduce(likeness_KG, axis=1)).tolist()
        return distances

    def _begin_size(self, size: int) -> None:
        """Forget looks of another embedding size: the detector has changed."""
        self._memory_SGD = np.full((len(self._memory_SGD), _PLACES, size), np.nan, np.float32)
        self._taken = [0] * len(self._slots)
        self._due_s = [-math.inf] * len(self._slots)
