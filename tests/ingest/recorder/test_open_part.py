import hashlib
import os
from pathlib import Path

import pytest

from ingest.clips import make_clip
from ingest.recorder.open_part import OpenPart, PartStep, is_being_written, salvage
from ingest.recorder.parts import open_name, parse_part
from tests.fakes.clips import walker_path
from tests.fakes.clock import START
from tests.ingest.recorder.stretches import footage_of, pictures_of

DAY = "20260301"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "gate" / DAY
    folder.mkdir(parents=True)
    return folder / open_name(START, "0123abcd")


@pytest.fixture(scope="module")
def video() -> bytes:
    return make_clip(footage_of(walker_path()))


def test_what_was_written_lies_under_its_hash(path: Path) -> None:
    part = OpenPart(path, camera_id="gate", starts_at=START)
    part.write(b"one ")
    part.write(b"two")

    kept = part.publish(1.5)

    assert [child.name for child in path.parent.iterdir()] == [kept.name]
    content = (path.parent / kept.name).read_bytes()
    assert content == b"one two"
    assert kept.digest == hashlib.sha256(content).hexdigest()
    assert parse_part("gate", DAY, kept.name, size_bytes=7) == kept
    assert (path.parent / kept.name).stat().st_mode & 0o777 == 0o600


def test_it_is_held_while_it_is_written(path: Path) -> None:
    part = OpenPart(path, camera_id="gate", starts_at=START)

    assert is_being_written(path)
    assert salvage(path, camera_id="gate") is None
    assert path.exists()

    part.leave()
    assert not is_being_written(path)


def test_the_steps_come_in_this_order(path: Path) -> None:
    steps: list[PartStep] = []
    part = OpenPart(path, camera_id="gate", starts_at=START, on_step=steps.append)
    part.write(b"x")
    part.publish(1.0)

    assert steps == list(PartStep)


@pytest.mark.parametrize("lost", [0, 1, 3000])
def test_whole_seconds_of_what_was_left_are_kept(path: Path, video: bytes, lost: int) -> None:
    path.write_bytes(video[: len(video) - lost])

    kept = salvage(path, camera_id="gate")

    assert kept is not None
    assert not path.exists()
    file = path.parent / kept.name
    assert hashlib.sha256(file.read_bytes()).hexdigest() == kept.digest
    pictures = pictures_of(file)
    assert len(pictures) == (40 if not lost else 30)
    assert kept.duration_s == pytest.approx(len(pictures) / 10, abs=0.01)
    assert kept.starts_at == START


@pytest.mark.parametrize("content", [b"", b"\0\0\0\x18ftypiso5", b"no video" * 9])
def test_what_does_not_play_is_removed(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    assert salvage(path, camera_id="gate") is None
    assert list(path.parent.iterdir()) == []


def test_a_file_of_somebody_else_is_not_touched(path: Path, video: bytes) -> None:
    foreign = path.with_name("holiday.mp4.part")
    foreign.write_bytes(video)

    assert salvage(foreign, camera_id="gate") is None
    assert foreign.exists()


def test_one_that_was_finished_meanwhile_is_left_alone(path: Path, video: bytes) -> None:
    path.write_bytes(video)
    with path.open("r+b"):
        os.rename(path, path.with_name("gone"))  # noqa: PTH104  # between two looks at it

    with pytest.raises(FileNotFoundError):
        salvage(path, camera_id="gate")
