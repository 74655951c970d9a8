from dataclasses import replace

import pytest

from contracts.geometry import Point
from contracts.incidents import FactName, Incident
from contracts.rules import RuleKind
from moe_core.claims import PREDICATES
from tests.fakes.incidents import WALK_IN, elsewhere, situation, with_fact
from tests.moe_core.checking import (
    CONTRADICTED,
    FALL,
    LINE,
    LOITER,
    SUPPORTED,
    UNKNOWN,
    UNVERIFIABLE,
    ZONE,
    Args,
    status_of,
    value_of,
)

EDGE: tuple[Point, ...] = (*WALK_IN[:13], (0.505, 0.6), (0.507, 0.6), (0.506, 0.6))
"""Walks in and stops on the dock's edge."""
TOUCH: tuple[Point, ...] = (*WALK_IN[:14], (0.515, 0.6))
"""Walks up to the gate and just over it."""


STANDING: dict[str, tuple[Incident, Args]] = {
    "perhaps_detector_noise": (
        with_fact(
            replace(ZONE, tracks=(replace(ZONE.tracks[0], hits=8, misses=12),)),
            FactName.HIT_RATIO,
            value=0.4,
        ),
        {"track": "t1", "value": 0.4},
    ),
    "perhaps_light_change": (situation(light_change=0.3), {"value": 0.3}),
    "perhaps_camera_movement": (
        with_fact(ZONE, FactName.FOREGROUND_SHARE, value=0.8),
        {"value": 0.8},
    ),
    "perhaps_edge_touch": (
        situation(feet=EDGE, threshold=0.2),
        {"track": "t1", "zone": "dock", "value": 0.006},
    ),
    "perhaps_line_touch": (
        situation(kind=RuleKind.LINE_CROSS, feet=TOUCH),
        {"track": "t1", "line": "gate", "value": 0.015},
    ),
    "perhaps_passing_by": (
        situation(kind=RuleKind.LOITER, threshold=1.0),
        {"track": "t1", "distance": 0.7, "seconds": 4.0},
    ),
    "perhaps_side_step": (
        situation(feet=[(0.7, 0.6), (0.71, 0.6)] * 8),
        {"track": "t1", "value": 0.01},
    ),
    "perhaps_brief_glimpse": (
        situation(feet=[(0.7, 0.6), (0.71, 0.6)] * 3, threshold=0.5),
        {"track": "t1", "value": 1.0},
    ),
    "perhaps_sway": (
        situation(feet=[(0.7, 0.6), (0.71, 0.6)] * 8, label="object"),
        {"track": "t1", "value": 0.01},
    ),
    "perhaps_too_small": (
        with_fact(ZONE, FactName.BOX_AREA, value=0.0103, sigma=0.005),
        {"track": "t1", "value": 0.0103},
    ),
    "perhaps_wrong_object": (
        with_fact(
            replace(ZONE, tracks=(replace(ZONE.tracks[0], label_confidence=0.45),)),
            FactName.LABEL_SHARE,
            value=0.45,
        ),
        {"track": "t1", "label": "person", "value": 0.45},
    ),
    "perhaps_weak_detection": (
        with_fact(ZONE, FactName.CONFIDENCE, value=0.9, sigma=0.3),
        {"track": "t1", "value": 0.9},
    ),
    "perhaps_sitting_down": (
        with_fact(FALL, FactName.HEAD_DROP, sigma=0.3),
        {"track": "rb0", "value": value_of(FALL, FactName.HEAD_DROP)},
    ),
    "perhaps_bending_down": (FALL, {"track": "rb0", "value": value_of(FALL, FactName.DOWN)}),
    "perhaps_lying_down": (
        with_fact(FALL, FactName.FALL_PACE, value=0.4, sigma=0.05),
        {"track": "rb0", "value": 0.4},
    ),
    "perhaps_lost_box": (
        with_fact(FALL, FactName.HEAD_GONE, value=0.2, sigma=0.05),
        {"track": "rb0", "value": 0.2},
    ),
}
each_standing = pytest.mark.parametrize("predicate", STANDING)


def test_every_cause_can_stand() -> None:
    assert set(STANDING) == {
        entry.cause.standing for entry in PREDICATES.values() if entry.cause is not None
    }


@each_standing
def test_a_cause_that_is_not_clearly_ruled_out_stands(predicate: str) -> None:
    incident, args = STANDING[predicate]

    assert status_of(incident, predicate, args) is SUPPORTED


@each_standing
def test_the_same_measurement_does_not_rule_it_out(predicate: str) -> None:
    incident, args = STANDING[predicate]

    status = status_of(incident, predicate.replace("perhaps_", "not_"), args)

    assert status is CONTRADICTED


def test_what_is_ruled_out_does_not_stand() -> None:
    args: Args = {"track": "t1", "value": value_of(ZONE, FactName.DISPLACEMENT)}

    assert status_of(ZONE, "perhaps_sway", args) is CONTRADICTED


def test_going_on_beyond_the_line_rules_out_a_touch() -> None:
    args: Args = {"track": "t1", "line": "gate", "value": 0.23}

    assert status_of(LINE, "not_line_touch", args) is SUPPORTED
    assert status_of(LINE, "not_line_touch", {**args, "value": 0.3}) is CONTRADICTED
    assert status_of(elsewhere(LINE), "not_line_touch", args) is CONTRADICTED


def test_staying_rules_out_passing_by() -> None:
    args: Args = {
        "track": "t1",
        "distance": value_of(LOITER, FactName.DISPLACEMENT),
        "seconds": value_of(LOITER, FactName.PRESENT),
    }

    assert status_of(LOITER, "not_passing_by", args) is SUPPORTED
    assert status_of(LOITER, "not_passing_by", {**args, "seconds": 30.0}) is CONTRADICTED
    assert status_of(LOITER, "perhaps_passing_by", args) is CONTRADICTED


def test_an_unnamed_kind_cannot_be_the_wrong_one() -> None:
    args: Args = {"track": "t1", "label": "object", "value": 1.0}

    assert status_of(UNKNOWN, "not_wrong_object", args) is UNVERIFIABLE
