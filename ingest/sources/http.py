"""Cameras by HTTP: MJPEG, fragmented MP4, MPEG-TS, HLS. We fetch, libav only decodes."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import av
import structlog

from contracts.cameras import Camera, redact_url
from contracts.settings import IngestSettings
from ingest.errors import SourceRejected
from ingest.sources.acceleration import acceleration
from ingest.sources.hls import HlsBody
from ingest.sources.http_body import HttpBody, HttpCamera, HttpRefused
from ingest.sources.opened import OpenedStream
from ingest.sources.refusals import refused, unreachable
from ingest.sources.stream import CODEC_WHITELIST

log = structlog.get_logger()

_FORMATS: Final = {
    "multipart/x-mixed-replace": "mpjpeg",
    "video/x-motion-jpeg": "mjpeg",
    "video/mp4": "mp4",
    "video/iso.segment": "mp4",
    "video/mp2t": "mpegts",
}
_PLAYLISTS: Final = frozenset(
    {"application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl"}
)
_PLAYLIST: Final = "playlist"
_PROBE_US: Final = 1_000_000
_PROBE_BYTES: Final = 500_000
_WANTED: Final = "wanted: MJPEG (multipart), fragmented MP4, MPEG-TS or an HLS playlist"


def open_http(
    camera: Camera, settings: IngestSettings, *, on_answer: Callable[[], None] | None = None
) -> OpenedStream:
    """Ask for the stream and begin to read it.

    Raises:
        CredentialsRefused: 401 or 403.
        SourceRejected: No HTTP URL, a redirect, or an answer that is no stream.
        SourceUnavailable: It cannot be reached, or does not answer in time.
    """
    shown = redact_url(camera.source.url)
    url = camera.source.url
    try:
        fetcher = HttpCamera(url=url, timeout_s=settings.open_timeout_s)
    except ValueError:
        raise SourceRejected(
            camera.camera_id, f"{shown} is not the URL of a stream; wanted http://host/path"
        ) from None
    bodies: list[HttpBody | HlsBody] = []
    try:
        answer = fetcher.get(url)
        bodies.append(answer)
        if on_answer is not None:
            on_answer()
        form = _form(answer, url)
        if form == _PLAYLIST:
            answer.close()
            playlist = HlsBody(camera=fetcher, url=url, timeout_s=settings.read_timeout_s)
            bodies.append(playlist)
            playlist.open()
        container = _open(bodies[-1], form, settings)
    except HttpRefused as error:
        _close(bodies)
        # The error's own text and its cause may name the URL: neither may travel on.
        raise refused(camera.camera_id, shown, status=error.status, detail=error.detail) from None
    except (OSError, av.FFmpegError) as error:
        _close(bodies)
        raise unreachable(camera.camera_id, shown, error) from None
    if not fetcher.is_verified:
        log.warning("camera's certificate is not trusted, its stream can be forged", url=shown)

    def close() -> None:
        container.close()
        _close(bodies)

    return OpenedStream(
        container=container,
        close=close,
        is_live=True,
        has_clock="jpeg" not in form,
        comes_in_bursts=form == _PLAYLIST,
        before_packet=bodies[-1].arm,
    )


def _form(answer: HttpBody, url: str) -> str:
    """Return libav's name of what an answer holds. Raises HttpRefused for what is no stream."""
    if answer.content_type in _PLAYLISTS or urlsplit(url).path.endswith(".m3u8"):
        return _PLAYLIST
    form = _FORMATS.get(answer.content_type, "")
    if not form:
        found = answer.content_type or "nothing that it names"
        raise HttpRefused(0, f"it sends {found}; {_WANTED}")
    return form


def _close(bodies: list[HttpBody | HlsBody]) -> None:
    for body in bodies:
        body.close()


def _open(
    body: HttpBody | HlsBody, form: str, settings: IngestSettings
) -> av.container.InputContainer:
    if isinstance(body, HlsBody):
        form = "mp4" if body.is_fragmented else "mpegts"
    return av.open(
        body,
        mode="r",
        format=form,
        hwaccel=acceleration(settings),
        container_options={
            "codec_whitelist": CODEC_WHITELIST,
            "protocol_whitelist": "",
            "analyzeduration": str(_PROBE_US),
            "probesize": str(_PROBE_BYTES),
            "fpsprobesize": "0",
        },
    )
