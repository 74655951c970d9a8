"""Recordings in a folder: ``<root>/<camera>/<day>/<time>-<milliseconds>-<sha256>.mp4``.

The name of a part is its row: it says whose it is, from when to when, and what its content must
hash to, so that no index can disagree with the files. A part is written under a name that begins
with a dot, locked by its writer, and renamed once it is durable.
"""

import errno
import fcntl
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from contracts.clock import Clock
from contracts.errors import StorageFull
from contracts.ids import check_name
from ingest.metrics import RECORDINGS_REMOVED
from ingest.recorder.open_part import OpenPart, PartStep, ignore_step, salvage, sync_folder
from ingest.recorder.parts import (
    Part,
    day_of,
    is_day,
    open_name,
    opened_at,
    parse_part,
    to_millisecond,
)
from ingest.recorder.retention import Limits

log = structlog.get_logger()

_LEFT_AFTER: Final = timedelta(minutes=1)
"""What nobody has written to for so long, and nobody holds, was left by a process that is gone."""
_SETTLED_NS: Final = 2_000_000_000
"""A folder that changed so lately may have changed again within one tick of its time."""
_LOCK: Final = ".tidying"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What is kept of one camera."""

    size_bytes: int = 0
    parts: int = 0
    oldest_at: datetime | None = None

    def with_part(self, part: Part) -> "Usage":
        """Return it with a part more."""
        oldest_at = part.starts_at if self.oldest_at is None else self.oldest_at
        return Usage(
            size_bytes=self.size_bytes + part.size_bytes,
            parts=self.parts + 1,
            oldest_at=min(oldest_at, part.starts_at),
        )

    def with_day(self, day: "Usage") -> "Usage":
        """Return it with a later day."""
        return Usage(
            size_bytes=self.size_bytes + day.size_bytes,
            parts=self.parts + day.parts,
            oldest_at=self.oldest_at or day.oldest_at,
        )


class RecordingFolder:
    """Keeps, lists and removes parts. Safe to use from several threads and processes.

    Only the owner may read the files: they show people.

    Args:
        root: Made if missing.
        clock: Wall clock, for ages.
        limits: What is kept.
        min_free_bytes: Nothing is written when the disk has less free.
        on_step: Told of each step of keeping a part, after it; what it raises ends the keeping.
    """

    def __init__(
        self,
        root: Path,
        *,
        clock: Clock,
        limits: Limits,
        min_free_bytes: int = 0,
        on_step: Callable[[PartStep], None] = ignore_step,
    ) -> None:
        self._root = root
        self._clock = clock
        self._limits = limits
        self._min_free_bytes = min_free_bytes
        self._on_step = on_step
        self._days: dict[Path, tuple[int, Usage]] = {}
        self._has_looked_back = False
        self._lock = threading.Lock()

    @property
    def root(self) -> Path:
        """Where the parts lie."""
        return self._root

    def begin(self, camera_id: str, starts_at: datetime) -> OpenPart:
        """Return a new part to write to. Raises StorageFull."""
        check_name(camera_id, what="camera id")
        self.check_space()
        folder = self._root / camera_id / day_of(starts_at)
        with storage_errors(self._root):
            self._make(folder)
            return OpenPart(
                folder / open_name(starts_at, secrets.token_hex(4)),
                camera_id=camera_id,
                starts_at=to_millisecond(starts_at),
                on_step=self._on_step,
            )

    def check_space(self) -> None:
        """Raise StorageFull if the disk has no room for more."""
        with storage_errors(self._root):
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            free_bytes = shutil.disk_usage(self._root).free
        if free_bytes < self._min_free_bytes:
            raise StorageFull(
                f"recording: the disk has {free_bytes} bytes free, {self._min_free_bytes} are left "
                "to alerts and their evidence (recording.min_free_bytes); lower recording.days or "
                "recording.quota_bytes"
            )

    def salvage(self, camera_id: str) -> list[Part]:
        """Finish the parts of a camera whose writers are gone, and return what came of them."""
        return [
            part
            for path in _walk(self._root / camera_id)
            if opened_at(path.parent.name, path.name) and (part := self._salvage(path, camera_id))
        ]

    def cameras(self) -> list[str]:
        """Return the cameras of which something is kept, by id."""
        with suppress(FileNotFoundError):
            return sorted(entry.name for entry in os.scandir(self._root) if entry.is_dir())
        return []

    def parts(self, camera_id: str, starts_at: datetime, ends_at: datetime) -> Iterator[Part]:
        """Yield the finished parts that show anything of a time, oldest first."""
        check_name(camera_id, what="camera id")
        first = day_of(starts_at - timedelta(days=1))  # a part begins the day before, at most
        for day in _days_of(self._root / camera_id):
            if first <= day.name <= day_of(ends_at):
                for part in self._parts_of(day):
                    if part.ends_at > starts_at and part.starts_at < ends_at:
                        yield part

    def path_of(self, part: Part) -> Path:
        """Return where a part lies."""
        return self._root / part.camera_id / part.day / part.name

    def usage(self, camera_id: str) -> Usage:
        """Return what is kept of a camera."""
        check_name(camera_id, what="camera id")
        usage = Usage()
        for day in _days_of(self._root / camera_id):
            usage = usage.with_day(self._usage_of(day))
        return usage

    def tidy(self) -> None:
        """Remove what is too old or too much; finish what a process left that is gone."""
        with self._alone() as is_alone:
            if is_alone:
                self._finish_left()
                self._remove_old()
                self._remove_surplus()

    def _finish_left(self) -> None:
        """Finish what is left half-written: of all days once, then of those that can get more."""
        now = self._clock.now()
        first = day_of(now - timedelta(days=1)) if self._has_looked_back else ""
        self._has_looked_back = True
        for day in self._all_days():
            for path in _walk(day) if day.name >= first else ():
                if not opened_at(day.name, path.name):
                    continue
                with suppress(OSError):
                    if path.stat().st_mtime < (now - _LEFT_AFTER).timestamp():
                        self._salvage(path, day.parent.name)

    def _salvage(self, path: Path, camera_id: str) -> Part | None:
        try:
            part = salvage(path, camera_id=camera_id, on_step=self._on_step)
        except OSError as error:
            log.warning("part of a recording cannot be finished", path=str(path), cause=str(error))
            return None
        if part is not None:
            log.info(
                "part of a recording finished for who died", camera_id=camera_id, part=part.name
            )
        return part

    def _remove_old(self) -> None:
        now = self._clock.now()
        newest = day_of(now - timedelta(days=self._limits.days))
        for day in self._all_days():
            if day.name <= newest:
                for part in self._parts_of(day):
                    if self._limits.too_old(part, now):
                        self._remove(part, "age")
            with suppress(OSError):
                if day.name < day_of(now):
                    day.rmdir()  # only where nothing is left in it

    def _remove_surplus(self) -> None:
        days = sorted(self._all_days(), key=lambda day: day.name)
        held_bytes = sum(self._usage_of(day).size_bytes for day in days)
        for name in sorted({day.name for day in days}):
            parts = [part for day in days if day.name == name for part in self._parts_of(day)]
            surplus = self._limits.too_much(parts, held_bytes=held_bytes)
            for part in surplus:
                self._remove(part, "size")
                held_bytes -= part.size_bytes
            if len(surplus) < len(parts):
                return

    def _remove(self, part: Part, reason: str) -> None:
        self.path_of(part).unlink(missing_ok=True)
        RECORDINGS_REMOVED.labels(reason).inc()

    def _all_days(self) -> list[Path]:
        return [day for camera_id in self.cameras() for day in _days_of(self._root / camera_id)]

    def _usage_of(self, day: Path) -> Usage:
        """Return what a day holds; one that has not changed since is not read again."""
        try:
            changed_ns = day.stat().st_mtime_ns
        except FileNotFoundError:
            return Usage()
        with self._lock:
            known = self._days.get(day)
        if known is not None and known[0] == changed_ns:
            return known[1]
        usage = Usage()
        for part in self._parts_of(day):
            usage = usage.with_part(part)
        if self._clock.now().timestamp() * 1e9 - changed_ns > _SETTLED_NS:
            with self._lock:
                self._days[day] = changed_ns, usage
        return usage

    def _parts_of(self, day: Path) -> list[Part]:
        """Return the finished parts of a camera's day, oldest first."""
        found: list[Part] = []
        with suppress(FileNotFoundError):
            for entry in os.scandir(day):
                part = parse_part(day.parent.name, day.name, entry.name)
                if part is not None:
                    with suppress(FileNotFoundError):
                        found.append(replace(part, size_bytes=entry.stat().st_size))
        return sorted(found, key=lambda part: (part.starts_at, part.digest))

    def _make(self, folder: Path) -> None:
        for path in (folder.parent, folder):
            if not path.is_dir():
                path.mkdir(exist_ok=True, mode=0o700)
                sync_folder(path.parent)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Hold the lock of whoever tidies up; False where another process has it."""
        try:
            descriptor = os.open(self._root / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # nothing was ever recorded
            yield False
            return
        try:
            yield _can_lock(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def storage_errors(root: Path) -> Iterator[None]:
    """Turn what the operating system says into ``StorageFull``."""
    try:
        yield
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "no space left" if is_full else f"cannot be written ({error.strerror})"
        raise StorageFull(f"recording: {root}: {why}") from error


def _can_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _days_of(camera: Path) -> list[Path]:
    """Return a camera's folders, oldest day first."""
    with suppress(FileNotFoundError, NotADirectoryError):
        names = [entry.name for entry in os.scandir(camera) if is_day(entry.name)]
        return [camera / name for name in sorted(names)]
    return []


def _walk(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        for name in names:
            yield Path(folder) / name
