import json
from pathlib import Path

import pytest

from api.rules_file import SceneRulesParser, dump_rules
from contracts.errors import ConfigError
from contracts.rules import RuleKind
from tests.fakes.builders import scene


def test_what_is_written_is_read_back() -> None:
    assert SceneRulesParser("x").parse(dump_rules(scene())) == scene()


def test_every_problem_is_named_with_its_place() -> None:
    document = {
        "zones": [{"id": "a", "polygon": [[0, 0], [1, 1]]}],
        "lines": [{"id": "b", "points": [[0, 0], ["x", 1]]}],
        "rules": [
            {"id": "r", "kind": "dance", "zone": "a"},
            {"id": "s", "kind": "loiter", "zone": "a", "parms": {}},
            {"id": "t", "kind": "loiter", "zone": "a", "params": {"threshold_s": float("nan")}},
        ],
        "cameras": [],
    }
    with pytest.raises(ConfigError) as raised:
        SceneRulesParser("gate.rules.json").parse(document)
    message = str(raised.value)
    assert message.startswith("gate.rules.json: 6 problem(s)")
    assert "cameras: unknown" in message
    assert "zones[0]: zone a: needs at least 3 points, got 2" in message
    assert "lines[0]: points must hold pairs [x, y]" in message
    assert "rules[0]: kind must be one of ['intrusion'" in message
    assert "rules[1].parms: unknown" in message
    assert "rules[2]: params.threshold_s must be a finite number" in message


@pytest.mark.parametrize("document", [[], "x", None, {"zones": {}}, {"rules": [1]}])
def test_what_is_no_rules_document_is_refused(document: object) -> None:
    with pytest.raises(ConfigError, match=r"f\.json: "):
        SceneRulesParser("f.json").parse(document)


@pytest.mark.data
def test_the_shared_rules_files_are_read(shared: Path) -> None:
    files = sorted((shared / "data").rglob("*.rules.json"))
    assert files
    kinds = set()
    for file in files:
        rules = SceneRulesParser(file.name).parse(json.loads(file.read_text())).rules
        kinds |= {rule.kind for rule in rules}
    assert RuleKind.LOITER in kinds
