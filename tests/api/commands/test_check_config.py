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
