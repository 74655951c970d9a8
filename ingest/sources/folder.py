"""A folder of recordings as one camera: file after file, by name."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from contracts.cameras import Camera, SourceType
from ingest.errors import SourceRejected

_SUFFIXES: Final = frozenset(
    {".mp4", ".mov", ".mkv", ".webm", ".ts", ".avi", ".flv", ".h264", ".h265", ".mjpeg", ".m4v"}
)


class Playlist:
    """Which file of a folder is read now; for any other source, that source alone.

    The folder is looked through again for each file, so that recordings may be added.

    Args:
        camera: As configured.
    """

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._last = ""

    def now(self) -> Camera:
        """Return the camera with what is to be opened now.

        Raises:
            SourceRejected: The folder holds no recording.
        """
        files = self._files()
        if files is None:
            return self._camera
        coming = [file for file in files if file.name > self._last]
        if not files:
            raise SourceRejected(
                self._camera.camera_id, f"the folder holds no recording ({', '.join(_SUFFIXES)})"
            )
        file = coming[0] if coming else files[0]
        return replace(self._camera, source=replace(self._camera.source, url=str(file)))

    def went_through(self, camera: Camera) -> bool:
        """Note that what ``now`` returned has ended; say whether another file follows."""
        files = self._files()
        if files is None:
            return False
        self._last = Path(camera.source.url).name
        if any(file.name > self._last for file in files):
            return True
        self._last = ""
        return False

    def _files(self) -> list[Path] | None:
        source = self._camera.source
        if source.source_type is not SourceType.FILE or "\x00" in source.url:
            return None
        folder = Path(source.url)
        try:
            if not folder.is_dir():
                return None
            found = [file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES]
        except OSError:
            return None  # opening it says what is wrong
        return sorted((file for file in found if file.is_file()), key=lambda file: file.name)
