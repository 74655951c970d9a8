"""Crowd: count, density, hysteresis, who is named."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.geometry import Calibration, Point, Zone
from contracts.rules import RuleKind, RuleSettings
from contracts.tracks import TrackState
from tests.fakes.builders import RIGHT_HALF
from tests.fakes.tracks import Ways, followed, header_at, missed, observed, play_all
from vision.ground import GroundPlane
from vision.rules.crowd import MOST_NAMED, CrowdRule

ZONE = Zone(zone_id="dock", polygon=RIGHT_HALF)
PLANE = Calibration(
    picture=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
    ground=((0.0, 0.0), (10.0, 0.0), (10.0, 4.0), (0.0, 4.0)),
)
"""Looking straight down: the right half is 20 square metres."""


def rule(*, zone: Zone | None = ZONE, plane: bool = False, **params: float | str) -> CrowdRule:
    return CrowdRule(
        RuleSettings(rule_id="many", kind=RuleKind.CROWD, zone_id="dock", params=params),
        zone=zone,
        ground=GroundPlane(PLANE) if plane else None,
    )


def standing(count: int, *, from_s: float = 0.0, until_s: float = 4.0, x: float = 0.6) -> Ways:
    frames = round((until_s - from_s) / 0.2)
    return {
        f"t{index}": [(round(from_s + 0.2 * f, 6), (x, 0.3 + 0.02 * index)) for f in range(frames)]
        for index in range(1, count + 1)
    }


def test_fires_once_and_names_the_others() -> None:
    [event] = play_all(rule(threshold=3), standing(3))

    assert event.track_id == "t1"
    assert event.other_track_ids == ("t2", "t3")
    assert (event.value, event.threshold, event.unit) == (3.0, 3.0, "1")
    assert event.since_s == 0.0
    assert event.monotonic_s == pytest.approx(2.0)


def test_one_fewer_is_no_crowd() -> None:
    assert play_all(rule(threshold=3), standing(2)) == []


def test_a_group_that_comes_apart_before_the_time_is_none() -> None:
    assert play_all(rule(threshold=3), standing(3, until_s=1.8)) == []


def test_outside_the_zone_nobody_counts_and_without_a_zone_everybody() -> None:
    away = standing(4, x=0.2)

    assert play_all(rule(threshold=3), away) == []
    assert len(play_all(rule(threshold=3, zone=None), away)) == 1


def test_what_is_no_person_does_not_count_unless_labels_say_so() -> None:
    assert play_all(rule(threshold=3), standing(4), label="dog") == []
    cars = CrowdRule(
        RuleSettings(
            rule_id="jam", kind=RuleKind.CROWD, labels=("vehicle",), params={"threshold": 3}
        ),
        zone=None,
        ground=None,
    )
    assert len(play_all(cars, standing(4), label="car")) == 1


def test_a_crowd_that_loses_one_of_ten_goes_on_and_one_that_falls_apart_may_come_again() -> None:
    crowd = rule(threshold=10, hold_s=1.0)
    ways = {name: [*way] for name, way in standing(10, until_s=3.0).items()}
    for name in list(ways)[:9]:  # nine go on: above 8
        ways[name] += [(round(3.0 + 0.2 * f, 6), (0.6, 0.5)) for f in range(10)]
    for name in list(ways)[:2]:  # two are left from 5 s on
        ways[name] += [(round(5.0 + 0.2 * f, 6), (0.6, 0.5)) for f in range(10)]
    again = {f"s{n}": [(round(7.0 + 0.2 * f, 6), (0.7, 0.5)) for f in range(10)] for n in range(10)}

    events = play_all(crowd, {**ways, **again})

    assert [event.since_s for event in events] == [0.0, 7.0]


def test_who_is_missed_for_a_frame_still_counts() -> None:
    crowd = rule(threshold=3, hold_s=1.0)
    events = []
    for step in range(12):
        at_s = round(0.2 * step, 6)
        feet = [(round(0.2 * f, 6), (0.6, 0.5)) for f in range(step + 1)]
        tracks = [followed(feet, track_id=f"t{index}") for index in range(3)]
        if step % 2:
            hidden = missed(followed(feet[:-1], track_id="t1"), at_s)
            tracks[1] = replace(hidden, state=TrackState.CONFIRMED)
        events += crowd.update(observed(tracks, header_at(at_s)))

    assert len(events) == 1


def test_a_frozen_camera_makes_no_crowd() -> None:
    """Two pictures a minute apart do not show that anybody stayed."""
    crowd = rule(threshold=3)
    ways = {f"t{n}": [(0.0, (0.6, 0.5)), (60.0, (0.6, 0.5))] for n in range(3)}

    assert play_all(crowd, ways) == []


def test_density_is_people_per_square_metre() -> None:
    assert play_all(rule(plane=True, density=0.2), standing(3)) == []

    [event] = play_all(rule(plane=True, density=0.2), standing(5))

    assert event.value == pytest.approx(0.25)
    assert event.unit == "1/m2"
    assert event.detail["count"] == "5"


def test_an_event_names_no_more_than_an_incident_keeps() -> None:
    [event] = play_all(rule(threshold=5, zone=None), standing(40))

    assert event.value == 40.0
    assert len(event.other_track_ids) == MOST_NAMED


def test_the_tracks_of_a_crowd_are_present_while_it_lasts() -> None:
    crowd = rule(threshold=3)
    play_all(crowd, standing(3))
    assert crowd.present() == {"t1", "t2", "t3"}


def test_two_cameras_count_for_themselves() -> None:
    here, there = rule(threshold=3), rule(threshold=3)
    play_all(here, standing(2))

    assert play_all(there, standing(2)) == []


@pytest.mark.parametrize(
    ("params", "plane", "message"),
    [
        ({"threshold": 0.0}, False, "threshold must be a number >= 1"),
        ({"density": 0.5}, False, "density needs a zone and the scene's calibration"),
        ({"density": 0.5, "threshold": 5.0}, True, "either threshold or density"),
        ({"density": -1.0}, True, "density must be a number >= 0"),
        ({"people": 5.0}, False, r"unknown parameter\(s\) people"),
    ],
)
def test_refuses_params_and_names_them(
    params: dict[str, float | str], plane: bool, message: str
) -> None:
    asked = RuleSettings(rule_id="many", kind=RuleKind.CROWD, zone_id="dock", params=params)
    ground = GroundPlane(PLANE) if plane else None
    with pytest.raises(ConfigError, match=message):
        CrowdRule(asked, zone=ZONE, ground=ground)


@settings(deadline=None, max_examples=50)
@given(
    ways=st.lists(
        st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=25),
        min_size=1,
        max_size=6,
    )
)
def test_a_crowd_is_never_smaller_than_was_asked(ways: list[list[Point]]) -> None:
    walks = {
        f"t{number}": [(round(0.2 * index, 6), foot) for index, foot in enumerate(way)]
        for number, way in enumerate(ways)
    }

    events = play_all(rule(threshold=3, hold_s=0.6), walks)

    for event in events:
        assert event.value >= 3
        assert event.track_id not in event.other_track_ids
        assert 1 + len(event.other_track_ids) == event.value
