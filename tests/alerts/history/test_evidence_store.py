import hashlib
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.history.evidence_store import FolderEvidenceStore, PutStep, remove_left_over
from contracts.errors import EvidenceMissing, StorageFull, VigilError

PICTURE = b"\xff\xd8 a picture"


def files_of(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_what_is_put_comes_back(tmp_path: Path) -> None:
    store = FolderEvidenceStore(tmp_path / "evidence")

    ref = store.put(PICTURE, suffix="jpg")

    assert ref == f"sha256-{hashlib.sha256(PICTURE).hexdigest()}.jpg"
    assert store.get(ref) == PICTURE


def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    store = FolderEvidenceStore(tmp_path)

    assert store.put(PICTURE, suffix="jpg") == store.put(PICTURE, suffix="jpg")

    assert len(files_of(tmp_path)) == 1


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    root = tmp_path / "evidence"
    FolderEvidenceStore(root).put(PICTURE, suffix="jpg")

    modes = {stat.S_IMODE(path.stat().st_mode) for path in (root, *root.rglob("*"))}

    assert modes == {0o700, 0o600}
    [file] = files_of(root)
    assert file.relative_to(root).parts[:2] == (file.name[7:9], file.name[9:11])


def test_altered_bytes_are_not_shown(tmp_path: Path) -> None:
    store = FolderEvidenceStore(tmp_path)
    ref = store.put(PICTURE, suffix="jpg")
    [file] = files_of(tmp_path)
    file.write_bytes(b"something else")

    with pytest.raises(EvidenceMissing, match="does not match its hash"):
        store.get(ref)


def test_altered_bytes_are_put_right(tmp_path: Path) -> None:
    store = FolderEvidenceStore(tmp_path)
    ref = store.put(PICTURE, suffix="jpg")
    [file] = files_of(tmp_path)
    file.write_bytes(b"\xff\xd8 a forgery"[: len(PICTURE)])

    store.put(PICTURE, suffix="jpg")

    assert store.get(ref) == PICTURE


def test_what_was_never_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(EvidenceMissing, match="is not there"):
        FolderEvidenceStore(tmp_path).get(f"sha256-{'0' * 64}.jpg")


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "../../etc/passwd",
        f"sha256-{'0' * 64}.jpg/../../x",
        f"../sha256-{'0' * 64}.jpg",
        f"sha256-{'0' * 63}.jpg",
        f"sha256-{'0' * 64}.exe",
        f"sha256-{'A' * 64}.jpg",
        f"sha256-{'0' * 64}.jpg\n",
        f"sha256-{'0' * 64}.jpg\0",
    ],
)
def test_nothing_but_an_address_is_looked_up(tmp_path: Path, ref: str) -> None:
    with pytest.raises(EvidenceMissing, match="not an address"):
        FolderEvidenceStore(tmp_path).get(ref)


@given(st.text())
def test_no_text_leads_out_of_the_folder(ref: str) -> None:
    with pytest.raises(EvidenceMissing):
        FolderEvidenceStore(Path("/nonexistent/evidence")).get(ref)


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VigilError, match="suffix must be one of"):
        FolderEvidenceStore(tmp_path).put(PICTURE, suffix="../x")


def test_the_quota_is_kept(tmp_path: Path) -> None:
    store = FolderEvidenceStore(tmp_path, quota_bytes=1000)
    store.put(b"a" * 900, suffix="mp4")

    with pytest.raises(StorageFull, match="900 of 1000 bytes are used"):
        store.put(b"b" * 101, suffix="mp4")

    store.put(b"c" * 100, suffix="jpg")
    assert len(files_of(tmp_path)) == 2


def test_the_quota_counts_what_others_put_and_what_was_removed(tmp_path: Path) -> None:
    store = FolderEvidenceStore(tmp_path, quota_bytes=1000)
    first = FolderEvidenceStore(tmp_path).put(b"a" * 900, suffix="mp4")
    with pytest.raises(StorageFull):
        store.put(b"b" * 200, suffix="mp4")

    next(tmp_path.rglob(first)).unlink()

    assert store.put(b"b" * 200, suffix="mp4")


def test_a_reserve_of_the_disk_is_left_free(tmp_path: Path) -> None:
    store = FolderEvidenceStore(tmp_path, min_free_bytes=1 << 60)

    with pytest.raises(StorageFull, match="kept in reserve"):
        store.put(PICTURE, suffix="jpg")

    assert files_of(tmp_path) == []


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """A file size limit stands in for a full disk: the kernel refuses in the middle of a write."""
    script = f"""
import resource, signal
from pathlib import Path
from alerts.history.evidence_store import FolderEvidenceStore
from contracts.errors import StorageFull
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, {resource.RLIM_INFINITY}))
try:
    FolderEvidenceStore(Path({str(tmp_path)!r})).put(b"x" * 5000, suffix="mp4")
except StorageFull as error:
    raise SystemExit(7)
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[3], check=False
    )

    assert ended.returncode == 7
    assert files_of(tmp_path) == []


def test_a_full_disk_is_said_and_nothing_is_left_behind(tmp_path: Path) -> None:
    script = f"""
from pathlib import Path
from alerts.history.evidence_store import FolderEvidenceStore
from contracts.errors import StorageFull
root = Path({str(tmp_path)!r})
store = FolderEvidenceStore(root)
small = store.put(b"x" * 8_000, suffix="jpg")
try:
    store.put(b"y" * 200_000, suffix="mp4")
except StorageFull as error:
    assert "no space left" in str(error), error
    assert len([path for path in root.rglob("*") if path.is_file()]) == 1
    assert store.get(small) == b"x" * 8_000
    raise SystemExit(7)
"""
    own_disk = 'mount -t tmpfs -o size=64k none "$1" || exit 99; exec "$2" -c "$3"'
    ended = subprocess.run(
        ["unshare", "-rm", "sh", "-c", own_disk, "sh", str(tmp_path), sys.executable, script],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=False,
    )
    if ended.returncode in (1, 99) and b"unshare" in ended.stderr + ended.stdout:
        pytest.skip("this machine allows no file system of our own")

    assert ended.returncode == 7, ended.stderr.decode()


def test_a_folder_that_cannot_be_made_is_no_place_for_evidence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")

    with pytest.raises(StorageFull, match="cannot be written"):
        FolderEvidenceStore(tmp_path / "file" / "evidence").put(PICTURE, suffix="jpg")


def test_each_step_of_keeping_a_file_is_told(tmp_path: Path) -> None:
    steps: list[PutStep] = []
    FolderEvidenceStore(tmp_path, on_step=steps.append).put(bytes(100_000), suffix="mp4")

    assert list(dict.fromkeys(steps)) == list(PutStep)
    assert steps.count(PutStep.CHUNK_WRITTEN) == 2


def test_what_is_put_again_is_as_fresh_as_new(tmp_path: Path) -> None:
    store = FolderEvidenceStore(tmp_path)
    store.put(PICTURE, suffix="jpg")
    [file] = files_of(tmp_path)
    os.utime(file, (0, 0))

    store.put(PICTURE, suffix="jpg")

    assert file.stat().st_mtime > 0


def test_parts_of_killed_writers_go_once_they_are_old_and_nothing_else_does(
    tmp_path: Path,
) -> None:
    ref = FolderEvidenceStore(tmp_path).put(PICTURE, suffix="jpg")
    [kept] = files_of(tmp_path)
    old, young = (kept.with_name(f".{ref}.{token}.part") for token in ("0123abcd", "89ab4567"))
    stranger = kept.with_name("holiday.part")
    for path in (old, young, stranger):
        path.write_bytes(b"")
    for path in (kept, old, stranger):
        os.utime(path, (1000, 1000))

    assert remove_left_over(tmp_path, before_s=1001.0) == 1

    assert set(files_of(tmp_path)) == {kept, young, stranger}


def test_a_folder_that_is_not_there_has_no_parts(tmp_path: Path) -> None:
    assert remove_left_over(tmp_path / "none", before_s=1001.0) == 0
