"""Loitering: what it is beyond a stay (see ``test_stay.py``)."""

from contracts.geometry import Point, Zone
from contracts.rules import RuleKind, RuleSettings
from tests.fakes.builders import RIGHT_HALF
from tests.fakes.tracks import play
from vision.rules.loiter import LoiterRule

INSIDE: Point = (0.7, 0.6)


def rule() -> LoiterRule:
    settings = RuleSettings(rule_id="watch", kind=RuleKind.LOITER, zone_id="dock")
    return LoiterRule(settings, zone=Zone(zone_id="dock", polygon=RIGHT_HALF))


def test_takes_thirty_seconds_unless_told_otherwise() -> None:
    [event] = play(rule(), [(float(second), INSIDE) for second in range(40)])

    assert event.kind is RuleKind.LOITER
    assert event.value == 30.0


def test_crossing_the_zone_is_no_loitering() -> None:
    feet = [(0.5 * step, (0.5 + 0.008 * step, 0.6)) for step in range(58)]

    assert play(rule(), feet) == []
