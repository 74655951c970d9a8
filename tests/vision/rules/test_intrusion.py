"""Intrusion: what it is beyond a stay (see ``test_stay.py``)."""

import pytest

from contracts.detections import ANY_LABEL
from contracts.geometry import Point, Zone
from contracts.rules import RuleKind, RuleSettings
from tests.fakes.builders import RIGHT_HALF
from tests.fakes.tracks import play
from vision.rules.intrusion import IntrusionRule

INSIDE: Point = (0.7, 0.6)
OUTSIDE: Point = (0.3, 0.6)


def rule(**params: float | str) -> IntrusionRule:
    settings = RuleSettings(rule_id="watch", kind=RuleKind.INTRUSION, zone_id="dock", params=params)
    return IntrusionRule(settings, zone=Zone(zone_id="dock", polygon=RIGHT_HALF))


def test_fires_after_half_a_second_unless_told_otherwise() -> None:
    [event] = play(rule(), [(0.2 * step, INSIDE) for step in range(10)])

    assert event.kind is RuleKind.INTRUSION
    assert event.value == pytest.approx(0.6)
    assert event.threshold == 0.5
    assert 0 < event.sigma < 0.6


def test_fires_at_once_when_told_so() -> None:
    [event] = play(rule(threshold_s=0.0), [(0.0, INSIDE), (0.2, INSIDE)])

    assert event.monotonic_s == 0.0


def test_a_wrong_box_in_one_frame_does_not_fire() -> None:
    assert play(rule(), [(0.0, (0.3, 0.6)), (0.2, INSIDE), (0.4, (0.3, 0.6))]) == []


@pytest.mark.parametrize(("label", "count"), [("person", 1), (ANY_LABEL, 0)])
def test_a_foot_that_comes_and_goes_with_its_legs_is_in_no_zone(label: str, count: int) -> None:
    """What nobody could name: now and then its legs are not told from the ground."""
    legs = [OUTSIDE if step % 5 else INSIDE for step in range(20)]

    events = play(rule(), [(0.2 * step, foot) for step, foot in enumerate(legs)], label=label)

    assert len(events) == count


FLICKERING = (INSIDE, *(5 * [OUTSIDE]), INSIDE, INSIDE)
"""At dusk: three of eight times only a coat was found, twice in a row at last."""


@pytest.mark.parametrize(("label", "count"), [("person", 1), (ANY_LABEL, 0)])
def test_a_foot_that_is_mostly_outside_is_in_no_zone(label: str, count: int) -> None:
    way = [(0.2 * step, foot) for step, foot in enumerate(FLICKERING)]

    assert len(play(rule(threshold_s=1.0), way, label=label)) == count


def test_what_nobody_could_name_is_told_once_it_was_mostly_inside() -> None:
    way = [(0.2 * step, foot) for step, foot in enumerate((*FLICKERING, INSIDE, INSIDE))]

    [event] = play(rule(threshold_s=1.0), way, label=ANY_LABEL)

    assert event.since_s == 0.0
    assert event.monotonic_s == pytest.approx(1.8)


def test_what_nobody_could_name_is_told_in_the_second_frame_inside() -> None:
    feet = [(0.0, OUTSIDE), *((0.2 * step, INSIDE) for step in range(1, 5))]

    [event] = play(rule(threshold_s=0.0), feet, label=ANY_LABEL)

    assert event.since_s == pytest.approx(0.1, abs=0.001)
    assert event.monotonic_s == 0.4
