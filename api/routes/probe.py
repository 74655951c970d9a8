"""What a camera sends, before or after it is added."""

from fastapi import APIRouter
from pydantic import Field

from api.access import ADMIN
from api.cameras import make_source
from api.schemas import Answer, Body, SourceBody
from api.services import ServicesDep

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])


class ProbeBody(Body):
    """Which camera to look at."""

    source: SourceBody


class ProfileAnswer(Answer):
    """A stream that an ONVIF device says it has."""

    profile_id: str
    name: str
    source: str = Field(description="Of video; a recorder has one for each of its cameras")
    codec: str
    width: int
    height: int
    fps: float
    kbit_per_second: int
    url: str = Field(description="Without user and password; empty where it was not asked for")


class DeviceAnswer(Answer):
    """What an ONVIF device says of itself."""

    manufacturer: str
    model: str
    firmware: str
    clock_offset_s: float | None = Field(description="Our clock minus the device's")
    profiles: list[ProfileAnswer]
    analysis: str = Field(description="Token of the profile that is analysed")
    evidence: str = Field(description="Of the main stream for clips; empty if it is the same")
    topics: list[str] = Field(description="Of the events that it can send")
    advice: list[str]


class ProbeAnswer(Answer):
    """What a camera sends, or why nothing could be read from it."""

    ok: bool
    problem: str = Field(description="Why nothing could be read; empty if something was")
    codec: str = ""
    width: int = 0
    height: int = 0
    stated_fps: float = 0.0
    fps: float = Field(default=0.0, description="As measured")
    bits_per_second: float = 0.0
    key_interval_s: float | None = Field(default=None, description="Longest between key frames")
    first_picture_s: float = 0.0
    watched_s: float = 0.0
    pictures: int = 0
    corrupt: int = 0
    clock_offset_s: float | None = Field(
        default=None, description="Our clock minus the camera's; null if it does not say"
    )
    advice: list[str] = Field(default_factory=list, description="What to change, in sentences")
    device: DeviceAnswer | None = Field(
        default=None, description="What the device says of itself, for onvif://"
    )


@router.post("/probe", openapi_extra=ADMIN)
def probe_camera(body: ProbeBody, services: ServicesDep) -> ProbeAnswer:
    """Connect to a camera, watch it for some seconds and say what it sends; nothing is kept."""
    source = make_source(
        body.source.url.get_secret_value(),
        source_type=body.source.type,
        transport=body.source.transport,
        is_looped=False,
    )
    found = services.probe(source)
    known = {name: value for name, value in found.items() if name in ProbeAnswer.model_fields}
    return ProbeAnswer.model_validate({**known, "ok": not found.get("problem")})
