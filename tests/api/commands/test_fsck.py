"""``vigil fsck`` after a publisher was killed, and over folders that others have spoilt."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from alerts.history.evidence_store import FolderEvidenceStore, PutStep, path_of, remove_left_over
from alerts.history.sql import migrate, open_history
from api.__main__ import main
from contracts.incidents import EvidenceItem, EvidenceKind, Incident
from tests.alerts.builders import alert, incident, told
from tests.alerts.history.publishing import STEPS, publish_in_a_process
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.mp4_parts import pictures_in

TIMES = 20


def prepare(folder: Path, *refs: str) -> None:
    """A database whose incident ``ev_1`` names ``refs`` as frames."""
    url = f"sqlite:///{folder / 'vigil.db'}"
    migrate(url)
    items = tuple(
        EvidenceItem(kind=EvidenceKind.FRAME, ref=ref, frame_id=f"f_{index}")
        for index, ref in enumerate(refs)
    )
    history = open_history(url)
    history.alerts.store_alert(*told(alert(incident("ev_1", evidence=items))))
    history.close()


def stored(folder: Path) -> Incident:
    history = open_history(f"sqlite:///{folder / 'vigil.db'}")
    found = history.alerts.incident("ev_1")
    history.close()
    assert found is not None
    return found


def fsck(
    folder: Path, capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["fsck", "--data-dir", str(folder), "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def kinds(document: dict[str, Any]) -> list[str]:
    return [fault["kind"] for fault in document["faults"]]


def publish(folder: Path, step: str) -> int | None:
    video = walker_path(WalkerClip(width=640, height=360))
    return publish_in_a_process(folder, video, step)


def files_of(folder: Path) -> list[Path]:
    return [path for path in (folder / "evidence").rglob("*") if path.is_file()]


def kill_and_recover(folder: Path, step: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder.mkdir()
    prepare(folder)
    assert publish(folder, step) == -9

    parts = [path for path in files_of(folder) if path.suffix == ".part"]
    clips = [path for path in files_of(folder) if path.suffix == ".mp4"]
    names_clip = any(item.kind is EvidenceKind.CLIP for item in stored(folder).evidence)
    assert names_clip == (step == "row_durable")
    assert len(clips) == (step in STEPS[STEPS.index(PutStep.RENAMED) :])
    assert len(parts) == (
        step in STEPS[STEPS.index(PutStep.PART_OPENED) : STEPS.index(PutStep.RENAMED)]
    )
    assert [pictures_in(path) for path in clips] == [40] * len(clips)
    for part in parts:
        if step == PutStep.CHUNK_WRITTEN:
            assert 0 < pictures_in(part) < 40
        elif step != PutStep.PART_OPENED:
            assert pictures_in(part) == 40
    assert fsck(folder, capsys)[0] == 0, "what is young is nobody's fault yet"

    code, document = fsck(folder, capsys, "--repair", "--settled-minutes", "0")
    assert code == 0
    left = ["left_over"] * len(parts) + ["orphaned"] * (len(clips) - names_clip)
    assert kinds(document) == left
    code, document = fsck(folder, capsys, "--settled-minutes", "0")
    assert (code, kinds(document), document["recent"]) == (0, [], 0)

    assert publish(folder, "none") == 0
    code, document = fsck(folder, capsys, "--settled-minutes", "0")
    assert (code, kinds(document), document["rows"], document["files"]) == (0, [], 1, 1)
    assert [pictures_in(path) for path in files_of(folder)] == [40]


@pytest.mark.parametrize("step", STEPS)
def test_a_publisher_killed_at_any_step_loses_nothing_that_a_row_names(
    step: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kill_and_recover(tmp_path / "site", step, capsys)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("step", STEPS)
def test_and_so_it_is_each_of_twenty_times(
    step: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for at in range(TIMES):
        kill_and_recover(tmp_path / f"site{at}", step, capsys)


@pytest.mark.parametrize("step", [PutStep.PART_WRITTEN, PutStep.RENAMED, "row_written"])
def test_a_repeat_alone_heals_what_a_killed_publisher_left(
    step: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(tmp_path)
    publish(tmp_path, step)
    assert publish(tmp_path, "none") == 0

    code, document = fsck(tmp_path, capsys, "--repair", "--settled-minutes", "0")

    assert code == 0
    assert kinds(document) == (["left_over"] if step == PutStep.PART_WRITTEN else [])


@pytest.mark.parametrize("step", STEPS)
def test_after_a_repeat_and_what_is_tidied_nothing_is_wrong_without_repair(
    step: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(tmp_path)
    publish(tmp_path, step)
    assert publish(tmp_path, "none") == 0
    remove_left_over(tmp_path / "evidence", before_s=time.time() + 60.0)

    code, document = fsck(tmp_path, capsys, "--settled-minutes", "0")

    assert (code, kinds(document), document["rows"], document["files"]) == (0, [], 1, 1)


def test_what_is_missing_is_told_and_marked_in_its_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ref = FolderEvidenceStore(tmp_path / "evidence").put(b"picture", suffix="jpg")
    prepare(tmp_path, ref)
    path_of(tmp_path / "evidence", ref).unlink()

    code, document = fsck(tmp_path, capsys)
    assert (code, kinds(document)) == (1, ["missing"])
    assert document["faults"][0]["incident_ids"] == ["ev_1"]

    code, document = fsck(tmp_path, capsys, "--repair")
    assert code == 0
    assert document["faults"][0]["done"] == "marked as lost in 1 incident(s)"
    [item] = stored(tmp_path).evidence
    assert (item.ref, item.problem) == ("", "the file was lost; vigil fsck found it missing")
    assert fsck(tmp_path, capsys)[0] == 0


def test_damage_is_told_and_never_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ref = FolderEvidenceStore(tmp_path / "evidence").put(b"picture", suffix="jpg")
    prepare(tmp_path, ref)
    path = path_of(tmp_path / "evidence", ref)
    path.write_bytes(b"forgery")

    code, document = fsck(tmp_path, capsys, "--repair", "--settled-minutes", "0")

    assert (code, kinds(document)) == (1, ["damaged"])
    assert path.read_bytes() == b"forgery"
    assert fsck(tmp_path, capsys, "--quick")[0] == 0


def test_orphans_are_removed_only_when_they_are_old(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = FolderEvidenceStore(tmp_path / "evidence")
    young, old = (store.put(content, suffix="jpg") for content in (b"young", b"old"))
    prepare(tmp_path)
    os.utime(path_of(tmp_path / "evidence", old), (0, 0))

    code, document = fsck(tmp_path, capsys, "--repair")

    assert code == 0
    assert [fault["ref"] for fault in document["faults"]] == [old]
    assert document["recent"] == 1
    assert store.get(young) == b"young"


def test_what_is_not_ours_is_left_where_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(tmp_path)
    stranger = tmp_path / "evidence" / "holiday.jpg"
    stranger.parent.mkdir()
    stranger.write_bytes(b"sea")
    os.utime(stranger, (0, 0))

    code, document = fsck(tmp_path, capsys, "--repair")

    assert (code, kinds(document)) == (1, ["foreign"])
    assert stranger.exists()


def test_the_table_says_what_is_wrong_and_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(tmp_path, f"sha256-{'0' * 64}.jpg")

    assert main(["fsck", "--data-dir", str(tmp_path)]) == 1

    printed = capsys.readouterr().out
    assert f"missing    sha256-{'0' * 64}.jpg of ev_1" in printed
    assert "vigil fsck --repair" in printed


def test_a_folder_without_a_database_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fsck", "--data-dir", str(tmp_path)]) == 2
    assert "tables are not there" in capsys.readouterr().err
