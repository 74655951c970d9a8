"""Intrusion: what it is beyond a stay (see ``test_stay.py``)."""

import pytest

from contracts.geometry import Point, Zone
from contracts.rules import RuleKind, RuleSettings
from tests.fakes.builders import RIGHT_HALF
from tests.fakes.tracks import play
from vision.rules.intrusion import IntrusionRule

INSIDE: Point = (0.7, 0.6)


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
