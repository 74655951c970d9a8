"""Metres on the ground, measured again from an incident's calibration.

Independent of the code that made the facts. Shape legend: N = points, 2 = x and y.
"""

import numpy as np

from contracts.geometry import Calibration
from moe_core.way import FloatArray


def ground_places(calibration: Calibration, points_N2: FloatArray) -> FloatArray | None:
    """Return where on the ground points of the picture are, metres, shape (N, 2).

    None where the calibration is no plane, or a point lies beyond the horizon.

    Source: the null vector of the direct linear transform, Hartley and Zisserman, "Multiple View
    Geometry in Computer Vision", algorithm 4.1.
    """
    picture_N2 = np.array(calibration.picture, np.float64)
    ground_N2 = np.array(calibration.ground, np.float64)
    if picture_N2.shape != (4, 2) or ground_N2.shape != (4, 2):
        return None
    centre, size = ground_N2.mean(axis=0), max(1e-9, float(np.abs(ground_N2).max()))
    rows = []
    for (u, v), (x, y) in zip(picture_N2, (ground_N2 - centre) / size, strict=True):
        rows += [
            [u, v, 1, 0, 0, 0, -u * x, -v * x, -x],
            [0, 0, 0, u, v, 1, -u * y, -v * y, -y],
        ]
    if not np.isfinite(rows).all():
        return None
    _, singular, basis = np.linalg.svd(np.array(rows))
    if singular[7] < 1e-9 * singular[0]:
        return None
    matrix_33 = basis[-1].reshape(3, 3)
    behind = _homogeneous(picture_N2) @ matrix_33[2]
    scales = _homogeneous(points_N2) @ matrix_33[2]
    if not (np.sign(behind) == np.sign(behind[0])).all() or (scales * behind[0] <= 0).any():
        return None
    placed_N3 = _homogeneous(points_N2) @ matrix_33.T
    places_N2: FloatArray = placed_N3[:, :2] / placed_N3[:, 2:] * size + centre
    return places_N2


def _homogeneous(points_N2: FloatArray) -> FloatArray:
    return np.hstack([points_N2, np.ones((len(points_N2), 1))])
