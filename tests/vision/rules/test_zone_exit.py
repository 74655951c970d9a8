"""Zone exit: over the edge, out of the picture, and what is no exit."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.geometry import Point, Zone
from contracts.rules import RuleKind, RuleSettings
from tests.fakes.builders import RIGHT_HALF
from tests.fakes.tracks import play, play_all, straight
from vision.rules.zone_exit import ZoneExitRule

INSIDE: Point = (0.7, 0.6)
OUTSIDE: Point = (0.2, 0.6)
OUT = straight((0.7, 0.6), (0.2, 0.6), until_s=5.0)
"""Over the edge at 2.0 s."""


def rule(**params: float | str) -> ZoneExitRule:
    return ZoneExitRule(
        RuleSettings(rule_id="out", kind=RuleKind.ZONE_EXIT, zone_id="dock", params=params),
        zone=Zone(zone_id="dock", polygon=RIGHT_HALF),
    )


def test_going_out_fires_once_with_the_moment_on_the_edge() -> None:
    [event] = play(rule(), OUT)

    assert event.since_s == pytest.approx(2.0, abs=0.01)
    assert event.value == pytest.approx(event.monotonic_s - event.since_s)
    assert event.value >= event.threshold == 1.0
    assert event.unit == "s"
    assert 0 < event.sigma < 0.1


@pytest.mark.parametrize(("outside_s", "fires"), [(1.0, True), (1.01, False)])
def test_the_time_outside_is_a_boundary(outside_s: float, fires: bool) -> None:
    feet = [(0.2 * step, INSIDE) for step in range(5)]
    feet += [(1.0 + 0.2 * step, OUTSIDE) for step in range(6)]

    assert bool(play(rule(outside_s=outside_s), feet)) is fires


def test_who_stays_inside_or_outside_has_not_left() -> None:
    assert play(rule(), [(0.2 * step, INSIDE) for step in range(20)]) == []
    assert play(rule(), [(0.2 * step, OUTSIDE) for step in range(20)]) == []


def test_a_step_over_the_edge_and_back_is_no_exit() -> None:
    feet = [(0.2 * step, OUTSIDE if step in (5, 6, 7) else INSIDE) for step in range(20)]

    assert play(rule(), feet) == []


def test_who_only_brushed_the_zone_has_not_been_in_it() -> None:
    feet = [(0.2 * step, INSIDE if step == 5 else OUTSIDE) for step in range(20)]

    assert play(rule(), feet) == []


def test_dithering_on_the_edge_is_no_exit() -> None:
    feet = [(0.2 * step, (0.504 if step % 3 else 0.496, 0.6)) for step in range(60)]

    assert play(rule(), feet) == []


def test_coming_back_and_leaving_again_is_a_second_exit() -> None:
    back = [(5.2 + 0.2 * step, INSIDE) for step in range(5)]
    again = [(6.2 + 0.2 * step, OUTSIDE) for step in range(8)]

    assert len(play(rule(), [*OUT, *back, *again])) == 2


def test_unseen_between_inside_and_outside_is_an_exit_that_is_less_sure_of_its_time() -> None:
    feet = [(0.2 * step, INSIDE) for step in range(5)]
    feet += [(4.0 + 0.2 * step, OUTSIDE) for step in range(6)]

    [event] = play(rule(), feet)

    assert 0.8 < event.since_s < 4.0
    assert event.sigma == pytest.approx(3.2 / 12**0.5)


def test_a_track_that_ends_in_the_middle_of_the_zone_has_not_been_seen_to_leave() -> None:
    assert play_all(rule(), {"t1": [(0.2 * s, INSIDE) for s in range(9)]}, ends=["t1"]) == []


def test_a_track_that_walks_out_of_the_picture_has_left_the_zone_that_ends_there() -> None:
    way = straight((0.7, 0.6), (0.97, 0.6), until_s=3.0)

    [event] = play_all(rule(), {"t1": way}, ends=["t1"])

    assert event.detail == {"over": "picture edge"}
    assert event.since_s == pytest.approx(3.0)
    assert event.monotonic_s == pytest.approx(5.2)


def test_who_stands_at_the_edge_of_the_picture_and_is_lost_has_not_left() -> None:
    way = [(0.2 * step, (0.975, 0.6)) for step in range(20)]

    assert play_all(rule(), {"t1": way}, ends=["t1"]) == []


def test_a_track_that_ends_soon_after_the_edge_has_left() -> None:
    way = straight((0.7, 0.6), (0.42, 0.6), until_s=1.6)

    [event] = play_all(rule(), {"t1": way}, ends=["t1"])

    assert event.detail == {}
    assert event.since_s == pytest.approx(1.14, abs=0.1)


def test_two_tracks_leave_once_each() -> None:
    events = play_all(rule(), {"t1": OUT, "t2": [(at + 0.2, foot) for at, foot in OUT]})

    assert sorted(event.track_id for event in events) == ["t1", "t2"]


def test_two_cameras_have_their_own_visits() -> None:
    here, there = rule(), rule()
    play(here, OUT[:9])

    assert play(there, OUT[11:]) == []


def test_refuses_params_and_names_them() -> None:
    with pytest.raises(ConfigError, match="outside_s must be a number >= 0, got -1"):
        rule(outside_s=-1.0)
    with pytest.raises(ConfigError, match=r"unknown parameter\(s\) frames"):
        rule(frames=2)


@settings(deadline=None)
@given(xs=st.lists(st.floats(0.02, 0.98), min_size=2, max_size=60))
def test_every_exit_is_of_a_visit_and_visits_do_not_overlap(xs: list[float]) -> None:
    feet = [(round(0.2 * index, 6), (x, 0.6)) for index, x in enumerate(xs)]

    events = play(rule(), feet)

    for event in events:
        before = [x for at, (x, _) in feet if at <= event.since_s]
        after = [x for at, (x, _) in feet if event.since_s < at <= event.monotonic_s]
        assert any(x >= 0.5 for x in before)
        assert after
        assert all(x < 0.5 for x in after)
        assert event.value >= event.threshold - 1e-6
    assert all(a.monotonic_s < b.since_s for a, b in itertools.pairwise(events))
