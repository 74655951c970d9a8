import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ingest.shared_folder import SharedFolder

_DYING = """
import os, sys
from pathlib import Path
from ingest.shared_folder import SharedFolder
folder = SharedFolder(Path(sys.argv[1]), limit_bytes=10_000_000)
folder.make_ring("gate", slots=4, slot_bytes=4096)
os.kill(os.getpid(), 9)
"""


def folder_in(parent: Path, limit_bytes: int = 10_000_000) -> SharedFolder:
    return SharedFolder(parent, limit_bytes=limit_bytes)


def test_the_place_is_the_same_for_all_who_see_the_folder(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()

    assert folder_in(tmp_path).place() == folder_in(tmp_path).place()
    assert folder_in(tmp_path).place() != folder_in(tmp_path / "other").place()


def test_those_who_come_at_once_see_one_place(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(folder_in(tmp_path).place())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in folder_in(tmp_path).path.iterdir()] == ["place"]


def test_nobody_else_may_enter_it(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    folder.place()

    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert (folder.path / "place").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("what", ["open", "link", "file"])
def test_a_folder_that_is_not_ours_alone_is_not_used(tmp_path: Path, what: str) -> None:
    folder = folder_in(tmp_path)
    if what == "open":
        folder.path.mkdir()
        folder.path.chmod(0o770)
    elif what == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.path.symlink_to(tmp_path / "elsewhere")
    else:
        folder.path.touch(0o600)

    with pytest.raises(OSError, match="nobody else may enter"):
        folder.place()
    with pytest.raises(OSError, match="nobody else may enter"):
        folder.make_ring("gate", slots=4, slot_bytes=4096)


def test_where_there_is_no_tmpfs_there_is_no_place(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        folder_in(tmp_path / "nowhere").place()


def test_all_rings_together_stay_below_the_limit(tmp_path: Path) -> None:
    folder = folder_in(tmp_path, limit_bytes=100_000)
    first = folder.make_ring("gate", slots=4, slot_bytes=20_480)
    with pytest.raises(OSError, match="shared_memory_mb"):
        folder.make_ring("yard", slots=4, slot_bytes=20_480)

    first.close()

    assert folder.make_ring("yard", slots=4, slot_bytes=20_480).is_there()
    assert folder.used_bytes() <= 100_000


def test_rings_of_the_dead_are_removed_and_those_of_the_living_stay(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    living = folder.make_ring("gate", slots=4, slot_bytes=4096)
    for _ in range(3):
        subprocess.run([sys.executable, "-c", _DYING, str(tmp_path)], check=False)
        names = {path.name for path in folder.path.glob("*.ring")}
        assert len(names) == 2, "who makes one removes those of the dead"

    assert folder.sweep() == 1

    assert [path.name for path in folder.path.glob("*.ring")] == [living.name]
    assert living.is_there()


@pytest.mark.parametrize("name", ["../place", "place", "/etc/passwd", "a/b.ring", ".ring", ""])
def test_only_names_of_rings_are_opened(tmp_path: Path, name: str) -> None:
    folder = folder_in(tmp_path)
    folder.place()

    with pytest.raises(ValueError, match="no name of a ring"):
        folder.open_ring(name)
