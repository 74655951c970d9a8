"""``vigil backtest`` from the command line, over an archive in a folder."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.history.sql import migrate, open_history
from api.__main__ import main
from api.track_folder import FolderTrackStore
from contracts.cameras import Camera, SourceSettings, SourceType
from tests.fakes.clock import START, ManualClock
from tests.fakes.street_life import EVERY_KIND, street
from tests.fakes.track_archives import archive_of

SPAN = ["--from", "2026-03-01T11:00", "--to", "2026-03-01T13:00"]
RULES = """{"zones": [{"id": "all", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}],
 "rules": [{"id": "anywhere", "kind": "intrusion", "zone": "all"}]}"""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cameras with rules, one of them with tracks; tracks of one that was removed."""
    folder = tmp_path_factory.mktemp("vigil")
    url = f"sqlite:///{folder / 'vigil.db'}"
    migrate(url)
    history = open_history(url)
    source = SourceSettings(source_type=SourceType.SYNTHETIC, url="yard")
    for name in ("cam", "yard"):
        history.cameras.save_camera(Camera(camera_id=name, source=source, scene=EVERY_KIND))
    history.close()
    store = FolderTrackStore(folder / "tracks", clock=ManualClock())
    for part in archive_of(street(3, count=12, until_s=120.0)).parts:
        store.append(part)
    store.close()
    (folder / "tracks" / "removed").mkdir()
    return folder


def ask(data_dir: Path, *arguments: str) -> int:
    return main(["backtest", "--data-dir", str(data_dir), *arguments])


def asked(data_dir: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert ask(data_dir, *SPAN, *arguments, "--json", "-") == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_what_would_have_fired_is_a_table_with_times(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(data_dir, "cam", *SPAN, "--first", "2") == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("cam: 2026-03-01T11:00:00.000Z to 2026-03-01T13:00:00.000Z")
    assert lines[1].split() == ["rule", "day", "(UTC)", "events", "incidents"]
    assert any(line.startswith("  incidents in all: ") for line in lines)
    assert any("not replayed: fall (" in line for line in lines)
    assert sum("(threshold" in line for line in lines) == 2


def test_a_threshold_is_compared_with_the_present_one(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(data_dir, "cam", *SPAN, "--set", "long.threshold_s=3") == 0

    out = capsys.readouterr().out
    assert "events  now  more  incidents  now  more" in out
    assert "more than with the present rules" in out
    assert "loiter " not in out, "only the rule that is set is run"


def test_one_camera_of_many_has_nothing_stored(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(data_dir, *SPAN) == 0

    assert "no tracks are stored of this time" in capsys.readouterr().out


def test_all_is_there_as_json(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = asked(data_dir, capsys, "cam", "--set", "long.threshold_s=3", "--first", "1")

    [camera] = document["cameras"]
    [rule] = camera["rules"]
    assert rule["events"] == sum(day["events"] for day in rule["days"])
    assert camera["incidents"] > camera["incidents_now"]
    assert set(camera["first"][0]) >= {"at", "rule", "track", "value", "threshold", "incident"}


def test_the_rules_of_a_file_are_tried(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new.json"
    file.write_text(RULES)

    found = asked(data_dir, capsys, "cam", "--rules", str(file))["cameras"][0]["rules"]

    events = {rule["rule"]: (rule.get("events"), rule.get("events_now")) for rule in found}
    assert events["anywhere"][0] > 0
    assert events["anywhere"][1] == 0
    assert events["intrusion"][0] == 0
    assert events["intrusion"][1] > 0


def test_words_and_switches_can_be_set_too(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cars = ["--set", "intrusion.labels=vehicle", "--set", "brief.enabled=false"]

    rules = asked(data_dir, capsys, "cam", *cars)["cameras"][0]["rules"]

    found = {rule["rule"]: rule for rule in rules}
    assert 0 < found["intrusion"]["events"] < found["intrusion"]["events_now"]
    assert found["brief"]["events"] == 0 < found["brief"]["events_now"]


def test_days_are_those_of_the_site(
    data_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIGIL_TIME_ZONE", "Pacific/Auckland")
    late = ["--from", "2026-03-02T00:00", "--to", "2026-03-02T03:00", "--only", "intrusion"]

    assert ask(data_dir, "cam", *late, "--json", "-") == 0

    [rule] = json.loads(capsys.readouterr().out)["cameras"][0]["rules"]
    assert [day["day"] for day in rule["days"]] == ["2026-03-02"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope", *SPAN], "there is no camera 'nope'; there are cam, yard"),
        (["removed", *SPAN], "its tracks are kept, but not its rules: give --rules"),
        (["--from", "2020-01-01", "--to", "2020-01-02"], "stored is 2026-03-01 12:00"),
        (["yard", *SPAN], "nothing is stored of them yet"),
        (["--from", "2026-03-02", "--to", "2026-03-01"], "the time asked about is empty"),
        (["--from", "yesterday"], "must be a time such as"),
        (["--hours", "0"], "must be above 0"),
        (["--hours", "nan"], "must be above 0"),
        (["--hours", "1", "--days", "1"], "give one of"),
        ([*SPAN, "--set", "long"], "must read rule.name=value"),
        ([*SPAN, "--set", "absent.x=1"], "there is no rule 'absent'"),
        (["cam", *SPAN, "--set", "long.treshold_s=1"], "unknown parameter(s) treshold_s"),
        ([*SPAN, "--set", "long.enabled=maybe"], "enabled is true or false"),
        (["cam", *SPAN, "--set", "long.zone=moon"], "there is no zone 'moon'"),
        ([*SPAN, "--only", "absent"], "there is no rule 'absent'"),
        ([*SPAN, "--rules", "/absent.json"], "there is no such rules file"),
        ([*SPAN, "--first", "-1"], "--first must be 0 or more"),
        ([*SPAN, "--json", "/absent/a.json"], "cannot be written"),
    ],
)
def test_what_cannot_be_asked_is_explained(
    data_dir: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert ask(data_dir, *arguments) == 2
    assert said in capsys.readouterr().err


def test_an_archive_that_never_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(tmp_path, *SPAN) == 2
    assert "no tracks are kept there yet" in capsys.readouterr().err


def test_a_broken_file_is_said_and_the_rest_is_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = FolderTrackStore(tmp_path / "tracks", clock=ManualClock())
    for part in archive_of(street(3, count=12, until_s=60.0)).parts:
        store.append(part)
    later = START + timedelta(hours=1)
    for part in archive_of(street(3, count=12, until_s=60.0, began=later)).parts:
        store.append(part)
    store.close()
    broken = min((tmp_path / "tracks").rglob("*.tracks"))
    broken.write_bytes(broken.read_bytes()[:-10])
    rules = tmp_path / "rules.json"
    rules.write_text(RULES)

    assert ask(tmp_path, *SPAN, "--to", "2026-03-01T14:00", "cam", "--rules", str(rules)) == 1

    said = capsys.readouterr()
    assert "cam/20260301/120000000000-" in said.err
    assert "what it held is left out" in said.err
    assert "anywhere" in said.out


def test_the_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["backtest", "--help"])

    out = capsys.readouterr().out
    assert "vigil backtest --set waiting.threshold_s=60" in out
    assert "not replayed" in out
