import pytest

from tests.fakes.bodies import ASPECT, LYING, STANDING, points, stays
from vision.descent import measure


def test_a_descent_is_measured_in_heights_of_the_body_that_stood() -> None:
    descent = measure(points(stays((STANDING, 2.0), (LYING, 1.4))), aspect=ASPECT)

    assert descent is not None
    assert descent.drop == pytest.approx(0.8)
    assert descent.height == pytest.approx(0.5)
    assert descent.height_left == pytest.approx(0.3)
    assert descent.widened == pytest.approx(2.8)
    assert descent.flatness == pytest.approx(0.28 * ASPECT / 0.15)
    assert descent.foot == pytest.approx(0.1)
    assert descent.upright.monotonic_s == pytest.approx(1.8)
    assert descent.down_since_s == pytest.approx(2.0)
    assert descent.down_s == pytest.approx(1.2)


def test_far_away_a_fall_is_as_deep_as_near_by() -> None:
    near = measure(points(stays((STANDING, 2.0), (LYING, 1.0))), aspect=ASPECT)
    small = [
        (at_s, None if box is None else (box[0] / 3, box[1] / 3, box[2] / 3, box[3] / 3))
        for at_s, box in stays((STANDING, 2.0), (LYING, 1.0))
    ]
    far = measure(points(small), aspect=ASPECT)

    assert near is not None
    assert far is not None
    assert far.drop == pytest.approx(near.drop)
    assert far.flatness == pytest.approx(near.flatness)


def test_a_single_wrong_box_is_no_descent() -> None:
    way = stays((STANDING, 3.0))
    way[12] = (way[12][0], LYING)

    descent = measure(points(way), aspect=ASPECT)

    assert descent is not None
    assert abs(descent.drop) < 0.05


def test_what_happened_unseen_is_taken_to_have_happened_in_the_middle_of_it() -> None:
    way = stays((STANDING, 2.0), (LYING, 3.0))
    hidden = [(at_s, None if 2.0 <= at_s < 3.6 else box) for at_s, box in way]

    descent = measure(points(hidden), aspect=ASPECT)

    assert descent is not None
    assert descent.took_s == pytest.approx(1.0)


def test_postures_count_by_how_sure_their_boxes_are() -> None:
    sure = points(stays((STANDING, 2.0)), postures=(0.9, 0.1, 0.0, 0.0))
    way = stays((STANDING, 2.0), (LYING, 0.6))[10:]
    lying = points(way, postures=(0.0, 0.2, 0.0, 0.8), confidence=0.3)

    descent = measure((*sure, *lying), aspect=ASPECT)

    assert descent is not None
    assert descent.lying == pytest.approx((3 * 0.3 * 0.8) / (3 * 0.3 + 0.9), abs=0.3)


def test_without_postures_nothing_is_said_about_them() -> None:
    descent = measure(points(stays((STANDING, 2.0), (LYING, 1.0))), aspect=ASPECT)

    assert descent is not None
    assert descent.lying is None


@pytest.mark.parametrize(
    "way",
    [
        pytest.param([], id="no points"),
        pytest.param(stays((STANDING, 0.4)), id="too few"),
        pytest.param([*stays((STANDING, 2.0)), (5.0, None)], id="not seen lately"),
    ],
)
def test_what_cannot_be_told_is_not_told(way: list[tuple[float, None]]) -> None:
    assert measure(points(way) if way else (), aspect=ASPECT) is None
