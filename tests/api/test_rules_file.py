import json
from pathlib import Path

import pytest

from api.rules_file import SceneRulesParser, dump_rules
from contracts.errors import ConfigError
from contracts.rules import RuleKind
from tests.fakes.builders import scene
from vision.rules.registry import make_rules


def test_what_is_written_is_read_back() -> None:
    assert SceneRulesParser("x").parse(dump_rules(scene())) == scene()


SQUARE = {
    "picture": [[0.2, 0.4], [0.8, 0.4], [0.9, 0.9], [0.1, 0.9]],
    "ground": [[0, 12], [6, 12], [6, 0], [0, 0]],
}
FULL: dict[str, object] = {
    "zones": [{"id": "road", "polygon": [[0.1, 0.4], [0.9, 0.4], [0.9, 0.9], [0.1, 0.9]]}],
    "lines": [{"id": "gate", "points": [[0.1, 0.5], [0.9, 0.5]]}],
    "rules": [
        {"id": "out", "kind": "zone_exit", "zone": "road", "quiet": True},
        {"id": "many", "kind": "crowd", "zone": "road", "params": {"density": 0.5}},
        {"id": "oneway", "kind": "wrong_way", "zone": "road", "params": {"direction": 90}},
        {"id": "against", "kind": "wrong_way", "line": "gate"},
        {"id": "fast", "kind": "speed", "params": {"threshold_mps": 8}},
        {"id": "run", "kind": "running", "schedule": ["mon-fri 22:00-06:00", "sat,sun"]},
        {"id": "close", "kind": "tailgate", "line": "gate", "time_zone": "Asia/Tokyo"},
        {
            "id": "both",
            "kind": "sequence",
            "params": {"first": "out", "then": "close", "within_s": 20, "who": "any"},
        },
    ],
    "calibration": SQUARE,
}


def test_all_kinds_with_hours_and_calibration_are_read_and_written_back() -> None:
    scene = SceneRulesParser("x").parse(FULL)

    assert SceneRulesParser("x").parse(dump_rules(scene)) == scene
    assert len(make_rules(scene)) == 8
    assert scene.calibration is not None
    assert scene.rules[5].schedule == ("mon-fri 22:00-06:00", "sat,sun")
    assert scene.rules[6].time_zone == "Asia/Tokyo"
    assert scene.rules[0].is_quiet


def test_what_is_wrong_with_hours_zones_and_calibration_is_listed_together() -> None:
    document = {
        "zones": [{"id": "bow", "polygon": [[0.2, 0.2], [0.8, 0.2], [0.3, 0.8], [0.7, 0.9]]}],
        "rules": [
            {"id": "a", "kind": "running", "schedule": ["never"]},
            {"id": "b", "kind": "running", "time_zone": "Mars/Base"},
            {"id": "c", "kind": "running", "quiet": "yes"},
            {"id": "d", "kind": "running", "schedule": "mon"},
            {"id": "e", "kind": "running", "time_zone": 3},
        ],
        "calibration": {"picture": [[0, 0], [1, 0], [1, 1]], "ground": [[0, 0]], "unit": "feet"},
    }
    with pytest.raises(ConfigError) as raised:
        SceneRulesParser("f.json").parse(document)
    message = str(raised.value)
    assert message.startswith("f.json: 8 problem(s)")
    assert "zones[0]: zone bow: its edges 2 and 4 cross" in message
    assert "rules[0]: rule a: schedule 'never': days are mon" in message
    assert "rules[1]: rule b: time zone 'Mars/Base' is not known here" in message
    assert "rules[2]: quiet must be true or false, got 'yes'" in message
    assert "rules[3]: schedule must be a list of words" in message
    assert "rules[4]: time_zone must be a word" in message
    assert "calibration.unit: unknown" in message
    assert "calibration: needs 4 points of the picture and as many of the ground" in message


def test_a_sequence_of_rules_that_are_not_there_is_refused() -> None:
    document = {"rules": [{"id": "s", "kind": "sequence", "params": {"first": "a", "then": "b"}}]}
    with pytest.raises(ConfigError, match=r"f\.json: rule s .*there are none"):
        SceneRulesParser("f.json").parse(document)


@pytest.mark.parametrize("calibration", [[], "x", {"picture": 3}])
def test_what_is_no_calibration_is_refused(calibration: object) -> None:
    with pytest.raises(ConfigError, match="calibration: "):
        SceneRulesParser("f.json").parse({"calibration": calibration})


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
