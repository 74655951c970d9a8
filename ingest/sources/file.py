"""Recorded files, by path on this machine."""

import os
import re
from pathlib import Path
from typing import Final

import av

from contracts.cameras import Camera, redact_url
from contracts.settings import IngestSettings
from ingest.errors import SourceRejected
from ingest.sources.acceleration import acceleration
from ingest.sources.opened import OpenedStream
from ingest.sources.stream import CODEC_WHITELIST, plain_reason

_FORMATS: Final = "mov,mp4,matroska,webm,mpegts,mpeg,avi,flv,ivf,h264,hevc,m4v,mjpeg,ogg,asf,obu"
"""Containers that hold their own video. Not among them: playlists (hls, concat), which name other
files or addresses to open."""
_ADDRESS: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:/")
"""With one slash as well: a ``Path`` takes the second one away."""


def open_file(camera: Camera, settings: IngestSettings) -> OpenedStream:
    """Open the recording at the camera's path.

    Raises:
        SourceRejected: It is not there, may not be read, or is not a video in a format accepted.
    """
    path = Path(camera.source.url)
    shown = redact_url(str(path))
    _check(path, camera, shown=shown)
    try:
        container = av.open(
            f"file:{path.absolute()}",
            mode="r",
            container_options={
                "protocol_whitelist": "file",
                "format_whitelist": _FORMATS,
                "codec_whitelist": CODEC_WHITELIST,
            },
            hwaccel=acceleration(settings),
            timeout=(settings.open_timeout_s, settings.read_timeout_s),
        )
    except (av.FFmpegError, UnicodeError) as error:
        reason = plain_reason(error) if isinstance(error, av.FFmpegError) else "odd name"
        raise SourceRejected(
            camera.camera_id,
            f"{shown} is not a video that can be read ({reason}); "
            "wanted: MP4, MOV, MKV, WebM, TS, AVI, FLV or raw H.264/H.265",
        ) from None
    return OpenedStream(container=container, close=container.close, is_live=False)


def _check(path: Path, camera: Camera, *, shown: str) -> None:
    problem = ""
    if _ADDRESS.match(camera.source.url):
        raise SourceRejected(
            camera.camera_id,
            f"{shown} is an address; wanted: the path of a file on this machine",
        )
    try:
        if path.is_dir():
            problem = "is a directory; name one file in it"
        elif not path.exists():
            problem = "is not there; check the path"
        elif not path.is_file():
            problem = "is not a regular file"
        elif not os.access(path, os.R_OK):
            problem = "may not be read by this user; check its permissions"
        elif path.stat().st_size == 0:
            problem = "is empty"
    except OSError as error:
        problem = f"cannot be looked at ({error.strerror})"
    if problem:
        raise SourceRejected(camera.camera_id, f"{shown} {problem}")
