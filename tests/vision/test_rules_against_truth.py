"""Times and speeds that rules state, against drawn truth; docs/results/rules.md has the tables."""

from dataclasses import replace

import pytest

from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings, SceneRules
from contracts.tracks import Track
from ingest.sources.scenes.yard_truth import YARD_EVENTS, YARD_RULES, TrueEvent
from tests.vision.drawn_truth import (
    JITTER,
    YARD_CALIBRATION,
    Boxes,
    car_boxes,
    person_boxes,
    watched,
    yard_boxes,
)
from vision.facts import dwell_fact
from vision.watch import Watch

ONE_FRAME_S = 0.2
ROUNDED_S = 0.05
"""The truth is written down to a tenth of a second."""


def stated(
    boxes: Boxes, scene: SceneRules, *, until_s: float, jitter: float, phase_s: float = 0.0
) -> tuple[list[tuple[str, RuleEvent]], dict[str, Track]]:
    """What the rules said, with the true object of each, and the newest snapshot of each track."""
    watch = Watch(scene)
    said, tracks = [], {}
    for shown in watched(boxes, until_s=until_s, jitter=jitter, phase_s=phase_s):
        tracks.update({track.track_id: track for track in shown.seen.tracks})
        said += [(shown.objects[event.track_id], event) for event in watch.look(shown.seen).events]
    return said, tracks


@pytest.mark.parametrize("phase_s", [0.0, 0.07, 0.13])
@pytest.mark.parametrize("jitter", [0.0, JITTER / 2])
def test_crossings_and_stays_of_the_yard_are_right_to_one_frame(
    phase_s: float, jitter: float
) -> None:
    said, tracks = stated(yard_boxes, YARD_RULES, until_s=80.0, jitter=jitter, phase_s=phase_s)

    assert [(event.kind, object_id) for object_id, event in said] == [
        (true.kind, true.object_id) for true in YARD_EVENTS
    ]
    for (_, event), true in zip(said, YARD_EVENTS, strict=True):
        assert abs(event.since_s - true.start_s) <= ONE_FRAME_S / 2 + ROUNDED_S
        _check_dwell(event, true, tracks[event.track_id])


def _check_dwell(event: RuleEvent, true: TrueEvent, track: Track) -> None:
    dwell = dwell_fact(event, track=track, scene=YARD_RULES, cited={})
    if true.kind is RuleKind.LINE_CROSS:
        assert dwell is None
        assert abs(event.since_s - true.start_s) <= ROUNDED_S + 0.05
        return
    assert dwell is not None
    lasted_s = true.end_s - true.start_s
    assert abs(dwell.value - lasted_s) <= ONE_FRAME_S + ROUNDED_S


def test_an_exit_is_right_to_one_frame() -> None:
    bay = RuleSettings(rule_id="out", kind=RuleKind.ZONE_EXIT, zone_id="bay", labels=("person",))
    scene = replace(YARD_RULES, rules=(bay,))
    [loitered] = [true for true in YARD_EVENTS if true.kind is RuleKind.LOITER]

    said, _ = stated(yard_boxes, scene, until_s=80.0, jitter=JITTER / 2)

    [left] = [event for object_id, event in said if object_id == loitered.object_id]
    assert abs(left.since_s - loitered.end_s) <= ONE_FRAME_S


def speeding(kind: RuleKind = RuleKind.SPEED, **params: float | str) -> SceneRules:
    rule = RuleSettings(rule_id="fast", kind=kind, params=params)
    return SceneRules(rules=(rule,), calibration=YARD_CALIBRATION)


@pytest.mark.parametrize("slant", [0.0, 0.3])
@pytest.mark.parametrize("speed_mps", [3.0, 5.0, 8.0, 11.0])
def test_a_car_is_as_fast_as_is_said_within_a_tenth(speed_mps: float, slant: float) -> None:
    boxes = car_boxes(speed_mps, z=13.0, slant=slant)
    scene = speeding(threshold_mps=0.75 * speed_mps, hold_s=0.2)

    said, _ = stated(boxes, scene, until_s=24 / speed_mps, jitter=JITTER)

    [event] = [event for _, event in said]
    assert event.value == pytest.approx(speed_mps, rel=0.1)
    assert abs(event.value - speed_mps) <= 3 * event.sigma


@pytest.mark.parametrize(("start", "end"), [((-5, 12), (5, 12)), ((0, 19), (0, 8))])
@pytest.mark.parametrize("speed_mps", [2.5, 3.5])
def test_a_runner_is_as_fast_as_is_said_within_a_tenth_and_said_to_run(
    speed_mps: float, start: tuple[float, float], end: tuple[float, float]
) -> None:
    boxes = person_boxes(speed_mps, start=start, end=end)
    lasts_s = 11 / speed_mps

    said, _ = stated(boxes, speeding(threshold_mps=0.75 * speed_mps), until_s=lasts_s, jitter=0.001)
    ran, _ = stated(boxes, speeding(RuleKind.RUNNING, threshold=1.3), until_s=lasts_s, jitter=0.001)

    [(_, event)] = said
    assert event.value == pytest.approx(speed_mps, rel=0.1)
    assert len(ran) == 1


@pytest.mark.parametrize("is_calibrated", [True, False])
def test_nobody_in_the_yard_is_said_to_run(is_calibrated: bool) -> None:
    """The script's people walk at 1.2 to 1.4 m/s."""
    scene = speeding(RuleKind.RUNNING)
    if not is_calibrated:
        scene = replace(scene, calibration=None)

    said, _ = stated(yard_boxes, scene, until_s=80.0, jitter=JITTER)

    assert said == []
