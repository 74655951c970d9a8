"""What ``vigil fsck`` says of recordings whose recorder was killed, and of folders spoilt."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.recorder.audit import RecordingAudit, RecordingFaultKind, RecordingVerdict
from ingest.recorder.folder import RecordingFolder
from ingest.recorder.open_part import PartStep
from ingest.recorder.parts import Part
from ingest.recorder.retention import Limits
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.clock import START, ManualClock
from tests.ingest.recorder.killing import record_in_a_process
from tests.ingest.recorder.stretches import pictures_of

TIMES = 20
FULL = 40


class Bench:
    """A folder of recordings and who looks at it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = ManualClock(datetime.fromtimestamp(time.time() + 60, UTC))  # as files have
        self.folder = RecordingFolder(root, clock=self.clock, limits=Limits(days=36_500.0))

    def look(self, *, settled_s: float = 3600.0, is_hashing: bool = True) -> RecordingVerdict:
        return self.audit(settled_s, is_hashing=is_hashing).examine()

    def audit(self, settled_s: float, *, is_hashing: bool = True) -> RecordingAudit:
        return RecordingAudit(
            self.root,
            clock=self.clock,
            settled_after=timedelta(seconds=settled_s),
            is_hashing=is_hashing,
        )

    def parts(self) -> list[Part]:
        return list(self.folder.parts("gate", START, START + timedelta(days=1)))

    def keep(self, content: bytes = b"video") -> Path:
        file = self.folder.begin("gate", START)
        file.write(content)
        return self.folder.path_of(file.publish(1.0))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "recordings")


def kinds(verdict: RecordingVerdict) -> list[RecordingFaultKind]:
    return [fault.kind for fault in verdict.faults]


def kill_and_recover(bench: Bench, step: str, at: int) -> None:
    """Whatever is left is never wrong, and all its whole seconds come back."""
    video = walker_path(WalkerClip(width=640, height=360, seed=at))
    chunks = 1 + at % 5 if step == PartStep.CHUNK_WRITTEN else 1
    assert record_in_a_process(bench.root, video, step, chunks) == -9
    is_named = step in (PartStep.RENAMED, PartStep.FOLDER_SYNCED)
    assert len(bench.parts()) == is_named
    assert bench.look().faults == ()

    bench.folder.salvage("gate")

    parts = bench.parts()
    assert bench.look(settled_s=0).faults == ()
    assert bench.look(settled_s=0).open_parts == 0
    pictures = [len(pictures_of(bench.folder.path_of(part))) for part in parts]
    if step in (PartStep.WRITTEN, PartStep.SYNCED, PartStep.RENAMED, PartStep.FOLDER_SYNCED):
        assert pictures == [FULL]
    elif step == PartStep.OPENED:
        assert pictures == []
    else:
        assert sum(pictures) % 10 == 0  # whole fragments of 1 s


@pytest.mark.parametrize("step", list(PartStep))
def test_a_recorder_killed_at_a_step_leaves_nothing_wrong(bench: Bench, step: PartStep) -> None:
    kill_and_recover(bench, step, 5)


@pytest.mark.slow
@pytest.mark.parametrize("step", list(PartStep))
def test_a_recorder_killed_at_a_step_many_times(tmp_path: Path, step: PartStep) -> None:
    for at in range(1, TIMES + 1):
        kill_and_recover(Bench(tmp_path / str(at)), step, at)


def test_what_is_whole_is_right(bench: Bench) -> None:
    bench.keep()

    verdict = bench.look(settled_s=0)

    assert (verdict.parts, verdict.size_bytes, verdict.faults) == (1, 5, ())


def test_a_folder_that_is_not_there_is_empty(bench: Bench) -> None:
    assert bench.look() == RecordingVerdict(parts=0, size_bytes=0, open_parts=0, faults=())


def test_altered_content_is_damage(bench: Bench) -> None:
    bench.keep().write_bytes(b"forged")

    assert kinds(bench.look()) == [RecordingFaultKind.DAMAGED]
    assert kinds(bench.look(is_hashing=False)) == []


def test_what_is_being_written_is_never_left_over(bench: Bench) -> None:
    file = bench.folder.begin("gate", START)

    assert bench.look(settled_s=0).open_parts == 1
    file.leave()
    assert kinds(bench.look(settled_s=0)) == [RecordingFaultKind.LEFT_OVER]
    assert bench.look(settled_s=600).faults == ()


def test_foreign_files_are_named_and_left(bench: Bench) -> None:
    path = bench.keep()
    strangers = [path.with_name("x.mp4"), bench.root / "README", path.parent / "a" / path.name]
    for stranger in strangers:
        stranger.parent.mkdir(exist_ok=True)
        stranger.write_text("")

    verdict = bench.look()
    done = dict(bench.audit(0).repair(verdict))

    assert kinds(verdict) == [RecordingFaultKind.FOREIGN] * 3
    assert set(done.values()) == {"left"}
    assert all(stranger.exists() for stranger in strangers)


def test_repair_finishes_what_was_left_over(bench: Bench) -> None:
    video = walker_path(WalkerClip(width=640, height=360))
    record_in_a_process(bench.root, video, PartStep.WRITTEN)
    empty = bench.folder.begin("gate", START)
    empty.leave()

    done = dict(bench.audit(0).repair(bench.look(settled_s=0)))

    assert sorted(done.values()) == ["finished", "removed: nothing of it plays"]
    assert len(bench.parts()) == 1
    assert bench.look(settled_s=0).faults == ()


def test_one_that_was_finished_meanwhile_is_right(bench: Bench) -> None:
    bench.folder.begin("gate", START).leave()
    verdict = bench.look(settled_s=0)
    os.unlink(bench.root / verdict.faults[0].path)  # noqa: PTH108  # by another process

    assert list(dict(bench.audit(0).repair(verdict)).values()) == ["finished meanwhile"]
