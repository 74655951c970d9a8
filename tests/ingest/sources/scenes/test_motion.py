import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources.scenes.car import CarPose
from ingest.sources.scenes.motion import Bend, Drive, Knot, Walk, Waypoint, quarter

AWAY = math.pi / 2
WALK = Walk(
    [Waypoint(1.0, 0.0, 0.0), Waypoint(5.0, 5.0, 0.0, AWAY), Waypoint(9.0, 5.0, 0.0, AWAY, 1.0)]
)


def test_a_person_is_there_from_the_first_to_the_last_waypoint() -> None:
    assert WALK.stance(0.99) is None
    assert WALK.stance(1.0) is not None
    assert WALK.stance(9.0) is None


def test_a_walking_person_swings_its_legs_and_looks_where_it_goes() -> None:
    stance = WALK.stance(3.0)
    assert stance is not None
    assert (stance.x_m, stance.effort) == pytest.approx((2.5, 1.0))
    assert abs(stance.heading) < 0.2


def test_a_waiting_person_stands_still_and_looks_where_it_is_told() -> None:
    stance = WALK.stance(7.0)
    assert stance is not None
    assert (stance.x_m, stance.effort) == (5.0, 0.0)
    assert stance.heading == pytest.approx(AWAY)
    assert stance.crouch == pytest.approx(0.5)


def test_the_gait_does_not_go_on_while_waiting() -> None:
    first, second = WALK.stance(6.0), WALK.stance(8.0)
    assert first is not None
    assert second is not None
    assert first.phase == second.phase


DRIVE = Drive(
    CarPose(10.0, 20.0, math.pi),
    (Bend(5.0), quarter(4.0, side=1), Bend(2.0)),
    (Knot(0.0, 0.0, 4.0), Knot(2.0, 6.0, 2.0), Knot(6.0, 5.0 + 2 * math.pi + 2.0, 0.0)),
)


def test_a_car_ends_where_its_bends_lead() -> None:
    assert DRIVE.end[:3] == pytest.approx((1.0, 14.0, 1.5 * math.pi))


def test_a_car_that_reverses_along_the_same_bends_comes_back() -> None:
    length_m = 5.0 + 2 * math.pi + 2.0
    back = Drive(
        DRIVE.end,
        (Bend(2.0), quarter(4.0, side=-1), Bend(5.0)),
        (Knot(0.0, 0.0, 0.0), Knot(5.0, length_m, 0.0)),
        is_reversing=True,
    )
    assert back.end[:3] == pytest.approx((10.0, 20.0, math.pi))
    assert back.end.rolled_m == pytest.approx(0.0, abs=1e-9)


def test_a_car_is_away_before_and_after() -> None:
    assert DRIVE.pose(-0.1) is None
    assert DRIVE.pose(6.0) is None


@given(st.floats(0.0, 5.9))
def test_a_car_moves_smoothly_and_no_faster_than_it_may(t_s: float) -> None:
    before, after = DRIVE.pose(t_s), DRIVE.pose(t_s + 0.05)
    assert before is not None
    assert after is not None
    assert math.dist(before[:2], after[:2]) < 0.05 * 6.0
    assert after.rolled_m >= before.rolled_m


def test_a_car_that_slows_down_brakes() -> None:
    cruising, stopping = DRIVE.pose(0.3), DRIVE.pose(5.5)
    assert cruising is not None
    assert stopping is not None
    assert (cruising.is_braking, stopping.is_braking) == (False, True)
