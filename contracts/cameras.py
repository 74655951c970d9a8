"""Cameras as they are configured, and how they are doing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from urllib.parse import SplitResult, urlsplit, urlunsplit

from contracts.geometry import Zone
from contracts.ids import check_name
from contracts.rules import SceneRules


class SourceType(StrEnum):
    """How a camera's frames reach us; one file each in ``ingest/sources/``."""

    RTSP = "rtsp"
    ONVIF = "onvif"
    HTTP = "http"
    USB = "usb"
    WEBRTC = "webrtc"
    FILE = "file"
    SYNTHETIC = "synthetic"


class RtspTransport(StrEnum):
    """What carries RTP. UDP is opt-in: it loses packets where TCP waits (``ingest/carrier.py``)."""

    TCP = "tcp"
    UDP = "udp"
    UDP_ONLY = "udp_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """Where a camera's frames come from.

    Attributes:
        source_type: The protocol.
        url: As its type has it, credentials included. A secret: show ``redact_url(url)``.
        evidence_url: Of the main stream, for clips, if ``url`` is a sub-stream. A secret as well.
        transport: For RTSP only.
        is_looped: A file begins again at its end, as a new run.
        is_paced: A file or scene plays at its own speed rather than as fast as it can be read.
    """

    source_type: SourceType
    url: str = field(repr=False)
    evidence_url: str = field(default="", repr=False)
    transport: RtspTransport = RtspTransport.TCP
    is_looped: bool = False
    is_paced: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """One camera in the settings.

    Attributes:
        masks: Covered in every picture before it leaves the ingest process (``ingest/masks.py``).
        is_recorded: All of it is kept for some days, not only clips of incidents.
        keeps_audio: Clips and recordings have its sound, where MP4 can hold it as it is sent.
        analysis_fps: Frames per second that are analysed, at most.
        analysis_width: Pixels; height follows. Never above the source's own width.
        version: Goes up by one with each edit; stages take up a change by it.
    """

    camera_id: str
    source: SourceSettings
    name: str = ""
    place: str = ""
    tags: tuple[str, ...] = ()
    scene: SceneRules = field(default_factory=SceneRules)
    masks: tuple[Zone, ...] = ()
    is_recorded: bool = False
    keeps_audio: bool = False
    analysis_fps: float = 5.0
    analysis_width: int = 640
    is_enabled: bool = True
    version: int = 1

    def __post_init__(self) -> None:
        check_name(self.camera_id, what="camera id")


class CameraState(StrEnum):
    """Whether "no alert" from this camera means anything."""

    SEEING = "seeing"
    DEGRADED = "degraded"
    BLIND = "blind"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStatus:
    """How a camera's continuous recording is doing.

    Attributes:
        since: From when on nothing is missing by Vigil's fault; None while nothing is recorded.
        oldest_at, size_bytes: Of what is kept.
        problem: Why nothing is recorded, or not all; empty while all is well.
    """

    since: datetime | None = None
    oldest_at: datetime | None = None
    size_bytes: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraStatus:
    """How a camera is doing now, as its ingestor last said.

    Attributes:
        phase: Of its connection (``ingest/phases.py``), or ``unknown``.
        cause: In words for the operator, without secrets; empty while all is well.
        source_fps: Frames per second decoded, over the last seconds.
        last_frame_at: ``captured_at`` of the newest frame, if there was one.
        reconnects: Since the ingestor took the camera.
        updated_at: When this was said; old news means that the ingestor is gone.
        recording: None for a camera that is not to be recorded.
    """

    camera_id: str
    state: CameraState
    phase: str
    updated_at: datetime
    cause: str = ""
    source_fps: float = 0.0
    width: int = 0
    height: int = 0
    codec: str = ""
    last_frame_at: datetime | None = None
    reconnects: int = 0
    run_id: str = ""
    recording: RecordingStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraView:
    """What vision sees of a camera's view, as of one frame.

    Attributes:
        cause: What is wrong with it, in words; empty while it sees what it should.
        coverage: Share (0..1) of the last hour, or since it is known, that was really watched.
    """

    state: CameraState = CameraState.SEEING
    cause: str = ""
    coverage: float = 0.0


class CameraDirectory(Protocol):
    """Tells every stage which cameras there are; the API and the settings file fill it."""

    def cameras(self) -> Sequence[Camera]:
        """Return all cameras, enabled or not. Raises TransportUnavailable."""
        ...

    def publish_status(self, status: CameraStatus) -> None:
        """Say how a camera is doing. A status that cannot be sent is dropped."""
        ...


class Leases(Protocol):
    """Who may decode or track a camera now. A lease ends by itself if its holder dies."""

    def acquire(self, name: str) -> int | None:
        """Take or renew a lease; its fencing token (grows with each new holder), or None.

        Raises:
            TransportUnavailable: Nobody can say; keep working on what is held, take nothing new.
        """
        ...

    def release(self, name: str) -> None:
        """Give a lease back at once; nothing happens if it is not held."""
        ...


_MAYBE_CREDENTIALS = re.compile(r"[^@]*:[^@]*@")
"""A URL that was mistyped (``rtsp:/user:password@host``) still holds its password."""

_IN_PATH = re.compile(r"(?i)(?<![a-z])(user|passw?o?r?d?|pwd)=.*?(?=_[a-z]+=|[&;/]|$)")
_SECRET_WORDS = ("pass", "pwd", "token", "key", "secret", "user", "auth")


def redact_url(url: str) -> str:
    """Return a URL that may be logged, shown or sent: no user, no password, no secret parameter.

    What cannot be parsed is not echoed at all.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(a URL that cannot be parsed)"
    if not parts.scheme or "://" not in url:
        return "(a URL that cannot be parsed)" if _MAYBE_CREDENTIALS.match(url) else url
    if "@" in f"{parts.path}{parts.query}{parts.fragment}" and ":" in parts.netloc:
        return "(a URL that cannot be parsed)"  # a password with an unescaped / ? or #
    userinfo = "***@" if "@" in parts.netloc else ""
    host = f"[{host}]" if ":" in host else host
    query = "&".join(_redact_parameter(item) for item in parts.query.split("&") if item)
    path = _IN_PATH.sub(r"\1=***", parts.path)
    return urlunsplit(SplitResult(parts.scheme, f"{userinfo}{host}{port}", path, query, ""))


def _redact_parameter(item: str) -> str:
    name, separator, _ = item.partition("=")
    is_secret = separator and any(word in name.lower() for word in _SECRET_WORDS)
    return f"{name}=***" if is_secret else item
