"""Which ONVIF cameras answer in the networks of the machine that the api stage runs on."""

from fastapi import APIRouter
from pydantic import Field

from api.access import ADMIN
from api.cameras import host_of
from api.routes.cameras import DeskDep
from api.schemas import Answer, Body
from api.services import ServicesDep
from ingest.onvif.discovery import WAIT_S

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])


class DiscoverBody(Body):
    """How to look."""

    seconds: float = Field(default=WAIT_S, ge=0.5, le=10.0, description="How long to listen")


class Discovered(Answer):
    """A device that answered, by what it says of itself; nothing of it is verified."""

    address: str
    url: str = Field(description="To add or probe it, once user and password are put in")
    name: str
    hardware: str
    location: str
    camera_id: str | None = Field(description="Of a camera at this address, if there is one")
    advice: list[str]


class DiscoverAnswer(Answer):
    """What answered, by address."""

    items: list[Discovered]


@router.post("/discover", openapi_extra=ADMIN)
def discover_cameras(body: DiscoverBody, services: ServicesDep, desk: DeskDep) -> DiscoverAnswer:
    """Ask the network by multicast which ONVIF cameras there are; nothing is added."""
    known = {host_of(camera.source.url): camera.camera_id for camera in desk.all()}
    return DiscoverAnswer(
        items=[
            Discovered(
                address=found.address,
                url=found.url,
                name=found.name,
                hardware=found.hardware,
                location=found.location,
                camera_id=known.get(found.address),
                advice=list(found.advice),
            )
            for found in services.discover(body.seconds)
        ]
    )
