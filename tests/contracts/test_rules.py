import math

import pytest

from contracts.errors import ConfigError
from contracts.geometry import Zone
from contracts.rules import RuleKind, RuleSettings, SceneRules, Severity

ZONE = Zone(zone_id="z", polygon=((0, 0), (1, 0), (1, 1)))


def test_severities_are_ordered() -> None:
    assert [severity.rank for severity in Severity] == [0, 1, 2, 3, 4]
    assert Severity.HIGH.rank > Severity.LOW.rank


def test_a_rule_about_a_zone_that_is_not_there_names_those_that_are() -> None:
    rule = RuleSettings(rule_id="r", kind=RuleKind.INTRUSION, zone_id="dock")
    with pytest.raises(ConfigError, match=r"no zone 'dock'; zones are \['z'\]"):
        SceneRules(zones=(ZONE,), rules=(rule,))


def test_two_zones_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="stand more than once"):
        SceneRules(zones=(ZONE, ZONE))


@pytest.mark.parametrize(("kind", "needs"), [("intrusion", "zone"), ("line_cross", "line")])
def test_a_rule_without_its_place_is_refused(kind: str, needs: str) -> None:
    with pytest.raises(ConfigError, match=f"needs a {needs}"):
        RuleSettings(rule_id="r", kind=RuleKind(kind))


@pytest.mark.parametrize("cooldown_s", [-1.0, math.nan, math.inf])
def test_a_cool_down_must_be_a_time(cooldown_s: float) -> None:
    with pytest.raises(ConfigError, match="cooldown_s must be >= 0"):
        RuleSettings(rule_id="r", kind=RuleKind.LOITER, zone_id="z", cooldown_s=cooldown_s)
