"""The folder of tracks: what is written is read, kills lose the last part at most, old goes."""

import itertools
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from api.track_folder import CHUNK, OPEN, SEALED, FolderTrackStore, shelf_of
from contracts.errors import ConfigError, StorageFull
from tests.fakes.clock import START, ManualClock
from tests.fakes.street_life import street
from tests.fakes.track_archives import archive_of
from vision.archive.columns import StoredTracks
from vision.archive.port import DamagedFile

FRAMES = street(4, count=6, until_s=60.0, stalls=False)
PARTS = archive_of(FRAMES).parts
HOUR = timedelta(hours=1)


class Killed(BaseException):
    """The process is gone at a step."""


def killed_at(step: str, times: int = 1) -> Callable[[str], None]:
    """Return what ends the process when it comes to a step for the so-many-th time."""
    seen = itertools.count(1)

    def act(name: str) -> None:
        if name == step and next(seen) == times:
            raise Killed

    return act


def read(store: FolderTrackStore) -> list[StoredTracks | DamagedFile]:
    return list(store.read("cam", start=START - HOUR, end=START + 100 * HOUR))


def frames_in(store: FolderTrackStore) -> list[int]:
    found = read(store)
    assert not [one for one in found if isinstance(one, DamagedFile)]
    return [s for one in found if isinstance(one, StoredTracks) for s in one.seqs_F.tolist()]


def written(parts: list[StoredTracks]) -> list[int]:
    return [seq for part in parts for seq in part.seqs_F.tolist()]


def write_all(store: FolderTrackStore, appended: list[StoredTracks]) -> None:
    for part in PARTS:
        store.append(part)
        appended.append(part)
    store.close()


def later(part: StoredTracks, by: timedelta) -> StoredTracks:
    shift = int(by.total_seconds() * 1e6)
    return replace(
        part,
        captured_F=part.captured_F + shift,
        stream_F=part.stream_F + by.total_seconds(),
        first_captured_K=part.first_captured_K + shift,
    )


def store_of(folder: Path, clock: ManualClock | None = None, **limits: float) -> FolderTrackStore:
    return FolderTrackStore(folder, clock=clock or ManualClock(), **limits)  # type: ignore[arg-type]  # numbers


def test_what_is_appended_is_read_while_it_is_written_and_after(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    for number, part in enumerate(PARTS, start=1):
        store.append(part)
        assert frames_in(store_of(tmp_path)) == written(PARTS[:number])

    store.close()

    assert frames_in(store_of(tmp_path)) == written(PARTS)
    assert [path.suffix for path in tmp_path.rglob("*.*")] == [SEALED]


def test_only_the_owner_may_read_who_was_where(tmp_path: Path) -> None:
    store = store_of(tmp_path / "tracks")
    store.append(PARTS[0])

    for path in (tmp_path / "tracks").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0


def test_a_new_quarter_of_an_hour_and_a_new_sitting_are_new_files(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    store.append(PARTS[0])
    store.append(later(PARTS[1], CHUNK))
    store.append(replace(later(PARTS[2], CHUNK), sitting=7))

    assert sorted(path.suffix for path in tmp_path.rglob("*.*")) == [OPEN, SEALED, SEALED]


def test_only_files_that_may_hold_the_span_are_read(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    for hours in range(4):
        store.append(later(PARTS[0], hours * HOUR))
    store.close()

    found = list(store.read("cam", start=START + 2 * HOUR, end=START + 2.5 * HOUR))

    assert len(found) == 1


@pytest.mark.parametrize(
    "step", ["append", "write", "half", "sync", "rename", "sync folder", "remove"]
)
def test_a_kill_at_any_step_loses_the_part_in_hand_at_most(tmp_path: Path, step: str) -> None:
    store = FolderTrackStore(tmp_path, clock=ManualClock(), step=killed_at(step))
    appended: list[StoredTracks] = []
    with pytest.raises(Killed):
        write_all(store, appended)

    assert frames_in(store_of(tmp_path)) == written(appended)


@pytest.mark.parametrize("step", ["write", "half", "sync", "rename", "sync folder", "remove"])
def test_what_a_kill_left_is_finished_by_the_next_process(tmp_path: Path, step: str) -> None:
    store = FolderTrackStore(tmp_path, clock=ManualClock(), step=killed_at(step))
    with pytest.raises(Killed):
        write_all(store, [])
    for path in tmp_path.rglob("*.*"):
        os.utime(path, (START.timestamp(), START.timestamp()))

    store_of(tmp_path, ManualClock(START + 2 * HOUR)).tidy()

    assert [path.suffix for path in tmp_path.rglob("*.*")] == [SEALED]
    assert frames_in(store_of(tmp_path)) == written(PARTS)


@pytest.mark.parametrize("lost_bytes", [1, 20, 200])
def test_a_part_that_was_not_written_to_its_end_is_left_out(
    tmp_path: Path, lost_bytes: int
) -> None:
    store = store_of(tmp_path)
    for part in PARTS:
        store.append(part)
    [path] = tmp_path.rglob(f"*{OPEN}")
    os.truncate(path, path.stat().st_size - lost_bytes)

    assert frames_in(store_of(tmp_path)) == written(PARTS[:-1])


def test_a_broken_file_is_said_and_the_rest_is_read(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    store.append(PARTS[0])
    store.append(later(PARTS[1], HOUR))
    store.close()
    broken, _ = sorted(tmp_path.rglob(f"*{SEALED}"))
    content = bytearray(broken.read_bytes())
    content[len(content) // 2] ^= 0xFF
    broken.write_bytes(content)

    damaged, whole = read(store)

    assert isinstance(damaged, DamagedFile)
    assert damaged.file == str(broken.relative_to(tmp_path))
    assert damaged.reason == "its checksum does not fit, from byte 0 on"
    assert isinstance(whole, StoredTracks)


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "cam").mkdir()
    (tmp_path / "cam" / "notes.txt").write_text("mine")
    store = store_of(tmp_path, days=0.001)
    store.tidy()

    assert read(store) == []
    assert (tmp_path / "cam" / "notes.txt").exists()


def test_what_is_too_old_goes_and_its_folders_with_it(tmp_path: Path) -> None:
    clock = ManualClock()
    store = store_of(tmp_path, clock, days=2.0)
    store.append(PARTS[0])
    store.append(later(PARTS[1], 40 * HOUR))
    store.close()

    clock.advance(49.5 * 3600)
    store.tidy()

    assert frames_in(store) == written([PARTS[1]])
    assert len(list(tmp_path.glob("cam/*"))) == 1


def test_the_oldest_goes_where_there_is_too_much(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    for hours in range(4):
        store.append(later(PARTS[hours], hours * HOUR))
    store.close()
    sizes = [path.stat().st_size for path in sorted(tmp_path.rglob("*.*"))]

    store_of(tmp_path, quota_bytes=sizes[2] + sizes[3]).tidy()

    assert frames_in(store) == written(PARTS[2:4])
    assert store.used_bytes("cam") == sizes[2] + sizes[3]


def test_a_full_disk_is_said_and_what_was_there_stays(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    store.append(PARTS[0])

    with pytest.raises(StorageFull, match="evidence_min_free_bytes"):
        store_of(tmp_path, min_free_bytes=1 << 60).append(PARTS[1])

    assert frames_in(store) == written(PARTS[:1])


def test_from_when_to_when_something_is_kept(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    assert store.span("cam") is None
    store.append(PARTS[0])
    store.append(later(PARTS[1], 3 * HOUR))
    store.close()

    span = store.span("cam")

    assert span is not None
    assert span[0] == FRAMES[0][0].captured_at
    assert START + 3 * HOUR < span[1] <= START + 3 * HOUR + 2 * CHUNK
    assert store.cameras() == ["cam"]


def test_an_archive_that_never_was_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no tracks are kept there yet"):
        shelf_of(tmp_path / "tracks", ManualClock())


@pytest.mark.parametrize("name", ["../etc", "Cam", ""])
def test_a_camera_id_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        list(store_of(tmp_path).read(name, start=START, end=START + HOUR))
