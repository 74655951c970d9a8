"""The track archive in a folder: a file for each quarter of an hour of a sitting.

``<root>/<camera>/<day>/<time>-<sitting>.open`` grows by one segment every few seconds; when its
time is over it is written anew as one segment (``.part``, fsync, rename to ``.tracks``) and then
removed. So a killed process loses what it had in its hands, a crash while a file is being finished
loses nothing, and of a file that is there twice the finished one counts.
"""

import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from contracts.clock import Clock
from contracts.errors import ConfigError, StorageFull
from contracts.ids import check_name, derived_id
from vision.archive.codec import Unreadable, encode_segment, read_segments
from vision.archive.columns import StoredTracks, merged
from vision.archive.port import DamagedFile
from vision.archive.recorder import moment

log = structlog.get_logger()

CHUNK: Final = timedelta(minutes=15)
OPEN: Final = ".open"
SEALED: Final = ".tracks"
PART: Final = ".part"
STALE: Final = timedelta(hours=1)
"""What nobody has written to for so long was left by a process that is gone."""
_NAME: Final = re.compile(r"(?P<at>\d{12})-(?P<token>[0-9a-f]{12})\.(?:open|tracks)")
_DAY: Final = re.compile(r"\d{8}")
_SLACK: Final = timedelta(minutes=5)
"""A sitting's clock may be put right by so much within a file."""


def _nothing(_step: str) -> None:
    """Stand for a test that kills the process at a step."""


@dataclass(slots=True)
class _OpenFile:
    """What is being written of one sitting."""

    path: Path
    sitting: int
    started: datetime


class FolderTrackStore:
    """Implements ``TrackStore`` and ``TrackShelf``.

    Several processes may write below one root (a camera has one worker at a time) while others
    read. Only the owner may read the files: they say who was where.

    Args:
        root: Made if missing.
        clock: Wall clock, for the age of files.
        days: Files older than this are removed.
        quota_bytes: The oldest files go when there is more; 0 means no limit but the disk.
        min_free_bytes: Nothing is written when the disk has less free.
        step: Told of each step of writing before it is made.
    """

    def __init__(  # limits that the settings give one by one
        self,
        root: Path,
        *,
        clock: Clock,
        days: float = 7.0,
        quota_bytes: int = 0,
        min_free_bytes: int = 0,
        step: Callable[[str], None] = _nothing,
    ) -> None:
        self._root = root
        self._clock = clock
        self._days = days
        self._quota_bytes = quota_bytes
        self._min_free_bytes = min_free_bytes
        self._step = step
        self._open: dict[str, _OpenFile] = {}

    def append(self, part: StoredTracks) -> None:
        """Write the next part of a sitting; see the port."""
        started = moment(part.started)
        current = self._open.get(part.camera_id)
        if current is not None and not _belongs(current, part, started):
            del self._open[part.camera_id]
            self._seal_or_leave(current.path)
            current = None
        content = encode_segment(part)
        self._check_space(len(content))
        if current is None or not current.path.exists():
            current = _OpenFile(self._path(part, started), part.sitting, started)
            self._open[part.camera_id] = current
        with _storage_errors(self._root):
            self._step("append")
            _append(current.path, content)

    def close(self) -> None:
        """Finish all files that are open."""
        while self._open:
            _, current = self._open.popitem()
            self._seal(current.path)

    def tidy(self) -> None:
        """Remove what is too old or too much; finish what a process left that is gone."""
        now = self._clock.now()
        own = {current.path for current in self._open.values()}
        for path in self._files():
            if path in own or now - _modified(path) < STALE:
                continue
            if path.suffix == OPEN:
                self._seal_or_leave(path)
            elif path.suffix == PART:
                path.unlink(missing_ok=True)
        self._remove_old(now, own)

    def cameras(self) -> Sequence[str]:
        """Return the cameras of which something is kept; see the port."""
        if not self._root.is_dir():
            return ()
        return sorted(folder.name for folder in self._root.iterdir() if folder.is_dir())

    def span(self, camera_id: str) -> tuple[datetime, datetime] | None:
        """Return about from when to when something is kept; see the port."""
        check_name(camera_id, what="camera id")
        began = [(at, path) for path in _walk(self._root / camera_id) if (at := _began(path))]
        if not began:
            return None
        last, path = max(began)
        return min(began)[0], max(last, _modified(path) if path.suffix == OPEN else last + CHUNK)

    def read(
        self, camera_id: str, *, start: datetime, end: datetime
    ) -> Iterator[StoredTracks | DamagedFile]:
        """Yield what is kept of a camera in a span of time; see the port."""
        check_name(camera_id, what="camera id")
        for path in self._chosen(camera_id, start, end):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                # Finished or removed meanwhile: an .open file has a .tracks file now.
                content = _finished(path)
            except OSError as error:
                yield self._damaged(path, f"cannot be read ({error.strerror})")
                continue
            yield from self._segments(path, content)

    def used_bytes(self, camera_id: str = "") -> int:
        """Return what all files hold, or those of one camera."""
        root = self._root / camera_id if camera_id else self._root
        return sum(_size(path) for path in _walk(root))

    def _segments(self, path: Path, content: bytes) -> Iterator[StoredTracks | DamagedFile]:
        for segment in read_segments(content):
            if not isinstance(segment, Unreadable):
                yield segment
            elif not (path.suffix == OPEN and _is_torn(segment)):
                yield self._damaged(path, f"{segment.reason}, from byte {segment.offset} on")

    def _damaged(self, path: Path, reason: str) -> DamagedFile:
        return DamagedFile(file=str(path.relative_to(self._root)), reason=reason)

    def _chosen(self, camera_id: str, start: datetime, end: datetime) -> list[Path]:
        """Return the files that may hold a span of time, oldest first, none of them twice."""
        chosen: dict[str, Path] = {}
        for path in _walk(self._root / camera_id):
            began = _began(path)
            if began is None or not start - CHUNK - 2 * _SLACK <= began < end + _SLACK:
                continue
            known = chosen.get(f"{path.parent.name}/{path.stem}")
            if known is None or path.suffix == SEALED:
                chosen[f"{path.parent.name}/{path.stem}"] = path
        return [chosen[key] for key in sorted(chosen)]

    def _path(self, part: StoredTracks, started: datetime) -> Path:
        token = derived_id("ts", part.run_id, part.sitting).removeprefix("ts_")[:12]
        folder = self._root / check_name(part.camera_id, what="camera id") / f"{started:%Y%m%d}"
        with _storage_errors(self._root):
            folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(exist_ok=True, mode=0o700)
            _sync_folder(folder.parent)
        return folder / f"{started:%H%M%S%f}-{token}{OPEN}"

    def _seal(self, path: Path) -> None:
        """Write a file anew as one segment; what of it cannot be read is left out and said."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return
        parts: list[StoredTracks] = []
        for segment in read_segments(content):
            if not isinstance(segment, Unreadable):
                parts.append(segment)
            elif not _is_torn(segment):
                log.warning("archive of tracks is damaged", file=str(path), cause=segment.reason)
        with _storage_errors(self._root):
            if parts:
                self._replace(path, encode_segment(merged(parts), level=9))
            self._step("remove")
            path.unlink(missing_ok=True)
            _sync_folder(path.parent)

    def _seal_or_leave(self, path: Path) -> None:
        """Seal a file; where that fails, ``tidy`` does it later."""
        try:
            self._seal(path)
        except StorageFull as error:
            log.warning("file of tracks not finished yet", file=str(path), cause=str(error))

    def _replace(self, path: Path, content: bytes) -> None:
        part, sealed = path.with_suffix(PART), path.with_suffix(SEALED)
        self._step("write")
        descriptor = os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            half = len(content) // 2
            _write_whole(descriptor, content[:half])
            self._step("half")
            _write_whole(descriptor, content[half:])
            self._step("sync")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._step("rename")
        part.replace(sealed)
        self._step("sync folder")
        _sync_folder(path.parent)

    def _check_space(self, size_bytes: int) -> None:
        with _storage_errors(self._root):
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            free_bytes = shutil.disk_usage(self._root).free
        if self._min_free_bytes and free_bytes - size_bytes < self._min_free_bytes:
            raise StorageFull(
                f"tracks: the disk has {free_bytes} bytes free, {self._min_free_bytes} are kept "
                "in reserve (alerts.evidence_min_free_bytes)"
            )

    def _remove_old(self, now: datetime, own: set[Path]) -> None:
        oldest = now - timedelta(days=self._days)
        kept: list[tuple[datetime, Path, int]] = []
        for path in self._files():
            began = _began(path)
            if began is None or path in own:
                continue
            if began < oldest - CHUNK:
                path.unlink(missing_ok=True)
            else:
                kept.append((began, path, _size(path)))
        total = sum(size for _, _, size in kept)
        removed = 0
        for _, path, size in sorted(kept):
            if not self._quota_bytes or total <= self._quota_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size
            removed += 1
        if removed:
            log.warning(
                "oldest tracks removed for space",
                files=removed,
                quota_bytes=self._quota_bytes,
                setting="vision.track_quota_bytes",
            )
        for folder in (*self._root.glob("*/*"), *self._root.glob("*")):
            with suppress(OSError):
                folder.rmdir()  # only where nothing is left in it

    def _files(self) -> list[Path]:
        return sorted(_walk(self._root))


@contextmanager
def _storage_errors(root: Path) -> Iterator[None]:
    """Turn what the operating system says into ``StorageFull``."""
    try:
        yield
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "no space left" if is_full else f"cannot be written ({error.strerror})"
        raise StorageFull(f"tracks: {root}: {why}") from error


def _belongs(current: _OpenFile, part: StoredTracks, started: datetime) -> bool:
    """Say whether a part goes into the file that is open."""
    return current.sitting == part.sitting and -_SLACK < started - current.started < CHUNK


def _append(path: Path, content: bytes) -> None:
    """Add a segment durably, or leave the file as it was."""
    descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        try:
            _write_whole(descriptor, content)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def _is_torn(segment: Unreadable) -> bool:
    """Say whether a file merely ends too early, as one does that is being written."""
    return segment.reason.startswith("the file ends")


def _finished(path: Path) -> bytes:
    with suppress(OSError):
        return path.with_suffix(SEALED).read_bytes()
    return b""


def _began(path: Path) -> datetime | None:
    """Return when a file began, by its name; None if it is none of ours."""
    matched = _NAME.fullmatch(path.name)
    if matched is None or not _DAY.fullmatch(path.parent.name):
        return None
    try:
        return datetime.strptime(f"{path.parent.name}{matched['at']}", "%Y%m%d%H%M%S%f").replace(
            tzinfo=UTC
        )
    except ValueError:
        return None


def _walk(root: Path) -> Iterator[Path]:
    """Yield all files below, whatever they are."""
    for folder, _, names in os.walk(root):
        for name in names:
            yield Path(folder) / name


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _modified(path: Path) -> datetime:
    with suppress(OSError):
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return datetime.max.replace(tzinfo=UTC)


def _write_whole(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def shelf_of(root: Path, clock: Clock) -> FolderTrackStore:
    """Return the archive for reading. Raises ConfigError if nothing was ever kept there."""
    if not root.is_dir():
        raise ConfigError(
            f"{root}: no tracks are kept there yet. They are kept from the first minute that "
            "cameras are watched (vigil run) unless vision.track_days is 0; is --data-dir right?"
        )
    return FolderTrackStore(root, clock=clock)
