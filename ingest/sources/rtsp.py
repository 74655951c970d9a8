"""RTSP cameras through libav, with deadlines that hold and errors without secrets."""

import errno
from typing import Final
from urllib.parse import urlsplit

import av

from contracts.cameras import Camera, RtspTransport, redact_url
from contracts.clock import SystemClock
from contracts.errors import CredentialsRefused, SourceError, SourceRejected, SourceUnavailable
from contracts.settings import IngestSettings
from ingest.sources.opened import OpenedStream
from ingest.sources.stream import CODEC_WHITELIST, plain_reason

_PROTOCOLS: Final = {"rtsp": "rtsp,rtp,udp,tcp", "rtsps": "rtsp,rtp,udp,tcp,tls,crypto"}
"""By scheme; nothing else may be opened on a camera's word."""
_PROBE_US: Final = 1_000_000
"""Time to look for what the SDP leaves out; libav's own 5 s would delay every reconnection."""
_REORDER_US: Final = 300_000
"""How long UDP packets that come out of order are waited for."""
_UDP_BUFFER_BYTES: Final = 1 << 20
_CLOCK: Final = SystemClock()
"""libav's deadlines run on real time, whatever clock the caller has; a connection that ran into
one may report anything as its reason."""


def open_rtsp(camera: Camera, settings: IngestSettings) -> OpenedStream:
    """Connect and start playing.

    Raises:
        CredentialsRefused: 401 or 403.
        SourceRejected: Not an RTSP URL, or no such stream.
        SourceUnavailable: It cannot be reached, gave no answer that is understood, or none within
            ``open_timeout_s``.
    """
    url = camera.source.url
    shown = redact_url(url)
    scheme = _scheme(camera)
    started_s = _CLOCK.monotonic_s()
    try:
        container = av.open(
            url,
            mode="r",
            format="rtsp",
            container_options=_options(scheme, camera.source.transport),
            timeout=(settings.open_timeout_s, settings.read_timeout_s),
        )
    except av.FFmpegError as error:
        # The error's own text and its cause name the URL: neither may travel on.
        timed_out = _CLOCK.monotonic_s() - started_s >= settings.open_timeout_s
        raise _failure(camera.camera_id, shown, error, timed_out=timed_out) from None
    return OpenedStream(
        container=container,
        close=container.close,
        is_live=True,
        read_timeout_s=settings.read_timeout_s,
    )


def _scheme(camera: Camera) -> str:
    try:
        parts = urlsplit(camera.source.url)
        scheme, host = parts.scheme, parts.hostname
    except ValueError:
        scheme, host = "", None
    if scheme not in _PROTOCOLS or not host:
        # Without a scheme there is no telling which part of it is a password: not echoed.
        shown = redact_url(camera.source.url) if "://" in camera.source.url else "what is set"
        raise SourceRejected(
            camera.camera_id,
            f"{shown} is not the URL of an RTSP stream; "
            "wanted rtsp://host/path or rtsps://host/path",
        )
    return scheme


def _options(scheme: str, transport: RtspTransport) -> dict[str, str]:
    return {
        "rtsp_transport": transport.value,
        "protocol_whitelist": _PROTOCOLS[scheme],
        "codec_whitelist": CODEC_WHITELIST,
        "allowed_media_types": "video",
        "analyzeduration": str(_PROBE_US),
        "fpsprobesize": "0",  # no waiting for frames only to measure their rate
        "max_delay": str(_REORDER_US),
        "buffer_size": str(_UDP_BUFFER_BYTES),
    }


def _failure(camera_id: str, shown: str, error: av.FFmpegError, *, timed_out: bool) -> SourceError:
    if timed_out:
        return SourceUnavailable(camera_id, f"{shown} did not answer in time; is it on?")
    reason = plain_reason(error)
    match error:
        case av.error.HTTPUnauthorizedError() if "@" not in shown:
            return CredentialsRefused(
                camera_id,
                f"{shown} wants a user and a password (401); "
                "wanted: rtsp://user:password@host/path",
            )
        case av.error.HTTPUnauthorizedError():
            return CredentialsRefused(
                camera_id, f"{shown} refused the credentials (401); check user and password"
            )
        case av.error.HTTPForbiddenError():
            return CredentialsRefused(
                camera_id, f"{shown} forbids this user the stream (403); check its rights"
            )
        case av.error.HTTPNotFoundError():
            return SourceRejected(camera_id, f"{shown} has no such stream (404); check the path")
        case av.error.HTTPClientError():
            return SourceRejected(camera_id, f"{shown} refused the request ({reason})")
        case av.error.InvalidDataError() | av.error.LookupError():
            # Also what libav says of a camera that hangs up while it starts: worth a retry.
            return SourceUnavailable(
                camera_id, f"{shown} does not answer as an RTSP camera ({reason})"
            )
        case av.error.OSError() if error.errno == errno.EIO:
            return SourceUnavailable(
                camera_id, f"{shown} cannot be reached ({reason}); is the host's name right?"
            )
        case _:
            return SourceUnavailable(camera_id, f"{shown} cannot be reached ({reason})")
