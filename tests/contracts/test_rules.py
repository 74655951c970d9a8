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


@pytest.fixture
def fall_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contracts.rules.ON_BY_DEFAULT", {RuleKind.FALL: Severity.HIGH})


@pytest.mark.usefixtures("fall_by_default")
def test_what_is_on_by_default_is_added() -> None:
    [rule] = SceneRules().with_defaults().rules

    assert (rule.rule_id, rule.kind, rule.severity) == ("fall", RuleKind.FALL, Severity.HIGH)


@pytest.mark.usefixtures("fall_by_default")
def test_a_configured_rule_replaces_the_default_even_if_it_is_off() -> None:
    off = SceneRules(rules=(RuleSettings(rule_id="no", kind=RuleKind.FALL, is_enabled=False),))

    assert off.with_defaults() == off


@pytest.mark.usefixtures("fall_by_default")
def test_a_default_steps_back_from_an_id_that_is_taken() -> None:
    taken = RuleSettings(rule_id="fall", kind=RuleKind.LOITER, zone_id="z")

    rules = SceneRules(zones=(ZONE,), rules=(taken,)).with_defaults().rules

    assert [rule.rule_id for rule in rules] == ["fall", "default-fall"]
