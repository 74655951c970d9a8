"""What a worker leaves out while frames wait, and what it says of that."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from contracts.cameras import Camera, CameraState
from contracts.frames import EncodedFrame, FrameOutcome
from tests.fakes.pipeline_rig import camera
from tests.fakes.vision_site import Site, clip
from vision.attention import RungChange
from vision.ladder import CALM_FOR_S
from vision.worker import WorkerPorts


class Busy(Site):
    """A site whose frames lie in the queue for a while before the worker comes to them."""

    def __init__(self, *, cameras: Sequence[Camera] = (camera(),)) -> None:
        self.told: list[RungChange] = []
        super().__init__(cameras=cameras)

    def ports(self) -> WorkerPorts:
        return replace(super().ports(), tell=self.told.append)

    def wait_through(self, frames: Iterable[EncodedFrame], *, waits_s: float) -> None:
        """Each frame is queued at its time, and taken up so much later, one by one."""
        for frame in frames:
            due = frame.header.captured_at
            self.clock.advance(max(0.0, (due - self.clock.now()).total_seconds()))
            self.frames.put(frame)
            back = self.clock.now()
            self.clock.step_wall(waits_s)
            self.worker.turn()
            self.clock.step_wall((back - self.clock.now()).total_seconds())

    @property
    def rungs(self) -> list[str]:
        return [change.after for change in self.told]


def test_frames_that_do_not_wait_are_all_looked_at() -> None:
    site = Busy()
    site.wait_through(clip(0, 100), waits_s=0.1)

    assert site.rungs == []
    assert site.outcomes() == {FrameOutcome.ANALYSED: 100}


def test_frames_that_wait_are_left_out_one_rung_at_a_time_and_counted() -> None:
    site = Busy()
    site.wait_through(clip(0, 100), waits_s=2.5)

    assert site.rungs == ["half", "one_a_second", "motion", "record"]
    outcomes = site.outcomes()
    assert outcomes[FrameOutcome.SHED] > outcomes[FrameOutcome.ANALYSED] > 0
    assert sum(outcomes.values()) == 100


def test_the_camera_says_why_and_what_is_not_looked_at() -> None:
    site = Busy()
    site.wait_through(clip(0, 10), waits_s=1.0)

    view = site.live.pictures[-1].view
    assert view.state is CameraState.DEGRADED
    assert view.cause == (
        "this machine is too busy (frames waited 1.0 s): half of its frames are looked at"
    )


def test_a_camera_that_is_only_recorded_is_blind_and_still_shown() -> None:
    site = Busy()
    site.wait_through(clip(0, 100), waits_s=2.5)

    shown = site.live.pictures[-1]
    assert (shown.view.state, shown.boxes) == (CameraState.BLIND, ())
    assert "its frames are not looked at" in shown.view.cause


def test_it_comes_back_by_itself() -> None:
    site = Busy()
    site.wait_through(clip(0, 10), waits_s=1.0)
    site.wait_through(clip(10, 10 + round(CALM_FOR_S + 4.0) * 5), waits_s=0.0)

    assert site.rungs == ["half", "everything"]
    assert site.live.pictures[-1].view.state is CameraState.SEEING


def test_one_camera_that_waits_leads_no_other_down() -> None:
    site = Busy(cameras=[camera(), replace(camera(), camera_id="yard")])
    site.wait_through(clip(0, 10), waits_s=1.0)

    assert {change.camera_id for change in site.told} == {"cam"}


def test_what_a_line_made_late_is_no_wait() -> None:
    """Frames that were old when they were queued: looking at fewer would help nobody."""
    site = Busy()
    for frame in clip(0, 60):
        late_at = frame.header.captured_at + timedelta(seconds=1.5)
        site.clock.advance(max(0.0, (late_at - site.clock.now()).total_seconds()))
        site.frames.put(frame)
        site.worker.turn()

    assert site.rungs == []


def test_who_takes_a_camera_over_begins_with_everything() -> None:
    site = Busy()
    site.wait_through(clip(0, 60), waits_s=1.0)
    site.restart_worker()
    site.wait_through(clip(60, 64), waits_s=0.0)

    assert site.outcomes()[FrameOutcome.ANALYSED] >= 4
