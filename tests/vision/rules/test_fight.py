"""The rule ``fight`` on likelihoods as the cue gives them."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.geometry import Zone
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings
from tests.fakes.builders import RIGHT_HALF
from tests.fakes.scuffles import ELSEWHERE, PLACE, scene, scuffle
from tests.fakes.tracks import followed
from vision.rules.defaults import ON_BY_DEFAULT
from vision.rules.fight import FightRule

PARAMS = {"threshold": 0.5, "hold_s": 0.4, "grace_s": 2.0}


def rule(zone: Zone | None = None, **params: float) -> FightRule:
    settings = RuleSettings(
        rule_id="fight",
        kind=RuleKind.FIGHT,
        zone_id="" if zone is None else zone.zone_id,
        params={**PARAMS, **params},
    )
    return FightRule(settings, zone=zone)


def told(watch: FightRule, likelihoods: list[float], *, first_s: float = 2.0) -> list[RuleEvent]:
    events = []
    for index, likelihood in enumerate(likelihoods):
        at_s = round(first_s + 0.2 * index, 3)
        events += watch.update(scene(at_s, scuffle(at_s, likelihood)))
    return events


def test_a_fight_is_told_once_with_its_likelihood_and_since_when() -> None:
    [event] = told(rule(), [0.1, 0.2, 0.6, 0.7, 0.8, 0.9, 0.9, 0.2, 0.9, 0.9, 0.9])

    assert (event.kind, event.track_id) == (RuleKind.FIGHT, "rs1")
    assert event.monotonic_s == pytest.approx(2.8)
    assert event.since_s == pytest.approx(1.4)
    assert (event.since_at - event.at).total_seconds() == pytest.approx(-1.4)
    assert (event.value, event.threshold, event.sigma, event.unit) == (0.8, 0.5, 0.05, "share")


def test_what_hardly_looks_like_a_fight_is_none() -> None:
    assert told(rule(), [0.49] * 50) == []


@pytest.mark.parametrize(
    ("likelihoods", "fires"),
    [
        pytest.param([0.5, 0.5, 0.5], True, id="met exactly, for exactly as long"),
        pytest.param([0.5, 0.5], False, id="for too short a time"),
        pytest.param([0.5, 0.31, 0.5], True, id="a dip above the release"),
        pytest.param([0.5, 0.29, 0.5], False, id="a dip below the release begins anew"),
        pytest.param([0.5, 0.4, 0.4], False, id="fires only while above the threshold"),
    ],
)
def test_boundary(likelihoods: list[float], fires: bool) -> None:
    assert bool(told(rule(), likelihoods)) is fires


@pytest.mark.parametrize(
    ("pause", "told_again"),
    [
        pytest.param(9, False, id="who lets go for a moment goes on with it"),
        pytest.param(12, True, id="a fight after the grace time is another"),
    ],
)
def test_interruption(pause: int, told_again: bool) -> None:
    events = told(rule(), [0.9] * 5 + [0.0] * pause + [0.9] * 5)

    assert len(events) == 1 + told_again


def test_frames_that_were_not_compared_neither_hold_nor_end_a_fight() -> None:
    watch = rule()
    told(watch, [0.9, 0.9])

    assert watch.update(scene(2.4, scuffle(2.4, 0.9, is_seen=False))) == []
    assert len(watch.update(scene(2.6, scuffle(2.6, 0.9)))) == 1


def test_a_region_that_falls_apart_goes_on_with_the_same_fight() -> None:
    watch = rule()
    assert len(told(watch, [0.9] * 4)) == 1

    later = [
        watch.update(scene(at_s, scuffle(at_s, 0.9, region_id="rs2", box=PLACE)))
        for at_s in (2.8, 3.0, 3.2, 3.4)
    ]

    assert later == [[], [], [], []]
    assert watch.present() == {"rs1", "rs2"}


def test_two_groups_are_two_fights() -> None:
    watch = rule()
    events = []
    for at_s in (2.0, 2.2, 2.4, 2.6):
        here = scuffle(at_s, 0.9)
        there = scuffle(at_s, 0.8, region_id="rs2", box=ELSEWHERE)
        events += watch.update(scene(at_s, here, there))

    assert [event.track_id for event in events] == ["rs1", "rs2"]
    assert len({event.event_id for event in events}) == 2


def test_two_cameras_know_nothing_of_each_other() -> None:
    first, second = rule(), rule()
    told(first, [0.9, 0.9])

    assert told(second, [0.9, 0.9], first_s=2.4) == []
    assert len(told(first, [0.9], first_s=2.4)) == 1


def test_those_who_take_part_are_named() -> None:
    watch = rule()
    tracks = [followed([(2.0, (0.5, 0.8))], track_id=name) for name in ("t1", "t2", "t3")]
    events = []
    for at_s in (2.0, 2.2, 2.4):
        seen = scuffle(at_s, 0.9, people=("t1", "t3"))
        events += watch.update(scene(at_s, seen, tracks=tracks))

    assert events[0].other_track_ids == ("t1", "t3")
    assert events[0].detail == {"people": "2"}


def test_with_a_zone_only_what_happens_in_it_counts() -> None:
    zone = Zone(zone_id="hall", polygon=RIGHT_HALF)
    beside, within = (0.1, 0.3, 0.3, 0.8), (0.7, 0.3, 0.9, 0.8)
    watch = rule(zone)

    outside = [watch.update(scene(at_s, scuffle(at_s, 0.9, box=beside))) for at_s in (2, 2.2, 2.4)]
    inside = [
        watch.update(scene(at_s, scuffle(at_s, 0.9, region_id="rs2", box=within)))
        for at_s in (3.0, 3.2, 3.4)
    ]

    assert outside == [[], [], []]
    assert [len(events) for events in inside] == [0, 0, 1]


def test_nobody_is_present_once_a_fight_is_over() -> None:
    watch = rule()
    told(watch, [0.9] * 4)
    watch.update(scene(9.0))

    assert watch.present() == frozenset()


def test_it_is_on_by_default() -> None:
    assert RuleKind.FIGHT in ON_BY_DEFAULT


def test_unknown_parameters_are_refused() -> None:
    with pytest.raises(ConfigError, match="unknown parameter"):
        rule(duration_s=3.0)


@given(st.lists(st.floats(0, 1), max_size=60))
def test_every_event_rests_on_likelihoods_that_held(likelihoods: list[float]) -> None:
    """Whatever the likelihoods: none fires below the threshold, nor twice within the grace."""
    events = told(rule(), likelihoods)

    for event in events:
        assert event.value >= event.threshold
        index = round((event.monotonic_s - 2.0) / 0.2)
        assert min(likelihoods[index - 2 : index + 1]) >= 0.6 * event.threshold
        assert event.since_s <= event.monotonic_s
        assert math.isfinite(event.since_s)
    times_s = [event.monotonic_s for event in events]
    assert all(after - before > 2.0 for before, after in itertools.pairwise(times_s))
