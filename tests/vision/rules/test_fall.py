import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.geometry import Box, Zone
from contracts.rules import RuleKind, RuleSettings, Severity
from tests.fakes.bodies import (
    BENT,
    LYING,
    SITTING,
    STANDING,
    Way,
    body,
    moved,
    play_bodies,
    seen_bodies,
    stays,
)
from tests.fakes.builders import RIGHT_HALF
from tests.fakes.tracks import header_at
from vision.fall_model import Surroundings
from vision.rules.fall import FallRule

FALLS = stays((STANDING, 2.0), (BENT, 0.4), (LYING, 4.0))


def rule(*, zone: Zone | None = None, **params: float) -> FallRule:
    settings = RuleSettings(
        rule_id="fall", kind=RuleKind.FALL, severity=Severity.HIGH, params=params
    )
    return FallRule(settings, zone=zone)


def test_reports_a_fall_once_and_since_when_the_body_last_stood() -> None:
    [event] = play_bodies(rule(), FALLS)

    assert event.track_id == "rb0"
    assert event.since_s == pytest.approx(1.8)
    assert event.monotonic_s - event.since_s < 3.0
    assert (event.unit, event.threshold) == ("share", 0.5)
    assert event.threshold <= event.value <= 1
    assert 0 < event.sigma < 0.5
    assert event.severity is Severity.HIGH


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(stays((STANDING, 8.0)), id="stands"),
        pytest.param(stays((STANDING, 2.0), (SITTING, 6.0)), id="sits down"),
        pytest.param(stays((STANDING, 2.0), (BENT, 0.8), (STANDING, 4.0)), id="picks something up"),
        pytest.param(stays((STANDING, 2.0), (BENT, 6.0)), id="stays bent"),
        pytest.param(stays((LYING, 8.0)), id="lay there from the start"),
        pytest.param(stays((LYING, 3.0), (STANDING, 4.0)), id="gets up"),
        pytest.param(
            stays((STANDING, 2.0), (moved(STANDING, by=(0.0, 0.28)), 5.0)), id="comes nearer"
        ),
        pytest.param(
            [
                (index / 5, (STANDING[0], 0.45 + 0.02 * index, STANDING[2], 0.99))
                for index in range(26)
            ],
            id="goes out of the picture at the bottom",
        ),
        pytest.param(
            stays(
                *(((0.4, 0.2 + 0.02 * index, 0.5 + 0.01 * index, 0.7), 0.4) for index in range(18))
            ),
            id="lies down in seven seconds",
        ),
    ],
)
def test_does_not_report(way: Way) -> None:
    assert play_bodies(rule(), way) == []


def test_does_not_report_where_the_pictures_show_that_somebody_still_stands_there() -> None:
    """A box that shrinks to the legs of somebody who stands drops as deep as a fall."""
    still_there = Surroundings(gone=0.02, came=0.6)

    assert play_bodies(rule(), FALLS, surroundings=still_there) == []


def test_does_not_report_a_piece_of_furniture_that_was_taken_for_the_body() -> None:
    assert play_bodies(rule(), FALLS, surroundings=Surroundings(gone=0.8, came=0.0)) == []


@pytest.mark.parametrize(("down_s", "reported"), [(1.0, True), (1.2, False)])
def test_the_time_down_is_met_to_the_frame(down_s: float, reported: bool) -> None:
    # Seen down at six frames from 2.0 s on, the last of them at 3.0 s.
    way = stays((STANDING, 2.0), (LYING, 1.2))

    assert bool(play_bodies(rule(down_s=down_s), way)) is reported


def test_frames_in_which_nothing_is_seen_do_not_hide_a_fall() -> None:
    way: list[tuple[float, Box | None]] = [
        (at_s, None if 2.0 <= at_s < 3.0 else box) for at_s, box in FALLS
    ]

    [event] = play_bodies(rule(), way)

    assert event.since_s == pytest.approx(1.8)


def test_a_frame_in_which_the_body_is_not_seen_reports_nothing() -> None:
    watching = rule()
    lost = [*stays((STANDING, 2.0), (LYING, 0.6)), (2.6, None), (2.8, None)]
    found = [*lost, (3.0, LYING)]
    for count in range(1, len(lost) + 1):
        seen = seen_bodies(body(lost[:count]), header=header_at(lost[count - 1][0]))
        assert watching.update(seen) == []

    assert len(watching.update(seen_bodies(body(found), header=header_at(3.0)))) == 1


def test_who_gets_up_and_falls_again_is_reported_again() -> None:
    way = stays((STANDING, 2.0), (LYING, 3.0), (STANDING, 5.0), (LYING, 3.0))

    first, second = play_bodies(rule(), way)

    assert first.since_s < 2.0 < second.since_s
    assert first.event_id != second.event_id


def test_two_people_fall_each_for_themselves() -> None:
    other = [(at_s, None if box is None else moved(box, by=(0.35, 0.0))) for at_s, box in FALLS]

    assert {event.track_id for event in play_bodies(rule(), FALLS, other)} == {"rb0", "rb1"}


def test_one_person_who_is_seen_as_two_falls_once() -> None:
    half = [(at_s, box and (box[0], box[1], box[2] - 0.03, box[3])) for at_s, box in FALLS]

    assert len(play_bodies(rule(), FALLS, half)) == 1


def test_the_same_fall_before_two_cameras_is_two_events() -> None:
    ids = {
        play_bodies(rule(), FALLS, camera_id=camera_id)[0].event_id
        for camera_id in ("yard", "hall")
    }

    assert len(ids) == 2


@pytest.mark.parametrize(("by_x", "reported"), [(0.0, False), (0.3, True)])
def test_a_zone_narrows_it(by_x: float, reported: bool) -> None:
    zone = Zone(zone_id="right", polygon=RIGHT_HALF)
    way = [(at_s, None if box is None else moved(box, by=(by_x, 0.0))) for at_s, box in FALLS]

    assert bool(play_bodies(rule(zone=zone), way)) is reported


def test_whoever_is_down_is_present_until_up_again() -> None:
    watching = rule()
    way = stays((STANDING, 2.0), (LYING, 3.0), (STANDING, 5.0))
    present = []
    for count in range(1, len(way) + 1):
        watching.update(seen_bodies(body(way[:count]), header=header_at(way[count - 1][0])))
        present.append(watching.present())

    assert present[9] == frozenset()
    assert present[20] == {"rb0"}
    assert present[-1] == frozenset()


@pytest.mark.parametrize("params", [{"threshold": 0.4}, {"threshold": 1.5}, {"down_s": -1.0}])
def test_refuses_what_makes_no_sense(params: dict[str, float]) -> None:
    settings = RuleSettings(rule_id="fall", kind=RuleKind.FALL, params=params)

    with pytest.raises(ConfigError, match="rule fall"):
        FallRule(settings, zone=None)


def test_refuses_parameters_that_it_does_not_know() -> None:
    with pytest.raises(ConfigError, match="known are threshold, down_s"):
        rule(height=1.0)


@st.composite
def ways(draw: st.DrawFn) -> Way:
    edge = st.floats(0.0, 0.9)
    size = st.floats(0.01, 0.6)
    times = draw(st.lists(st.floats(0.0, 2.0), min_size=2, max_size=30))
    at_s, way = 0.0, []
    for index, step_s in enumerate(times):
        at_s = round(at_s + step_s, 3) + (0.001 if index else 0.0)
        x, y = draw(edge), draw(edge)
        box = (x, y, min(1.0, x + draw(size)), min(1.0, y + draw(size)))
        way.append((at_s, box if index == 0 or draw(st.booleans()) else None))
    return way


@given(ways())
@example(
    [
        (0.0, (0.0, 0.0, 0.5, 0.25)),
        (0.001, None),
        (0.002, (0.0, 0.0, 0.125, 0.25)),
        (0.003, None),
        (0.004, (0.0, 0.5, 0.5, 1.0)),
        (1.005, (0.0, 0.125, 0.5, 0.375)),
        (1.006, (0.0, 0.0, 0.5, 0.25)),
        (1.007, (0.0, 0.5, 0.5, 1.0)),
    ]
)  # up for a millisecond: the fall after it began where the first one did
def test_whatever_a_body_does_each_report_is_of_one_fall_and_can_be_stood_by(way: Way) -> None:
    events = play_bodies(rule(), way)

    assert len({event.since_s for event in events}) == len(events)
    for event in events:
        assert event.threshold <= event.value <= 1
        assert math.isfinite(event.sigma)
        assert event.sigma > 0
        assert event.since_s < event.monotonic_s
        assert event.monotonic_s in {at_s for at_s, box in way if box is not None}
