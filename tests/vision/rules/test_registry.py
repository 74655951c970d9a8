"""The registry makes the rules that a scene asks for."""

from dataclasses import replace

import pytest

from contracts.errors import ConfigError
from contracts.geometry import Calibration, Line
from contracts.rules import Place, RuleKind, RuleSettings, SceneRules
from tests.fakes.builders import scene
from vision.rules.registry import RULES, make_rules

SQUARE = Calibration(
    picture=((0.2, 0.4), (0.8, 0.4), (0.9, 0.9), (0.1, 0.9)),
    ground=((0.0, 10.0), (6.0, 10.0), (6.0, 0.0), (0.0, 0.0)),
)
NEEDED: dict[RuleKind, dict[str, float | str]] = {
    RuleKind.WRONG_WAY: {"direction": 90.0},
    RuleKind.SEQUENCE: {"first": "intrusion", "then": "loiter"},
}
"""Params without a default."""


def test_there_is_a_rule_for_each_kind() -> None:
    assert set(RULES) == set(RuleKind)


def test_makes_each_kind_from_its_settings() -> None:
    asked = SceneRules(
        zones=scene().zones,
        lines=(Line(line_id="gate", points=((0.5, 0.9), (0.5, 0.3))),),
        rules=tuple(
            RuleSettings(
                rule_id=kind.value,
                kind=kind,
                zone_id="" if kind.place is Place.LINE else "dock",
                line_id="gate" if kind.place is Place.LINE else "",
                params=NEEDED.get(kind, {}),
            )
            for kind in RULES
        ),
        calibration=SQUARE,
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
