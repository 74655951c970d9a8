"""The registry makes the rules that a scene asks for."""

from dataclasses import replace

import pytest

from contracts.errors import ConfigError
from contracts.geometry import Line
from contracts.rules import RuleKind, RuleSettings, SceneRules
from tests.fakes.builders import scene
from vision.rules.registry import RULES, make_rules


def test_there_is_a_rule_for_each_kind() -> None:
    assert set(RULES) <= set(RuleKind)


def test_makes_each_kind_from_its_settings() -> None:
    asked = SceneRules(
        zones=scene().zones,
        lines=(Line(line_id="gate", points=((0.5, 0.9), (0.5, 0.3))),),
        rules=tuple(
            RuleSettings(
                rule_id=kind.value,
                kind=kind,
                zone_id="" if kind is RuleKind.LINE_CROSS else "dock",
                line_id="gate" if kind is RuleKind.LINE_CROSS else "",
            )
            for kind in RULES
        ),
    )

    assert [rule.settings for rule in make_rules(asked)] == list(asked.rules)


def test_a_rule_that_is_switched_off_is_not_made() -> None:
    asked = scene()
    off = replace(asked, rules=(replace(asked.rules[0], is_enabled=False),))

    assert make_rules(off) == []


def test_a_bad_parameter_names_the_rule() -> None:
    asked = scene(threshold_s=-1.0)

    with pytest.raises(ConfigError, match="rule keep_out"):
        make_rules(asked)
