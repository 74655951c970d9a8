"""Every setting, read once at start by ``api/__main__.py``; nobody else reads the environment.

Order of precedence: command line, environment (``VIGIL_<NAME>``, sections with two underscores:
``VIGIL_INGEST__STALL_AFTER_S``), the settings file, these defaults.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

DetectorFamily = Literal["auto", "encoder", "motion", "yolox", "transformers", "torchvision"]
"""What makes boxes: ``auto`` chooses, each other family is one file of ``vision/detect``."""


class Section(BaseModel):
    """A group of settings; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class IngestSettings(Section):
    """Reading cameras."""

    open_timeout_s: float = Field(
        default=5.0, gt=0, description="A camera that has not answered by then is tried again."
    )
    read_timeout_s: float = Field(
        default=5.0, gt=0, description="Silence within a stream that ends the run."
    )
    stall_after_s: float = Field(
        default=5.0, gt=0, description="No frame for this long makes the camera blind."
    )
    back_off_max_s: float = Field(
        default=30.0, gt=0, description="Longest wait between attempts to reconnect."
    )
    auth_retry_s: float = Field(
        default=300.0, gt=0, description="Wait after refused credentials: cameras lock accounts."
    )
    jpeg_quality: int = Field(
        default=85, ge=30, le=100, description="Of frames on their way to analysis."
    )
    clip_ring_s: float = Field(
        default=40.0, ge=0, description="Encoded video kept in memory for clips, per camera."
    )
    hwaccel: Literal["off", "cuda"] = Field(
        default="off", description="Device that decodes video; the CPU does where it cannot."
    )
    cameras_per_process: int = Field(
        default=4, ge=1, description="A crash in a decoder restarts so many cameras at most."
    )
    memory_limit_mb: int = Field(
        default=2000, ge=200, description="An ingest process that holds more is started again."
    )


class RecordingSettings(Section):
    """Continuous recording, of cameras that are switched to it."""

    folder: Path | None = Field(default=None, description="Empty: `recordings` in data_dir.")
    days: float = Field(default=7.0, gt=0, description="Parts that are older are removed.")
    quota_bytes: int = Field(
        default=50_000_000_000, ge=0, description="Kept at most, the oldest go first; 0: no limit."
    )
    min_free_bytes: int = Field(
        default=1_000_000_000, ge=0, description="Recording stops when the disk has less free."
    )


class WebRtcSettings(Section):
    """Cameras that publish by WHIP, live views by WHEP."""

    viewers: int = Field(default=4, ge=0, le=64, description="Live views at once, per camera.")
    addresses: tuple[str, ...] = Field(default=(), description="Own IPs to offer; none: all.")
    public_address: str = Field(default="", description="IP before a NAT, offered as well.")
    ports: str = Field(default="", description="UDP ports, as `40000-40100`; empty: any.")
    ice_servers: tuple[SecretStr, ...] = Field(default=(), description="STUN and TURN URLs.")


class QueueSettings(Section):
    """The frame queue on Redis."""

    frames_per_camera: int = Field(
        default=16, ge=1, description="Newest frames kept per camera; dropped ones are counted."
    )
    max_age_s: float = Field(
        default=2.0, gt=0, description="A frame older than this is not analysed, and counted."
    )
    shared_memory_mb: int = Field(
        default=512, ge=0, description="Pixels in memory shared on this host, at most; 0: JPEG."
    )
    shared_memory_folder: Path = Field(
        default=Path("/dev/shm"),  # noqa: S108  # in a folder of its own that nobody else may enter
        description="Where that memory is; a tmpfs that ingest and vision both see.",
    )
    lease_s: float = Field(
        default=3.0, gt=0.5, description="A dead worker's cameras are taken over after this long."
    )


class VisionSettings(Section):
    """Detection, tracking, rules, evidence."""

    detector: DetectorFamily = Field(
        default="auto",
        description="Detector family; `auto` takes what measured best of what is here.",
    )
    weights: Path | None = Field(
        default=None, description="Model file or folder of a family that needs one."
    )
    confidence: float = Field(
        default=0.35, gt=0, lt=1, description="Detections below this are not tracked."
    )
    threads: int = Field(default=1, ge=1, description="Threads of one inference session.")
    backend: Literal["auto", "onnxruntime", "torch", "cuda"] = Field(
        default="auto",
        description="What runs the encoder; `auto` measures at start where there is a choice.",
    )
    batch_frames: int = Field(
        default=0, ge=0, le=256, description="Frames looked at in one go; 0 lets the backend say."
    )
    pre_roll_s: float = Field(default=5.0, ge=0, description="Clip before the incident began.")
    post_roll_s: float = Field(default=5.0, ge=0, description="Clip after the decisive frame.")
    close_after_s: float = Field(
        default=10.0, gt=0, description="An incident without news for this long is closed."
    )
    track_days: float = Field(
        default=7.0, ge=0, description="Days for which tracks are kept for back-tests; 0: none."
    )
    track_quota_bytes: int = Field(
        default=5_000_000_000,
        ge=0,
        description="Tracks kept at most; 0 means no limit but the disk.",
    )


class ReasoningSettings(Section):
    """The reasoning core."""

    reasoner: str = Field(
        default="program",
        description="Who reasons: `program`, `core` (the shipped weights) or a path of weights.",
    )
    deadline_s: float = Field(
        default=1.0, gt=0, description="An alert not reasoned by then is marked unreasoned."
    )


class AlertSettings(Section):
    """Policy, history, webhooks."""

    min_severity: Literal["info", "low", "medium", "high", "critical"] = Field(
        default="info", description="Below this no alert is raised (the event is still stored)."
    )
    webhook_timeout_s: float = Field(
        default=15.0, gt=0, description="Whole time of one webhook attempt."
    )
    allow_private_webhooks: bool = Field(
        default=False, description="Allow webhooks to private and loopback addresses."
    )
    evidence_quota_bytes: int = Field(
        default=20_000_000_000, ge=0, description="Evidence kept at most; 0 means no limit."
    )
    evidence_min_free_bytes: int = Field(
        default=200_000_000, ge=0, description="Stop storing evidence when the disk has less free."
    )


class ApiSettings(Section):
    """The web server."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(8480, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    public_url: str = Field(default="", description="How browsers reach it, if through a proxy.")
    session_hours: float = Field(default=12.0, gt=0, description="A sign-in ends after this long.")
    secure_cookies: bool = Field(
        default=False, description="Send cookies over HTTPS only; set it behind a TLS proxy."
    )


class CameraSettings(Section):
    """A camera declared in the settings file; it is created or updated at start."""

    id: str = Field(description="1 to 63 of a-z, 0-9, '_' and '-'.")
    url: SecretStr = Field(
        description="rtsp://, onvif:// or http:// URL, usb:/dev/video0, a path, synthetic:yard."
    )
    evidence_url: SecretStr = Field(SecretStr(""), description="For clips, if url is a sub-stream.")
    name: str = Field(default="", description="For people.")
    place: str = Field(default="", description="Where it is.")
    transport: Literal["tcp", "udp", "udp_only"] = Field(
        "tcp", description="Carrier of RTP; udp goes over to TCP if it loses much, udp_only never."
    )
    analysis_fps: float = Field(default=5.0, gt=0, le=30, description="Frames analysed per second.")
    record: bool = Field(default=False, description="Keep all of its video for some days.")
    audio: bool = Field(default=False, description="Keep its sound in clips and recordings.")
    rules_file: Path | None = Field(default=None, description="Zones, lines and rules as JSON.")


class Settings(Section):
    """All settings."""

    data_dir: Path = Field(
        default=Path(".vigil"), description="State: database, evidence, embedded Redis."
    )
    redis_url: SecretStr = Field(
        default=SecretStr(""), description="Shared Redis; empty starts an embedded one."
    )
    database_url: SecretStr = Field(
        default=SecretStr(""), description="SQLAlchemy URL; empty means SQLite in data_dir."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe line that is logged."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="One line for people, or one JSON object."
    )
    time_zone: str = Field(
        default="UTC", description="IANA name; for the hour of day in facts and schedules."
    )
    source: SecretStr = Field(
        default=SecretStr(""),
        description="Watch this instead of the demo camera: whatever cameras[].url may be.",
    )
    ingest: IngestSettings = IngestSettings()
    recording: RecordingSettings = RecordingSettings()
    webrtc: WebRtcSettings = WebRtcSettings()
    queue: QueueSettings = QueueSettings()
    vision: VisionSettings = VisionSettings()
    reasoning: ReasoningSettings = ReasoningSettings()
    alerts: AlertSettings = AlertSettings()
    api: ApiSettings = ApiSettings()
    cameras: tuple[CameraSettings, ...] = Field(
        default=(), description="Cameras of the settings file."
    )
