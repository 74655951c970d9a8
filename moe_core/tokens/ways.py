"""What a track's way looks like, in numbers: how steadily it was seen, and just when a rule spoke.

Shape legend: N = points of a track, 2 = x and y, 4 = x1, y1, x2, y2.
"""

from typing import Final

import numpy as np

from contracts.geometry import Line
from contracts.incidents import RuleEvent
from contracts.tracks import Track
from moe_core import measure
from moe_core.checkers.case import Case
from moe_core.way import TIME_SLACK_S, FloatArray, Way

BEFORE_S: Final = 1.0
AFTER_S: Final = 3.0
"""Before and after a rule spoke, the way is looked at for so long."""
_TINY: Final = 1e-6
_as_it_is = np.errstate(over="ignore", invalid="ignore")
"""What overflows or is no number goes on as none, and is told as such in the features."""
_NOWHERE: Final = 13
"""Numbers of a moment."""


@_as_it_is
def track_numbers(track: Track, way: Way | None) -> list[float]:
    """Return how well a track was seen, how large it is, where it was and how it moved."""
    numbers: list[float] = [
        track.label_confidence,
        track.hit_ratio,
        track.hits / 25,
        track.misses / 25,
        track.age_s / 20,
    ]
    if way is None or not len(way):
        return numbers
    boxes, feet, times = way.boxes_N4, way.feet_N2, way.times_N
    sizes = boxes[:, 2:] - boxes[:, :2]
    areas = sizes.prod(axis=1)
    bends = np.abs(feet[2:] - 2 * feet[1:-1] + feet[:-2])
    steps = np.hypot(*np.diff(feet, axis=0).T) if len(feet) > 1 else np.zeros(1)
    path = float(steps.sum())
    away = float(np.hypot(*(feet[-1] - feet[0])))
    sure = way.confidences_N
    return [
        *numbers,
        5 * float(np.median(sizes[:, 0])),
        5 * float(np.median(sizes[:, 1])),
        float(np.median(sizes[:, 0] / np.maximum(sizes[:, 1], _TINY))),
        float(np.median(sure)),
        5 * float(sure.std()),
        50 * float(np.median(bends)) if len(bends) else 0.0,
        5 * away,
        float(np.diff(times).max()) if len(times) > 1 else 0.0,
        float(areas.std() / max(_TINY, float(areas.mean()))),
        *map(float, np.median(feet, axis=0)),
        *map(float, feet[0]),
        away / max(_TINY, path),
        20 * float(steps.max()),
        float(sure[-1]),
        float(len(way)) / 25,
    ]


@_as_it_is
def moment_numbers(case: Case, event: RuleEvent) -> list[float]:
    """Return how steadily the track was seen when the rule spoke, and how it went on since.

    A foot that jumped over an edge for one frame looks otherwise than one that walked over it.
    """
    way = case.way(event.track_id)
    until = None if way is None else way.until(event.monotonic_s)
    if way is None or until is None or not len(until):
        return [0.0] * _NOWHERE
    near = until.since(event.monotonic_s - BEFORE_S)
    near = near if len(near) else until.since(float(until.times_N[-1]))
    after = way.since(event.monotonic_s + 2 * TIME_SLACK_S).until(event.monotonic_s + AFTER_S)
    steps = np.hypot(*np.diff(near.feet_N2, axis=0).T) if len(near) > 1 else np.zeros(1)
    areas = (near.boxes_N4[:, 2:] - near.boxes_N4[:, :2]).prod(axis=1)
    depth_N = _depths(case, event, near.feet_N2)
    later_N = _depths(case, event, after.feet_N2)
    if event.line_id:
        way_out = 1.0 if depth_N[-1] >= depth_N[0] else -1.0
        depth_N, later_N = way_out * depth_N, way_out * later_N
    return [
        20 * float(steps[-1]),
        20 * float(np.median(steps)),
        20 * float(steps.max()),
        float(near.confidences_N.mean()),
        float(near.confidences_N[-1]),
        float(areas[-1] / max(_TINY, float(np.median(areas)))) - 1,
        len(near) / 6,
        10 * float(depth_N[-1]),
        10 * float(depth_N.mean()),
        10 * float(depth_N.max()),
        10 * float(later_N.mean()) if len(later_N) else 0.0,
        float((later_N > 0).mean()) if len(later_N) else -1.0,
        len(later_N) / 15,
    ]


def _depths(case: Case, event: RuleEvent, feet_N2: FloatArray) -> FloatArray:
    """Return how deep feet are in the event's zone, or how far on one side of its line."""
    if not len(feet_N2):
        return np.zeros(0)
    zone, line = case.zone(event.zone_id), case.line(event.line_id)
    if zone is not None:
        return measure.depths(zone, feet_N2)
    return np.zeros(len(feet_N2)) if line is None else _sides(line, feet_N2)


def _sides(line: Line, feet_N2: FloatArray) -> FloatArray:
    start, end = np.array(line.points[0]), np.array(line.points[-1])
    along = (end - start) / max(_TINY, float(np.hypot(*(end - start))))
    off_N2 = feet_N2 - start
    sides: FloatArray = along[0] * off_N2[:, 1] - along[1] * off_N2[:, 0]
    return sides
