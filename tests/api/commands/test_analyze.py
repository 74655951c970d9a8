import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from api.__main__ import main
from api.rules_file import dump_rules
from contracts.rules import SceneRules
from ingest.sources.scenes.yard_truth import YARD_RULES
from ingest.sources.synthetic import record_scene
from tests.fakes.clips import walker_path


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The yard's first seconds, with its rules beside it: somebody enters the restricted area."""
    video = tmp_path_factory.mktemp("yard") / "yard.mp4"
    record_scene(video, duration_s=24.0)
    video.with_suffix(".rules.json").write_text(json.dumps(dump_rules(YARD_RULES)))
    return video


def analyze(*arguments: str | Path, json_file: Path) -> tuple[int, list[dict[str, Any]]]:
    options = ["--detector", "motion", *map(str, arguments)]
    code = main(["analyze", *options, "--json", str(json_file)])
    lines = json_file.read_text().splitlines() if json_file.exists() else []
    return code, [json.loads(line) for line in lines]


def test_an_intruder_in_a_recording_is_reported_once_with_its_chain(
    yard: Path, tmp_path: Path
) -> None:
    code, alerts = analyze(yard, json_file=tmp_path / "out.ndjson")

    assert code == 0
    [alert] = [found for found in alerts if found["kind"] == "intrusion"]
    assert alert["video"] == str(yard)
    assert alert["start_s"] == pytest.approx(9.1, abs=1.0)
    assert 19.0 < alert["end_s"] < 23.0, "it ends when who was there is last seen"
    assert alert["start_s"] <= alert["fired_s"] <= alert["end_s"]
    assert (alert["severity"], alert["decision"]) == ("high", "alert")
    assert 0 < alert["confidence"] < 1
    assert alert["objects"][0]["label"] == "object"
    claims = alert["reasoning"]["claims"]
    assert len(claims) >= 3
    assert {claim["status"] for claim in claims} == {"supported"}
    assert "hour" not in {claim["type"] for claim in claims}


def test_evidence_is_kept_where_it_was_asked_for(yard: Path, tmp_path: Path) -> None:
    _, alerts = analyze(yard, "--out", tmp_path / "evidence", json_file=tmp_path / "o.ndjson")

    kept = [item["ref"] for item in alerts[0]["evidence"]]
    assert kept
    assert all(list((tmp_path / "evidence").rglob(f"*{ref.split('-')[1]}*")) for ref in kept)


def test_one_unreadable_file_does_not_stop_the_others(
    yard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(yard.read_bytes()[:2000])

    code, alerts = analyze(broken, tmp_path / "absent.mp4", yard, json_file=tmp_path / "out.ndjson")

    assert code == 1
    assert {alert["video"] for alert in alerts} == {str(yard)}
    complaints = capsys.readouterr().err
    assert f"vigil analyze: {broken} " in complaints
    assert f"vigil analyze: {tmp_path / 'absent.mp4'} " in complaints
    assert "Traceback" not in complaints


def test_what_is_lost_of_a_damaged_recording_is_said(
    yard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(yard.read_bytes()[: yard.stat().st_size // 3])

    code, _ = analyze(cut, json_file=tmp_path / "out.ndjson")

    assert code == 0
    complaints = capsys.readouterr().err
    assert f"{cut}: 1 damaged picture(s) left out" in complaints
    assert f"{cut}: states 24.0 s, only " in complaints


@pytest.mark.parametrize("address", ["rtsp://u:hunter2@h/x", "rtsp:/u:hunter2@h/x"])
def test_an_address_is_refused_without_its_password(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert analyze(address, json_file=tmp_path / "out.ndjson")[0] == 1
    complaints = capsys.readouterr().err
    assert "is an address; wanted: the path of a file" in complaints
    assert "hunter2" not in complaints


def test_a_file_without_video_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = tmp_path / "sound.mp4"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    assert analyze(sound, json_file=tmp_path / "out.ndjson")[0] == 1
    assert f"{sound}: has no video stream, only audio" in capsys.readouterr().err


def test_a_recording_without_rules_says_that_nothing_can_fire(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, alerts = analyze(walker_path(), json_file=tmp_path / "out.ndjson")

    assert (code, alerts) == (0, [])
    assert "no rules (give --rules" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--fps", "0"], "--fps must be in 0..60"),
        (["--rules", "absent.json"], "no such rules file"),
        (["--detector", "yolox"], "needs a model file"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_read(
    extra: list[str], message: str, yard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = analyze(yard, *extra, json_file=tmp_path / "out.ndjson")

    assert code == 2
    assert message in capsys.readouterr().err


def test_evaluate_scores_a_folder_and_writes_the_table(
    yard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = {
        "videos": [
            {
                "video": yard.name,
                "duration": 24.0,
                "events": [
                    {"type": "intrusion", "start_s": 9.1, "end_s": 19.7},
                    {"type": "door_tamper", "start_s": 3.0, "end_s": 4.0},
                ],
            }
        ]
    }
    (yard.parent / "ground_truth_video.json").write_text(json.dumps(truth))
    table = tmp_path / "table.json"

    code = main(["evaluate", str(yard.parent), "--detector", "motion", "--json", str(table)])

    assert code == 0
    written = json.loads(table.read_text())
    assert written["detector"] == {"name": "motion", "sha256": ""}
    rows = {row["kind"]: row for row in written["scores"]}
    assert rows["intrusion"]["f1"] == 1.0
    assert rows["intrusion"]["median_delay_s"] < 3.0
    assert rows["door_tamper"]["recall"] == 0.0
    printed = capsys.readouterr().out
    assert "no rule watches for these yet: door_tamper" in printed


def test_evaluate_names_the_kinds_that_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = {"videos": [{"video": "a.mp4", "duration": 1, "events": []}]}
    (tmp_path / "ground_truth_video.json").write_text(json.dumps(truth))

    assert main(["evaluate", str(tmp_path), "--only", "flood"]) == 2
    assert "--only flood: kinds labelled here are []" in capsys.readouterr().err


@pytest.mark.data
def test_each_visitor_is_reported_once_and_the_empty_room_never(
    shared: Path, tmp_path: Path
) -> None:
    clip = shared / "data" / "intel" / "one_by_one_dev.mp4"
    truth = json.loads((shared / "data" / "ground_truth_video.json").read_text())
    [record] = [one for one in truth["videos"] if one["video"] == "intel/one_by_one_dev.mp4"]
    stays = [event for event in record["events"] if event["type"] == "loiter"]

    code, alerts = analyze(clip, json_file=tmp_path / "out.ndjson")

    assert code == 0
    assert [alert["kind"] for alert in alerts] == ["loiter"] * len(stays)
    for alert, stay in zip(alerts, stays, strict=True):
        assert alert["start_s"] < stay["end_s"]
        assert alert["end_s"] > stay["start_s"]


def test_rules_given_by_hand_win_over_those_beside_the_file(yard: Path, tmp_path: Path) -> None:
    rules = tmp_path / "none.rules.json"
    rules.write_text(json.dumps(dump_rules(SceneRules())))

    code, alerts = analyze(yard, "--rules", rules, json_file=tmp_path / "out.ndjson")

    assert (code, alerts) == (0, [])
