"""Pictures and clips in a folder, by the hash of their content.

Plain files rather than fsspec: durability here means write, fsync, rename, fsync of the folder,
and fsspec's local filesystem offers neither fsync nor its order. A store on S3 is another class
behind the same port, where the service promises durability itself.
"""

import errno
import hashlib
import os
import re
import secrets
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from io import FileIO
from pathlib import Path
from typing import Final

import structlog

from contracts.errors import EvidenceMissing, StorageFull, VigilError

log = structlog.get_logger()

_REF: Final = re.compile(r"sha256-(?P<digest>[0-9a-f]{64})\.(?:jpg|mp4|json)")
_PART: Final = re.compile(rf"\.{_REF.pattern}\.[0-9a-f]{{8}}\.part")
_SUFFIXES: Final = frozenset({"jpg", "mp4", "json"})
_CHUNK_BYTES: Final = 64 << 10
_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_MEASURE_EVERY: Final = 200
"""Writes between two readings of what the folder holds: other processes write there as well, so
the quota may be passed by what they write in between."""


class PutStep(StrEnum):
    """How far keeping a file has come; a process may die at each."""

    FOLDERS_MADE = "folders_made"
    PART_OPENED = "part_opened"
    CHUNK_WRITTEN = "chunk_written"
    PART_WRITTEN = "part_written"
    PART_SYNCED = "part_synced"
    RENAMED = "renamed"
    FOLDER_SYNCED = "folder_synced"


def _ignore(step: PutStep) -> None:
    del step


class FolderEvidenceStore:
    """Implements ``contracts.evidence.EvidenceStore``. Safe to share between threads.

    Files lie in two levels of folders by the first digits of their hash, so that no folder has
    more than some thousand entries. Only the owner may read them: they show people.

    Args:
        root: Made if missing.
        quota_bytes: Kept at most; 0 means no limit but the disk.
        min_free_bytes: Nothing is written when the disk would have less left; 0 uses it up.
        on_step: Told of each step of keeping a file, after it; what it raises ends the keeping.
    """

    def __init__(
        self,
        root: Path,
        *,
        quota_bytes: int = 0,
        min_free_bytes: int = 0,
        on_step: Callable[[PutStep], None] = _ignore,
    ) -> None:
        self._root = root
        self._on_step = on_step
        self._quota_bytes = quota_bytes
        self._min_free_bytes = min_free_bytes
        self._lock = threading.Lock()
        self._used_bytes = 0
        self._writes_until_measured = 0

    def put(self, content: bytes, *, suffix: str) -> str:
        """Keep the content durably under its hash; see the port.

        Raises:
            StorageFull: Quota, reserve or disk is used up, or the folder cannot be written.
        """
        if suffix not in _SUFFIXES:
            raise VigilError(f"evidence: suffix must be one of {sorted(_SUFFIXES)}, got {suffix!r}")
        ref = f"sha256-{hashlib.sha256(content).hexdigest()}.{suffix}"
        path = self._path(ref)
        try:
            if _holds(path, content):
                # Who put it here may have died before its name was durable, and whoever tidies
                # up must not take it for something that nobody wants.
                os.utime(path)
                _sync_folder(path.parent)
                return ref
            with self._lock:
                self._check_space(len(content))
                self._used_bytes += len(content)
            _write(path, content, self._on_step)
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise StorageFull(f"evidence: no space left for {len(content)} bytes") from error
            raise StorageFull(
                f"evidence: cannot be written to {self._root} ({error.strerror})"
            ) from error
        return ref

    def get(self, ref: str) -> bytes:
        """Return the bytes, verified against their address; see the port."""
        path = self._path(ref)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise EvidenceMissing(f"evidence {ref}: is not there ({error.strerror})") from error
        if f"sha256-{hashlib.sha256(content).hexdigest()}" != path.stem:
            log.error("evidence was altered", ref=ref)
            raise EvidenceMissing(f"evidence {ref}: the file does not match its hash")
        return content

    def _path(self, ref: str) -> Path:
        return path_of(self._root, ref)

    def _check_space(self, size_bytes: int) -> None:
        if not self._root.is_dir():
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            _sync_folder(self._root.parent)
        free_bytes = shutil.disk_usage(self._root).free
        if self._min_free_bytes and free_bytes - size_bytes < self._min_free_bytes:
            raise StorageFull(
                f"evidence: the disk has {free_bytes} bytes free, {self._min_free_bytes} are kept "
                "in reserve (alerts.evidence_min_free_bytes)"
            )
        if not self._quota_bytes:
            return
        if self._writes_until_measured <= 0 or self._is_over(size_bytes):
            self._used_bytes = _stored_bytes(self._root)
            self._writes_until_measured = _MEASURE_EVERY
        self._writes_until_measured -= 1
        if self._is_over(size_bytes):
            raise StorageFull(
                f"evidence: {self._used_bytes} of {self._quota_bytes} bytes are used "
                "(alerts.evidence_quota_bytes)"
            )

    def _is_over(self, size_bytes: int) -> bool:
        return self._used_bytes + size_bytes > self._quota_bytes


def path_of(root: Path, ref: str) -> Path:
    """Return where a piece of evidence lies below ``root``.

    Raises:
        EvidenceMissing: Not a valid address.
    """
    match = _REF.fullmatch(ref)
    if match is None:
        # Not echoed: it may come from a request.
        raise EvidenceMissing("evidence: not an address of the form sha256-<hex>.<suffix>")
    digest = match["digest"]
    return root / digest[:2] / digest[2:4] / ref


def remove_left_over(root: Path, *, before_s: float) -> int:
    """Remove parts whose writer was killed; return how many.

    Args:
        root: Folder of the store.
        before_s: Those last written to before this time (seconds since 1970, as files have it). A
            part is written in one go; one that is minutes old is nobody's.
    """
    count = 0
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            if _PART.fullmatch(name) is None:
                continue
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before_s:
                    path.unlink()
                    count += 1
    return count


def _holds(path: Path, content: bytes) -> bool:
    """Say whether the file is there unaltered; an altered one is written anew."""
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except FileNotFoundError:
        return False


def _write(path: Path, content: bytes, on_step: Callable[[PutStep], None]) -> None:
    for folder in (path.parent.parent, path.parent):
        if not folder.is_dir():
            folder.mkdir(exist_ok=True, mode=0o700)
            _sync_folder(folder.parent)
    on_step(PutStep.FOLDERS_MADE)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            on_step(PutStep.PART_OPENED)
            _write_all(file, content, on_step)
            on_step(PutStep.PART_WRITTEN)
            os.fsync(file.fileno())
        on_step(PutStep.PART_SYNCED)
        part.replace(path)
        on_step(PutStep.RENAMED)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    on_step(PutStep.FOLDER_SYNCED)


def _write_all(file: FileIO, content: bytes, on_step: Callable[[PutStep], None]) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest[:_CHUNK_BYTES]) :]
        on_step(PutStep.CHUNK_WRITTEN)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; without it a power cut may take back the rename."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stored_bytes(root: Path) -> int:
    """Return what all files below hold, unfinished ones included."""
    total = 0
    for folder, _, names in os.walk(root):
        for name in names:
            try:
                total += (Path(folder) / name).stat().st_size
            except FileNotFoundError:
                continue
    return total
