"""What is wrong between the rows that name evidence and the files that are there (pure)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class FaultKind(StrEnum):
    """What can be wrong with a piece of evidence."""

    MISSING = "missing"
    """A row names it and there is no file."""
    DAMAGED = "damaged"
    """Its content does not have the hash in its name."""
    ORPHANED = "orphaned"
    """No row names it, and it is too old for one to be on its way."""
    LEFT_OVER = "left_over"
    """A part whose writer died."""
    FOREIGN = "foreign"
    """Not a name that Vigil gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """A file in the evidence folder.

    Attributes:
        path: Relative to that folder.
        ref: The address that it lies under; empty for a part and for what is foreign.
        is_part: Unfinished.
        is_sound: Its content has the hash in its name; None if nobody looked.
    """

    path: str
    ref: str = ""
    is_part: bool = False
    size_bytes: int
    modified_at: datetime
    is_sound: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is wrong.

    Attributes:
        path: The file, relative to the evidence folder; empty for one that is missing.
        incident_ids: Whose evidence it is.
    """

    kind: FaultKind
    ref: str = ""
    path: str = ""
    incident_ids: tuple[str, ...] = ()
    size_bytes: int = 0

    @property
    def is_removable(self) -> bool:
        """Nobody can want the file any more."""
        return self.kind in (FaultKind.ORPHANED, FaultKind.LEFT_OVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check found.

    Attributes:
        rows: Pieces of evidence that rows name.
        recent: Files without a row and parts, too young to be called left behind.
    """

    rows: int
    files: int
    size_bytes: int
    recent: int
    faults: tuple[Fault, ...]


def judge(
    named: Mapping[str, Collection[str]],
    files: Iterable[KeptFile],
    *,
    mentioned: Collection[str] = (),
    now: datetime,
    settled_after: timedelta,
) -> Verdict:
    """Return what is wrong.

    Args:
        named: ``ref -> incidents`` of all rows, read before the files were listed: a file is
            published before its row, so each row that was read has its file by then.
        files: All that is in the evidence folder.
        mentioned: Further addresses that somebody may still ask for: no orphans.
        now: Wall clock.
        settled_after: A file without a row, or a part, is left behind once it is older.
    """
    faults: list[Fault] = []
    present: set[str] = set()
    count = size_bytes = recent = 0
    for file in files:
        count += 1
        size_bytes += file.size_bytes
        is_wanted = file.ref in named or file.ref in mentioned
        if file.ref:
            present.add(file.ref)
        kind = _fault_of(file, is_wanted=is_wanted)
        if kind in (FaultKind.ORPHANED, FaultKind.LEFT_OVER) and (
            now - file.modified_at < settled_after
        ):
            recent += 1
        elif kind is not None:
            faults.append(
                Fault(
                    kind=kind,
                    ref=file.ref,
                    path=file.path,
                    incident_ids=tuple(sorted(named.get(file.ref, ()))),
                    size_bytes=file.size_bytes,
                )
            )
    faults += [
        Fault(kind=FaultKind.MISSING, ref=ref, incident_ids=tuple(sorted(incident_ids)))
        for ref, incident_ids in named.items()
        if ref not in present
    ]
    order = list(FaultKind)
    faults.sort(key=lambda fault: (order.index(fault.kind), fault.ref, fault.path))
    return Verdict(
        rows=len(named), files=count, size_bytes=size_bytes, recent=recent, faults=tuple(faults)
    )


def _fault_of(file: KeptFile, *, is_wanted: bool) -> FaultKind | None:
    if file.is_part:
        return FaultKind.LEFT_OVER
    if not file.ref:
        return FaultKind.FOREIGN
    if not is_wanted:
        return FaultKind.ORPHANED
    return FaultKind.DAMAGED if file.is_sound is False else None
