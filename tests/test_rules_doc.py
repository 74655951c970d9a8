"""The page about rules is held to the code: kinds, parameters, defaults, examples."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from api.rules_file import SceneRulesParser
from contracts.errors import ConfigError
from contracts.geometry import Line, Zone
from contracts.rules import Place, RuleKind, RuleSettings, SceneRules
from tests.fakes.builders import RIGHT_HALF
from tests.vision.rules.test_registry import SQUARE
from vision.rules.registry import make_rules

PAGE = (Path(__file__).parents[1] / "docs" / "rules.md").read_text()
SECTIONS = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
ROW = re.compile(r"^\| `(\w+)` \|([^|]*)\|([^|]*)\|[^|]+\|$", re.MULTILINE)
WITH_TABLE = [kind for kind in RuleKind if ROW.search(SECTIONS.get(kind, ""))]
NEEDED: dict[RuleKind, dict[str, float | str]] = {
    RuleKind.WRONG_WAY: {"direction": 90.0},
    RuleKind.SEQUENCE: {"first": "over-fence", "then": "at-door"},
}
PARTS = (
    RuleSettings(rule_id="over-fence", kind=RuleKind.RUNNING),
    RuleSettings(rule_id="at-door", kind=RuleKind.RUNNING),
)


def scene(rule: RuleSettings) -> SceneRules:
    return SceneRules(
        zones=(Zone(zone_id="drive", polygon=RIGHT_HALF),),
        lines=(Line(line_id="gate", points=((0.1, 0.8), (0.9, 0.8))),),
        rules=(*PARTS, rule),
        calibration=SQUARE,
    )


def made(kind: RuleKind, params: dict[str, float | str]) -> dict[str, object]:
    """The plain numbers and words that a rule of these params works with."""
    settings = RuleSettings(
        rule_id="r",
        kind=kind,
        zone_id="drive" if kind.place is Place.ZONE else "",
        line_id="gate" if kind.place is Place.LINE else "",
        params=params,
    )
    rule = make_rules(scene(settings))[-1]
    return {name: value for name, value in vars(rule).items() if isinstance(value, str | float)}


def documented(kind: RuleKind) -> dict[str, float | str]:
    """Each documented parameter with its default, as far as it has one."""
    found: dict[str, float | str] = {}
    for name, _, default in ROW.findall(SECTIONS[kind]):
        text = default.strip()
        if text and text != "needed":
            found[name] = float(text) if re.fullmatch(r"[\d.]+", text) else text
    return found


@pytest.mark.parametrize("kind", list(RuleKind))
def test_every_kind_has_its_section(kind: RuleKind) -> None:
    assert len(SECTIONS[kind].strip()) > 20


@pytest.mark.parametrize("kind", WITH_TABLE)
def test_the_parameters_are_those_of_the_rule(kind: RuleKind) -> None:
    names = {name for name, _, _ in ROW.findall(SECTIONS[kind])}
    with pytest.raises(ConfigError) as raised:
        made(kind, {**NEEDED.get(kind, {}), "no_such": 1.0})
    known = str(raised.value).partition("known are ")[2]

    assert names == set(known.split(", "))


@pytest.mark.parametrize("kind", WITH_TABLE)
def test_the_defaults_are_those_of_the_rule(kind: RuleKind) -> None:
    needed = NEEDED.get(kind, {})

    assert made(kind, {**needed, **documented(kind)}) == made(kind, needed)


@pytest.mark.parametrize("kind", WITH_TABLE)
def test_the_examples_are_rules_of_the_kind(kind: RuleKind) -> None:
    example, *others = re.findall(r"```json\n(.*?)```", SECTIONS[kind], re.DOTALL)
    document: dict[str, Any] = {
        "zones": [{"id": "drive", "polygon": [list(point) for point in RIGHT_HALF]}],
        "lines": [{"id": "gate", "points": [[0.1, 0.8], [0.9, 0.8]]}],
        "rules": [
            *({"id": part.rule_id, "kind": part.kind.value} for part in PARTS),
            json.loads(example),
        ],
        "calibration": {
            "picture": [list(point) for point in SQUARE.picture],
            "ground": [list(point) for point in SQUARE.ground],
        },
    }

    rules = make_rules(SceneRulesParser("docs/rules.md").parse(document))

    assert rules[-1].settings.kind is kind
    for other in others:  # those that begin at another camera are nothing that one camera watches
        document["rules"][-1] = json.loads(other)
        parsed = SceneRulesParser("docs/rules.md").parse(document)
        assert parsed.rules[-1].kind is kind


def test_the_first_example_is_a_whole_file() -> None:
    text = PAGE.partition("```json\n")[2].partition("```")[0]

    assert make_rules(SceneRulesParser("docs/rules.md").parse(json.loads(text)))


def test_every_field_of_a_rule_is_listed() -> None:
    fields = set(re.findall(r"`(\w+)`", PAGE.partition("## What every")[2].partition("**Zones")[0]))
    with pytest.raises(ConfigError) as raised:
        SceneRulesParser("x").parse({"rules": [{"id": "r", "kind": "running", "no_such": 1}]})
    known = re.findall(r"'(\w+)'", str(raised.value))

    assert set(known) <= fields
