"""The ladder: down while frames wait, up again once they do not, and no flapping."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.cameras import CameraState
from vision.ladder import (
    CALM_FOR_MAX_S,
    CALM_FOR_S,
    LATE_FOR_S,
    TOO_LATE_S,
    TRIED_FOR_S,
    WAITS_S,
    Ladder,
    Rung,
    Step,
)

LATE_S, HOPELESS_S, CALM_S = 1.0, 2.5, 0.05
FPS = 5.0


class Climb:
    """A camera on its ladder, in seconds that a test makes pass."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.ladder = Ladder(self.now_s)
        self.steps: list[tuple[float, Step]] = []

    def wait(self, waited_s: float, *, seconds: float, fps: float = FPS) -> None:
        for _ in range(round(seconds * fps)):
            self.now_s += 1 / fps
            step = self.ladder.note(self.now_s, waited_s)
            if step is not None:
                self.steps.append((self.now_s, step))

    @property
    def rungs(self) -> list[Rung]:
        return [step.after for _, step in self.steps]


def test_what_does_not_wait_is_looked_at_whole() -> None:
    climb = Climb()
    climb.wait(CALM_S, seconds=600.0)

    assert climb.rungs == []
    assert climb.ladder.rung.state is CameraState.SEEING


def test_frames_that_wait_lead_down_one_rung_at_a_time_to_the_last() -> None:
    climb = Climb()
    climb.wait(HOPELESS_S, seconds=60.0)

    assert climb.rungs == [Rung.HALF, Rung.ONE_A_SECOND, Rung.MOTION, Rung.RECORD]
    gaps = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(climb.steps)]
    assert min(gaps) >= LATE_FOR_S


def test_the_detector_looks_as_long_as_that_is_of_use_at_all() -> None:
    """A late alert is better than none."""
    climb = Climb()
    climb.wait(TOO_LATE_S, seconds=600.0)

    assert climb.rungs == [Rung.HALF, Rung.ONE_A_SECOND]


@pytest.mark.parametrize(("waited_s", "steps"), [(WAITS_S, 0), (WAITS_S + 0.1, 1)])
def test_boundary_of_the_wait(waited_s: float, steps: int) -> None:
    climb = Climb()
    climb.wait(waited_s, seconds=LATE_FOR_S + 0.4)

    assert len(climb.steps) == steps


def test_one_frame_in_time_ends_what_was_late() -> None:
    """A detector that hesitates, or an incident that is reported, holds up some frames only."""
    climb = Climb()
    for _ in range(20):
        climb.wait(LATE_S, seconds=1.2)
        climb.wait(CALM_S, seconds=0.2)

    assert climb.rungs == []


def test_it_comes_back_by_itself_one_rung_at_a_time() -> None:
    climb = Climb()
    climb.wait(LATE_S, seconds=2 * LATE_FOR_S + 1.0)
    climb.wait(CALM_S, seconds=3 * CALM_FOR_S)

    assert climb.rungs == [Rung.HALF, Rung.ONE_A_SECOND, Rung.HALF, Rung.EVERYTHING]
    assert climb.steps[-1][1].cause == ""


def test_what_is_neither_late_nor_calm_stays_where_it_is() -> None:
    climb = Climb()
    climb.wait(LATE_S, seconds=LATE_FOR_S + 0.4)
    climb.wait(0.4, seconds=600.0)

    assert climb.rungs == [Rung.HALF]


def test_a_rung_that_is_tried_in_vain_is_tried_ever_more_seldom() -> None:
    """There is time for half of the frames, and never for all of them."""
    climb = Climb()
    while climb.now_s < 1500.0:
        climb.wait(LATE_S if climb.ladder.rung is Rung.EVERYTHING else CALM_S, seconds=0.2)

    ups = [at_s for at_s, step in climb.steps if step.after < step.before]
    gaps = [round(later - earlier) for earlier, later in itertools.pairwise(ups)]
    assert gaps == sorted(gaps)
    assert max(gaps) == pytest.approx(CALM_FOR_MAX_S, abs=5.0)
    assert len(climb.steps) < 30


def test_a_rung_that_is_only_tried_is_left_sooner() -> None:
    climb = Climb()
    climb.wait(LATE_S, seconds=LATE_FOR_S + 0.4)
    climb.wait(CALM_S, seconds=CALM_FOR_S + 0.4)
    tried_at_s = climb.now_s
    climb.wait(LATE_S, seconds=5.0)

    assert climb.rungs[:3] == [Rung.HALF, Rung.EVERYTHING, Rung.HALF]
    assert climb.steps[2][0] - tried_at_s == pytest.approx(TRIED_FOR_S, abs=0.21)


def test_what_held_for_long_is_tried_again_as_soon_as_at_first() -> None:
    climb = Climb()
    for _ in range(3):
        climb.wait(LATE_S, seconds=LATE_FOR_S + 0.4)
        climb.wait(CALM_S, seconds=120.0)

    assert climb.rungs == 3 * [Rung.HALF, Rung.EVERYTHING]
    for (down_s, _), (up_s, _) in zip(climb.steps[::2], climb.steps[1::2], strict=True):
        assert up_s - down_s == pytest.approx(CALM_FOR_S, abs=1.0)


def test_a_step_says_why_and_what_is_left_out() -> None:
    climb = Climb()
    climb.wait(1.26, seconds=LATE_FOR_S + 0.4)

    [(_, step)] = climb.steps
    assert step.cause == (
        "this machine is too busy (frames waited 1.3 s): half of its frames are looked at"
    )


@pytest.mark.parametrize(
    ("rung", "every_s", "state"),
    [
        (Rung.EVERYTHING, 0.0, CameraState.SEEING),
        (Rung.HALF, 0.4, CameraState.DEGRADED),
        (Rung.ONE_A_SECOND, 1.0, CameraState.DEGRADED),
        (Rung.MOTION, 1.0, CameraState.BLIND),
        (Rung.RECORD, 1.0, CameraState.BLIND),
    ],
)
def test_each_rung_leaves_out_more(rung: Rung, every_s: float, state: CameraState) -> None:
    assert rung.every_s(FPS) == pytest.approx(every_s)
    assert rung.state is state


def test_a_camera_of_one_frame_in_two_seconds_is_never_looked_at_more_often_than_that() -> None:
    assert Rung.ONE_A_SECOND.every_s(0.5) == pytest.approx(2.0)


@given(st.lists(st.tuples(st.floats(0.0, 5.0), st.floats(0.01, 3.0)), max_size=200))
def test_steps_are_single_apart_and_down_only_after_lateness(
    frames: list[tuple[float, float]],
) -> None:
    ladder, now_s, since_s = Ladder(0.0), 0.0, 0.0
    for waited_s, gap_s in frames:
        now_s += gap_s
        before = ladder.rung
        step = ladder.note(now_s, waited_s)
        assert (ladder.rung is not before) == (step is not None)
        if step is None:
            continue
        assert abs(step.after - step.before) == 1
        is_down = step.after > step.before
        assert (waited_s > WAITS_S) == is_down
        assert now_s - since_s >= (TRIED_FOR_S if is_down else CALM_FOR_S) - 1e-3
        since_s = now_s
