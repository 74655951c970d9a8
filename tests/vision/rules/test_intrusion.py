"""Intrusion: what it is beyond a stay (see ``test_stay.py``)."""

from dataclasses import replace

import pytest

from contracts.detections import ANY_LABEL
from contracts.geometry import Point, Zone
from contracts.rules import RuleKind, RuleSettings
from tests.fakes.builders import RIGHT_HALF
from tests.fakes.tracks import followed, header_at, observed, play
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


@pytest.mark.parametrize("label", ["person", ANY_LABEL])
def test_a_foot_that_comes_and_goes_with_its_legs_is_in_no_zone(label: str) -> None:
    """Now and then its legs are not told from the ground, or somebody else hides them."""
    legs = [OUTSIDE if step % 5 else INSIDE for step in range(20)]

    assert play(rule(), [(0.2 * step, foot) for step, foot in enumerate(legs)], label=label) == []


@pytest.mark.parametrize(("label", "count"), [("person", 1), (ANY_LABEL, 0)])
def test_somebody_with_a_name_is_told_though_every_other_look_has_him_outside(
    label: str, count: int
) -> None:
    way = [(0.2 * step, OUTSIDE if step % 2 else INSIDE) for step in range(20)]

    assert len(play(rule(), way, label=label)) == count


FLICKERING = (INSIDE, *(5 * [OUTSIDE]), INSIDE, INSIDE)
"""At dusk: three of eight times only a coat was found, twice in a row at last."""


@pytest.mark.parametrize("label", ["person", ANY_LABEL])
def test_a_foot_that_is_mostly_outside_is_in_no_zone(label: str) -> None:
    way = [(0.2 * step, foot) for step, foot in enumerate(FLICKERING)]

    assert play(rule(threshold_s=1.0), way, label=label) == []


@pytest.mark.parametrize(
    ("unseen", "label", "count"),
    [(5, ANY_LABEL, 0), (3, ANY_LABEL, 0), (2, ANY_LABEL, 1), (5, "person", 1)],
)
def test_two_looks_far_apart_are_no_stay_of_what_nobody_could_name(
    unseen: int, label: str, count: int
) -> None:
    """Five seconds on the pavement; then twice a coat alone, and not seen at all between."""
    whole = followed([(0.2 * step, OUTSIDE) for step in range(10)], label=label)
    far = followed([(2.0 + 0.2 * step, INSIDE) for step in range(unseen + 2)], label=label)
    coats = [
        replace(point, is_observed=step in (0, unseen + 1)) for step, point in enumerate(far.points)
    ]
    points = (*whole.points, *coats)
    watch = rule(threshold_s=0.2 * (unseen + 1))

    events = []
    for number in range(1, len(points) + 1):
        track = replace(whole, points=points[:number])
        events += watch.update(observed([track], header_at(track.last.monotonic_s)))

    assert len(events) == count


@pytest.mark.parametrize("label", ["person", ANY_LABEL])
def test_whoever_was_mostly_inside_is_told(label: str) -> None:
    way = [(0.2 * step, foot) for step, foot in enumerate((*FLICKERING, INSIDE, INSIDE))]

    [event] = play(rule(threshold_s=1.0), way, label=label)

    assert event.since_s == 0.0
    assert event.monotonic_s == pytest.approx(1.8)


def test_what_nobody_could_name_is_told_in_the_second_frame_inside() -> None:
    feet = [(0.0, OUTSIDE), *((0.2 * step, INSIDE) for step in range(1, 5))]

    [event] = play(rule(threshold_s=0.0), feet, label=ANY_LABEL)

    assert event.since_s == pytest.approx(0.1, abs=0.001)
    assert event.monotonic_s == 0.4
