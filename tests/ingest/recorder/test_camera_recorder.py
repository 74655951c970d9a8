import os
from collections.abc import Callable
from datetime import timedelta
from io import FileIO
from pathlib import Path

import pytest

from contracts.errors import StorageFull
from contracts.geometry import Zone
from ingest.clip_ring import Stretch
from ingest.recorder.camera_recorder import CameraRecorder
from ingest.recorder.folder import RecordingFolder
from ingest.recorder.parts import Part
from ingest.recorder.retention import Limits
from tests.fakes.clips import walker_path
from tests.fakes.clock import START, ManualClock
from tests.fakes.masked import LEFT
from tests.ingest.recorder.stretches import GrowingRing, pictures_of, stretches_of
from tests.ingest.recordings import Shot, write
from tests.ingest.test_masked_clips import is_grey


class Bench:
    """A recorder that a test steps, over a ring that it fills."""

    def __init__(self, root: Path, stretches: tuple[Stretch, ...]) -> None:
        self.clock = ManualClock()
        self.folder = RecordingFolder(root, clock=self.clock, limits=Limits(days=7.0))
        self.ring = GrowingRing(stretches)
        self.recorder = self.another()

    def another(self) -> CameraRecorder:
        return CameraRecorder("gate", ring=self.ring, folder=self.folder, clock=self.clock)

    def parts(self) -> list[Part]:
        return list(self.folder.parts("gate", START - timedelta(days=1), START + timedelta(days=1)))

    def pictures(self) -> list[int]:
        return [len(pictures_of(self.folder.path_of(part))) for part in self.parts()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, stretches_of(walker_path()))


@pytest.fixture(scope="module")
def minutes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stretch, ...]:
    """150 s in 30 stretches of 5 s."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return stretches_of(write(path, Shot(frames=300), fps=2))


def test_what_came_is_in_a_part_once_the_run_is_over(bench: Bench) -> None:
    bench.ring.grow(4)
    bench.recorder.step()
    assert bench.parts() == []

    bench.ring.end_run()
    bench.recorder.step()

    [part] = bench.parts()
    assert part.starts_at == START
    assert part.duration_s == pytest.approx(4.0, abs=0.11)
    assert bench.pictures() == [40]


def test_it_says_since_when_it_records_and_how_much_there_is(bench: Bench) -> None:
    assert bench.recorder.status.since is None
    bench.ring.grow(2)
    bench.recorder.step()
    assert bench.recorder.status.since == START

    bench.recorder.close()

    status = bench.recorder.status
    assert (status.oldest_at, status.problem) == (START, "")
    assert status.size_bytes == sum(part.size_bytes for part in bench.parts()) > 0


def test_parts_last_a_minute_at_most_and_leave_nothing_out(
    tmp_path: Path, minutes: tuple[Stretch, ...]
) -> None:
    bench = Bench(tmp_path, minutes)
    for _ in minutes:
        bench.ring.grow()
        bench.recorder.step()
    bench.ring.end_run()
    bench.recorder.step()

    parts = bench.parts()
    assert [part.duration_s for part in parts] == pytest.approx([60.0, 60.0, 30.0], abs=0.6)
    assert [(part.starts_at - START).total_seconds() for part in parts] == [0.0, 60.0, 120.0]
    assert bench.pictures() == [120, 120, 60]


def test_a_new_run_is_a_new_part(bench: Bench) -> None:
    bench.ring.grow(2)
    bench.recorder.step()
    bench.ring.begin("run2")
    bench.ring.grow(2)
    bench.recorder.step()
    bench.recorder.close()

    assert bench.pictures() == [20, 10]


@pytest.mark.parametrize(
    ("before", "after"), [((), (LEFT,)), ((LEFT,), ())], ids=["drawn", "lifted"]
)
def test_an_edit_of_masks_is_a_new_part(
    bench: Bench, before: tuple[Zone, ...], after: tuple[Zone, ...]
) -> None:
    bench.ring.mask(before)
    bench.ring.grow(2)
    bench.recorder.step()
    bench.ring.mask(after)
    bench.ring.grow(2)
    bench.ring.end_run()
    bench.recorder.step()

    pictures = [pictures_of(bench.folder.path_of(part)) for part in bench.parts()]
    assert sum(len(part) for part in pictures) == 40
    covered = [[is_grey(picture, LEFT) for picture in part] for part in pictures]
    assert all(len(set(part)) == 1 for part in covered)
    # A stretch in which the mask was there at any time is covered from its beginning.
    masked = sum(len(part) for part in covered if part[0])
    assert masked == (20 if before else 30)


def test_a_full_disk_stops_it_and_it_goes_on_when_there_is_room(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.ring.grow(2)
    bench.recorder.step()
    monkeypatch.setattr(bench.folder, "check_space", refuse("the disk has 5 bytes free"))
    bench.ring.grow()
    bench.recorder.step()

    status = bench.recorder.status
    assert status.problem == "the disk has 5 bytes free"
    assert status.since is None

    monkeypatch.undo()
    bench.clock.advance(11)
    bench.ring.grow()
    bench.ring.end_run()
    bench.recorder.step()
    bench.recorder.close()

    status = bench.recorder.status
    assert status.problem == ""
    assert status.since == START + timedelta(seconds=2)
    assert bench.pictures() == [10, 20]


def refuse(reason: str) -> Callable[[], None]:
    def check_space() -> None:
        raise StorageFull(reason)

    return check_space


class FullFile(FileIO):
    """A file on a disk without room."""

    def write(self, content: object) -> int:
        del content
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("part", ["write", "publish"])
def test_a_disk_that_fails_meanwhile_loses_no_whole_second(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    bench.ring.grow(3)
    bench.recorder.step()
    file = bench.recorder._file  # whose disk fills up
    assert file is not None
    if part == "write":
        path = next(bench.folder.root.rglob("*.part"))
        monkeypatch.setattr(file, "_file", FullFile(str(path), "r+b"))
    else:
        monkeypatch.setattr(os, "fsync", refuse_to_sync)

    bench.ring.grow()
    bench.ring.end_run()
    bench.recorder.step()
    assert "no space left" in bench.recorder.status.problem

    monkeypatch.undo()
    file.leave()
    successor = bench.another()
    bench.ring.begin("run2")
    successor._salvage_once()  # as it does at its first stretch
    assert sum(bench.pictures()) >= (10 if part == "write" else 30)


def refuse_to_sync(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_what_the_ring_dropped_is_said(bench: Bench) -> None:
    bench.ring.grow(2)
    bench.recorder.step()
    groups = bench.ring._segments[-1].groups  # a ring that had no room
    bench.ring.grow(2)
    bench.ring.end_run()
    del groups[1]

    bench.recorder.step()

    assert bench.pictures() == [10, 20]
    assert bench.recorder.status.since == START + timedelta(seconds=2)


def test_a_codec_that_cannot_be_kept_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    path = write(tmp_path / "vp8.mkv", Shot(), codec="libvpx")
    bench = Bench(tmp_path / "recordings", stretches_of(path))
    bench.ring.grow()
    bench.ring.end_run()

    bench.recorder.step()

    assert bench.recorder.status.problem == "vp8 video cannot be kept in MP4"
    assert [entry for entry in tmp_path.rglob("*.part") if entry.stat().st_size] == []


def test_what_its_dead_forerunner_left_is_finished(bench: Bench) -> None:
    bench.ring.grow(3)
    bench.recorder.step()
    dead = bench.recorder._writer  # as a kill leaves it
    assert dead is not None
    dead.leave()
    bench.ring.grow()
    successor = bench.another()
    successor.step()
    successor.close()

    assert sorted(bench.pictures()) == [20, 30]
