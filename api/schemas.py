"""The wire format of requests and answers: pydantic here, contracts inside.

Unknown fields of a request are refused by name. Times are RFC 3339 in UTC with milliseconds.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from alerts.payload import rfc3339
from api.ports import StageHealth
from contracts.cameras import (
    Camera,
    CameraStatus,
    CameraView,
    RecordingStatus,
    RtspTransport,
    SourceSettings,
    SourceType,
    redact_url,
)
from contracts.frames import FrameOutcome
from ingest.frame_account import FrameAccount


class Body(BaseModel):
    """A request body."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Answer(BaseModel):
    """An answer body."""

    model_config = ConfigDict(frozen=True)


Tag = Annotated[str, Field(min_length=1, max_length=64)]


class SignInBody(Body):
    """Either a one-time link's secret part, or name and password."""

    link: SecretStr | None = Field(default=None, max_length=256, description="`<id>.<secret>`")
    name: str = Field(default="", max_length=100)
    password: SecretStr = Field(default=SecretStr(""), max_length=1024)


class PasswordBody(Body):
    """A new password; the current one is not needed after signing in by link."""

    password: SecretStr = Field(max_length=1024, description="12 to 256 characters")
    current_password: SecretStr = Field(default=SecretStr(""), max_length=1024)


class Me(Answer):
    """Who is signed in."""

    user_id: str
    name: str
    role: str
    signed_in_by: str = Field(description="link, password, or the name of an API token")
    expires_at: str
    has_password: bool


class SourceBody(Body):
    """Where a camera's frames come from."""

    type: SourceType | None = Field(default=None, description="Taken from the URL if left out")
    url: SecretStr = Field(
        default=SecretStr(""),
        max_length=2048,
        description="rtsp://user:password@host/path, onvif://user:password@host, http(s)://, "
        "usb:/dev/video0, a file's path on the ingest machine, "
        "synthetic:<scene>, or webrtc: for a camera that publishes to Vigil; answers show it "
        "without user and password",
    )
    evidence_url: SecretStr | None = Field(
        default=None,
        max_length=2048,
        description="Main stream for clips, where `url` is the sub-stream that is analysed",
    )
    transport: RtspTransport = RtspTransport.TCP
    looped: bool = Field(default=False, description="A file begins again at its end")


class CameraBody(Body):
    """A camera to add."""

    id: str | None = Field(
        default=None, description="1 to 63 of a-z, 0-9, _ and -; made from the name if left out"
    )
    name: str = Field(default="", max_length=100)
    source: SourceBody
    place: str = Field(default="", max_length=100)
    tags: list[Tag] = Field(default_factory=list, max_length=32)
    analyze_fps: float = Field(default=5.0, gt=0, le=30)
    record: bool = Field(default=False, description="Keep all of its video for some days")
    audio: bool = Field(default=False, description="Keep its sound in clips and recordings")
    enabled: bool = True


class SourceChange(Body):
    """What changes of a camera's source."""

    type: SourceType | None = None
    url: SecretStr | None = Field(default=None, max_length=2048)
    evidence_url: SecretStr | None = Field(default=None, max_length=2048)
    transport: RtspTransport | None = None
    looped: bool | None = None


class CameraChange(Body):
    """What changes of a camera; fields left out stay."""

    name: str | None = Field(default=None, max_length=100)
    source: SourceChange | None = None
    place: str | None = Field(default=None, max_length=100)
    tags: list[Tag] | None = Field(default=None, max_length=32)
    analyze_fps: float | None = Field(default=None, gt=0, le=30)
    record: bool | None = None
    audio: bool | None = None
    enabled: bool | None = None


_PREFIXES = {SourceType.SYNTHETIC: "synthetic:", SourceType.WEBRTC: "webrtc:"}


class Source(Answer):
    """A camera's source; its URL without user, password and secret parameters."""

    type: SourceType
    url: str
    evidence_url: str
    transport: RtspTransport
    looped: bool

    @classmethod
    def of(cls, source: SourceSettings) -> "Source":
        """Return the wire form."""
        prefix = _PREFIXES.get(source.source_type, "")
        return cls(
            type=source.source_type,
            url=prefix + redact_url(source.url),
            evidence_url=redact_url(source.evidence_url),
            transport=source.transport,
            looped=source.is_looped,
        )


class FrameCounts(Answer):
    """The frame account: received = analysed + gated + dropped + queued, or it is not balanced.

    Attributes:
        carrier: How the newest frame came to vision: ``memory`` (shared on one host) or ``jpeg``.
    """

    received: int
    analysed: int
    gated: int
    dropped: int
    dropped_by_reason: dict[str, int]
    queued: int
    balanced: bool
    skipped_by_sampling: int
    corrupt: int
    carrier: str

    @classmethod
    def of(cls, account: FrameAccount) -> "FrameCounts":
        """Return the wire form."""
        kept = (FrameOutcome.ANALYSED.value, FrameOutcome.GATED.value)
        lost = {name: count for name, count in account.outcomes.items() if name not in kept}
        return cls(
            received=account.received,
            analysed=account.outcomes.get(FrameOutcome.ANALYSED.value, 0),
            gated=account.outcomes.get(FrameOutcome.GATED.value, 0),
            dropped=sum(lost.values()),
            dropped_by_reason=lost,
            queued=account.queued,
            balanced=account.is_balanced,
            skipped_by_sampling=account.skipped,
            corrupt=account.corrupt,
            carrier=account.carrier,
        )


class RecordingState(Answer):
    """How a camera's continuous recording is doing."""

    recording_since: str | None = Field(
        description="From when on nothing is missing by Vigil's fault; null while nothing is kept"
    )
    oldest_at: str | None
    size_bytes: int
    problem: str = Field(description="Why nothing is recorded; empty while all is well")

    @classmethod
    def of(cls, status: RecordingStatus) -> "RecordingState":
        """Return the wire form."""
        return cls(
            recording_since=rfc3339(status.since),
            oldest_at=rfc3339(status.oldest_at),
            size_bytes=status.size_bytes,
            problem=status.problem,
        )


class Status(Answer):
    """How a camera is doing; ``state`` says whether "no alert" from it means anything."""

    camera_id: str
    state: str = Field(description="seeing, degraded or blind")
    phase: str
    cause: str
    fps: float
    width: int
    height: int
    codec: str
    last_frame_at: str | None
    last_frame_age_s: float | None
    reconnects: int
    updated_at: str | None
    recording: RecordingState | None = Field(description="null unless it is to be recorded")
    coverage: float | None = Field(
        description="Share (0..1) of the last hour that was analysed while the camera was not "
        "blind, counted from when vision took the camera; null if vision says nothing"
    )

    @classmethod
    def of(cls, status: CameraStatus, view: CameraView | None, *, now: datetime) -> "Status":
        """Return the wire form; the age is at least 0."""
        age_s = None
        if status.last_frame_at:
            age_s = round(max(0.0, (now - status.last_frame_at).total_seconds()), 3)
        return cls(
            camera_id=status.camera_id,
            state=status.state.value,
            phase=status.phase,
            cause=status.cause,
            fps=round(status.source_fps, 2),
            width=status.width,
            height=status.height,
            codec=status.codec,
            last_frame_at=rfc3339(status.last_frame_at),
            last_frame_age_s=age_s,
            reconnects=status.reconnects,
            updated_at=rfc3339(status.updated_at),
            recording=RecordingState.of(status.recording) if status.recording else None,
            coverage=None if view is None else round(view.coverage, 4),
        )


class StatusWithFrames(Status):
    """How a camera is doing, and what became of its frames."""

    frames: FrameCounts


class CameraAnswer(Answer):
    """A camera as configured, and how it is doing."""

    id: str
    name: str
    source: Source
    place: str
    tags: list[str]
    analyze_fps: float
    record: bool
    audio: bool
    enabled: bool
    masks: list[str] = Field(description="Names of its privacy masks")
    version: int
    status: Status

    @classmethod
    def of(cls, camera: Camera, status: Status) -> "CameraAnswer":
        """Return the wire form."""
        return cls(
            id=camera.camera_id,
            name=camera.name,
            source=Source.of(camera.source),
            place=camera.place,
            tags=list(camera.tags),
            analyze_fps=camera.analysis_fps,
            record=camera.is_recorded,
            audio=camera.keeps_audio,
            enabled=camera.is_enabled,
            masks=[mask.name or mask.zone_id for mask in camera.masks],
            version=camera.version,
            status=status,
        )


class CameraList(Answer):
    """A page of cameras by id."""

    items: list[CameraAnswer]
    next_cursor: str | None


class NoteBody(Body):
    """What somebody has to say about an alert."""

    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] = Field(
        default="", description="Kept with the alert; shown to people, sent to webhooks"
    )


class EventList(Answer):
    """A page of events, newest first."""

    items: list[dict[str, Any]]
    next_cursor: str | None


class Version(Answer):
    """Which Vigil this is."""

    name: Literal["vigil"] = "vigil"
    version: str
    api: Literal["v1"] = "v1"


class Alive(Answer):
    """The web server answers."""

    status: Literal["alive"] = "alive"


class Part(Answer):
    """One part that readiness depends on."""

    name: str
    ok: bool
    detail: str


class Readiness(Answer):
    """Whether everything that alerts need is there."""

    status: Literal["ready", "not-ready"]
    parts: list[Part]


class SystemAnswer(Answer):
    """Readiness with the stage processes, for the dashboard."""

    status: Literal["ready", "not-ready"]
    version: str
    now: str | None
    parts: list[Part]
    stages: list["Stage"]


class Stage(Answer):
    """One stage process as it last reported."""

    stage: str
    instance: str
    restarts: int
    reported_at: str | None

    @classmethod
    def of(cls, health: StageHealth) -> "Stage":
        """Return the wire form."""
        return cls(
            stage=health.stage,
            instance=health.instance,
            restarts=health.restarts,
            reported_at=rfc3339(health.reported_at),
        )
