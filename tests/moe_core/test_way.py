import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.geometry import standing_point
from moe_core.way import way_of
from tests.fakes.builders import track
from tests.fakes.incidents import WALK_IN


@settings(deadline=None)
@given(x=st.floats(0, 1), y=st.floats(0, 1))
def test_feet_are_where_zones_are_tested(x: float, y: float) -> None:
    followed = track([(x, y)])

    [foot] = way_of(followed).feet_N2

    assert tuple(foot) == pytest.approx(standing_point(followed.last.box))


def test_points_that_are_predicted_or_no_numbers_are_left_out() -> None:
    followed = track([(0.1, 0.5), (0.2, 0.5), (0.3, 0.5)])
    first, second, third = followed.points
    broken = replace(
        followed,
        points=(
            first,
            replace(second, is_observed=False),
            replace(third, box=(math.nan, 0.0, 1.0, 1.0)),
        ),
    )

    assert len(way_of(broken)) == 1


def test_a_part_of_a_way_includes_both_its_ends() -> None:
    way = way_of(track(WALK_IN)).until(2.0).since(1.0)

    assert (way.times_N[0], way.times_N[-1]) == (1.0, 2.0)
    assert not way.is_whole


def test_a_way_reaches_back_to_the_first_hit_or_says_so() -> None:
    followed = track(WALK_IN)

    assert way_of(followed).is_whole
    assert not way_of(replace(followed, points=followed.points[3:])).is_whole


def test_a_way_with_hits_left_out_says_so() -> None:
    followed = track(WALK_IN)

    assert way_of(followed).is_complete
    assert not way_of(replace(followed, points=followed.points[::2])).is_complete


def test_an_empty_way_has_no_end() -> None:
    followed = track(WALK_IN)
    unseen = tuple(replace(point, is_observed=False) for point in followed.points)

    assert len(way_of(replace(followed, points=unseen))) == 0
