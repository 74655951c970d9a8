"""Every camera is watched for some kinds without being asked."""

import pytest

from contracts.geometry import Zone
from contracts.rules import RuleKind, RuleSettings, SceneRules, Severity
from vision.rules.defaults import with_defaults

ZONE = Zone(zone_id="z", polygon=((0, 0), (1, 0), (1, 1)))


@pytest.fixture
def fall_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vision.rules.defaults.ON_BY_DEFAULT", {RuleKind.FALL: Severity.HIGH})


@pytest.mark.usefixtures("fall_by_default")
def test_what_is_on_by_default_is_added() -> None:
    [rule] = with_defaults(SceneRules()).rules

    assert (rule.rule_id, rule.kind, rule.severity) == ("fall", RuleKind.FALL, Severity.HIGH)


@pytest.mark.usefixtures("fall_by_default")
def test_a_configured_rule_replaces_the_default_even_if_it_is_off() -> None:
    off = SceneRules(rules=(RuleSettings(rule_id="no", kind=RuleKind.FALL, is_enabled=False),))

    assert with_defaults(off) == off


@pytest.mark.usefixtures("fall_by_default")
def test_a_default_steps_back_from_an_id_that_is_taken() -> None:
    taken = RuleSettings(rule_id="fall", kind=RuleKind.LOITER, zone_id="z")

    rules = with_defaults(SceneRules(zones=(ZONE,), rules=(taken,))).rules

    assert [rule.rule_id for rule in rules] == ["fall", "default-fall"]
