"""Measurements taken again from tracks, zones and lines, to check facts and claims against.

Independent of the code that made the facts: where two ways of measuring may differ honestly (edge
jitter, grace times, smoothing), the result is an interval that holds all of them.

Shape legend: N = points of a track, oldest first, E = edges of a zone, 2 = x and y, normalised.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.geometry import (
    PICTURE_MARGIN,
    Line,
    Point,
    Zone,
    segment_distance,
)
from moe_core.way import TIME_SLACK_S, FloatArray, Way

BoolArray = npt.NDArray[np.bool_]

FOOT_SIGMA: Final = 0.01
"""Picture units: 6 px at 640, about what a small detector's boxes jitter by."""
GRACE_S: Final = 2.0
"""Absences that end no stay, where the rule does not say."""
SPEED_WINDOW_S: Final = 2.0
_SPEED_BASE_S: Final = 0.5
"""Speed is measured over at least this long: jitter between neighbouring frames is no motion."""
ENTRY_GAP_S: Final = 1.0
"""Between two points farther apart in time nobody knows when somebody came in."""
_SHARES: Final = 65
_TOUCH: Final = 0.02
"""Picture units: a box this near to the picture's edge touches it."""
_ENTRY_STRIP: Final = 0.05
"""Picture units: a first foot this near to the picture's edge came in over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A value measured again.

    Attributes:
        value: Best estimate.
        low, high: All values that an honest way of measuring may give.
        sigma: Standard uncertainty on top of that interval.
        word: What was measured in words, where that is part of it; empty if not.
    """

    value: float
    low: float
    high: float
    sigma: float = 0.0
    word: str = ""

    @classmethod
    def of(cls, value: float, *, sigma: float, word: str = "") -> "Measurement":
        """Return a measurement without an interval of definitions."""
        return cls(value=value, low=value, high=value, sigma=sigma, word=word)


def depths(zone: Zone, feet_N2: FloatArray) -> FloatArray:
    """Return how deep each foot is in the zone, picture units; negative outside. Shape (N,).

    As ``Zone.depth`` has it: from inside, edges along the picture's border are no way out.
    """
    starts = np.array(zone.polygon, np.float64)
    ends = np.roll(starts, -1, axis=0)
    x, y = feet_N2[:, :1], feet_N2[:, 1:]
    above_start, above_end = starts[:, 1] > y, ends[:, 1] > y
    rise = np.where(ends[:, 1] == starts[:, 1], 1.0, ends[:, 1] - starts[:, 1])
    crossing_x = starts[:, 0] + (y - starts[:, 1]) / rise * (ends[:, 0] - starts[:, 0])
    is_inside = np.count_nonzero((above_start != above_end) & (x < crossing_x), axis=1) % 2 == 1
    along = ends - starts
    squared = np.maximum((along**2).sum(axis=1), 1e-18)
    offset = feet_N2[:, None, :] - starts
    share = np.clip((offset * along).sum(axis=2) / squared, 0.0, 1.0)
    distance_NE = np.hypot(*np.moveaxis(offset - share[..., None] * along, 2, 0))
    low, high = PICTURE_MARGIN, 1.0 - PICTURE_MARGIN
    on_border_E = ((np.maximum(starts, ends) <= low) | (np.minimum(starts, ends) >= high)).any(
        axis=1
    )
    way_out_NE = np.where(on_border_E, 1.0, distance_NE)
    depth_N: FloatArray = np.where(is_inside, way_out_NE.min(axis=1), -distance_NE.min(axis=1))
    return depth_N


def dwell(
    way: Way, zone: Zone, *, end_s: float, grace_s: float | None, slack: float
) -> Measurement | None:
    """Return the seconds of the stay that goes on at ``end_s``, by the zone and the way alone.

    It begins where the straight way from the last point outside meets the zone's edge, or at the
    first point inside if nothing was seen for a second before.

    Args:
        way: Up to ``end_s``.
        zone: The zone.
        end_s: Stream time up to which the stay counts.
        grace_s: Absence that ends no stay; None if it is not known, then no absence bounds
            ``high``: a rule may have been set to forgive it.
        slack: Picture units by which a foot may be wrong about its side of the edge.

    Returns:
        ``low`` counts only the unbroken part surely inside, ``high`` everything that may have
        been inside, a frame before it included. None if there is no point, or if the points
        have been forgotten back to where the stay began.
    """
    if len(way) == 0:
        return None
    depth_N = depths(zone, way.feet_N2)
    forgiven = GRACE_S if grace_s is None else grace_s
    widest = math.inf if grace_s is None else grace_s + way.step_s
    first, value = _stay_s(way.times_N, depth_N >= 0, end_s=end_s, grace_s=forgiven)
    value += _unseen_s(way, zone, first) if value > 0 else 0.0
    _, low = _stay_s(way.times_N, depth_N >= slack, end_s=end_s, grace_s=way.step_s * 1.5)
    if depth_N[-1] < slack:
        low = 0.0
    may_be_inside_N = depth_N >= -slack
    _, high = _stay_s(way.times_N, may_be_inside_N, end_s=end_s, grace_s=widest)
    if not way.is_whole and may_be_inside_N[0]:
        return None
    high = high + way.step_s if high > 0 else 0.0
    return Measurement(value=value, low=min(low, value), high=max(high, value))


def _stay_s(
    times_N: FloatArray, inside_N: BoolArray, *, end_s: float, grace_s: float
) -> tuple[int, float]:
    """Return the first point inside without a longer absence since, and its time to the last."""
    (inside_M,) = np.nonzero(inside_N)
    inside_times = times_N[inside_M]
    if len(inside_times) == 0 or end_s - inside_times[-1] > grace_s + TIME_SLACK_S:
        return 0, 0.0
    breaks = np.flatnonzero(np.diff(inside_times) > grace_s + TIME_SLACK_S)
    first = int(breaks[-1]) + 1 if len(breaks) else 0
    return int(inside_M[first]), float(inside_times[-1] - inside_times[first])


def _unseen_s(way: Way, zone: Zone, first: int) -> float:
    """Return for how long somebody had been inside when point ``first`` showed him there."""
    if first == 0:
        return 0.0
    passed_s = float(way.times_N[first] - way.times_N[first - 1])
    if passed_s > ENTRY_GAP_S:
        return 0.0
    share_S1 = np.linspace(0.0, 1.0, _SHARES)[:, None]
    step_S2 = way.feet_N2[first - 1] * (1.0 - share_S1) + way.feet_N2[first] * share_S1
    return passed_s * (1.0 - float(share_S1[np.argmax(depths(zone, step_S2) >= 0), 0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A way's step over a line.

    Attributes:
        direction: ``left`` or ``right``, the side gone to, walking from the line's first point
            to its last.
        at_s: Stream time, interpolated.
        step: Length of the step between the two feet, picture units.
    """

    direction: str
    at_s: float
    step: float


def passages(way: Way, line: Line) -> tuple[Passage, ...]:
    """Return every step of the way over the line, in order of time."""
    found: list[Passage] = []
    feet = [(float(x), float(y)) for x, y in way.feet_N2]
    for index, (start, end) in enumerate(itertools.pairwise(feet)):
        for first, second in itertools.pairwise(line.points):
            before, after = _side(first, second, start), _side(first, second, end)
            if (before > 0) == (after > 0):
                continue
            if (_side(start, end, first) > 0) == (_side(start, end, second) > 0):
                continue
            share = before / (before - after)
            passed_s = float(way.times_N[index + 1] - way.times_N[index])
            found.append(
                Passage(
                    direction="right" if after > 0 else "left",
                    at_s=float(way.times_N[index]) + share * passed_s,
                    step=math.dist(start, end),
                )
            )
    return tuple(sorted(found, key=lambda passage: passage.at_s))


def crossing(way: Way, line: Line, *, direction: str, near_s: float) -> Measurement | None:
    """Return the step over the line from the foot before it to the way's last foot.

    Args:
        way: Up to the moment at which the crossing was stated.
        line: The line.
        direction: ``left`` or ``right``: which passage, if there are several.
        near_s: Of those, the one nearest to this stream time.

    Returns:
        The length lies between the last foot's distance to the line and the furthest way that
        it came; the word is the direction. None without a passage.
    """
    found = passages(way, line)
    wanted = [passage for passage in found if passage.direction == direction] or list(found)
    if not wanted:
        return None
    chosen = min(wanted, key=lambda passage: abs(passage.at_s - near_s))
    last = way.feet_N2[-1]
    before_N2 = way.until(chosen.at_s).feet_N2
    gone_N = np.hypot(*(last - before_N2).T)
    beyond = line_distance(line, (float(last[0]), float(last[1])))
    value = float(gone_N[-1])
    return Measurement(
        value=value,
        low=min(beyond, value),
        high=max(value, float(gone_N.max())),
        sigma=FOOT_SIGMA,
        word=chosen.direction,
    )


def distance_beyond(way: Way, line: Line, *, direction: str) -> float:
    """Return how far beyond the line the last foot is, on the side gone to; 0 if on the other."""
    found = passages(way, line)
    if not found or found[-1].direction != direction:
        return 0.0
    x, y = way.feet_N2[-1]
    return line_distance(line, (float(x), float(y)))


def line_distance(line: Line, point: Point) -> float:
    """Return the distance from the point to the nearest part of the line, picture units."""
    return min(
        segment_distance(point, start, end) for start, end in itertools.pairwise(line.points)
    )


def _side(origin: Point, towards: Point, point: Point) -> float:
    """Positive where ``point`` lies to the right of ``origin -> towards`` on the picture."""
    return (towards[0] - origin[0]) * (point[1] - origin[1]) - (towards[1] - origin[1]) * (
        point[0] - origin[0]
    )


def displacement(way: Way) -> Measurement | None:
    """Return the largest distance of the foot from its first place, picture units.

    ``low`` does not count what only a single point shows, ``high`` does. Where points are
    missing, the foot may have been further by as far as it went between two that are left.
    """
    if len(way) == 0:
        return None
    gone_N = np.hypot(*(way.feet_N2 - way.feet_N2[0]).T)
    # What was reached for two points in a row, or is where it was last seen.
    lasting = float(max(np.minimum(gone_N[1:], gone_N[:-1]).max(initial=0.0), gone_N[-1]))
    widest = float(gone_N.max())
    missed = 0.0
    if not way.is_complete and len(way) > 1:
        missed = float(np.hypot(*np.diff(way.feet_N2, axis=0).T).max())
    return Measurement(value=lasting, low=lasting, high=widest + missed, sigma=FOOT_SIGMA)


def path_length(way: Way) -> Measurement | None:
    """Return the length of the way: between the straight one and the one with all jitter.

    Where points are missing the way may be longer than what is left shows: no upper bound.
    """
    straight = displacement(way)
    if straight is None:
        return None
    steps = np.diff(way.feet_N2, axis=0)
    rough = float(np.hypot(steps[:, 0], steps[:, 1]).sum())
    smooth = rough
    if len(way) >= 5:
        kernel = np.full(5, 0.2)
        calm = np.stack([np.convolve(way.feet_N2[:, axis], kernel, "valid") for axis in (0, 1)], 1)
        ends = float(
            np.hypot(*(calm[0] - way.feet_N2[0])) + np.hypot(*(way.feet_N2[-1] - calm[-1]))
        )
        calm_steps = np.diff(calm, axis=0)
        smooth = min(rough, ends + float(np.hypot(calm_steps[:, 0], calm_steps[:, 1]).sum()))
    return Measurement(
        value=max(straight.low, smooth),
        low=straight.low,
        high=max(straight.low, rough) if way.is_complete else math.inf,
        sigma=FOOT_SIGMA,
    )


def speed(way: Way, *, end_s: float) -> Measurement | None:
    """Return the median speed over the 2 s before ``end_s``, picture units per second.

    ``low`` takes off what jitter alone would add.
    """
    window = way.until(end_s).since(end_s - SPEED_WINDOW_S)
    speeds = []
    for index in range(len(window)):
        base_s = window.times_N[index] - window.times_N[:index]
        earlier = np.flatnonzero(base_s >= _SPEED_BASE_S - TIME_SLACK_S)
        if len(earlier):
            start = int(earlier[-1])
            gone = np.hypot(*(window.feet_N2[index] - window.feet_N2[start]))
            speeds.append(float(gone / base_s[start]))
    if not speeds:
        return None
    middle = float(np.median(speeds))
    noise = 2 * FOOT_SIGMA / _SPEED_BASE_S
    return Measurement(
        value=middle,
        low=math.sqrt(max(0.0, middle**2 - noise**2)),
        high=middle,
        sigma=math.sqrt(2) * FOOT_SIGMA / _SPEED_BASE_S / 2,
    )


def box_area(way: Way) -> Measurement | None:
    """Return the median area of the box, share of the picture; None where points are missing."""
    if len(way) == 0 or not way.is_complete:
        return None
    sides = way.boxes_N4[:, 2:] - way.boxes_N4[:, :2]
    area = float(np.median(sides[:, 0] * sides[:, 1]))
    return Measurement.of(area, sigma=0.1 * area)


def confidence(way: Way) -> Measurement | None:
    """Return the median confidence of the detections, 0 to 1; None where points are missing."""
    if len(way) == 0 or not way.is_complete or not np.isfinite(way.confidences_N).all():
        return None
    return Measurement.of(float(np.median(way.confidences_N)), sigma=0.02)


def entered_from(way: Way, *, side: str) -> Measurement | None:
    """Return how far the first foot was from an edge of the picture, and whether it came over it.

    Args:
        way: Whole, from the first hit on.
        side: ``left``, ``right``, ``top`` or ``bottom``: measured is the distance to it.
            Otherwise the distance to the nearest edge.

    Returns:
        The word is ``side`` where the first box touched or the first foot was near that edge;
        ``inside`` where neither holds of any edge; else the nearest edge. Where "near" is a
        matter of the error of a foot, ``side`` gets the benefit.
    """
    if len(way) == 0 or not way.is_whole:
        return None
    x1, y1, x2, y2 = (float(value) for value in way.boxes_N4[0])
    x, y = (float(value) for value in way.feet_N2[0])
    feet = {"left": x, "right": 1 - x, "top": y, "bottom": 1 - y}
    boxes = {"left": x1, "right": 1 - x2, "top": y1, "bottom": 1 - y2}
    gaps = {edge: min(feet[edge] - _ENTRY_STRIP, boxes[edge] - _TOUCH) for edge in feet}
    nearest = min(feet, key=feet.__getitem__)
    slack = 2 * FOOT_SIGMA
    if side in feet:
        word = side if gaps[side] <= slack else nearest
        return Measurement.of(feet[side], sigma=FOOT_SIGMA, word=word)
    came_over = min(gaps, key=gaps.__getitem__)
    word = "inside" if gaps[came_over] > -slack else came_over
    return Measurement.of(feet[nearest], sigma=FOOT_SIGMA, word=word)
