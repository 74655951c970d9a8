"""RTSP cameras through libav, with deadlines that hold and errors without secrets."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import av
import structlog

from contracts.cameras import Camera, RtspTransport, redact_url
from contracts.clock import SystemClock
from contracts.settings import IngestSettings
from ingest.errors import SourceRejected
from ingest.sources.acceleration import acceleration
from ingest.sources.opened import OpenedStream
from ingest.sources.refusals import refused, unreachable
from ingest.sources.rtsp_relay import RtspRelay
from ingest.sources.stream import CODEC_WHITELIST

log = structlog.get_logger()

_SCHEMES: Final = ("rtsp", "rtsps")
_PROTOCOLS: Final = "rtsp,tcp"
"""Nothing else may be opened on a camera's word; TLS and UDP are the relay's."""
_PROBE_US: Final = 1_000_000
"""Time to look for what the SDP leaves out; libav's own 5 s would delay every reconnection."""
_LEFT_MIN_S: Final = 0.2
_OPTIONS: Final = {
    "rtsp_transport": "tcp",
    "protocol_whitelist": _PROTOCOLS,
    "codec_whitelist": CODEC_WHITELIST,
    "allowed_media_types": "video",
    "analyzeduration": str(_PROBE_US),
    "fpsprobesize": "0",  # no waiting for frames only to measure their rate
}
_WITH_AUDIO: Final = {**_OPTIONS, "allowed_media_types": "video+audio"}
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
        SourceRejected: Not an RTSP URL, no such stream, or a redirect.
        SourceUnavailable: It cannot be reached, gave no answer that is understood, or none within
            ``open_timeout_s``.
    """
    url = camera.source.url
    shown = redact_url(url)
    _check(camera)
    started_s = _CLOCK.monotonic_s()
    relay = RtspRelay(
        camera_url=url,
        timeout_s=settings.open_timeout_s,
        is_udp=camera.source.transport is not RtspTransport.TCP,
        on_answer=on_answer,
    )
    try:
        relay.open()
        left_s = settings.open_timeout_s - (_CLOCK.monotonic_s() - started_s)
        container = av.open(
            relay.url,
            mode="r",
            format="rtsp",
            container_options=_WITH_AUDIO if camera.keeps_audio else _OPTIONS,
            hwaccel=acceleration(settings),
            timeout=(max(_LEFT_MIN_S, left_s), settings.read_timeout_s),
        )
    except (OSError, av.FFmpegError) as error:
        relay.close()
        timed_out = _CLOCK.monotonic_s() - started_s >= settings.open_timeout_s
        # The error's own text and its cause may name the URL: neither may travel on.
        if relay.refusal is not None:
            answer = relay.refusal
            raise refused(
                camera.camera_id,
                shown,
                status=answer.status,
                detail=answer.detail,
                asked=camera.source.transport,
            ) from None
        raise unreachable(camera.camera_id, shown, error, timed_out=timed_out) from None
    if not relay.is_verified:
        log.warning("camera's certificate is not trusted, its stream can be forged", url=shown)

    def close() -> None:
        container.close()
        relay.close()

    return OpenedStream(
        container=container,
        close=close,
        is_live=True,
        read_timeout_s=settings.read_timeout_s,
        lost=lambda: relay.lost,
    )


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
