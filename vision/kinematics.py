"""How a track moved: seen points, jitter, speed, smoothed way. All normalised, in stream seconds.

Nothing here returns NaN or raises on a short track: what cannot be measured is the floor.
"""

import itertools
import math
from collections.abc import Sequence
from statistics import median
from typing import Final

from contracts.geometry import Point, standing_point
from contracts.tracks import Track, TrackPoint
from vision.estimates import MAD_TO_SIGMA
from vision.noise import shipped_noise

JITTER_FLOOR: Final = 0.001
"""Least jitter of a box edge, picture units: about half a pixel at 640 wide."""
_JITTER_POINTS: Final = 25
"""Newest seen points that jitter is estimated from: 5 s at 5 frames a second."""
_MOST_ALIKE: Final = 0.9
"""Nothing is told of jitter from frames that are nearer to each other than it lasts."""
_SPEED_BASE_S: Final = 0.5
"""Speed is measured over at least this long, so that jitter does not pass for motion."""
_WAY_GATE_SIGMAS: Final = 4.5
"""A step counts towards the way once it is longer than this many standard deviations."""
_WAY_GATE_LEAST: Final = 0.005
_DEFAULT_STEP_S: Final = 0.2


def seen_points(track: Track) -> tuple[TrackPoint, ...]:
    """Return the points in which a detection was associated, oldest first."""
    return tuple(point for point in track.points if point.is_observed)


def frame_step_s(points: Sequence[TrackPoint]) -> float:
    """Return the median time between neighbouring points, 0.2 s where there is only one."""
    steps = [
        after.monotonic_s - before.monotonic_s
        for before, after in itertools.pairwise(points)
        if after.monotonic_s > before.monotonic_s
    ]
    return median(steps) if steps else _DEFAULT_STEP_S


def foot_jitter(points: Sequence[TrackPoint]) -> float:
    """Return the standard deviation of a foot's coordinate about its local straight way.

    Each point is compared with the straight line between its two neighbours, at its own time;
    the median absolute residual of both axes is robust against single bad boxes. If boxes knew
    nothing of each other, a residual would have 1.5 times the variance of one point; neighbours
    tremble alike, as the fitted noise model says, so it has less. Of too few points it is what
    the model says of boxes of that size.
    """
    recent = points[-_JITTER_POINTS:]
    seen = [(point.monotonic_s, *standing_point(point.box)) for point in recent]
    residuals: list[float] = []
    for before, middle, after in zip(seen, seen[1:], seen[2:], strict=False):
        start_s, start_x, start_y = before
        at_s, at_x, at_y = middle
        end_s, end_x, end_y = after
        span_s = end_s - start_s
        if span_s <= 0:
            continue
        share = (at_s - start_s) / span_s
        residuals.append(abs(at_x - (start_x + share * (end_x - start_x))))
        residuals.append(abs(at_y - (start_y + share * (end_y - start_y))))
    if not residuals:
        return _expected_jitter(points)
    likeness = min(_MOST_ALIKE, shipped_noise().jitter.correlation(frame_step_s(recent)))
    share = 1.5 - 2 * likeness + likeness**2 / 2
    return max(JITTER_FLOOR, MAD_TO_SIGMA * median(residuals) / math.sqrt(share))


def _expected_jitter(points: Sequence[TrackPoint]) -> float:
    if not points:
        return 3 * JITTER_FLOOR
    across, up = shipped_noise().place_sigma(points[-1].box)
    return max(JITTER_FLOOR, math.sqrt((across**2 + up**2) / 2))


def speed(
    points: Sequence[TrackPoint],
    *,
    until_s: float,
    window_s: float = 2.0,
    jitter: float | None = None,
) -> float | None:
    """Return the median speed in picture units per second, or None if it cannot be told.

    Over the ``window_s`` up to ``until_s``. What jitter alone would add is taken off: that of the
    points, ``foot_jitter``, which is measured here unless it is given.
    """
    jitter = foot_jitter(points) if jitter is None else jitter
    window = [point for point in points if until_s - window_s <= point.monotonic_s <= until_s]
    speeds: list[float] = []
    start = 0
    for end, point in enumerate(window):
        while (
            start + 1 < end and point.monotonic_s - window[start + 1].monotonic_s >= _SPEED_BASE_S
        ):
            start += 1
        base_s = point.monotonic_s - window[start].monotonic_s
        if base_s >= _SPEED_BASE_S - 1e-6:
            gone = math.dist(standing_point(window[start].box), standing_point(point.box))
            noise = 2 * jitter / base_s
            speeds.append(math.sqrt(max(0.0, (gone / base_s) ** 2 - noise**2)))
    return median(speeds) if speeds else None


def speed_sigma(points: Sequence[TrackPoint]) -> float:
    """Return the standard uncertainty of ``speed``, picture units per second."""
    return math.sqrt(2) * foot_jitter(points) / _SPEED_BASE_S


def smoothed_way(points: Sequence[TrackPoint]) -> tuple[Point, ...]:
    """Return the way of the foot as corner points, with jitter left out.

    A new corner is set when the foot, as a running median of three, has gone further from the
    last corner than jitter explains; a standing object therefore has a way of hardly any length
    however long it jitters.
    """
    calm = _calm_feet(points)
    gate = max(_WAY_GATE_LEAST, _WAY_GATE_SIGMAS * foot_jitter(points))
    way = list(calm[:1])
    for at in calm[1:]:
        if math.dist(way[-1], at) > gate:
            way.append(at)
    return tuple(way)


def largest_displacement(points: Sequence[TrackPoint]) -> float:
    """Return the largest distance of the foot from its first place, picture units.

    A single bad box on the way does not count: each foot is the middle of it and its neighbours.
    Jitter alone gives about two of its standard deviations, so nothing is ever exactly at rest.
    """
    calm = _calm_feet(points)
    return max((math.dist(calm[0], at) for at in calm), default=0.0)


def way_length(way: Sequence[Point]) -> float:
    """Return the length along the corners, picture units."""
    return sum(math.dist(start, end) for start, end in itertools.pairwise(way))


def _calm_feet(points: Sequence[TrackPoint]) -> Sequence[Point]:
    """Return the foot at each point as a running median of three; the ends as they were seen."""
    feet = [standing_point(point.box) for point in points]
    middles = [_middle(feet[index - 1 : index + 2]) for index in range(1, len(feet) - 1)]
    return [*feet[:1], *middles, *feet[1:][-1:]]


def _middle(feet: Sequence[Point]) -> Point:
    return (median(at[0] for at in feet), median(at[1] for at in feet))
