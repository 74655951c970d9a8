"""Archives of tracks in memory, and sittings in a test's hands."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from contracts.frames import FrameHeader
from contracts.tracks import Track
from vision.archive.columns import StoredTracks, merged
from vision.archive.port import DamagedFile
from vision.archive.recorder import TrackRecorder, micros, moment


class InMemoryTracks:
    """Both ends of an archive; what is put into ``damage`` is said at each reading."""

    def __init__(self) -> None:
        self.parts: list[StoredTracks] = []
        self.damage: list[DamagedFile] = []

    def append(self, part: StoredTracks) -> None:
        self.parts.append(part)

    def cameras(self) -> Sequence[str]:
        return sorted({part.camera_id for part in self.parts})

    def span(self, camera_id: str) -> tuple[datetime, datetime] | None:
        parts = [part for part in self.parts if part.camera_id == camera_id]
        if not parts:
            return None
        return moment(parts[0].started), moment(int(parts[-1].captured_F[-1]))

    def read(
        self, camera_id: str, *, start: datetime, end: datetime
    ) -> Iterator[StoredTracks | DamagedFile]:
        yield from self.damage
        for part in self.parts:
            is_before = part.captured_F[0] >= micros(end)
            if part.camera_id == camera_id and not (
                is_before or part.captured_F[-1] < micros(start)
            ):
                yield part


def recorded(frames: Iterable[tuple[FrameHeader, Sequence[Track]]]) -> StoredTracks:
    """What is stored of frames of one sitting."""
    return merged(archive_of(frames).parts)


def archive_of(*sittings: Iterable[tuple[FrameHeader, Sequence[Track]]]) -> InMemoryTracks:
    """An archive of sittings in order of time, in the parts in which they came."""
    archive = InMemoryTracks()
    for frames in sittings:
        recorder = TrackRecorder(archive)
        for header, tracks in frames:
            recorder.look(header, tracks)
        recorder.flush()
    return archive
