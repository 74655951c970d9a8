"""Wrong way: angles as one sees them, base length, turning round."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.geometry import Line, Point, Zone
from contracts.rules import RuleKind, RuleSettings
from tests.fakes.builders import RIGHT_HALF
from tests.fakes.tracks import followed, header_at, observed, play, play_all, straight
from vision.rules.wrong_way import WrongWayRule, angle_deg, heading_deg

RIGHT = straight((0.2, 0.6), (0.8, 0.6), until_s=3.0)
LEFT = straight((0.8, 0.6), (0.2, 0.6), until_s=3.0)


def rule(
    *, zone: Zone | None = None, line: Line | None = None, **params: float | str
) -> WrongWayRule:
    if line is None:
        params = {"direction": 90.0, **params}
    return WrongWayRule(
        RuleSettings(
            rule_id="oneway",
            kind=RuleKind.WRONG_WAY,
            zone_id=zone.zone_id if zone else "",
            line_id=line.line_id if line else "",
            params=params,
        ),
        zone=zone,
        line=line,
    )


def test_going_against_the_direction_fires_once() -> None:
    [event] = play(rule(), LEFT)

    assert event.value == pytest.approx(180)
    assert event.threshold == 120
    assert event.unit == "deg"
    assert event.detail["allowed_deg"] == "90.0"
    assert event.monotonic_s - event.since_s == pytest.approx(0.6, abs=0.21)
    assert event.place == "picture"


def test_going_along_or_across_does_not() -> None:
    assert play(rule(), RIGHT) == []
    assert play(rule(), straight((0.5, 0.2), (0.5, 0.9), until_s=3.0)) == []


@pytest.mark.parametrize(("degrees", "fires"), [(119.0, False), (121.0, True)])
def test_the_angle_is_a_boundary_and_as_one_sees_it(degrees: float, fires: bool) -> None:
    """On a picture of 16 to 9 the same step is longer across than down."""
    aspect = 640 / 360
    turn = math.radians(90 + degrees)
    end = (0.5 + 0.2 * math.sin(turn) / aspect, 0.5 - 0.2 * math.cos(turn))

    assert bool(play(rule(), straight((0.5, 0.5), end, until_s=2.0))) is fires


def test_a_way_shorter_than_the_base_has_no_direction() -> None:
    assert play(rule(), straight((0.55, 0.6), (0.47, 0.6), until_s=3.0)) == []
    assert len(play(rule(base=0.05), straight((0.55, 0.6), (0.47, 0.6), until_s=3.0))) == 1


def test_who_turns_round_is_reported_and_again_only_after_going_right() -> None:
    back = [(round(3.2 + at, 6), foot) for at, foot in LEFT]
    forth = [(round(6.4 + at, 6), foot) for at, foot in RIGHT]
    back_again = [(round(9.6 + at, 6), foot) for at, foot in LEFT]

    assert len(play(rule(), [*RIGHT, *back])) == 1
    assert len(play(rule(), [*RIGHT, *back, *forth, *back_again])) == 2


def test_standing_for_minutes_and_jittering_is_no_way() -> None:
    noise = random.Random(3)  # noqa: S311  # jitter, no secret
    feet = [
        (round(0.2 * step, 6), (0.5 + noise.gauss(0, 0.008), 0.6 + noise.gauss(0, 0.008)))
        for step in range(600)
    ]

    assert play(rule(), feet) == []


def test_drifting_for_longer_than_ten_seconds_is_going_nowhere() -> None:
    assert play(rule(), straight((0.6, 0.6), (0.45, 0.6), until_s=40.0)) == []


def test_the_zone_narrows_it() -> None:
    dock = Zone(zone_id="dock", polygon=RIGHT_HALF)

    assert play(rule(zone=dock), straight((0.45, 0.6), (0.1, 0.6), until_s=3.0)) == []
    [event] = play(rule(zone=dock), LEFT)
    assert event.place == "dock"


def test_a_line_gives_the_direction_and_is_not_the_place() -> None:
    line = Line(line_id="arrow", points=((0.9, 0.5), (0.1, 0.5)))

    assert play(rule(line=line), LEFT) == []
    [event] = play(rule(line=line), RIGHT)
    assert event.line_id == ""
    assert event.detail["allowed_deg"] == "270.0"


def test_a_camera_that_changes_its_resolution_goes_on() -> None:
    one_way = rule()
    events = []
    for index in range(len(LEFT)):
        size = (640, 360) if index < 3 else (640, 480)
        header = replace(header_at(LEFT[index][0]), width=size[0], height=size[1])
        events += one_way.update(observed([followed(LEFT[: index + 1])], header))

    assert len(events) == 1


def test_an_interruption_does_not_make_a_second_event() -> None:
    gap = [*LEFT[:8], *[(at + 1.5, foot) for at, foot in LEFT[8:]]]

    assert len(play(rule(), gap)) == 1


def test_two_tracks_are_judged_each_for_itself() -> None:
    events = play_all(rule(), {"t1": LEFT, "t2": RIGHT, "t3": LEFT})

    assert sorted(event.track_id for event in events) == ["t1", "t3"]


def test_two_cameras_do_not_share_a_way() -> None:
    here, there = rule(), rule()
    play(here, LEFT[:3])

    assert play(there, LEFT[3:5]) == []


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"direction": "up"}, "direction .* must be a number from 0 to 360, got 'up'"),
        ({"direction": -1.0}, "direction .* from 0 to 360, got -1"),
        ({"threshold_deg": 200.0}, "threshold_deg must be at most 180"),
        ({"base": 0.0}, "base must be a number >= 0.01"),
    ],
)
def test_refuses_params_and_names_them(params: dict[str, float | str], message: str) -> None:
    asked = RuleSettings(
        rule_id="oneway", kind=RuleKind.WRONG_WAY, params={"direction": 90.0, **params}
    )
    with pytest.raises(ConfigError, match=message):
        WrongWayRule(asked, zone=None, line=None)


def test_needs_a_direction_or_a_line_but_not_both() -> None:
    bare = RuleSettings(rule_id="oneway", kind=RuleKind.WRONG_WAY)
    with pytest.raises(ConfigError, match="direction"):
        WrongWayRule(bare, zone=None, line=None)
    line = Line(line_id="arrow", points=((0.9, 0.5), (0.1, 0.5)))
    with pytest.raises(ConfigError, match="either line or direction"):
        rule(line=line, direction=90.0)
    ring = Line(line_id="ring", points=((0.9, 0.5), (0.1, 0.5), (0.9, 0.5)))
    with pytest.raises(ConfigError, match="ends where it begins"):
        rule(line=ring)


def test_headings_are_clockwise_from_up() -> None:
    ways: dict[float, Point] = {0: (0.5, 0.4), 90: (0.6, 0.5), 180: (0.5, 0.6), 270: (0.4, 0.5)}
    for wanted, end in ways.items():
        assert heading_deg((0.5, 0.5), end, 1.0) == pytest.approx(wanted)
    assert angle_deg(350, 10) == pytest.approx(20)


@settings(deadline=None)
@given(
    feet=st.lists(st.tuples(st.floats(0.02, 0.98), st.floats(0.02, 0.98)), min_size=2, max_size=40),
    direction=st.floats(0, 360),
)
def test_every_event_is_of_a_way_that_was_long_and_wrong_enough(
    feet: list[Point], direction: float
) -> None:
    timed = [(round(0.2 * index, 6), foot) for index, foot in enumerate(feet)]

    events = play(rule(direction=direction), timed)

    places = dict(timed)
    for event in events:
        start, end = places[round(event.since_s, 6)], places[round(event.monotonic_s, 6)]
        assert math.dist(start, end) >= 0.1 - 1e-9
        again = angle_deg(heading_deg(start, end, 640 / 360), direction)
        assert again == pytest.approx(event.value, abs=1e-6)
        assert 120 <= event.value <= 180
