"""Constant-velocity Kalman filters for many boxes at once.

The four numbers of a box (centre x, y, width, height) are filtered independently, so each needs
only a 2 x 2 covariance, written out: no matrix is ever inverted.

Shape legend: N = tracks, 4 = centre x, centre y, width, height (or x1, y1, x2, y2 where said),
S = variance of position, covariance, variance of velocity. Units: picture (0..1) and seconds.

Source: Kalman 1960; the noise that grows with the object's size is from Wojke et al. 2017,
"Simple Online and Realtime Tracking with a Deep Association Metric", section 2.1.
"""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

MEASUREMENT: Final = 0.1
"""Standard deviation of a detector's box, share of the object's size."""
ACCELERATION: Final = np.array([1.0, 1.0, 0.2, 0.2])
"""Standard deviation of acceleration, object sizes per s^2: people start and stop at once."""
_ACCELERATION_VARIANCE: Final = ACCELERATION**2
FIRST_VELOCITY: Final = np.array([2.0, 2.0, 0.3, 0.3])
"""What a new object's velocity may be, object sizes per s."""
REST: Final = 0.15
"""Slower than this stands still, object sizes per s."""
LOST_DECAY_S: Final = 0.8
"""Unseen objects are not carried away: their velocity dies with this time constant."""
LEAST_SIZE: Final = 0.02
"""Smaller objects get the noise of this size: boxes are made of whole pixels."""


class BoxFilters:
    """The motion of N boxes, kept in rows that the caller numbers."""

    def __init__(self) -> None:
        self.position_N4: Array = np.zeros((0, 4))
        self.velocity_N4: Array = np.zeros((0, 4))
        self._covariance_SN4: Array = np.zeros((3, 0, 4))
        self._rests_N: npt.NDArray[np.bool_] = np.zeros(0, np.bool_)

    def __len__(self) -> int:
        return int(self.position_N4.shape[0])

    def add(self, boxes_N4: Array) -> None:
        """Append filters for new boxes (x1, y1, x2, y2), at rest."""
        position_N4 = to_centre(boxes_N4)
        squared_N1 = _squared_scale(position_N4)
        covariance_SN4 = np.zeros((3, *position_N4.shape))
        covariance_SN4[0] = MEASUREMENT**2 * squared_N1
        covariance_SN4[2] = FIRST_VELOCITY**2 * squared_N1
        self.position_N4 = np.concatenate([self.position_N4, position_N4])
        self.velocity_N4 = np.concatenate([self.velocity_N4, np.zeros_like(position_N4)])
        self._covariance_SN4 = np.concatenate([self._covariance_SN4, covariance_SN4], axis=1)
        self._rests_N = np.concatenate([self._rests_N, np.zeros(len(boxes_N4), np.bool_)])

    def keep(self, rows_N: npt.NDArray[np.bool_]) -> None:
        """Drop the filters that are not kept; the others move up."""
        self.position_N4 = self.position_N4[rows_N]
        self.velocity_N4 = self.velocity_N4[rows_N]
        self._covariance_SN4 = np.ascontiguousarray(self._covariance_SN4[:, rows_N])
        self._rests_N = self._rests_N[rows_N]

    def predict(self, step_s: float, *, is_lost_N: npt.NDArray[np.bool_]) -> None:
        """Move all boxes on by ``step_s`` >= 0; the speed of the lost ones fades."""
        noise_N4 = _ACCELERATION_VARIANCE * _squared_scale(self.position_N4)
        self.position_N4 += self.velocity_N4 * step_s
        np.maximum(self.position_N4[:, 2:], 1e-4, out=self.position_N4[:, 2:])
        # The three parts of the covariance and the noise, each of them times powers of the step.
        carried_33, added_31 = _step_matrices(step_s)
        flat = carried_33 @ self._covariance_SN4.reshape(3, -1)
        flat += added_31 * noise_N4.reshape(1, -1)
        self._covariance_SN4 = flat.reshape(self._covariance_SN4.shape)
        if np.count_nonzero(is_lost_N):
            self.velocity_N4[is_lost_N] *= np.exp(-step_s / LOST_DECAY_S)

    def correct(self, rows_M: npt.NDArray[np.int64], boxes_M4: Array) -> None:
        """Take measured boxes (x1, y1, x2, y2) into the filters of these rows, in rising order."""
        if not len(rows_M):
            return
        # A slice is a view: nothing is copied when all are measured, as they mostly are.
        rows = slice(None) if len(rows_M) == len(self) else rows_M
        measured_M4 = to_centre(boxes_M4)
        squared_M1 = _squared_scale(measured_M4)
        covariance_SM4 = self._covariance_SN4[:, rows]
        innovation_M4 = measured_M4 - self.position_N4[rows]
        total_M4 = covariance_SM4[0] + MEASUREMENT**2 * squared_M1
        gains_SM4 = covariance_SM4[:2] / total_M4
        self.position_N4[rows] += gains_SM4[0] * innovation_M4
        self.velocity_N4[rows] += gains_SM4[1] * innovation_M4
        covariance_SM4[2] -= gains_SM4[1] * covariance_SM4[1]
        covariance_SM4[:2] *= 1 - gains_SM4[0]
        self._covariance_SN4[:, rows] = covariance_SM4
        speeds_M2 = self.velocity_N4[rows, :2]
        is_slow_M2 = speeds_M2 * speeds_M2 < REST**2 * squared_M1
        self._rests_N[rows] = is_slow_M2[:, 0] & is_slow_M2[:, 1]

    def at_rest(self) -> npt.NDArray[np.bool_]:
        """Say for each box, shape (N,), whether it stood still when it was last measured.

        A new box's velocity is zero too, but nobody knows it yet; so the answer is no.
        """
        return self._rests_N.copy()

    @property
    def is_any_at_rest(self) -> bool:
        """Whether ``at_rest`` says yes of any."""
        return bool(np.count_nonzero(self._rests_N))

    def boxes(self) -> Array:
        """Return all boxes as x1, y1, x2, y2; they may reach out of the picture."""
        boxes_N4 = np.empty_like(self.position_N4)
        half_N2 = 0.5 * self.position_N4[:, 2:]
        np.subtract(self.position_N4[:, :2], half_N2, out=boxes_N4[:, :2])
        np.add(self.position_N4[:, :2], half_N2, out=boxes_N4[:, 2:])
        return boxes_N4


@lru_cache(maxsize=64)
def _step_matrices(step_s: float) -> tuple[Array, Array]:
    """Return how a step carries the parts of a covariance on, and what acceleration adds."""
    squared = step_s * step_s
    carried_33 = np.array([[1.0, 2 * step_s, squared], [0.0, 1.0, step_s], [0.0, 0.0, 1.0]])
    return carried_33, np.array([[squared * squared / 4], [squared * step_s / 2], [squared]])


def to_centre(boxes_N4: Array) -> Array:
    """Return centre x, centre y, width, height of boxes x1, y1, x2, y2."""
    centre_N4 = np.empty(boxes_N4.shape)
    low_N2, high_N2 = boxes_N4[:, :2], boxes_N4[:, 2:]
    np.multiply(low_N2 + high_N2, 0.5, out=centre_N4[:, :2])
    np.subtract(high_N2, low_N2, out=centre_N4[:, 2:])
    return centre_N4


def _squared_scale(position_N4: Array) -> Array:
    """Return the square of each object's size, shape (N, 1): its area, or that of the least."""
    return np.maximum(position_N4[:, 2:3] * position_N4[:, 3:4], LEAST_SIZE**2)
