"""How much of a time a camera was watched, and what its connection went through."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, Field

from alerts.payload import rfc3339
from api.access import ADMIN
from api.coverage import Covered, covered, covered_by_step
from api.problems import bad_field
from api.routes.cameras import DeskDep
from api.schemas import Answer
from api.services import Services, ServicesDep

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])

_STEPS_MAX: Final = 1000
_GAPS_MAX: Final = 1000
_LONGEST: Final = timedelta(days=400)


class CoverageStep(Answer):
    """Seconds of an interval by what the camera was; they add up to its length."""

    start: str
    end: str
    covered: float = Field(description="Share (0..1) in which the camera was not blind")
    seeing_s: float
    degraded_s: float
    blind_s: float
    unknown_s: float = Field(description="Nobody was there to say: Vigil did not run")

    @classmethod
    def of(cls, part: Covered) -> "CoverageStep":
        """Return the wire form."""
        return cls(
            start=rfc3339(part.starts_at) or "",
            end=rfc3339(part.ends_at) or "",
            covered=round(part.share, 4),
            seeing_s=round(part.seeing_s, 1),
            degraded_s=round(part.degraded_s, 1),
            blind_s=round(part.blind_s, 1),
            unknown_s=round(part.unknown_s, 1),
        )


class CoverageGap(Answer):
    """A time in which the camera was blind or degraded, and why."""

    start: str
    end: str
    state: str
    phase: str
    cause: str


class CoverageAnswer(Answer):
    """How much of a time a camera was watched: without it, "no alert" says nothing."""

    camera_id: str
    total: CoverageStep
    steps: list[CoverageStep]
    gaps: list[CoverageGap] = Field(
        description=f"Oldest first, {_GAPS_MAX} at most; times in none of them and not seeing are "
        "unknown"
    )


class PhaseStep(Answer):
    """One change of a connection's phase."""

    at: str
    before: str
    after: str
    state: str
    cause: str
    lasted_s: float = Field(description="How long the phase before had held")


class PhaseSteps(Answer):
    """The newest changes, newest first."""

    items: list[PhaseStep]


class _Interval:
    """The time that a request asks for."""

    def __init__(
        self,
        services: ServicesDep,
        starts_at: Annotated[
            AwareDatetime | None, Query(alias="from", description="Default: a day before `to`")
        ] = None,
        ends_at: Annotated[
            AwareDatetime | None, Query(alias="to", description="Default, and at most: now")
        ] = None,
        step_s: Annotated[float, Query(ge=10, description="Length of the steps")] = 3600.0,
    ) -> None:
        now = services.clock.now()
        self.ends_at = min(ends_at.astimezone(UTC), now) if ends_at else now
        self.starts_at = (
            starts_at.astimezone(UTC) if starts_at else self.ends_at - timedelta(days=1)
        )
        self.step = timedelta(seconds=step_s)
        if not self.starts_at < self.ends_at:
            raise bad_field("from", "must be before `to` and before now")
        if self.ends_at - self.starts_at > _LONGEST:
            raise bad_field("from", f"at most {_LONGEST.days} days before `to`")
        if (self.ends_at - self.starts_at) / self.step > _STEPS_MAX:
            raise bad_field("step_s", f"gives more than {_STEPS_MAX} steps; take longer ones")


@router.get("/{camera_id}/coverage", openapi_extra=ADMIN)
def camera_coverage(
    camera_id: str,
    services: ServicesDep,
    desk: DeskDep,
    wanted: Annotated[_Interval, Depends()],
) -> CoverageAnswer:
    """Say for how much of a time the camera was seeing, degraded, blind or nobody knows."""
    desk.get(camera_id)
    return _answer(services, camera_id, wanted.starts_at, wanted.ends_at, wanted.step)


@router.get("/{camera_id}/changes", openapi_extra=ADMIN)
def camera_changes(
    camera_id: str,
    services: ServicesDep,
    desk: DeskDep,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> PhaseSteps:
    """List what the camera went through, newest first: phases of its connection, and rungs.

    ``udp`` to ``tcp`` is a camera that lost too much by UDP, and back one that TCP did not help.
    The rungs say how much of it is looked at while the machine is too busy: ``everything``,
    ``half``, ``one_a_second``, ``motion``, ``record``.
    """
    desk.get(camera_id)
    return PhaseSteps(
        items=[
            PhaseStep(
                at=rfc3339(change.at) or "",
                before=change.before,
                after=change.after,
                state=change.state.value,
                cause=change.cause,
                lasted_s=round(change.lasted_s, 1),
            )
            for change in services.phase_changes(camera_id, limit)
        ]
    )


def _answer(
    services: Services, camera_id: str, starts_at: datetime, ends_at: datetime, step: timedelta
) -> CoverageAnswer:
    watches = services.watches.between(camera_id, starts_at, ends_at)
    gaps = [watch for watch in watches if watch.state != "seeing"]
    return CoverageAnswer(
        camera_id=camera_id,
        total=CoverageStep.of(covered(watches, starts_at, ends_at)),
        steps=[
            CoverageStep.of(part)
            for part in covered_by_step(watches, starts_at, ends_at, step=step)
        ],
        gaps=[
            CoverageGap(
                start=rfc3339(max(gap.started_at, starts_at)) or "",
                end=rfc3339(min(gap.ended_at, ends_at)) or "",
                state=gap.state.value,
                phase=gap.phase,
                cause=gap.cause,
            )
            for gap in gaps[:_GAPS_MAX]
        ],
    )
