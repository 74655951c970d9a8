"""Constant-velocity Kalman filters for many boxes at once.

The four numbers of a box (centre x, y, width, height) are filtered independently, so each needs
only a 2 x 2 covariance, written out: no matrix is ever inverted.

Shape legend: N = tracks, M = detections, Q = centre x, centre y, width, height, P = x, y, V = Q
and squared size, S = position, velocity, variance of position, covariance, variance of velocity,
and the variance that acceleration brings. Units: picture (0..1) and seconds.

Source: Kalman 1960; the noise that grows with the object's size is from Wojke et al. 2017,
"Simple Online and Realtime Tracking with a Deep Association Metric", section 2.1.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from vision.outlines import Outlines

Array = npt.NDArray[np.float64]

MEASUREMENT: Final = 0.1
"""Standard deviation of a detector's box, share of the object's size."""
ACCELERATION: Final = np.array([[1.0], [1.0], [0.2], [0.2]])
"""Standard deviation of acceleration, object sizes per s^2: people start and stop at once."""
_ACCELERATION_VARIANCE: Final = ACCELERATION**2
FIRST_VELOCITY: Final = np.array([[2.0], [2.0], [0.3], [0.3]])
"""What a new object's velocity may be, object sizes per s."""
REST: Final = 0.15
"""Slower than this stands still, object sizes per s."""
LOST_DECAY_S: Final = 0.8
"""Unseen objects are not carried away: their velocity dies with this time constant."""
LEAST_SIZE: Final = 0.02
"""Smaller objects get the noise of this size: boxes are made of whole pixels."""


_UNSEEN: Final = (0.0, 0.0, 0.0, 0.0, np.inf)
"""A measurement that says nothing, as a column of what ``correct`` makes of the detections."""


class BoxFilters:
    """The motion of N boxes, kept in columns that the caller numbers."""

    def __init__(self) -> None:
        self._state_SQN: Array = np.zeros((6, 4, 0))
        self._rest_N: Array = np.zeros(0)

    def __len__(self) -> int:
        return int(self._state_SQN.shape[2])

    @property
    def position_N4(self) -> Array:
        """Where each is: a view."""
        return np.asarray(self._state_SQN[0].T)

    @property
    def velocity_N4(self) -> Array:
        """How fast each moves and grows, picture units per s: a view."""
        return np.asarray(self._state_SQN[1].T)

    def add(self, found: Outlines, columns: Sequence[int]) -> None:
        """Append filters for new boxes, at rest: those of these columns."""
        fresh_SQK = np.zeros((6, 4, len(columns)))
        fresh_SQK[0, :2] = found.centre_PN[:, columns]
        fresh_SQK[0, 2:] = found.sides_PN[:, columns]
        squared_K = np.maximum(found.lines_LN[4, columns], LEAST_SIZE**2)
        fresh_SQK[2] = MEASUREMENT**2 * squared_K
        fresh_SQK[4] = FIRST_VELOCITY**2 * squared_K
        self._state_SQN = np.concatenate([self._state_SQN, fresh_SQK], axis=2)
        self._rest_N = np.concatenate([self._rest_N, np.zeros(len(columns))])

    def keep(self, rows_N: npt.NDArray[np.bool_]) -> None:
        """Drop the filters that are not kept; the others move up."""
        self._state_SQN = np.ascontiguousarray(self._state_SQN[:, :, rows_N])
        self._rest_N = self._rest_N[rows_N]

    def predict(self, step_s: float, *, lost: Sequence[int] = ()) -> None:
        """Move all boxes on by ``step_s`` >= 0; the speed of the lost ones fades."""
        state_SQN = self._state_SQN
        squared_N = state_SQN[0, 2] * state_SQN[0, 3]
        np.maximum(squared_N, LEAST_SIZE**2, out=squared_N)
        np.multiply(_ACCELERATION_VARIANCE, squared_N, out=state_SQN[5])
        moved = _step_matrix(step_s) @ state_SQN.reshape(6, -1)
        self._state_SQN = state_SQN = moved.reshape(state_SQN.shape)
        sides_PN = state_SQN[0, 2:]
        np.maximum(sides_PN, 1e-4, out=sides_PN)
        if lost:
            left = math.exp(-step_s / LOST_DECAY_S)
            state_SQN[1][:, lost] *= left
            # Whether it stood when it was last measured stays as it was.
            self._rest_N[lost] *= left * left

    def correct(self, found: Outlines, columns: Sequence[int]) -> None:
        """Take in what was measured.

        Args:
            found: The detections.
            columns: Which of them each filter's object is; -1 where it was not seen.
        """
        # A last column that says nothing is that of whoever was not seen: a gain of zero leaves
        # everything as it is, and nothing has to be picked out and put back.
        given_VM = np.empty((5, len(found) + 1))
        given_VM[:2, :-1] = found.centre_PN
        given_VM[2:4, :-1] = found.sides_PN
        np.maximum(found.lines_LN[4], LEAST_SIZE**2, out=given_VM[4, :-1])
        given_VM[:, -1] = _UNSEEN
        measured_VN = given_VM.take(columns, axis=1)
        squared_N = measured_VN[4]
        state_SQN = self._state_SQN
        total_QN = MEASUREMENT**2 * squared_N + state_SQN[2]
        gains_SQN = state_SQN[2:4] / total_QN
        measured_VN[:4] -= state_SQN[0]
        state_SQN[:2] += gains_SQN * measured_VN[:4]
        state_SQN[4] -= gains_SQN[1] * state_SQN[3]
        state_SQN[2:4] *= 1 - gains_SQN[0]
        np.copyto(self._rest_N, squared_N, where=squared_N < np.inf)

    def at_rest(self) -> npt.NDArray[np.bool_]:
        """Say for each box, shape (N,), whether it stood still when it was last measured.

        A new box's velocity is zero too, but nobody knows it yet; so the answer is no.
        """
        speeds_PN = self._state_SQN[1, :2]
        is_slow_PN = speeds_PN * speeds_PN < REST**2 * self._rest_N
        return np.asarray(is_slow_PN[0] & is_slow_PN[1], np.bool_)

    def outlines(self) -> Outlines:
        """Return where all boxes are; they may reach out of the picture."""
        return Outlines.around(self._state_SQN[0, :2], self._state_SQN[0, 2:])


@lru_cache(maxsize=64)
def _step_matrix(step_s: float) -> Array:
    """Return how a step carries position, velocity, covariance and noise on; noise is spent."""
    squared = step_s * step_s
    return np.array(
        [
            [1.0, step_s, 0.0, 0.0, 0.0, 0.0],
            [0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, 2 * step_s, squared, squared * squared / 4],
            [0.0, 0.0, 0.0, 1.0, step_s, squared * step_s / 2],
            [0.0, 0.0, 0.0, 0.0, 1.0, squared],
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        ]
    )
