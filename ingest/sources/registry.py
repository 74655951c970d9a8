"""Which opener serves which type of source."""

from collections.abc import Callable
from typing import Final

from contracts.cameras import Camera, SourceType
from contracts.settings import IngestSettings
from ingest.onvif.places import SCHEMES
from ingest.sources.descriptors import DescriptorRoom
from ingest.sources.file import open_file
from ingest.sources.http import open_http
from ingest.sources.onvif import open_onvif
from ingest.sources.opened import OpenedStream
from ingest.sources.rtsp import open_rtsp
from ingest.sources.synthetic import open_synthetic
from ingest.sources.usb import is_device, open_usb
from ingest.sources.webrtc import PublisherGone, open_webrtc
from ingest.webrtc.publication import Intake

Opener = Callable[[Camera, IngestSettings], OpenedStream]

OPENERS: Final[dict[SourceType, Opener]] = {
    SourceType.RTSP: open_rtsp,
    SourceType.ONVIF: open_onvif,
    SourceType.HTTP: open_http,
    SourceType.USB: open_usb,
    SourceType.FILE: open_file,
    SourceType.SYNTHETIC: open_synthetic,
}


_ROOM: Final = DescriptorRoom()
"""One, as descriptors are the whole process's."""


def type_of_url(url: str) -> SourceType:
    """Return how a URL, or a file's path, is read."""
    if is_device(url):
        return SourceType.USB
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme in ("http", "https"):
        return SourceType.HTTP
    if scheme in SCHEMES:
        return SourceType.ONVIF
    return SourceType.RTSP if scheme else SourceType.FILE


def open_source(
    camera: Camera,
    settings: IngestSettings,
    *,
    on_answer: Callable[[], None] | None = None,
    intake: Intake | None = None,
) -> OpenedStream:
    """Open the camera's source; raises as its opener does (``SourceError``).

    Raises ``SourceUnavailable`` too where no file descriptor is left for it.

    Args:
        camera: Whose.
        settings: Time-outs.
        on_answer: Called when something answers, by those openers that can tell.
        intake: Where its publisher comes in, for a camera that is published to.
    """
    with _ROOM.held_for(camera):
        return _open(camera, settings, on_answer, intake)


def _open(
    camera: Camera,
    settings: IngestSettings,
    on_answer: Callable[[], None] | None,
    intake: Intake | None,
) -> OpenedStream:
    match camera.source.source_type:
        case SourceType.RTSP:
            return open_rtsp(camera, settings, on_answer=on_answer)
        case SourceType.ONVIF:
            return open_onvif(camera, settings, on_answer=on_answer)
        case SourceType.HTTP:
            return open_http(camera, settings, on_answer=on_answer)
        case SourceType.WEBRTC:
            if intake is None:
                raise PublisherGone(camera.camera_id, "nobody can publish to this camera here")
            return open_webrtc(camera, settings, intake)
        case _:
            pass
    return OPENERS[camera.source.source_type](camera, settings)
