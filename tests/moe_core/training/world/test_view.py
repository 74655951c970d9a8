"""A simulated camera's view of the ground."""

import numpy as np
import pytest

from moe_core.training.world.view import View

VIEW = View(mount_m=5.0, tilt_rad=0.35, focal=0.8, aspect=16 / 9)


@pytest.mark.parametrize("place", [(0.0, 8.0), (-3.0, 12.0), (4.0, 25.0)])
def test_a_place_is_found_again_where_it_is_seen(place: tuple[float, float]) -> None:
    found = VIEW.ground(VIEW.foot(*place))
    assert found == pytest.approx(place, abs=1e-9)


def test_a_point_above_the_ground_is_found_again_at_its_height() -> None:
    u, v = VIEW.project(np.array([1.0]), np.array([1.2]), np.array([10.0]))
    assert VIEW.ground((float(u[0]), float(v[0])), height_m=1.2) == pytest.approx((1.0, 10.0))


def test_the_sky_is_no_ground() -> None:
    assert VIEW.ground((0.5, -0.5)) is None


def test_what_is_farther_away_is_higher_in_the_picture() -> None:
    assert VIEW.foot(0.0, 20.0)[1] < VIEW.foot(0.0, 10.0)[1]


def test_the_edge_of_the_picture_is_half_a_width_away() -> None:
    half_m = VIEW.half_width_m(12.0)
    assert VIEW.foot(half_m, 12.0)[0] == pytest.approx(1.0)
