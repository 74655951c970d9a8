import math

import numpy as np
import pytest

from ingest.sources.scenes.projection import Pinhole

LEVEL = Pinhole(width=640, height=360, focal_px=500.0, mount_m=4.0, tilt_rad=0.0)
TILTED = Pinhole(width=640, height=360, focal_px=500.0, mount_m=4.0, tilt_rad=math.radians(20))


def test_what_is_straight_ahead_lies_in_the_middle() -> None:
    [[u, v]] = LEVEL.project(np.array([[0.0, 4.0, 10.0]]))
    assert (u, v) == pytest.approx((320.0, 180.0))


def test_size_falls_with_distance() -> None:
    points = np.array([[0.0, 4.0, 10.0], [1.0, 4.0, 10.0], [0.0, 4.0, 20.0], [1.0, 4.0, 20.0]])
    u = LEVEL.project(points)[:, 0]
    assert (u[1] - u[0], u[3] - u[2]) == pytest.approx((50.0, 25.0))


def test_a_tilted_camera_sees_its_aim_in_the_middle() -> None:
    aim_z = TILTED.mount_m / math.tan(TILTED.tilt_rad)
    assert TILTED.ground_point(0.0, aim_z) == pytest.approx((0.5, 0.5))


def test_near_ground_lies_below_far_ground() -> None:
    assert TILTED.ground_point(0.0, 6.0)[1] > TILTED.ground_point(0.0, 12.0)[1]
