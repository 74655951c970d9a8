"""A part while it is written, and what is made of one whose writer died."""

import fcntl
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

import av

from ingest.recorder.boxes import whole_length
from ingest.recorder.parts import Part, opened_at

_CHUNK_BYTES: Final = 1 << 20


class PartStep(StrEnum):
    """How far keeping a part has come; a process may die at each."""

    OPENED = "opened"
    CHUNK_WRITTEN = "chunk_written"
    WRITTEN = "written"
    SYNCED = "synced"
    RENAMED = "renamed"
    FOLDER_SYNCED = "folder_synced"


def ignore_step(step: PartStep) -> None:
    """Stand for a test that kills the process at a step."""
    del step


class OpenPart:
    """A file that is hashed while it is written. For libav: it cannot seek.

    It is locked as long as this process lives, so that whoever finds it knows whether its writer
    is still there.

    Raises:
        OSError: It cannot be made.
    """

    def __init__(
        self,
        path: Path,
        *,
        camera_id: str,
        starts_at: datetime,
        on_step: Callable[[PartStep], None] = ignore_step,
    ) -> None:
        self._path = path
        self._camera_id = camera_id
        self._starts_at = starts_at
        self._on_step = on_step
        self._digest = hashlib.sha256()
        self.size_bytes = 0
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        self._on_step(PartStep.OPENED)

    def write(self, content: bytes) -> int:
        """Add bytes. Raises OSError."""
        rest = memoryview(content)
        while rest:
            written = self._file.write(rest)
            self._digest.update(rest[:written])
            self.size_bytes += written
            rest = rest[written:]
        self._on_step(PartStep.CHUNK_WRITTEN)
        return len(content)

    def publish(self, duration_s: float) -> Part:
        """Make the part durable under its name and return it. Raises OSError."""
        part = Part(
            camera_id=self._camera_id,
            starts_at=self._starts_at,
            duration_s=round(duration_s, 3),
            digest=self._digest.hexdigest(),
            size_bytes=self.size_bytes,
        )
        try:
            self._on_step(PartStep.WRITTEN)
            os.fsync(self._file.fileno())
            self._on_step(PartStep.SYNCED)
            _give_name(self._path, part.name, self._on_step)
        finally:
            self._file.close()
        return part

    def leave(self) -> None:
        """Stop writing; ``salvage`` makes of it what can be made."""
        with suppress(OSError):
            self._file.close()


def salvage(
    path: Path, *, camera_id: str, on_step: Callable[[PartStep], None] = ignore_step
) -> Part | None:
    """Finish a part whose writer is gone: its whole fragments are kept, without any it is removed.

    Returns:
        The part; None if nothing of it is worth keeping or somebody still writes it.

    Raises:
        OSError: The file cannot be read or written.
    """
    starts_at = opened_at(path.parent.name, path.name)
    if starts_at is None:
        return None
    with path.open("r+b") as file:
        if not _is_ours(file, path):
            return None
        size_bytes = whole_length(file)
        duration_s = 0.0
        if size_bytes:
            file.truncate(size_bytes)
            os.fsync(file.fileno())
            duration_s = _duration_s(path)
        if not duration_s:
            path.unlink()
            return None
        part = Part(
            camera_id=camera_id,
            starts_at=starts_at,
            duration_s=duration_s,
            digest=digest_of(file),
            size_bytes=size_bytes,
        )
        _give_name(path, part.name, on_step)
    return part


def is_being_written(path: Path) -> bool:
    """Whether the writer of a part lives. Raises OSError."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def digest_of(file: BinaryIO) -> str:
    """Return the SHA-256 of a whole file in hexadecimal."""
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; without it a power cut may take back a rename."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _give_name(path: Path, name: str, on_step: Callable[[PartStep], None]) -> None:
    path.replace(path.with_name(name))
    on_step(PartStep.RENAMED)
    sync_folder(path.parent)
    on_step(PartStep.FOLDER_SYNCED)


def _is_ours(file: BinaryIO, path: Path) -> bool:
    """Lock the file; say whether that could be done and it still lies under its name."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except (BlockingIOError, FileNotFoundError):
        return False


def _duration_s(path: Path) -> float:
    """Return how long a file plays; 0 if it does not."""
    ends_s = 0.0
    try:
        with av.open(str(path)) as container:
            for packet in container.demux(video=0):
                if packet.pts is not None and packet.time_base is not None:
                    ends = packet.pts + (packet.duration or 0)
                    ends_s = max(ends_s, float(ends * packet.time_base))
    except (av.FFmpegError, IndexError):
        return round(ends_s, 3)
    return round(ends_s, 3)
