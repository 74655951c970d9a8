"""RTSP cameras through libav, with deadlines that hold and errors without secrets."""

import socket
import ssl
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import av
import structlog

from contracts.cameras import Camera, RtspTransport, redact_url
from contracts.clock import SystemClock
from contracts.settings import IngestSettings
from ingest.errors import CredentialsRefused, SourceError, SourceRejected, SourceUnavailable
from ingest.sources.opened import OpenedStream
from ingest.sources.rtsp_relay import Refusal, RtspRelay
from ingest.sources.stream import CODEC_WHITELIST, plain_reason

log = structlog.get_logger()

_SCHEMES: Final = ("rtsp", "rtsps")
_PROTOCOLS: Final = "rtsp,rtp,udp,tcp"
"""Nothing else may be opened on a camera's word; TLS is the relay's."""
_PROBE_US: Final = 1_000_000
"""Time to look for what the SDP leaves out; libav's own 5 s would delay every reconnection."""
_REORDER_US: Final = 300_000
"""How long UDP packets that come out of order are waited for."""
_LEFT_MIN_S: Final = 0.2
_UDP_BUFFER_BYTES: Final = 1 << 20
_CLOCK: Final = SystemClock()
"""libav's deadlines run on real time, whatever clock the caller has; a connection that ran into
one may report anything as its reason."""


def open_rtsp(
    camera: Camera, settings: IngestSettings, *, on_answer: Callable[[], None] | None = None
) -> OpenedStream:
    """Connect, through a relay of our own, and start playing.

    Args:
        camera: Its URL, credentials included.
        settings: Time-outs.
        on_answer: Called when the camera has answered for the first time.

    Raises:
        CredentialsRefused: 401 or 403.
        SourceRejected: Not an RTSP URL, no such stream, a redirect, or an answer that is not
            understood.
        SourceUnavailable: It cannot be reached, or did not answer within ``open_timeout_s``.
    """
    url = camera.source.url
    shown = redact_url(url)
    _check(camera)
    started_s = _CLOCK.monotonic_s()
    relay = RtspRelay(camera_url=url, timeout_s=settings.open_timeout_s, on_answer=on_answer)
    try:
        relay.open()
        left_s = settings.open_timeout_s - (_CLOCK.monotonic_s() - started_s)
        container = av.open(
            relay.url,
            mode="r",
            format="rtsp",
            container_options=_options(camera.source.transport),
            timeout=(max(_LEFT_MIN_S, left_s), settings.read_timeout_s),
        )
    except (OSError, av.FFmpegError) as error:
        relay.close()
        timed_out = _CLOCK.monotonic_s() - started_s >= settings.open_timeout_s
        # The error's own text and its cause may name the URL: neither may travel on.
        raise _failure(camera, shown, error, relay, timed_out=timed_out) from None
    if not relay.is_verified:
        log.warning("camera's certificate is not trusted, its stream can be forged", url=shown)

    def close() -> None:
        container.close()
        relay.close()

    return OpenedStream(container=container, close=close, is_live=True)


def _check(camera: Camera) -> None:
    try:
        parts = urlsplit(camera.source.url)
        scheme, host, _ = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host = "", None
    if scheme not in _SCHEMES or not host:
        # Without a scheme there is no telling which part of it is a password: not echoed.
        shown = redact_url(camera.source.url) if "://" in camera.source.url else "what is set"
        raise SourceRejected(
            camera.camera_id,
            f"{shown} is not the URL of an RTSP stream; "
            "wanted rtsp://host/path or rtsps://host/path",
        )


def _options(transport: RtspTransport) -> dict[str, str]:
    return {
        "rtsp_transport": transport.value,
        "protocol_whitelist": _PROTOCOLS,
        "codec_whitelist": CODEC_WHITELIST,
        "allowed_media_types": "video",
        "analyzeduration": str(_PROBE_US),
        "fpsprobesize": "0",  # no waiting for frames only to measure their rate
        "max_delay": str(_REORDER_US),
        "buffer_size": str(_UDP_BUFFER_BYTES),
    }


def _failure(
    camera: Camera, shown: str, error: Exception, relay: RtspRelay, *, timed_out: bool
) -> SourceError:
    camera_id = camera.camera_id
    if relay.refusal is not None:
        return _refused(camera_id, shown, relay.refusal)
    if isinstance(error, socket.gaierror):
        return SourceUnavailable(
            camera_id,
            f"{shown} cannot be reached ({error.strerror}); is the host's name right?",
        )
    if timed_out or isinstance(error, TimeoutError):
        return SourceUnavailable(camera_id, f"{shown} did not answer in time; is it on?")
    if isinstance(error, ssl.SSLError):
        return SourceRejected(camera_id, f"{shown} does not speak TLS ({error.reason})")
    if isinstance(error, av.FFmpegError):
        reason = plain_reason(error)
    else:
        reason = getattr(error, "strerror", None) or type(error).__name__
    if isinstance(error, av.error.InvalidDataError):
        return SourceRejected(camera_id, f"{shown} does not answer as an RTSP camera ({reason})")
    return SourceUnavailable(camera_id, f"{shown} cannot be reached ({reason})")


def _refused(camera_id: str, shown: str, refusal: Refusal) -> SourceError:
    status, detail = refusal.status, refusal.detail
    if 300 <= status < 400:  # redirects
        return SourceRejected(
            camera_id,
            f"{shown} redirects to {detail} ({status}), which is not followed; "
            "wanted: the URL of the stream itself",
        )
    match status:
        case 0:
            return SourceRejected(camera_id, f"{shown} is not accepted: {detail}")
        case 401 if "@" not in shown:
            return CredentialsRefused(
                camera_id,
                f"{shown} wants a user and a password (401); "
                "wanted: rtsp://user:password@host/path",
            )
        case 401:
            return CredentialsRefused(
                camera_id, f"{shown} refused the credentials (401); check user and password"
            )
        case 403:
            return CredentialsRefused(
                camera_id, f"{shown} forbids this user the stream (403); check its rights"
            )
        case 404:
            return SourceRejected(camera_id, f"{shown} has no such stream (404); check the path")
        case _ if status < 500:  # the request's fault
            return SourceRejected(camera_id, f"{shown} refused the request ({status})")
        case _:
            return SourceUnavailable(camera_id, f"{shown} cannot be reached ({status})")
