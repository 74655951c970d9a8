import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from contracts.errors import ConfigError, StorageFull
from ingest.clips import make_clip
from ingest.recorder.folder import RecordingFolder, Usage
from ingest.recorder.parts import Part
from ingest.recorder.retention import Limits
from tests.fakes.clips import walker_path
from tests.fakes.clock import START, ManualClock
from tests.ingest.recorder.stretches import footage_of

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def folder_in(root: Path, clock: ManualClock | None = None, **limits: float) -> RecordingFolder:
    return RecordingFolder(
        root / "recordings",
        clock=clock or ManualClock(),
        limits=Limits(days=limits.get("days", 7.0), quota_bytes=int(limits.get("quota", 0))),
    )


def keep(
    folder: RecordingFolder, after: timedelta, *, camera_id: str = "gate", content: bytes = b"video"
) -> Part:
    part = folder.begin(camera_id, START + after)
    part.write(content)
    return part.publish(60.0)


def kept(folder: RecordingFolder, camera_id: str = "gate") -> list[Part]:
    return list(folder.parts(camera_id, START - 30 * DAY, START + 30 * DAY))


def test_parts_are_found_by_their_time(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    parts = [keep(folder, minutes * MINUTE) for minutes in range(4)]

    found = folder.parts("gate", START + MINUTE, START + 3 * MINUTE)

    assert list(found) == parts[1:3]
    assert list(folder.parts("gate", START + 1.5 * MINUTE, START + 1.6 * MINUTE)) == parts[1:2]
    assert list(folder.parts("yard", START, START + MINUTE)) == []


def test_a_part_that_began_the_day_before_is_found(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    midnight = timedelta(hours=12)
    part = keep(folder, midnight - timedelta(seconds=30))

    assert list(folder.parts("gate", START + midnight, START + midnight + MINUTE)) == [part]


def test_what_is_being_written_is_no_part_yet(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    part = folder.begin("gate", START)
    part.write(b"video")

    assert kept(folder) == []
    assert folder.usage("gate") == Usage()
    assert folder.cameras() == ["gate"]
    part.leave()


def test_what_is_kept_of_each_camera_is_known(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    for days in (2, 0, 1):
        keep(folder, days * DAY)
    keep(folder, DAY, camera_id="yard")

    assert folder.usage("gate") == Usage(size_bytes=15, parts=3, oldest_at=START)
    keep(folder, 3 * DAY)
    assert folder.usage("gate").parts == 4


def test_a_day_that_has_settled_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_in(tmp_path)
    part = keep(folder, timedelta())
    day = folder.path_of(part).parent
    long_ago = START.timestamp() - 60
    os.utime(day, (long_ago, long_ago))
    before = folder.usage("gate")
    monkeypatch.setattr(os, "scandir", _only(os.scandir, folder.root / "gate"))

    assert folder.usage("gate") == before


def _only(scan: Callable[..., object], allowed: Path) -> Callable[[Path], object]:
    def scandir(path: Path) -> object:
        assert path == allowed
        return scan(path)

    return scandir


def test_names_that_are_none_are_refused(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    with pytest.raises(ConfigError):
        folder.begin("../etc", START)
    with pytest.raises(ConfigError):
        folder.usage("..")


def test_a_full_disk_is_said_with_what_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil._ntuple_diskusage(100, 95, 5)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    folder = RecordingFolder(
        tmp_path, clock=ManualClock(), limits=Limits(days=7.0), min_free_bytes=6
    )

    with pytest.raises(StorageFull, match=r"5 bytes free, 6 are left to alerts .*quota_bytes"):
        folder.begin("gate", START)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("a file")

    with pytest.raises(StorageFull, match="cannot be written"):
        folder_in(tmp_path).begin("gate", START)


def test_parts_beyond_their_days_are_removed_and_their_folders_with_them(tmp_path: Path) -> None:
    clock = ManualClock(START + 2 * DAY)
    folder = folder_in(tmp_path, clock, days=1.0)
    old, new = keep(folder, timedelta()), keep(folder, 1.5 * DAY)

    folder.tidy()

    assert kept(folder) == [new]
    assert not folder.path_of(old).parent.exists()


def test_the_oldest_of_all_cameras_go_when_there_is_too_much(tmp_path: Path) -> None:
    folder = folder_in(tmp_path, quota=10)
    keep(folder, timedelta(), camera_id="yard")
    first = keep(folder, MINUTE)
    second = keep(folder, DAY, camera_id="yard")

    folder.tidy()

    assert [*kept(folder), *kept(folder, "yard")] == [first, second]


def test_what_is_not_ours_is_never_removed(tmp_path: Path) -> None:
    clock = ManualClock(START + 9 * DAY)
    folder = folder_in(tmp_path, clock, days=1.0, quota=1)
    part = keep(folder, timedelta())
    others = [folder.path_of(part).with_name("notes.txt"), folder.root / "gate" / "README"]
    for other in others:
        other.write_text("keep me")

    folder.tidy()

    assert kept(folder) == []
    assert all(other.read_text() == "keep me" for other in others)


def test_only_one_tidies_up(tmp_path: Path) -> None:
    clock = ManualClock(START + 9 * DAY)
    folder = folder_in(tmp_path, clock, days=1.0)
    keep(folder, timedelta())
    with (folder.root / ".tidying").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        folder.tidy()
        assert len(kept(folder)) == 1

    folder.tidy()
    assert kept(folder) == []


def test_without_recordings_there_is_nothing_to_tidy(tmp_path: Path) -> None:
    folder_in(tmp_path).tidy()

    assert list(tmp_path.iterdir()) == []


def test_what_a_dead_process_left_is_finished_in_time(tmp_path: Path) -> None:
    clock = ManualClock()
    folder = folder_in(tmp_path, clock)
    left, held = folder.begin("gate", START), folder.begin("gate", START + MINUTE)
    for part in (left, held):
        part.write(make_clip(footage_of(walker_path())))
    left.leave()
    for path in (folder.root / "gate" / "20260301").iterdir():
        os.utime(path, (START.timestamp(), START.timestamp()))

    folder.tidy()
    assert kept(folder) == []

    clock.advance(61)
    folder.tidy()
    assert [part.starts_at for part in kept(folder)] == [START]
    held.leave()


class Retention(RuleBasedStateMachine):
    """Parts come, time goes by, somebody tidies up: what is left is what the limits say."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.evidence = self.root / "evidence" / "clip.mp4"
        self.evidence.parent.mkdir()
        self.evidence.write_bytes(b"of an alert")
        self.clock = ManualClock()
        self.limits = Limits(days=2.0, quota_bytes=60)
        self.folder = RecordingFolder(
            self.root / "recordings", clock=self.clock, limits=self.limits
        )
        self.model: list[Part] = []
        self.serial = 0

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    @rule(camera_id=st.sampled_from(["gate", "yard"]), size=st.integers(1, 25))
    def record(self, camera_id: str, size: int) -> None:
        self.serial += 1
        content = self.serial.to_bytes(4, "big").ljust(max(4, size))
        self.model.append(
            keep(self.folder, self.clock.now() - START, camera_id=camera_id, content=content)
        )
        self.clock.advance(60)

    @rule(hours=st.floats(0.1, 30.0))
    def wait(self, hours: float) -> None:
        self.clock.advance(hours * 3600)

    @rule(seconds=st.floats(-3600.0, 3600.0))
    def set_clock(self, seconds: float) -> None:
        self.clock.step_wall(seconds)

    @precondition(lambda self: self.model)
    @rule()
    def begin_and_die(self) -> None:
        self.folder.begin("gate", self.clock.now()).leave()

    @rule()
    def tidy(self) -> None:
        self.folder.tidy()
        now = self.clock.now()
        self.model = [part for part in self.model if not self.limits.too_old(part, now)]
        self.model.sort(key=lambda part: (part.starts_at, part.camera_id, part.digest))
        while sum(part.size_bytes for part in self.model) > self.limits.quota_bytes:
            self.model.pop(0)

    @invariant()
    def holds_what_it_should(self) -> None:
        for camera_id in ("gate", "yard"):
            wanted = [part for part in self.model if part.camera_id == camera_id]
            found = kept(self.folder, camera_id)
            assert {part.part_id for part in found} == {part.part_id for part in wanted}
            usage = self.folder.usage(camera_id)
            assert usage.size_bytes == sum(part.size_bytes for part in wanted)
            assert usage.oldest_at == min((part.starts_at for part in wanted), default=None)
        assert self.evidence.read_bytes() == b"of an alert"


TestRetention = Retention.TestCase
TestRetention.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
