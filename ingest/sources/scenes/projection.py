"""A pinhole camera over flat ground.

World axes in metres: x to the right, y up, z away from the camera; the camera stands above the
origin. Pixels: u to the right, v down. Shape legend: N = points, 3 = x, y, z, 2 = u, v.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contracts.geometry import Point

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinhole:
    """Where the camera hangs and how it looks.

    Attributes:
        width, height: Of the picture, in pixels.
        focal_px: Focal length in pixels; also the scale at a distance of 1 m.
        mount_m: Height above the ground.
        tilt_rad: Downward from the horizontal.
    """

    width: int
    height: int
    focal_px: float
    mount_m: float
    tilt_rad: float

    def project(self, points_N3: FloatArray) -> FloatArray:
        """Return pixels (N, 2); points must lie in front of the camera."""
        depths_N = self.depth(points_N3)
        below_N = self.mount_m - points_N3[:, 1]
        across_N = below_N * math.cos(self.tilt_rad) - points_N3[:, 2] * math.sin(self.tilt_rad)
        return np.column_stack(
            (
                self.width / 2 + self.focal_px * points_N3[:, 0] / depths_N,
                self.height / 2 + self.focal_px * across_N / depths_N,
            )
        )

    def depth(self, points_N3: FloatArray) -> FloatArray:
        """Return the distances along the optical axis, in metres, shape (N,)."""
        below_N = self.mount_m - points_N3[:, 1]
        along_N = points_N3[:, 2] * math.cos(self.tilt_rad)
        return along_N + below_N * math.sin(self.tilt_rad)

    def ground_point(self, x_m: float, z_m: float) -> Point:
        """Return where a point of the ground is seen, normalised; may lie outside 0..1."""
        [[u, v]] = self.project(np.array([[x_m, 0.0, z_m]]))
        return (float(u) / self.width, float(v) / self.height)
