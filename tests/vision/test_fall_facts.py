from dataclasses import replace

import pytest

from contracts.incidents import Fact, FactName
from tests.fakes.bodies import LYING, STANDING, region, stays
from tests.fakes.builders import rule_event
from tests.fakes.fall_incidents import FALLS, fall_incident
from vision.fall_facts import down_fact, fall_facts

INCIDENT = fall_incident()
EVENT, TRACK = INCIDENT.rule_events[0], INCIDENT.tracks[0]


def named(name: FactName) -> Fact:
    return next(fact for fact in INCIDENT.facts if fact.name is name)


def test_a_fall_is_measured_by_how_deep_how_fast_and_how_long() -> None:
    drop = named(FactName.HEAD_DROP)

    assert drop.value == pytest.approx((LYING[1] - STANDING[1]) / 0.5)
    assert (drop.unit, drop.subject) == ("height", "rb0")
    assert 0.03 < drop.sigma < 0.1
    assert named(FactName.FALL_PACE).unit == "height/s"
    assert named(FactName.FALL_PACE).value > 0.35
    assert named(FactName.HEAD_GONE).value == pytest.approx(0.8)
    assert named(FactName.DOWN).value == pytest.approx(0.8)


def test_the_posture_is_that_of_the_last_moments() -> None:
    posture = named(FactName.POSTURE)

    assert posture.text == "lying"
    assert posture.value > 0.5


def test_a_detector_without_postures_states_none() -> None:
    names = {fact.name for fact in fall_facts(EVENT, track=region(FALLS), cited={})}

    assert FactName.POSTURE not in names
    assert FactName.HEAD_DROP in names


def test_time_down_goes_on_until_the_body_comes_up() -> None:
    lying = region(stays((STANDING, 2.0), (LYING, 6.0)))
    up = region(stays((STANDING, 2.0), (LYING, 3.0), (STANDING, 3.0)))
    event = replace(EVENT, since_s=1.8, monotonic_s=2.8, detail={"down_s": "0.8"})

    long, ended = (down_fact(event, track=track, cited={}) for track in (lying, up))

    assert long is not None
    assert long.value == pytest.approx(5.8)
    assert ended is not None
    assert ended.value == pytest.approx(2.8)


def test_nothing_is_said_of_what_is_no_fall() -> None:
    other = rule_event(track_id="rb0")

    assert fall_facts(other, track=TRACK, cited={}) == []
    assert down_fact(other, track=TRACK, cited={}) is None


def test_nothing_is_said_where_the_beginning_is_forgotten() -> None:
    forgetful = replace(TRACK, points=TRACK.points[-3:])

    assert fall_facts(EVENT, track=forgetful, cited={}) == []
