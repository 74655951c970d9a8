"""What rules would have said of a camera's last hours or days."""

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Body
from pydantic import AwareDatetime, Field

from api.access import ADMIN, IdentityDep
from api.backtest import FIRST, Tried, question_of
from api.routes.cameras import DeskDep
from api.rules_file import SceneRulesParser
from api.schemas import Body as RequestBody
from api.services import ServicesDep

log = structlog.get_logger()

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])

Words = Annotated[list[Annotated[str, Field(max_length=300)]], Field(max_length=50)]


class BackTestBody(RequestBody):
    """Which time, and which rules; nothing means the last 24 hours and the camera's own."""

    hours: float | None = Field(default=None, gt=0, le=168, description="The last so many hours")
    starts_at: AwareDatetime | None = Field(default=None, alias="from", description="RFC 3339")
    ends_at: AwareDatetime | None = Field(default=None, alias="to", description="RFC 3339; now")
    scene: dict[str, Any] | None = Field(
        default=None, description="Zones, lines and rules to try, in the form of a rules file"
    )
    set: Words = Field(
        default_factory=list, description="Values to try: `waiting.threshold_s=60` and the like"
    )
    only: Words = Field(default_factory=list, description="Ids of the rules that matter")
    first: int = Field(default=FIRST, ge=0, le=1000, description="How many events are listed")


@router.post("/{camera_id}/backtest", openapi_extra=ADMIN)
def back_test(
    camera_id: str,
    identity: IdentityDep,
    services: ServicesDep,
    desk: DeskDep,
    body: Annotated[BackTestBody | None, Body()] = None,
) -> dict[str, Any]:
    """Say what would have fired, by rule and day, against the camera's present rules."""
    asked = body or BackTestBody()
    camera = desk.get(camera_id)
    span = services.back_tests.span(hours=asked.hours, start=asked.starts_at, end=asked.ends_at)
    rules = None if asked.scene is None else SceneRulesParser("scene").parse(asked.scene)
    question = question_of(
        camera_id,
        camera.scene,
        Tried(rules=rules, settings=asked.set, only=asked.only),
        span=span,
        first=asked.first,
    )
    answer = services.back_tests.ask(question)
    log.info(
        "back-test answered",
        camera_id=camera_id,
        user_id=identity.user_id,
        hours=round((span[1] - span[0]).total_seconds() / 3600, 1),
        incidents=answer["incidents"],
    )
    return answer
