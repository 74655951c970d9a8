"""The ports of the track archive: one end keeps, the other reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vision.archive.columns import StoredTracks


class TrackArchive(Protocol):
    """Vision's end: takes what was followed, and never holds anybody up."""

    def append(self, part: StoredTracks) -> None:
        """Keep the next part of a sitting, soon.

        Returns at once and never raises for a disk that is full or gone: the part is then left
        out, counted and logged.
        """
        ...


class NoArchive:
    """A ``TrackArchive`` for where nothing is to be kept."""

    def append(self, part: StoredTracks) -> None:
        """Keep nothing."""
        del part


class TrackStore(Protocol):
    """Where the parts go; called from one thread."""

    def append(self, part: StoredTracks) -> None:
        """Keep the part durably. Raises StorageFull: nothing of it was kept."""
        ...

    def tidy(self) -> None:
        """Remove what is too old or too much, and finish what a crash left. Raises StorageFull."""
        ...

    def close(self) -> None:
        """Finish what is being written. Raises StorageFull."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedFile:
    """A file of the archive that cannot be read, or not to its end; the rest was."""

    file: str
    reason: str


class TrackShelf(Protocol):
    """The end of whoever looks back."""

    def cameras(self) -> Sequence[str]:
        """Return the ids of all cameras that something is kept of, sorted."""
        ...

    def span(self, camera_id: str) -> tuple[datetime, datetime] | None:
        """Return about from when to when something is kept of a camera; None if nothing is."""
        ...

    def read(
        self, camera_id: str, *, start: datetime, end: datetime
    ) -> Iterator[StoredTracks | DamagedFile]:
        """Yield a camera's parts that may hold frames of ``start <= captured_at < end``.

        In order of time within a sitting; they may begin earlier and end later. Files that are
        damaged are said and passed over.
        """
        ...
