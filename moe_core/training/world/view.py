"""How a simulated camera sees flat ground.

World axes in metres: x to the right, y up, z away from the camera, which stands above the origin.
Places in the picture are normalised, origin top left. Shape legend: N = points.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contracts.geometry import Point

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Where the camera hangs and how it looks.

    Attributes:
        mount_m: Height above the ground.
        tilt_rad: Downward from the horizontal.
        focal: Focal length in widths of the picture.
        aspect: Width of the picture over its height.
    """

    mount_m: float
    tilt_rad: float
    focal: float
    aspect: float

    def project(self, x_N: Array, y_N: Array, z_N: Array) -> tuple[Array, Array]:
        """Return where in the picture points in front of the camera are seen: across and down."""
        cos, sin = math.cos(self.tilt_rad), math.sin(self.tilt_rad)
        below_N = self.mount_m - y_N
        depth_N = np.maximum(z_N * cos + below_N * sin, 0.1)
        down_N = below_N * cos - z_N * sin
        return (
            0.5 + self.focal * x_N / depth_N,
            0.5 + self.focal * self.aspect * down_N / depth_N,
        )

    def foot(self, x_m: float, z_m: float) -> Point:
        """Return where a point of the ground is seen; may lie outside 0..1."""
        u, v = self.project(np.array([x_m]), np.zeros(1), np.array([z_m]))
        return (float(u[0]), float(v[0]))

    def ground(self, point: Point, *, height_m: float = 0.0) -> Point | None:
        """Return which place (x, z), so high above the ground, is seen at a point; None if none."""
        cos, sin = math.cos(self.tilt_rad), math.sin(self.tilt_rad)
        down = (point[1] - 0.5) / (self.focal * self.aspect)
        slope = down * cos + sin
        below = self.mount_m - height_m
        if slope <= 1e-3 or below <= 0:
            return None
        z = below * (cos - down * sin) / slope
        depth = z * cos + below * sin
        return ((point[0] - 0.5) * depth / self.focal, z) if depth > 0.1 else None

    def half_width_m(self, z_m: float) -> float:
        """Return how far to each side the ground is seen at a distance."""
        depth = z_m * math.cos(self.tilt_rad) + self.mount_m * math.sin(self.tilt_rad)
        return 0.5 * depth / self.focal

    def distance_m(self, row: float) -> float:
        """Return how far away the ground is that is seen at a row of the picture; inf if none."""
        place = self.ground((0.5, row))
        return math.inf if place is None else place[1]

    def distance_of_size_m(self, size: float, *, tall_m: float = 1.7) -> float:
        """Return how far away a body fills so much of the picture's height."""
        depth = tall_m * self.focal * self.aspect * math.cos(self.tilt_rad) / size
        return (depth - self.mount_m * math.sin(self.tilt_rad)) / math.cos(self.tilt_rad)
