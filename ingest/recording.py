"""A recorded file as frames, as fast as it can be read, through the same code as any camera."""

from collections.abc import Iterator
from datetime import datetime
from types import TracebackType
from typing import Self

from contracts.cameras import Camera
from contracts.frames import EncodedFrame
from contracts.settings import IngestSettings
from ingest.encoding import as_jpeg
from ingest.errors import SourceEnded, SourceRejected
from ingest.framing import Framer
from ingest.masks import PrivacyMask, covered
from ingest.sources.opened import OpenedStream
from ingest.sources.registry import open_source
from ingest.sources.stream import StreamReader
from ingest.timeline import Arrival


class Recording:
    """An open recording; iterate over it once, close it (or use ``with``).

    Attributes:
        duration_s: Its length if it states one.
        skipped: Pictures left out by sampling so far.
        corrupt: Pictures left out as damaged so far.
    """

    def __init__(self, camera: Camera, settings: IngestSettings, *, starts_at: datetime) -> None:
        self._opened = open_source(camera, settings)
        try:
            self._reader = _reader_of_recording(self._opened, camera.camera_id)
        except SourceRejected:
            self._opened.close()
            raise
        self._framer = Framer(
            camera,
            frame_interval_s=self._reader.frame_interval_s,
            starts_at=starts_at,
        )
        self._quality = settings.jpeg_quality
        self._starts_at = starts_at
        self._mask = PrivacyMask(camera.masks)
        self.duration_s = self._reader.duration_s
        self.corrupt = 0

    @property
    def skipped(self) -> int:
        """Pictures left out by sampling so far."""
        return self._framer.skipped

    def __iter__(self) -> Iterator[EncodedFrame]:
        """Yield frames at the camera's analysis rate, to the end of the recording.

        Raises:
            SourceRejected: Not one picture could be decoded.
        """
        arrival = Arrival(at=self._starts_at, monotonic_s=0.0)
        units = self._reader.units()
        while True:
            try:
                unit = next(units)
            except SourceEnded:
                return
            self.corrupt += unit.corrupt
            for decoded in unit.frames:
                for frame in self._framer.add(covered(decoded, self._mask), arrival=arrival):
                    yield as_jpeg(frame, quality=self._quality)

    def close(self) -> None:
        """Free the file; calling it again does nothing."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read_recording(camera: Camera, settings: IngestSettings, *, starts_at: datetime) -> Recording:
    """Open a camera's recording; the first picture's ``captured_at`` is ``starts_at``.

    Raises:
        SourceRejected: It is not a recording that can be read; the message says why.
    """
    return Recording(camera, settings, starts_at=starts_at)


def _reader_of_recording(opened: OpenedStream, camera_id: str) -> StreamReader:
    if opened.is_live:
        raise SourceRejected(camera_id, "is live; wanted: a recorded file")
    return StreamReader(opened, camera_id=camera_id, is_offline=True)
