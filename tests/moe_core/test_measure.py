import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.geometry import Line, Zone
from moe_core import measure
from moe_core.way import Way, way_of
from tests.fakes.builders import WHOLE, track
from tests.fakes.incidents import DOCK, ELSEWHERE, GATE, STAY, WALK_IN
from vision.rules import stay

BENT = Zone(zone_id="bent", polygon=((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.5, 0.4), (0.2, 0.8)))
coordinate = st.floats(0.01, 0.99)


def walked(feet: list[tuple[float, float]]) -> Way:
    return way_of(track(feet))


@settings(deadline=None)
@given(x=coordinate, y=coordinate)
@pytest.mark.parametrize(
    "zone", [DOCK, ELSEWHERE, BENT, Zone(zone_id="whole", polygon=WHOLE)], ids=lambda z: z.zone_id
)
def test_depths_are_those_of_the_zone(zone: Zone, x: float, y: float) -> None:
    [depth] = measure.depths(zone, np.array([[x, y]]))

    assert depth == pytest.approx(zone.depth((x, y)), abs=1e-12)


def test_an_entry_is_looked_for_as_long_as_by_the_rule() -> None:
    assert measure.ENTRY_GAP_S == stay.ENTRY_GAP_S


def test_a_stay_is_measured_from_the_moment_on_the_edge() -> None:
    walk_in = [(0.2, 0.5)] * 3 + [(0.45, 0.5)] + [(0.65, 0.5)] * 6

    found = measure.dwell(walked(walk_in), DOCK, end_s=1.8, grace_s=2.0, slack=0.02)

    assert found is not None
    assert found.value == pytest.approx(1.0 + 0.15, abs=0.005)
    assert found.low <= found.value <= found.high


def test_who_was_not_seen_for_a_second_before_came_in_when_he_was_seen_there() -> None:
    way = walked([(0.45, 0.5), *[(0.65, 0.5)] * 6])
    late = replace(way, times_N=way.times_N + np.array([0.0, *[0.9] * 6]))

    found = measure.dwell(late, DOCK, end_s=2.1, grace_s=2.0, slack=0.02)

    assert found is not None
    assert found.value == pytest.approx(1.0)


def test_a_foot_on_the_edge_is_counted_by_the_highest_estimate_only() -> None:
    on_edge = [(0.495, 0.5)] * 6 + [(0.6, 0.5)] * 6

    found = measure.dwell(walked(on_edge), DOCK, end_s=2.2, grace_s=2.0, slack=0.02)

    assert found is not None
    assert found.value == pytest.approx(1.0 + 0.19, abs=0.005)
    assert found.high >= 2.2


def test_an_absence_within_the_grace_time_does_not_end_a_stay() -> None:
    back = [(0.7, 0.5)] * 6 + [(0.3, 0.5)] * 6 + [(0.7, 0.5)] * 6

    forgiving = measure.dwell(walked(back), DOCK, end_s=3.4, grace_s=2.0, slack=0.02)
    strict = measure.dwell(walked(back), DOCK, end_s=3.4, grace_s=0.5, slack=0.02)

    assert forgiving is not None
    assert strict is not None
    assert forgiving.value == pytest.approx(3.4)
    assert strict.high < 1.5


def test_without_a_known_grace_time_any_absence_may_have_been_forgiven() -> None:
    back = [(0.7, 0.5)] * 6 + [(0.3, 0.5)] * 40 + [(0.7, 0.5)] * 6

    found = measure.dwell(walked(back), DOCK, end_s=10.2, grace_s=None, slack=0.02)

    assert found is not None
    assert found.value == pytest.approx(1.0 + 0.1)
    assert found.high >= 10.2


def test_who_was_never_inside_did_not_stay() -> None:
    found = measure.dwell(walked([(0.1, 0.5)] * 9), DOCK, end_s=1.6, grace_s=None, slack=0.02)

    assert found is not None
    assert (found.low, found.value, found.high) == (0.0, 0.0, 0.0)


def test_a_stay_whose_beginning_is_forgotten_cannot_be_measured() -> None:
    forgotten = replace(track(list(STAY[-20:])), first_seen_s=-100.0)

    assert measure.dwell(way_of(forgotten), DOCK, end_s=3.8, grace_s=None, slack=0.02) is None


@pytest.mark.parametrize(
    ("feet", "directions"),
    [
        pytest.param([(0.4, 0.5), (0.6, 0.5)], ["left"], id="over to the line's left"),
        pytest.param([(0.6, 0.5), (0.4, 0.5)], ["right"], id="over to the line's right"),
        pytest.param([(0.4, 0.05), (0.6, 0.05)], [], id="around the end"),
        pytest.param([(0.4, 0.5), (0.45, 0.5)], [], id="not as far as the line"),
        pytest.param([(0.4, 0.5), (0.6, 0.5), (0.4, 0.5)], ["left", "right"], id="there and back"),
    ],
)
def test_passages(feet: list[tuple[float, float]], directions: list[str]) -> None:
    assert [p.direction for p in measure.passages(walked(feet), GATE)] == directions


def test_a_step_through_a_corner_of_the_line_is_one_passage() -> None:
    corner = Line(line_id="corner", points=((0.5, 0.1), (0.5, 0.5), (0.6, 0.9)))

    assert len(measure.passages(walked([(0.4, 0.5), (0.6, 0.5)]), corner)) == 1


def test_who_came_back_is_not_beyond_the_line() -> None:
    there = walked([(0.4, 0.5), (0.7, 0.5)])
    back = walked([(0.4, 0.5), (0.7, 0.5), (0.4, 0.5)])

    assert measure.distance_beyond(there, GATE, direction="left") == pytest.approx(0.2)
    assert measure.distance_beyond(back, GATE, direction="left") == 0.0


def test_the_way_is_at_least_the_straight_one_and_at_most_all_steps() -> None:
    zigzag = walked([(0.1 + 0.02 * i, 0.5 + 0.02 * (i % 2)) for i in range(20)])

    found = measure.path_length(zigzag)

    assert found is not None
    assert found.low == pytest.approx(math.hypot(0.38, 0.02))
    assert found.low <= found.value <= found.high


def test_who_came_back_has_been_as_far_as_the_furthest_place() -> None:
    found = measure.displacement(walked([(0.1, 0.5), (0.4, 0.5), (0.4, 0.5), (0.1, 0.5)]))

    assert found is not None
    assert (found.low, found.value, found.high) == pytest.approx((0.3, 0.3, 0.3))


def test_what_a_single_point_shows_is_only_the_highest_estimate_of_a_displacement() -> None:
    found = measure.displacement(walked([(0.4, 0.5)] * 5 + [(0.9, 0.5)] + [(0.4, 0.5)] * 5))

    assert found is not None
    assert (found.low, found.value, found.high) == pytest.approx((0.0, 0.0, 0.5))


def test_between_points_that_are_missing_a_foot_may_have_gone_further() -> None:
    feet = [(0.1, 0.5), (0.3, 0.5), (0.5, 0.5), (0.5, 0.5)]
    thinned = way_of(replace(track(feet), hits=30))

    found = measure.displacement(thinned)

    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.4, 0.6))


def test_speed_is_told_from_half_a_second_on() -> None:
    found = measure.speed(walked(list(WALK_IN)), end_s=4.0)

    assert found is not None
    assert found.value == pytest.approx(0.175)
    assert measure.speed(walked([(0.1, 0.5), (0.2, 0.5)]), end_s=0.2) is None


@pytest.mark.parametrize(
    ("first", "side", "word"),
    [
        pytest.param((0.03, 0.6), "left", "left", id="near that edge"),
        pytest.param((0.03, 0.6), "right", "left", id="near another edge"),
        pytest.param((0.5, 0.6), "inside", "inside", id="far from every edge"),
        pytest.param((0.5, 0.6), "top", "bottom", id="far from that edge: the nearest"),
        pytest.param((0.5, 0.21), "top", "top", id="the box touches that edge"),
    ],
)
def test_where_a_track_came_from(first: tuple[float, float], side: str, word: str) -> None:
    found = measure.entered_from(walked([first, (0.5, 0.5)]), side=side)

    assert found is not None
    assert found.word == word


def test_missing_points_leave_the_length_of_the_way_open_and_medians_untold() -> None:
    thinned = way_of(replace(track([(0.1, 0.5), (0.3, 0.5), (0.5, 0.5)]), hits=30))

    found = measure.path_length(thinned)

    assert found is not None
    assert found.low == pytest.approx(0.4)
    assert found.high == math.inf
    assert measure.confidence(thinned) is None
    assert measure.box_area(thinned) is None
