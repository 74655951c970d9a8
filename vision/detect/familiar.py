"""What a network takes for something though nothing has come into the scene: the foot of a table.

Shape legend: N = finds of a frame, F = familiar places, 4 = x1, y1, x2, y2.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from vision.association import ious

Array = npt.NDArray[np.float64]

SAME_PLACE_IOU: Final = 0.7
STOOD_S: Final = 1.0
"""Found twice in a place, so far apart, with nothing there that was not there before: it is part
of the scene."""
FAMILIAR_S: Final = 300.0
"""... and stays so for this long, whoever stands before it meanwhile."""
MOST: Final = 64
"""Places that are remembered; the one that was seen last the longest ago makes room."""


class Familiar:
    """The places of one camera."""

    def __init__(self) -> None:
        self._boxes_F4: Array = np.zeros((0, 4))
        self._first_s_F: Array = np.zeros(0)
        self._last_s_F: Array = np.zeros(0)

    def is_familiar(self, boxes_N4: Array) -> npt.NDArray[np.bool_]:
        """Say of each find whether it has long stood there."""
        stood_F = self._last_s_F - self._first_s_F >= STOOD_S
        is_same_NF = ious(boxes_N4, self._boxes_F4[stood_F]) >= SAME_PLACE_IOU
        return np.asarray(is_same_NF.any(axis=1))

    def note(self, boxes_N4: Array, *, now_s: float) -> None:
        """Remember finds where nothing was that was not there before."""
        away_s_F = now_s - self._last_s_F
        self._keep(np.flatnonzero((away_s_F >= 0) & (away_s_F <= FAMILIAR_S)))
        is_same_NF = ious(boxes_N4, self._boxes_F4) >= SAME_PLACE_IOU
        self._last_s_F[is_same_NF.any(axis=0)] = now_s
        new_N4 = boxes_N4[~is_same_NF.any(axis=1)]
        times_s = np.full(len(new_N4), now_s)
        self._boxes_F4 = np.concatenate([self._boxes_F4, new_N4])
        self._first_s_F = np.concatenate([self._first_s_F, times_s])
        self._last_s_F = np.concatenate([self._last_s_F, times_s])
        self._keep(np.argsort(-self._last_s_F, kind="stable")[:MOST])

    def _keep(self, kept: npt.NDArray[np.int64]) -> None:
        self._boxes_F4 = self._boxes_F4[kept]
        self._first_s_F = self._first_s_F[kept]
        self._last_s_F = self._last_s_F[kept]
