"""Whether what a rule said of a track is true of the object that the track really followed.

A little is forgiven: a fraction of a second, a few hundredths of a pace. What remains is what
people would call right or wrong when they see the recording.
"""

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from contracts.detections import ANY_LABEL, VEHICLE_LABELS
from contracts.geometry import Line, Point
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings
from moe_core.training.world.scene import FPS, Scene
from moe_core.training.world.truth import Past

NEAR_S: Final = 1.0
GRACE_S: Final = 2.0
"""As the rules that count stays have it."""
SHORT_S: Final = 0.2
LINE_S: Final = 1.5
PACE_SHARE: Final = 0.93
SPEED_SHARE: Final = 0.95
ANGLE_SLACK_DEG: Final = 10.0
BODY_M: Final = 1.7
AWAY_M: Final = 3.1
AWAY_SHARE: Final = 0.8
_WINDOW: Final = round(FPS)


def is_true(past: Past, event: RuleEvent, *, owner: str, others: tuple[str, ...] = ()) -> bool:
    """Say whether an event is true in the world.

    Args:
        past: Of the scene.
        event: What the rule said.
        owner: Whom the event's track really followed about then; empty if nothing.
        others: The same of the event's other tracks.
    """
    if event.kind is RuleKind.ABANDONED:
        return is_left_alone(past, event, owner=owner)
    judge = _JUDGES.get(event.kind)
    if judge is None:
        return is_told(past.scene, event, owner=owner)
    row = past.row(owner)
    rule = next((one for one in past.scene.rules.rules if one.rule_id == event.rule_id), None)
    if row is None or rule is None or not is_about(rule, past.actor(row).label):
        return False
    return judge(past, event, rule, row, others)


def is_about(rule: RuleSettings, label: str) -> bool:
    """Say whether a rule is about objects of a class."""
    labels = rule.labels
    if not labels:
        labels = ("person",) if rule.kind in (RuleKind.CROWD, RuleKind.RUNNING) else ()
    is_vehicle = "vehicle" in labels and label in VEHICLE_LABELS
    return not labels or label in labels or is_vehicle or ANY_LABEL in labels


def is_left_alone(past: Past, event: RuleEvent, *, owner: str) -> bool:
    """Say whether a thing was really there and whoever left it really away for so long."""
    cue = next((one for one in past.scene.cues if owner and owner in one.object_ids[1:]), None)
    if cue is None:
        return False
    thing, who = past.row(owner), past.row(cue.object_ids[0])
    if thing is None or who is None:
        return False
    # He may have been lost from sight before he was away: half of the time is asked for.
    then = past.between(event.monotonic_s - event.threshold / 2, event.monotonic_s + NEAR_S)
    places = past.scene.places_AT2
    apart_T = np.hypot(*(places[who, then] - places[thing, then]).T)
    is_near_T = past.scene.in_view_AT[who, then] & (apart_T < AWAY_SHARE * AWAY_M)
    there_T = past.scene.in_view_AT[thing, then]
    return bool(len(apart_T)) and bool(there_T.all()) and not bool(is_near_T.any())


def is_told(scene: Scene, event: RuleEvent, *, owner: str) -> bool:
    """Say whether the story tells of such an event then, and of this object."""
    return any(
        cue.is_real
        and cue.kind is event.kind
        and cue.start_s - NEAR_S <= event.monotonic_s
        and event.since_s <= cue.end_s + NEAR_S
        and (owner in cue.object_ids or not cue.object_ids)
        for cue in scene.cues
    )


def _presence(
    past: Past, event: RuleEvent, _rule: RuleSettings, row: int, _others: tuple[str, ...]
) -> bool:
    zone = past.scene.rules.zone(event.zone_id)
    about = past.between(event.since_s - NEAR_S, event.monotonic_s + NEAR_S)
    if event.kind is RuleKind.INTRUSION:
        about = past.between(event.monotonic_s - NEAR_S, event.monotonic_s + NEAR_S)
    return bool((past.inside(row, zone) & about).any())


def _stay(
    past: Past, event: RuleEvent, rule: RuleSettings, row: int, _others: tuple[str, ...]
) -> bool:
    zone = past.scene.rules.zone(event.zone_id)
    grace_s = float(rule.params.get("grace_s", GRACE_S))
    threshold_s = event.threshold - SHORT_S
    return any(
        past.stay_s(row, zone, until_s=event.monotonic_s + later_s, grace_s=grace_s) >= threshold_s
        for later_s in (0.0, NEAR_S)
    )


def _exit(
    past: Past, event: RuleEvent, _rule: RuleSettings, row: int, _others: tuple[str, ...]
) -> bool:
    inside = past.inside(row, past.scene.rules.zone(event.zone_id))
    was_in = inside & past.between(event.since_s - LINE_S, event.monotonic_s)
    left = ~inside & past.between(event.since_s - NEAR_S, event.monotonic_s + NEAR_S)
    frames_in, frames_out = np.flatnonzero(was_in), np.flatnonzero(left)
    # Half a second outside at least: a foot on the edge is no exit.
    return bool(len(frames_in) and (frames_out > frames_in[0]).sum() >= FPS / 2)


def _crossing(
    past: Past, event: RuleEvent, _rule: RuleSettings, row: int, _others: tuple[str, ...]
) -> bool:
    line = past.scene.rules.line(event.line_id)
    return _crossed_s(past, row, line, event) is not None


def _tailgate(
    past: Past, event: RuleEvent, rule: RuleSettings, row: int, others: tuple[str, ...]
) -> bool:
    line = past.scene.rules.line(event.line_id)
    own_s = _crossed_s(past, row, line, event)
    if own_s is None:
        return False
    for other in others:
        ahead = past.row(other)
        if ahead is None or ahead == row or not is_about(rule, past.actor(ahead).label):
            continue
        ahead_s = _crossed_s(past, ahead, line, event, about_s=event.since_s - event.value)
        if ahead_s is not None and -SHORT_S <= own_s - ahead_s <= event.threshold + SHORT_S:
            return True
    return False


def _crowd(
    past: Past, event: RuleEvent, rule: RuleSettings, row: int, _others: tuple[str, ...]
) -> bool:
    scene = past.scene
    zone = scene.rules.zone(event.zone_id) if event.zone_id else None
    counted = np.zeros(len(scene.times_T), np.int64)
    for other, actor in enumerate(scene.actors):
        if not actor.is_ghost and is_about(rule, actor.label):
            counted += scene.in_view_AT[other] if zone is None else past.inside(other, zone)
    del row
    held = counted[past.between(event.since_s, event.monotonic_s)]
    return bool(len(held)) and float((held >= event.threshold).mean()) >= 0.6


def _against(
    past: Past, event: RuleEvent, _rule: RuleSettings, row: int, _others: tuple[str, ...]
) -> bool:
    feet_T2 = past.feet(row)
    then = np.flatnonzero(
        past.between(event.since_s - 0.4, event.monotonic_s + 0.4) & np.isfinite(feet_T2[:, 0])
    )
    if len(then) < 2:
        return False
    aspect = past.scene.site.view.aspect
    moved = feet_T2[then[-1]] - feet_T2[then[0]]
    if float(np.hypot(*moved)) < 0.5 * float(event.detail.get("base", "0.1")):
        return False
    heading = math.degrees(math.atan2(moved[0] * aspect, -moved[1])) % 360
    apart = abs(heading - float(event.detail.get("allowed_deg", "0"))) % 360
    return min(apart, 360 - apart) >= event.threshold - ANGLE_SLACK_DEG


def _pace(
    past: Past, event: RuleEvent, _rule: RuleSettings, row: int, _others: tuple[str, ...]
) -> bool:
    least = event.threshold * (PACE_SHARE if event.kind is RuleKind.RUNNING else SPEED_SHARE)
    if event.kind is RuleKind.RUNNING:
        least *= past.actor(row).tall_m if past.scene.site.calibration is None else BODY_M
    return fastest_mps(past, row, event.since_s - NEAR_S, event.monotonic_s + NEAR_S) >= least


def fastest_mps(past: Past, row: int, start_s: float, end_s: float) -> float:
    """Return the fastest second of an object's way on the ground, metres per second."""
    frames = np.flatnonzero(past.between(start_s, end_s))
    places = past.scene.places_AT2[row, frames]
    times = past.scene.times_T[frames]
    if len(frames) <= _WINDOW:
        return 0.0
    gone = np.hypot(*(places[_WINDOW:] - places[:-_WINDOW]).T)
    paces = gone / (times[_WINDOW:] - times[:-_WINDOW])
    return float(np.nanmax(paces)) if np.isfinite(paces).any() else 0.0


def _crossed_s(
    past: Past, row: int, line: Line, event: RuleEvent, *, about_s: float | None = None
) -> float | None:
    """Return when the object really crossed the line that way, about then; None if it did not."""
    about_s = event.since_s if about_s is None else about_s
    feet_T2 = past.feet(row)
    frames = np.flatnonzero(
        past.between(about_s - LINE_S, about_s + LINE_S) & np.isfinite(feet_T2[:, 0])
    )
    wanted = {"right": 1, "left": -1}.get(event.detail.get("direction", ""), 0)
    net, last_s = 0, None
    for before, after in itertools.pairwise(frames):
        sign = _steps_over(line, tuple(feet_T2[before]), tuple(feet_T2[after]))
        net += sign
        if sign == wanted:
            last_s = float(past.scene.times_T[before] + past.scene.times_T[after]) / 2
    return last_s if net == wanted else None


def _steps_over(line: Line, start: Point, end: Point) -> int:
    """Return by how many segments a step passes to the right, less those to the left."""
    total = 0
    for first, second in zip(line.points, line.points[1:], strict=False):
        before, after = _side(first, second, start), _side(first, second, end)
        if (before > 0) != (after > 0) and (_side(start, end, first) > 0) != (
            _side(start, end, second) > 0
        ):
            total += 1 if after > 0 else -1
    return total


def _side(origin: Point, towards: Point, point: Point) -> float:
    return (towards[0] - origin[0]) * (point[1] - origin[1]) - (towards[1] - origin[1]) * (
        point[0] - origin[0]
    )


Judge = Callable[[Past, RuleEvent, RuleSettings, int, tuple[str, ...]], bool]

_JUDGES: Final[Mapping[RuleKind, Judge]] = {
    RuleKind.INTRUSION: _presence,
    RuleKind.ZONE_ENTRY: _presence,
    RuleKind.LOITER: _stay,
    RuleKind.ZONE_EXIT: _exit,
    RuleKind.LINE_CROSS: _crossing,
    RuleKind.TAILGATE: _tailgate,
    RuleKind.CROWD: _crowd,
    RuleKind.WRONG_WAY: _against,
    RuleKind.RUNNING: _pace,
    RuleKind.SPEED: _pace,
}
"""Kinds that geometry decides about; of the others the story says what is true."""
