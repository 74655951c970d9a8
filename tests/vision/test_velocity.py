"""Velocity: true on straight ways, blind to single wrong boxes, none for jumps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.geometry import Point
from vision.velocity import velocity

TIMES = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


def way(speed_x: float, speed_y: float) -> list[Point]:
    return [(at_s * speed_x, at_s * speed_y) for at_s in TIMES]


@given(x=st.floats(-5, 5), y=st.floats(-5, 5))
def test_a_straight_way_has_its_velocity(x: float, y: float) -> None:
    found = velocity(TIMES, way(x, y), noise=0.01)

    assert found is not None
    assert (found.x, found.y) == pytest.approx((x, y), abs=1e-9)


def test_its_uncertainty_is_that_of_jittered_ways() -> None:
    noise = np.random.default_rng(1).normal(0, 0.02, (2000, 6, 2))
    found = [
        velocity(
            TIMES,
            [(3.0 * at_s + x, y) for at_s, (x, y) in zip(TIMES, one, strict=True)],
            noise=0.02,
        )
        for one in noise.tolist()
    ]
    speeds = [one.speed for one in found if one is not None]

    assert len(speeds) == 2000
    sigma = np.median([one.sigma for one in found if one is not None])
    assert sigma == pytest.approx(np.std(speeds), rel=0.3)


@pytest.mark.parametrize("index", range(6))
def test_one_wrong_box_changes_little(index: int) -> None:
    bad = way(2.0, 0.0)
    bad[index] = (bad[index][0] + 3.0, -2.0)

    found = velocity(TIMES, bad, noise=0.01)

    assert found is None or found.speed == pytest.approx(2.0, abs=0.4)


@pytest.mark.parametrize("index", range(2, 5))
def test_a_jump_is_no_velocity(index: int) -> None:
    jumped = [(3.0 if number >= index else 0.0, 0.0) for number in range(6)]

    found = velocity(TIMES, jumped, noise=0.01)

    assert found is None or found.speed < 0.1


def test_too_few_points_or_no_time_give_none() -> None:
    assert velocity(TIMES[:3], way(1.0, 0.0)[:3], noise=0.01) is None
    assert velocity([0.0] * 6, way(1.0, 0.0), noise=0.01) is None


def test_many_points_are_thinned_and_say_the_same() -> None:
    times = [index / 25 for index in range(26)]

    found = velocity(times, [(2.0 * at_s, -at_s) for at_s in times], noise=0.01)

    assert found is not None
    assert (found.x, found.y) == pytest.approx((2.0, -1.0))
