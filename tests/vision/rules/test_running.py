"""Running: body heights a second, jitter, posture, boxes that are cut off."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.geometry import Box, Point
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings
from contracts.tracks import Track
from ingest.sources.scenes import yard_plan as plan
from tests.fakes.tracks import followed, header_at, observed, play, play_all
from tests.vision.test_ground import YARD
from vision.ground import GroundPlane
from vision.rules.running import RunningRule

HEIGHT = 0.2
"""Of the boxes that the fakes draw, in heights of the picture."""
ASPECT = 640 / 360


def rule(*, ground: GroundPlane | None = None, **params: float | str) -> RunningRule:
    return RunningRule(
        RuleSettings(rule_id="run", kind=RuleKind.RUNNING, params=params), zone=None, ground=ground
    )


def run(
    heights_per_s: float, *, seconds: float = 4.0, jitter: float = 0.0
) -> list[tuple[float, Point]]:
    """Across the picture from the left at an even pace."""
    noise = random.Random(2)  # noqa: S311  # jitter, no secret
    pace = heights_per_s * HEIGHT / ASPECT
    return [
        (
            round(0.2 * step, 6),
            (0.05 + pace * 0.2 * step + noise.gauss(0, jitter), 0.6 + noise.gauss(0, jitter)),
        )
        for step in range(round(seconds * 5))
    ]


def shown(watch: RunningRule, boxes: list[Box]) -> list[RuleEvent]:
    """A track with these boxes, five a second."""
    whole = followed([(round(0.2 * step, 6), (0.5, 0.5)) for step in range(len(boxes))])
    points = tuple(replace(p, box=box) for p, box in zip(whole.points, boxes, strict=True))
    events = []
    for count in range(1, len(boxes) + 1):
        seen: Track = replace(whole, points=points[:count])
        events += watch.update(observed([seen], header_at(points[count - 1].monotonic_s)))
    return events


def test_a_run_fires_once_with_its_pace() -> None:
    [event] = play(rule(), run(2.0, jitter=0.001))

    assert event.value == pytest.approx(2.0, rel=0.1)
    assert event.threshold == 1.5
    assert event.unit == "height/s"
    assert event.detail["by"] == "body"


@pytest.mark.parametrize("pace", [0.8, 1.1, 1.4])
def test_a_walk_is_no_run(pace: float) -> None:
    assert play(rule(), run(pace, jitter=0.002)) == []


@pytest.mark.parametrize(("threshold", "fires"), [(1.99, True), (2.01, False)])
def test_the_threshold_is_a_boundary(threshold: float, fires: bool) -> None:
    assert bool(play(rule(threshold=threshold), run(2.0))) is fires


def test_a_box_that_jitters_on_the_spot_does_not_run() -> None:
    noise = random.Random(9)  # noqa: S311  # jitter, no secret
    feet = [
        (round(0.2 * step, 6), (0.5 + noise.gauss(0, 0.015), 0.6 + noise.gauss(0, 0.015)))
        for step in range(300)
    ]

    assert play(rule(), feet) == []


def test_an_id_that_jumps_to_somebody_else_does_not_run() -> None:
    feet = [(round(0.2 * s, 6), (0.2 if s < 10 else 0.8, 0.6)) for s in range(25)]

    assert play(rule(), feet) == []


def test_who_bends_down_on_the_way_is_not_faster_for_it() -> None:
    boxes = []
    for step in range(20):
        x = 0.1 + 1.1 * HEIGHT / ASPECT * 0.2 * step
        tall = HEIGHT if step % 4 else HEIGHT / 2
        boxes.append((x, 0.6 - tall, x + 0.05, 0.6))

    assert shown(rule(), boxes) == []


def test_a_box_that_the_edge_cuts_off_is_not_measured() -> None:
    boxes = [(0.05 + 0.03 * s, 0.9, 0.1 + 0.03 * s, 1.0) for s in range(25)]

    assert shown(rule(), boxes) == []


def test_only_people_run_unless_labels_say_so() -> None:
    assert play(rule(), run(2.0), label="car") == []
    dogs = RunningRule(
        RuleSettings(rule_id="run", kind=RuleKind.RUNNING, labels=("dog",)), zone=None, ground=None
    )
    assert len(play(dogs, run(2.0), label="dog")) == 1


def test_on_calibrated_ground_running_towards_the_camera_counts_as_well() -> None:
    way = [
        (round(0.2 * step, 6), plan.VIEW.ground_point(0.0, 19.0 - 3.5 * 0.2 * step))
        for step in range(15)
    ]

    [event] = play(rule(ground=GroundPlane(YARD)), way)

    assert event.value == pytest.approx(3.5 / 1.7, rel=0.05)
    assert event.detail["by"] == "ground"


def test_a_short_interruption_goes_on_and_a_long_one_begins_anew() -> None:
    way = run(2.0, seconds=6)

    assert len(play(rule(), [step for index, step in enumerate(way) if index not in (7, 8)])) == 1
    late = [*way[:6], *[(at + 3, foot) for at, foot in way[6:9]]]
    assert play(rule(), late) == []


def test_who_slows_down_and_runs_again_is_reported_again() -> None:
    first = run(2.0, seconds=2)
    end = first[-1][1]
    stood = [(round(2.0 + 0.2 * s, 6), end) for s in range(15)]
    again = [
        (round(5.0 + 0.2 * s, 6), (end[0] + 2.0 * HEIGHT / ASPECT * 0.2 * s, 0.6))
        for s in range(12)
    ]

    assert len(play(rule(), [*first, *stood, *again])) == 2


def test_two_people_are_measured_each_for_itself() -> None:
    events = play_all(rule(), {"t1": run(2.0), "t2": run(0.9), "t3": run(2.5)})

    assert sorted(event.track_id for event in events) == ["t1", "t3"]


def test_two_cameras_do_not_share_a_way() -> None:
    here, there = rule(), rule()
    play(here, run(2.0)[:6])

    assert play(there, run(2.0)[6:9]) == []


def test_refuses_params_and_names_them() -> None:
    with pytest.raises(ConfigError, match=r"threshold must be a number >= 0\.1, got -1"):
        rule(threshold=-1.0)
    with pytest.raises(ConfigError, match=r"unknown parameter\(s\) threshold_mps"):
        rule(threshold_mps=3.0)


@settings(deadline=None)
@given(
    steps=st.lists(st.tuples(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02)), max_size=60),
)
def test_nobody_is_said_to_run_who_never_went_that_fast(steps: list[Point]) -> None:
    """Steps of at most 0.02 a frame are 1 body height a second at the very most."""
    x, y = 0.5, 0.6
    way = [(0.0, (x, y))]
    for index, (dx, dy) in enumerate(steps, start=1):
        x, y = min(0.9, max(0.1, x + dx)), min(0.9, max(0.3, y + dy))
        way.append((round(0.2 * index, 6), (x, y)))
    fastest = math.hypot(0.02 * ASPECT, 0.02) * 5 / HEIGHT

    assert play(rule(threshold=fastest + 0.01), way) == []
