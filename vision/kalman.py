"""Constant-velocity Kalman filters for many boxes at once.

The four numbers of a box (centre x, y, width, height) are filtered independently, so each needs
only a 2 x 2 covariance, written out: no matrix is ever inverted.

Shape legend: N = tracks, 4 = centre x, centre y, width, height (or x1, y1, x2, y2 where said),
3 = variance of position, covariance, variance of velocity. Units: picture (0..1) and seconds.

Source: Kalman 1960; the noise that grows with the object's size is from Wojke et al. 2017,
"Simple Online and Realtime Tracking with a Deep Association Metric", section 2.1.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

MEASUREMENT: Final = 0.06
"""Standard deviation of a detector's box, share of the object's size."""
ACCELERATION: Final = np.array([1.5, 1.5, 0.5, 0.5])
"""Standard deviation of acceleration, object sizes per s^2: people start and stop at once."""
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
        self._covariance_N43: Array = np.zeros((0, 4, 3))
        self._rests_N: npt.NDArray[np.bool_] = np.zeros(0, np.bool_)

    def __len__(self) -> int:
        return int(self.position_N4.shape[0])

    def add(self, boxes_N4: Array) -> None:
        """Append filters for new boxes (x1, y1, x2, y2), at rest."""
        position_N4 = to_centre(boxes_N4)
        scale_N1 = _scale(position_N4)
        covariance_N43 = np.zeros((*position_N4.shape, 3))
        covariance_N43[..., 0] = (MEASUREMENT * scale_N1) ** 2
        covariance_N43[..., 2] = (FIRST_VELOCITY * scale_N1) ** 2
        self.position_N4 = np.vstack([self.position_N4, position_N4])
        self.velocity_N4 = np.vstack([self.velocity_N4, np.zeros_like(position_N4)])
        self._covariance_N43 = np.concatenate([self._covariance_N43, covariance_N43])
        self._rests_N = np.concatenate([self._rests_N, np.zeros(len(boxes_N4), np.bool_)])

    def keep(self, rows_N: npt.NDArray[np.bool_]) -> None:
        """Drop the filters that are not kept; the others move up."""
        self.position_N4 = self.position_N4[rows_N]
        self.velocity_N4 = self.velocity_N4[rows_N]
        self._covariance_N43 = self._covariance_N43[rows_N]
        self._rests_N = self._rests_N[rows_N]

    def predict(self, step_s: float, *, is_lost_N: npt.NDArray[np.bool_]) -> None:
        """Move all boxes on by ``step_s`` >= 0; the speed of the lost ones fades."""
        scale_N1 = _scale(self.position_N4)
        noise_N4 = (ACCELERATION * scale_N1) ** 2
        pp, pv, vv = (self._covariance_N43[..., part] for part in range(3))
        self.position_N4 = self.position_N4 + self.velocity_N4 * step_s
        self.position_N4[:, 2:] = np.maximum(self.position_N4[:, 2:], 1e-4)
        self._covariance_N43 = np.stack(
            [
                pp + 2 * step_s * pv + step_s**2 * vv + noise_N4 * step_s**4 / 4,
                pv + step_s * vv + noise_N4 * step_s**3 / 2,
                vv + noise_N4 * step_s**2,
            ],
            axis=-1,
        )
        self.velocity_N4[is_lost_N] *= np.exp(-step_s / LOST_DECAY_S)

    def correct(self, rows_M: npt.NDArray[np.int64], boxes_M4: Array) -> None:
        """Take measured boxes (x1, y1, x2, y2) into the filters of these rows."""
        measured_M4 = to_centre(boxes_M4)
        scale_M1 = _scale(measured_M4)
        pp, pv, vv = (self._covariance_N43[rows_M, :, part] for part in range(3))
        innovation_M4 = measured_M4 - self.position_N4[rows_M]
        total_M4 = pp + (MEASUREMENT * scale_M1) ** 2
        gain_p, gain_v = pp / total_M4, pv / total_M4
        self.position_N4[rows_M] += gain_p * innovation_M4
        self.velocity_N4[rows_M] += gain_v * innovation_M4
        self._covariance_N43[rows_M] = np.stack(
            [(1 - gain_p) * pp, (1 - gain_p) * pv, vv - gain_v * pv], axis=-1
        )
        speeds_M2 = np.abs(self.velocity_N4[rows_M, :2])
        self._rests_N[rows_M] = (speeds_M2 < REST * scale_M1).all(axis=1)

    def at_rest(self) -> npt.NDArray[np.bool_]:
        """Say for each box, shape (N,), whether it stood still when it was last measured.

        A new box's velocity is zero too, but nobody knows it yet; so the answer is no.
        """
        return self._rests_N.copy()

    def boxes(self) -> Array:
        """Return all boxes as x1, y1, x2, y2; they may reach out of the picture."""
        half_N2 = self.position_N4[:, 2:] / 2
        centre_N2 = self.position_N4[:, :2]
        return np.hstack([centre_N2 - half_N2, centre_N2 + half_N2])


def to_centre(boxes_N4: Array) -> Array:
    """Return centre x, centre y, width, height of boxes x1, y1, x2, y2."""
    return np.hstack([(boxes_N4[:, :2] + boxes_N4[:, 2:]) / 2, boxes_N4[:, 2:] - boxes_N4[:, :2]])


def _scale(position_N4: Array) -> Array:
    """Return the size of each object, shape (N, 1): the root of its area."""
    size_N1 = np.sqrt(np.maximum(0, position_N4[:, 2:3] * position_N4[:, 3:4]))
    return np.asarray(np.maximum(size_N1, LEAST_SIZE))
