"""Whether recordings are what their names say; sets right what can be."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from contracts.clock import Clock
from contracts.errors import ConfigError
from ingest.recorder.open_part import digest_of, is_being_written, salvage
from ingest.recorder.parts import opened_at, parse_part

_OWN: Final = ".tidying"


class RecordingFaultKind(StrEnum):
    """What can be wrong with a file among recordings. None can be missing: names are the rows."""

    DAMAGED = "damaged"
    """Its content does not have the hash in its name."""
    LEFT_OVER = "left_over"
    """A part whose writer died, and nobody finished it."""
    FOREIGN = "foreign"
    """Not a name that Vigil gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFault:
    """Something that is wrong; ``path`` is relative to the folder of recordings."""

    kind: RecordingFaultKind
    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingVerdict:
    """What a check found.

    Attributes:
        open_parts: Being written, or too young to be called left over.
    """

    parts: int
    size_bytes: int
    open_parts: int
    faults: tuple[RecordingFault, ...]


class RecordingAudit:
    """Checks one folder of recordings, which may be in use meanwhile.

    Args:
        root: One that is not there is empty.
        clock: For ages of files.
        settled_after: A part that nobody holds is left over once it is older.
        is_hashing: Read every file; otherwise damage is not found.
    """

    def __init__(
        self, root: Path, *, clock: Clock, settled_after: timedelta, is_hashing: bool = True
    ) -> None:
        self._root = root
        self._clock = clock
        self._settled_after = settled_after
        self._is_hashing = is_hashing

    def examine(self, on_file: Callable[[Path], None] = lambda _: None) -> RecordingVerdict:
        """Return what is wrong; changes nothing. Raises ConfigError if it cannot be read."""
        parts = size_bytes = open_parts = 0
        faults: list[RecordingFault] = []
        try:
            for path in self._files():
                on_file(path)
                try:
                    size = path.stat().st_size
                    kind = self._fault_of(path)
                except FileNotFoundError:  # finished or removed meanwhile
                    continue
                size_bytes += size
                is_open = opened_at(path.parent.name, path.name) is not None
                if kind is not None:
                    shown = str(path.relative_to(self._root))
                    faults.append(RecordingFault(kind=kind, path=shown, size_bytes=size))
                elif is_open:
                    open_parts += 1
                else:
                    parts += 1
        except PermissionError as error:
            raise ConfigError(
                f"recordings: {error.filename} cannot be read; run as who runs Vigil"
            ) from error
        return RecordingVerdict(
            parts=parts, size_bytes=size_bytes, open_parts=open_parts, faults=tuple(faults)
        )

    def file_count(self) -> int:
        """Return how many files there are now, for telling how far ``examine`` has come."""
        return sum(1 for _ in self._files())

    def repair(self, verdict: RecordingVerdict) -> Iterator[tuple[RecordingFault, str]]:
        """Finish what was left over, and yield each fault with what was done about it."""
        for fault in verdict.faults:
            path = self._root / fault.path
            if fault.kind is not RecordingFaultKind.LEFT_OVER:
                is_ours = fault.kind is RecordingFaultKind.DAMAGED
                yield fault, "left: only a backup can bring it back" if is_ours else "left"
                continue
            try:
                part = salvage(path, camera_id=path.parent.parent.name)
            except FileNotFoundError:
                yield fault, "finished meanwhile"
            except OSError as error:
                yield fault, f"left: {error.strerror}"
            else:
                yield fault, "removed: nothing of it plays" if part is None else "finished"

    def _files(self) -> Iterator[Path]:
        for folder, folders, names in os.walk(self._root):
            folders.sort()
            for name in sorted(names):
                if name != _OWN:
                    yield Path(folder) / name

    def _fault_of(self, path: Path) -> RecordingFaultKind | None:
        day, camera = path.parent, path.parent.parent
        if camera.parent != self._root:
            return RecordingFaultKind.FOREIGN
        if opened_at(day.name, path.name) is not None:
            age = self._clock.now() - datetime.fromtimestamp(path.stat().st_mtime, UTC)
            is_left = age >= self._settled_after and not is_being_written(path)
            return RecordingFaultKind.LEFT_OVER if is_left else None
        part = parse_part(camera.name, day.name, path.name)
        if part is None:
            return RecordingFaultKind.FOREIGN
        if self._is_hashing:
            with path.open("rb") as file:
                if digest_of(file) != part.digest:
                    return RecordingFaultKind.DAMAGED
        return None
