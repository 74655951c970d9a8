"""Which frames that were taken are looked at, and what for: one ladder a camera, by waits."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from contracts.cameras import CameraState, CameraView
from contracts.clock import Clock
from contracts.frames import FrameOutcome, QueuedFrame
from vision.ladder import Ladder, Rung, Step
from vision.live import LiveScene
from vision.metrics import FRAME_AGE_SECONDS, RUNG, RUNG_STEPS

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class RungChange:
    """A step on a camera's ladder, for its journal: fields as those of a change of phase."""

    camera_id: str
    at: datetime
    before: str
    after: str
    state: CameraState
    cause: str
    lasted_s: float


@dataclass(slots=True)
class _Standing:
    """Where a camera stands, why, and the stream time of the frame that was looked at last."""

    ladder: Ladder
    cause: str = ""
    looked_s: float = float("-inf")
    run_id: str = ""


class Attention:
    """Decides for each frame when it is its turn; what frames waited is all that it goes by.

    Args:
        clock: Wall clock for the age of frames, monotonic for the ladders.
        max_age_s: See ``QueueSettings``.
        tell: Hears of every step.
    """

    def __init__(
        self, clock: Clock, *, max_age_s: float, tell: Callable[[RungChange], None] | None = None
    ) -> None:
        self._clock = clock
        self._max_age_s = max_age_s
        self._tell = tell
        self._standings: dict[str, _Standing] = {}

    def rung(self, camera_id: str) -> Rung:
        """Return how much of a camera is looked at now."""
        return self._standing(camera_id).ladder.rung

    def leaves_out(
        self, queued: QueuedFrame, *, usual_fps: float, is_newest: bool
    ) -> FrameOutcome | None:
        """Return how to settle a frame that is not to be looked at; None for one that is.

        Args:
            queued: The camera's next frame.
            usual_fps: Frames per second that are looked at if there is time for all.
            is_newest: None newer has been taken. An old one is still better than nothing.
        """
        header = queued.frame.header
        standing = self._standing(header.camera_id)
        FRAME_AGE_SECONDS.labels(stage="vision").observe(max(0.0, self.age_s(queued)))
        self._note(header.camera_id, standing, queued)
        if not is_newest and self.age_s(queued) > self._max_age_s:
            return FrameOutcome.EXPIRED
        if standing.run_id != header.run_id:
            standing.run_id, standing.looked_s = header.run_id, float("-inf")
        every_s = standing.ladder.rung.every_s(usual_fps)
        # Half a frame's time: what is due lies on the grid of the frames that come.
        if header.monotonic_s - standing.looked_s < every_s - 0.5 / usual_fps:
            return FrameOutcome.SHED
        standing.looked_s = header.monotonic_s
        return None

    def age_s(self, queued: QueuedFrame) -> float:
        """Return the seconds since a frame was captured."""
        return (self._clock.now() - queued.frame.header.captured_at).total_seconds()

    def qualified(self, picture: LiveScene) -> LiveScene:
        """Return a live picture whose view says as well what is not looked at."""
        standing = self._standing(picture.header.camera_id)
        state, view = standing.ladder.rung.state, picture.view
        if state is CameraState.SEEING:
            return picture
        if view.state is CameraState.BLIND:
            state = view.state
        cause = "; ".join(filter(None, (view.cause, standing.cause)))
        return replace(picture, view=CameraView(state=state, cause=cause, coverage=view.coverage))

    def forget(self, camera_id: str) -> None:
        """Forget a camera that is held no more."""
        self._standings.pop(camera_id, None)
        RUNG.labels(camera=camera_id).set(0)

    def _standing(self, camera_id: str) -> _Standing:
        standing = self._standings.get(camera_id)
        if standing is None:
            standing = _Standing(Ladder(self._clock.monotonic_s()))
            self._standings[camera_id] = standing
        return standing

    def _note(self, camera_id: str, standing: _Standing, queued: QueuedFrame) -> None:
        if queued.queued_at is None:
            return
        waited_s = max(0.0, (self._clock.now() - queued.queued_at).total_seconds())
        step = standing.ladder.note(self._clock.monotonic_s(), waited_s)
        if step is not None:
            standing.cause = step.cause
            self._say(camera_id, step)

    def _say(self, camera_id: str, step: Step) -> None:
        change = RungChange(
            camera_id=camera_id,
            at=self._clock.now(),
            before=step.before.name.lower(),
            after=step.after.name.lower(),
            state=step.after.state,
            cause=step.cause,
            lasted_s=step.lasted_s,
        )
        RUNG.labels(camera=camera_id).set(int(step.after))
        RUNG_STEPS.labels(camera=camera_id, rung=change.after).inc()
        log.warning(
            "how much is looked at changed",
            camera_id=camera_id,
            before=change.before,
            after=change.after,
            waited_s=round(step.waited_s, 2),
            lasted_s=round(step.lasted_s, 1),
            cause=change.cause,
        )
        if self._tell is not None:
            self._tell(change)
