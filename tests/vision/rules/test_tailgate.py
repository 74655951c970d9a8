"""Tailgating: who follows whom over the line, how closely, and what follows nobody."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.geometry import Line
from contracts.rules import RuleKind, RuleSettings
from tests.fakes.tracks import Ways, play_all, straight
from vision.rules.tailgate import TailgateRule

DOOR = Line(line_id="door", points=((0.5, 0.9), (0.5, 0.3)))
"""Walked from bottom to top, so right is the picture's right."""


def rule(**params: float | str) -> TailgateRule:
    return TailgateRule(
        RuleSettings(rule_id="close", kind=RuleKind.TAILGATE, line_id="door", params=params),
        line=DOOR,
    )


def through(*after_s: float, back: bool = False) -> Ways:
    """People who cross the door at 1 s, each so much later than the first."""
    ends = ((0.8, 0.6), (0.2, 0.6)) if back else ((0.2, 0.6), (0.8, 0.6))
    return {
        f"t{number}": [
            (round(at + later, 6), (x, y + 0.02 * number))
            for at, (x, y) in straight(*ends, until_s=2.0)
        ]
        for number, later in enumerate(after_s, start=1)
    }


def test_the_second_is_reported_with_the_first_as_the_other() -> None:
    [event] = play_all(rule(), through(0.0, 1.2))

    assert (event.track_id, event.other_track_ids) == ("t2", ("t1",))
    assert event.value == pytest.approx(1.2, abs=0.01)
    assert event.threshold == 2.0
    assert event.margin == pytest.approx(0.8, abs=0.01)
    assert event.since_s == pytest.approx(2.2, abs=0.01)
    assert event.detail == {"direction": "right"}
    assert event.line_id == "door"


def test_one_alone_follows_nobody() -> None:
    assert play_all(rule(), through(0.0)) == []


@pytest.mark.parametrize(("within_s", "fires"), [(1.61, True), (1.59, False)])
def test_the_time_is_a_boundary(within_s: float, fires: bool) -> None:
    assert bool(play_all(rule(within_s=within_s), through(0.0, 1.6))) is fires


def test_of_three_in_a_row_two_follow_each_the_one_before() -> None:
    events = play_all(rule(), through(0.0, 1.0, 2.2))

    assert [(event.track_id, event.other_track_ids) for event in events] == [
        ("t2", ("t1",)),
        ("t3", ("t2",)),
    ]


def test_who_comes_the_other_way_follows_nobody() -> None:
    meet = {**through(0.0), "t9": through(0.6, back=True)["t1"]}

    assert play_all(rule(), meet) == []


def test_only_the_watched_direction_counts() -> None:
    assert play_all(rule(direction="left"), through(0.0, 1.0)) == []
    assert len(play_all(rule(direction="left"), through(0.0, 1.0, back=True))) == 1


def test_one_object_that_was_found_twice_follows_nobody() -> None:
    way = straight((0.2, 0.6), (0.8, 0.6), until_s=2.0)
    twice = {"t1": way, "t2": [(at, (x + 0.005, y)) for at, (x, y) in way]}

    assert play_all(rule(), twice) == []


def test_two_side_by_side_are_two() -> None:
    way = straight((0.2, 0.6), (0.8, 0.6), until_s=2.0)
    pair = {"t1": way, "t2": [(at, (x - 0.01, y + 0.15)) for at, (x, y) in way]}

    assert len(play_all(rule(), pair)) == 1


def test_the_one_ahead_may_be_out_of_sight_by_then() -> None:
    ways = through(0.0, 1.6)
    short = {"t1": ways["t1"][:8], "t2": ways["t2"]}

    [event] = play_all(rule(), short)

    assert event.other_track_ids == ("t1",)


def test_crossing_to_and_fro_is_following_nobody() -> None:
    way = [*straight((0.2, 0.6), (0.8, 0.6), until_s=1.0)]
    way += straight((0.8, 0.6), (0.2, 0.6), from_s=1.2, until_s=2.2)
    way += straight((0.2, 0.6), (0.8, 0.6), from_s=2.4, until_s=3.4)

    assert play_all(rule(within_s=10), {"t1": way}) == []


def test_two_cameras_have_their_own_door() -> None:
    here, there = rule(), rule()
    play_all(here, through(0.0))

    assert play_all(there, {"t2": through(0.0, 1.0)["t2"]}) == []


def test_refuses_params_and_names_them() -> None:
    with pytest.raises(ConfigError, match=r"rule close \(tailgate\): within_s must be .* got -1"):
        rule(within_s=-1.0)
    with pytest.raises(ConfigError, match=r"unknown parameter\(s\) threshold_s"):
        rule(threshold_s=1.0)


@settings(deadline=None, max_examples=50)
@given(after=st.lists(st.floats(0, 20), min_size=1, max_size=6))
def test_every_pair_is_as_close_as_was_asked_and_nobody_follows_twice(after: list[float]) -> None:
    ways = through(*[round(5 * later) / 5 for later in after])

    events = play_all(rule(), ways)

    assert len({event.track_id for event in events}) == len(events)
    assert len(events) < len(ways)
    for event in events:
        assert 0 <= event.value <= event.threshold + 1e-6
        assert event.other_track_ids != (event.track_id,)
