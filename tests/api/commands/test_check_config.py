from pathlib import Path

import pytest

from api.__main__ import main

RULES = """{"zones": [{"id": "z", "polygon": [[0, 0], [1, 0], [1, 1]]}],
 "rules": [{"id": "r", "kind": "loiter", "zone": "z", "params": {"treshold_s": 3}}]}"""


def check(folder: Path, text: str) -> int:
    file = folder / "vigil.toml"
    file.write_text(text)
    return main(["check-config", "--settings", str(file)])


def test_what_would_run_is_listed_without_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, "[[cameras]]\nid='gate'\nurl='rtsp://u:hunter2@h/x'\n") == 0
    printed = capsys.readouterr().out
    assert "camera gate: rtsp://***@h/x; rules: comes-in (zone_entry), stays (loiter)" in printed
    assert "1 camera(s) declared" in printed


def test_a_misspelt_rule_parameter_is_found_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gate.rules.json").write_text(RULES)
    text = "[[cameras]]\nid='gate'\nurl='rtsp://h/x'\nrules_file='gate.rules.json'\n"
    assert check(tmp_path, text) == 2
    assert (
        "camera gate: rule r (loiter): unknown parameter(s) treshold_s" in capsys.readouterr().err
    )


def test_a_file_to_watch_must_be_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, "[[cameras]]\nid='gate'\nurl='absent.mp4'\n") == 2
    assert "there is no file 'absent.mp4'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time_zone = 'Mars/Olympus'\n", "time_zone: 'Mars/Olympus' is not known here"),
        ("redis_url = 'http://u:hunter2@h'\n", "redis_url must begin with redis://"),
        ("database_url = 'mysql://u:hunter2@h/x'\n", "database_url: 'mysql' in mysql://***@h/x"),
        ("[vision]\ndetector = 'yolox'\n", "needs a model file: set vision.weights"),
        ("[vision]\ndetector = 'yolox'\nweights = 'no.onnx'\n", "no.onnx is not a file"),
        ("[[cameras]]\nid='Gate 1'\nurl='rtsp://h/x'\n", "cameras[0] (Gate 1): id must be 1 to 63"),
        ("[[cameras]]\nid='g'\nurl='rtsp://'\n", "cameras[0] (g): url: names no host"),
        ("[[cameras]]\nid='g'\nurl='rtsp://u:hunter2@h:port/x'\n", "url: cannot be parsed"),
        ("[[cameras]]\nid='g'\nurl='rtsp:/u:hunter2@h/x'\n", "a slash lacks after the scheme"),
        ("[[cameras]]\nid='g'\nurl='u:hunter2@h/x'\n", "there is no file '(a URL that cannot"),
        ("[[cameras]]\nid='g'\nurl='synthetic:moon'\n", "no synthetic scene 'moon'"),
    ],
)
def test_what_could_not_run_is_refused_without_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    assert check(tmp_path, text) == 2
    complaints = capsys.readouterr().err
    assert message in complaints
    assert "hunter2" not in complaints


def test_a_rules_file_nested_without_end_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gate.rules.json").write_text("[" * 100_000)
    text = "[[cameras]]\nid='gate'\nurl='rtsp://h/x'\nrules_file='gate.rules.json'\n"
    assert check(tmp_path, text) == 2
    assert "gate.rules.json: is nested too deeply" in capsys.readouterr().err


def test_a_sequence_that_names_a_camera_that_is_not_declared_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = """{"rules": [{"id": "s", "kind": "sequence",
                           "params": {"first": "yard/fence", "then": "fall"}}]}"""
    (tmp_path / "gate.rules.json").write_text(rules)
    text = "[[cameras]]\nid='gate'\nurl='rtsp://h/x'\nrules_file='gate.rules.json'\n"

    assert check(tmp_path, text) == 2
    assert (
        "camera gate: rule s (sequence): first names camera 'yard', which is not there"
        in capsys.readouterr().err
    )
