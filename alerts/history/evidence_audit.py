"""Goes through the rows that name evidence and the files that are there; sets right what it can."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import select

from alerts.history import incidents, schema
from alerts.history.database import Database
from alerts.history.evidence_check import Fault, FaultKind, KeptFile, Verdict, judge
from alerts.history.evidence_store import path_of
from contracts.clock import Clock
from contracts.errors import ConfigError, EvidenceMissing

_NAMED: Final = re.compile(r"sha256-[0-9a-f]{64}\.(?:jpg|mp4|json)")
_PART: Final = re.compile(r"\.sha256-[0-9a-f]{64}\.(?:jpg|mp4|json)\.[0-9a-f]{8}\.part")
_ROWS_AT_ONCE: Final = 500
_CHUNK_BYTES: Final = 1 << 20
_NO_FILE: Final = "the file was lost; vigil fsck found it missing"


class EvidenceAudit:
    """Checks one evidence folder against one database; both may be in use meanwhile.

    Args:
        database: Holds the rows.
        root: The evidence folder; one that is not there is empty.
        clock: For ages of files.
        settled_after: See ``judge``.
        is_hashing: Read every file; otherwise damage is not found.
    """

    def __init__(
        self,
        database: Database,
        root: Path,
        *,
        clock: Clock,
        settled_after: timedelta,
        is_hashing: bool = True,
    ) -> None:
        self._database = database
        self._root = root
        self._clock = clock
        self._settled_after = settled_after
        self._is_hashing = is_hashing

    def examine(self, on_file: Callable[[KeptFile], None] = lambda _: None) -> Verdict:
        """Return what is wrong; changes nothing. ``on_file`` is told of each file looked at.

        Raises:
            ConfigError: The folder or a file in it cannot be read, or the tables are not there.
            TransportUnavailable: The database cannot be reached.
        """
        named = self._named()
        mentioned = self._mentioned()
        try:
            return judge(
                named,
                self._files(on_file),
                mentioned=mentioned,
                now=self._clock.now(),
                settled_after=self._settled_after,
            )
        except PermissionError as error:
            raise ConfigError(
                f"evidence: {error.filename} cannot be read; run as who runs Vigil"
            ) from error

    def file_count(self) -> int:
        """Return how many files there are now, for telling how far ``examine`` has come."""
        return sum(len(names) for _, _, names in os.walk(self._root))

    def repair(self, verdict: Verdict) -> Iterator[tuple[Fault, str]]:
        """Set right what can be, and yield each fault with what was done about it.

        Raises:
            TransportUnavailable: The database cannot be reached; what was done stays done.
        """
        wanted = {*self._named(), *self._mentioned()}
        for fault in verdict.faults:
            if fault.is_removable:
                is_removed = fault.ref not in wanted and self._remove(self._root / fault.path)
                yield fault, "removed" if is_removed else "left: it is wanted again"
            elif fault.kind is FaultKind.MISSING:
                yield fault, self._mark(fault)
            else:
                yield fault, "left: only a backup can bring it back" if fault.ref else "left"

    def _named(self) -> dict[str, set[str]]:
        named: dict[str, set[str]] = {}
        rows = schema.incidents
        last = ""
        while True:
            found = (
                select(rows.c.incident_id, rows.c.document)
                .where(rows.c.incident_id > last)
                .order_by(rows.c.incident_id)
                .limit(_ROWS_AT_ONCE)
            )
            with self._database.read() as connection:
                page = connection.execute(found).all()
            for incident_id, document in page:
                for ref in _NAMED.findall(document):
                    named.setdefault(ref, set()).add(incident_id)
            if len(page) < _ROWS_AT_ONCE:
                return named
            last = page[-1][0]

    def _mentioned(self) -> set[str]:
        """Return what told events name: somebody may follow their links."""
        mentioned: set[str] = set()
        rows = schema.feed
        last = -1
        while True:
            found = (
                select(rows.c.seq, rows.c.document)
                .where(rows.c.seq > last)
                .order_by(rows.c.seq)
                .limit(_ROWS_AT_ONCE)
            )
            with self._database.read() as connection:
                page = connection.execute(found).all()
            for _, document in page:
                mentioned.update(_NAMED.findall(document))
            if len(page) < _ROWS_AT_ONCE:
                return mentioned
            last = page[-1][0]

    def _files(self, on_file: Callable[[KeptFile], None]) -> Iterator[KeptFile]:
        for folder, folders, names in os.walk(self._root):
            folders.sort()
            for name in sorted(names):
                try:
                    file = self._look(Path(folder) / name)
                except FileNotFoundError:  # a part that was renamed
                    continue
                on_file(file)
                yield file

    def _look(self, path: Path) -> KeptFile:
        state = path.lstat()
        ref = path.name if _NAMED.fullmatch(path.name) else ""
        if ref and path != path_of(self._root, ref):
            ref = ""
        is_sound = None
        if ref and self._is_hashing:
            is_sound = _digest(path) == ref.removeprefix("sha256-").split(".")[0]
        return KeptFile(
            path=str(path.relative_to(self._root)),
            ref=ref,
            is_part=_PART.fullmatch(path.name) is not None,
            size_bytes=state.st_size,
            modified_at=schema.from_micros(state.st_mtime_ns // 1000),
            is_sound=is_sound,
        )

    def _remove(self, path: Path) -> bool:
        """Remove the file unless it was written again since; say whether it is gone."""
        try:
            age = self._clock.now() - schema.from_micros(path.stat().st_mtime_ns // 1000)
            if age < self._settled_after:
                return False
            path.unlink()
        except FileNotFoundError:
            return True
        return True

    def _mark(self, fault: Fault) -> str:
        try:
            if path_of(self._root, fault.ref).exists():
                return "left: it is there again"
        except EvidenceMissing:
            return "left"
        marked = 0
        for incident_id in fault.incident_ids:
            with self._database.write() as connection:
                marked += incidents.mark_lost(connection, incident_id, fault.ref, problem=_NO_FILE)
        return f"marked as lost in {marked} incident(s)"


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
