"""A picture comes back whole or not at all; no memory outlives its writer for long."""

import errno
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from contracts.frames import BgrImage
from ingest.frame_ring import LeftBehind, RingReader, RingWriter, ring_bytes

SHAPE = (36, 64, 3)
SLOT_BYTES = 36 * 64 * 3
_WRITING = """
import sys
from pathlib import Path
import numpy as np
from ingest.frame_ring import RingWriter
ring = RingWriter(Path(sys.argv[1]), "gate", slots=3, slot_bytes=360 * 640 * 3)
picture = np.empty((360, 640, 3), np.uint8)
print(ring.name, flush=True)
number = 0
while True:
    picture.fill(number % 251)
    number = ring.write(picture) + 1
"""


def picture(level: int, shape: tuple[int, int, int] = SHAPE) -> BgrImage:
    return np.full(shape, level % 256, np.uint8)


def read(reader: RingReader, number: int, shape: tuple[int, ...]) -> BgrImage | None:
    """A picture as a copy, which is all that the ring lets anybody have."""

    def take(content: BgrImage) -> BgrImage:
        return content.reshape(shape).copy()

    return reader.read(number, size=math.prod(shape), take=take)


@pytest.fixture
def ring(tmp_path: Path) -> RingWriter:
    return RingWriter(tmp_path, "gate", slots=4, slot_bytes=SLOT_BYTES)


def reader_of(ring: RingWriter, folder: Path) -> RingReader:
    return RingReader(folder / ring.name)


def test_a_picture_comes_back_as_it_was_written(ring: RingWriter, tmp_path: Path) -> None:
    pixels_HW3 = np.random.default_rng(1).integers(0, 256, SHAPE, np.uint8)

    number = ring.write(pixels_HW3)
    pixels_HW3[:] = 0
    copy = read(reader_of(ring, tmp_path), number, SHAPE)

    assert copy is not None
    assert np.array_equal(copy, np.random.default_rng(1).integers(0, 256, SHAPE, np.uint8))
    assert not copy.flags.writeable


def test_a_copy_is_its_readers_own(ring: RingWriter, tmp_path: Path) -> None:
    reader = reader_of(ring, tmp_path)
    copy = read(reader, ring.write(picture(7)), SHAPE)
    for level in range(20):
        ring.write(picture(level))

    assert copy is not None
    assert (copy == 7).all()


def test_pictures_that_newer_ones_overtook_are_gone(ring: RingWriter, tmp_path: Path) -> None:
    reader = reader_of(ring, tmp_path)
    numbers = [ring.write(picture(level)) for level in range(7)]

    found = [read(reader, number, SHAPE) for number in numbers]

    assert [None if one is None else int(one[0, 0, 0]) for one in found] == [
        *(None, None, None),
        *(3, 4, 5, 6),
    ]
    assert read(reader, 7, SHAPE) is None, "not written yet"


def test_smaller_pictures_fit_into_the_same_slots(ring: RingWriter, tmp_path: Path) -> None:
    reader = reader_of(ring, tmp_path)
    small = ring.write(picture(9, (18, 32, 3)))
    whole = ring.write(picture(10))

    for number, shape, level in ((small, (18, 32, 3), 9), (whole, SHAPE, 10)):
        found = read(reader, number, shape)
        assert found is not None
        assert found.shape == shape
        assert (found == level).all()


def test_planes_lie_one_behind_the_other(ring: RingWriter, tmp_path: Path) -> None:
    wide = np.random.default_rng(2).integers(0, 256, (36, 80), np.uint8)
    luma, blue, red = wide[:, :64], wide[:18, 40:72], wide[18:, 40:72]

    number = ring.write(luma, blue, red)
    found = read(reader_of(ring, tmp_path), number, (36 * 64 * 3 // 2,))

    assert found is not None
    assert bytes(found) == b"".join(plane.tobytes() for plane in (luma, blue, red))


def test_a_picture_larger_than_a_slot_is_not_read(ring: RingWriter, tmp_path: Path) -> None:
    number = ring.write(picture(1))

    assert read(reader_of(ring, tmp_path), number, (36, 65, 3)) is None


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    slots=st.integers(1, 5),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 8), st.integers(1, 36)), max_size=60),
)
def test_whatever_the_order_a_picture_is_its_own_or_gone(
    tmp_path_factory: pytest.TempPathFactory,
    slots: int,
    steps: list[tuple[bool, int, int]],
) -> None:
    folder = tmp_path_factory.mktemp("ring")
    ring = RingWriter(folder, "gate", slots=slots, slot_bytes=SLOT_BYTES)
    reader = reader_of(ring, folder)
    written: list[tuple[int, int, int, int]] = []
    for is_write, back, height in steps:
        if is_write:
            shape = (height, 64, 3)
            written.append((ring.write(picture(len(written), shape)), *shape))
        elif back < len(written):
            number, *shape_of = written[-1 - back]
            copy = read(reader, number, (shape_of[0], shape_of[1], shape_of[2]))
            assert (copy is not None) is (back < slots)
            assert copy is None or (copy == number % 256).all()
    ring.close()


def test_while_a_picture_is_written_over_none_is_read(
    ring: RingWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer is stopped between its stamp and the pixels."""
    reader = reader_of(ring, tmp_path)
    for level in range(4):
        ring.write(picture(level))
    half_way, go_on = threading.Event(), threading.Event()

    def stop_half_way() -> None:
        if threading.current_thread() is writing and not half_way.is_set():
            half_way.set()
            go_on.wait(20)

    monkeypatch.setattr("ingest.frame_ring._fence", stop_half_way)
    writing = threading.Thread(target=lambda: ring.write(picture(4)))
    writing.start()
    assert half_way.wait(20)

    assert read(reader, 0, SHAPE) is None
    assert read(reader, 4, SHAPE) is None
    go_on.set()
    writing.join(20)
    found = read(reader, 4, SHAPE)
    assert found is not None
    assert (found == 4).all()


def test_a_picture_overtaken_while_it_is_copied_is_gone(
    ring: RingWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = reader_of(ring, tmp_path)
    number = ring.write(picture(1))
    is_reading = True

    def overtake() -> None:
        nonlocal is_reading
        if is_reading:
            is_reading = False
            for level in range(2, 6):
                ring.write(picture(level))

    monkeypatch.setattr("ingest.frame_ring._fence", overtake)

    assert read(reader, number, SHAPE) is None


@contextmanager
def other_writer(folder: Path) -> "Iterator[tuple[subprocess.Popen[str], Path]]":
    """A process that writes as fast as it can into three slots; each picture is of one level."""
    command = [sys.executable, "-c", _WRITING, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        try:
            assert writer.stdout is not None
            yield writer, folder / writer.stdout.readline().strip()
        finally:
            writer.kill()


def test_no_picture_is_torn_by_a_writer_in_another_process(tmp_path: Path) -> None:
    with other_writer(tmp_path) as (_, path):
        reader = RingReader(path)
        whole = gone = number = 0
        while whole < 200 or gone < 20:
            copy = read(reader, number, (360, 640, 3))
            if copy is None:
                gone += 1
                number = newest(reader)
            else:
                whole += 1
                assert copy.min() == copy.max() == number % 251
                number += 1


def newest(reader: RingReader) -> int:
    return max(0, int(reader._stamps_S.max()) // 2 - 1)


def test_the_ring_of_a_killed_process_is_known_and_removed(tmp_path: Path) -> None:
    with other_writer(tmp_path) as (writer, path):
        reader = RingReader(path)
        while not reader._stamps_S.max() >= 2:
            continue
        assert LeftBehind.of(path) is None, "its writer lives"

        writer.kill()
        writer.wait(20)
        left = LeftBehind.of(path)
        assert left is not None
        left.remove()

    assert not path.exists()
    assert read(reader, newest(reader), (360, 640, 3)) is not None, "still mapped"


def test_a_forked_child_leaves_the_file_alone(ring: RingWriter, tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        ring.close()
        os._exit(0)
    os.waitpid(child, 0)

    assert (tmp_path / ring.name).exists()
    assert ring.is_there()


def test_a_closed_ring_frees_its_file_and_can_still_be_read(
    ring: RingWriter, tmp_path: Path
) -> None:
    reader = reader_of(ring, tmp_path)
    number = ring.write(picture(5))

    ring.close()
    ring.close()

    assert list(tmp_path.iterdir()) == []
    assert read(reader, number, SHAPE) is not None
    assert not ring.is_there()


def test_a_full_disk_is_an_error_when_a_ring_is_made_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(_descriptor: int, _offset: int, _size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.posix_fallocate", is_full)

    with pytest.raises(OSError, match="No space left"):
        RingWriter(tmp_path, "gate", slots=4, slot_bytes=SLOT_BYTES)
    assert list(tmp_path.iterdir()) == []


def test_only_its_user_may_read_it(ring: RingWriter, tmp_path: Path) -> None:
    assert (tmp_path / ring.name).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / ring.name).stat().st_size == ring_bytes(4, SLOT_BYTES)


def test_what_is_no_ring_is_refused(ring: RingWriter, tmp_path: Path) -> None:
    for name, content in (("empty", b""), ("noise", os.urandom(8192))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match="is no ring"):
            RingReader(tmp_path / name)
    (tmp_path / "link").symlink_to(tmp_path / ring.name)
    with pytest.raises(OSError, match="link"):
        RingReader(tmp_path / "link")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="no file of this user"):
        RingReader(tmp_path / "folder")
    cut = tmp_path / "cut"
    cut.write_bytes((tmp_path / ring.name).read_bytes()[:-1])
    with pytest.raises(ValueError, match="is no ring"):
        RingReader(cut)
