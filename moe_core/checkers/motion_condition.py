"""What the rules about motion and company measured, taken again from the incident's tracks.

Independent of the rules' own code. Where two ways of measuring may differ honestly, the result is
an interval that holds both; None where the tracks do not show it (any more).
"""

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from contracts.incidents import RuleEvent
from contracts.rules import RuleKind
from moe_core import measure
from moe_core.checkers.case import EXACT, K_SIGMA, Case
from moe_core.ground import ground_places
from moe_core.measure import FOOT_SIGMA, Measurement
from moe_core.way import FloatArray, Way

_SLACK: Final = K_SIGMA * FOOT_SIGMA
"""Picture units by which a foot may be wrong about its side of an edge."""
_COUNTED_S: Final = 0.8
"""Whoever was seen within this before the decisive frame was counted in it."""
_PACE_S: Final = 1.0
_PACE_LEAST_S: Final = 0.7
_TURN_S: Final = 10.0
_BODY_M: Final = 1.7

Condition = Callable[[Case, RuleEvent, Way], Measurement | None]


def _zone_exit(case: Case, event: RuleEvent, until: Way) -> Measurement | None:
    """Measure how long ago it was last inside; 0 if it never was, or still is."""
    zone = case.zone(event.zone_id)
    if zone is None:
        return None
    depth_N = measure.depths(zone, until.feet_N2)
    if not (depth_N >= -_SLACK).any():
        return Measurement.of(0.0, sigma=0.0) if until.is_whole else None
    now_s = float(until.times_N[-1])

    def since(depth: float) -> float:
        inside = np.flatnonzero(depth_N >= depth)
        return now_s - float(until.times_N[inside[-1] if len(inside) else 0])

    return Measurement(value=since(0.0), low=since(-_SLACK), high=since(_SLACK), sigma=until.step_s)


def _crowd(case: Case, event: RuleEvent, until: Way) -> Measurement | None:
    """Count those who are named; those who are not, or whose tracks are not here, may be more."""
    zone = case.zone(event.zone_id)
    if event.zone_id and zone is None:
        return None
    low = value = high = 0
    named = (event.track_id, *event.other_track_ids)
    for name in named:
        way = case.way(name)
        if way is None or len(seen := way.until(event.monotonic_s)) == 0:
            high += 1
            continue
        if event.monotonic_s - float(seen.times_N[-1]) > _COUNTED_S:
            continue
        depth = 1.0 if zone is None else float(measure.depths(zone, seen.feet_N2[-1:])[0])
        low, value, high = low + (depth >= _SLACK), value + (depth >= 0), high + (depth >= -_SLACK)
    unnamed = max(0, _number(event, "count", len(named)) - len(named))
    area_m2 = _area_m2(case, event) if event.unit == "1/m2" else 1.0
    if area_m2 is None:
        return None
    return Measurement(
        value=(value + unnamed) / area_m2, low=low / area_m2, high=(high + unnamed) / area_m2
    )


def _area_m2(case: Case, event: RuleEvent) -> float | None:
    zone, calibration = case.zone(event.zone_id), case.incident.calibration
    if zone is None or calibration is None:
        return None
    places_N2 = ground_places(calibration, np.array(zone.polygon, np.float64))
    if places_N2 is None:
        return None
    x, y = places_N2.T
    return max(1e-9, abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2)


def _wrong_way(case: Case, event: RuleEvent, until: Way) -> Measurement | None:
    """Measure the angle to the allowed direction over the base, somewhat less and more of it.

    0 where the foot never went so far, or stands outside the zone.
    """
    allowed = _number(event, "allowed_deg", math.nan)
    base, aspect = _number(event, "base", math.nan), _number(event, "aspect", math.nan)
    if not all(map(math.isfinite, (allowed, base, aspect))):
        return None
    zone = case.zone(event.zone_id)
    at = until.feet_N2[-1]
    is_outside = zone is not None and float(measure.depths(zone, at[None])[0]) < -_SLACK
    recent = until.since(float(until.times_N[-1]) - _TURN_S)
    moved_N2 = at - recent.feet_N2
    gone_N = np.hypot(*moved_N2.T)
    if is_outside or gone_N.max() < base - _SLACK:
        return Measurement.of(0.0, sigma=0.0)
    heading_N = np.degrees(np.arctan2(moved_N2[:, 0] * aspect, -moved_N2[:, 1]))
    apart_N = np.abs((heading_N - allowed + 180) % 360 - 180)
    last = int(np.flatnonzero(gone_N >= min(base, gone_N.max()) - EXACT)[-1])
    first = max(0, last - 2)
    near_N = apart_N[first : min(len(apart_N) - 1, last + 2) + 1]
    far_N = gone_N[first : min(len(apart_N) - 1, last + 2) + 1] >= base / 2
    honest_N = np.append(near_N[far_N], apart_N[last])
    sigma = math.degrees(math.atan2(math.sqrt(2) * FOOT_SIGMA, base))
    return Measurement(
        value=float(apart_N[last]),
        low=float(honest_N.min()),
        high=float(honest_N.max()),
        sigma=sigma,
    )


def _speed(case: Case, event: RuleEvent, until: Way) -> Measurement | None:
    del event
    return _ground_pace(case, until)


def _running(case: Case, event: RuleEvent, until: Way) -> Measurement | None:
    if event.detail.get("by") == "ground":
        found = _ground_pace(case, until)
        return None if found is None else _scaled(found, 1 / _BODY_M)
    aspect = _number(event, "aspect", math.nan)
    window = _last_second(until)
    if window is None or not math.isfinite(aspect):
        return None
    sides_N2 = (window.boxes_N4[:, 2:] - window.boxes_N4[:, :2]) * (aspect, 1.0)
    bodies_N = sides_N2.max(axis=1)
    body, shortest, tallest = (float(size) for size in np.quantile(bodies_N, (0.75, 0.4, 1.0)))
    if shortest <= 0:
        return None
    pace = _pace(window.times_N, window.feet_N2 * (aspect, 1.0), blur=FOOT_SIGMA)
    return Measurement(
        value=pace.value / body,
        low=pace.low / tallest,
        high=pace.high / shortest,
        sigma=pace.sigma / body,
    )


def _ground_pace(case: Case, until: Way) -> Measurement | None:
    window, calibration = _last_second(until), case.incident.calibration
    if window is None or calibration is None:
        return None
    feet_N2 = window.feet_N2
    places_N2 = ground_places(calibration, feet_N2)
    beside_N2 = ground_places(
        calibration, feet_N2[-1] + np.array([[FOOT_SIGMA, 0], [0, FOOT_SIGMA]])
    )
    if places_N2 is None or beside_N2 is None:
        return None
    blur_m = float(np.hypot(*(beside_N2 - places_N2[-1]).T).max())
    return _pace(window.times_N, places_N2, blur=blur_m)


def _last_second(until: Way) -> Way | None:
    window = until.since(float(until.times_N[-1]) - _PACE_S)
    if len(window) < 3 or window.times_N[-1] - window.times_N[0] < _PACE_LEAST_S:
        return None
    return window


def _pace(times_N: FloatArray, places_N2: FloatArray, *, blur: float) -> Measurement:
    """Return units per second: by the line of least squares, the ends, and the median step."""
    since_N = times_N - times_N.mean()
    spread = float((since_N**2).sum())
    by_line = float(np.hypot(*(since_N @ places_N2 / spread)))
    by_ends = float(np.hypot(*(places_N2[-1] - places_N2[0])) / (times_N[-1] - times_N[0]))
    steps_N = np.hypot(*np.diff(places_N2, axis=0).T) / np.maximum(np.diff(times_N), 1e-6)
    by_steps = float(np.median(steps_N))
    honest = (by_line, by_ends, by_steps)
    return Measurement(
        value=by_line, low=min(honest), high=max(honest), sigma=blur / math.sqrt(spread)
    )


def _scaled(found: Measurement, by: float) -> Measurement:
    return Measurement(
        value=found.value * by, low=found.low * by, high=found.high * by, sigma=found.sigma * by
    )


def _tailgate(case: Case, event: RuleEvent, until: Way) -> Measurement | None:
    """Measure the time between the crossings; without end where the second never crossed."""
    line = case.line(event.line_id)
    ahead = case.way(event.other_track_ids[0]) if event.other_track_ids else None
    if line is None or until.times_N[0] > event.since_s + EXACT:
        return None
    said = event.detail.get("direction", "")
    own = [one for one in measure.passages(until, line) if said in ("", one.direction)]
    if not own:
        return Measurement.of(math.inf, sigma=0.0)
    if ahead is None:
        return None
    others = [one for one in measure.passages(ahead, line) if said in ("", one.direction)]
    if not others:
        return None if not ahead.is_whole else Measurement.of(math.inf, sigma=0.0)
    gaps = [
        mine.at_s - theirs.at_s
        for mine, theirs in itertools.product(own, others)
        if mine.at_s - theirs.at_s >= -EXACT
    ]
    if not gaps:
        return Measurement.of(math.inf, sigma=0.0)
    nearest = min(gaps, key=lambda gap: abs(gap - event.value))
    return Measurement.of(nearest, sigma=math.hypot(until.step_s, ahead.step_s) / 2)


def _sequence(case: Case, event: RuleEvent, until: Way) -> Measurement | None:
    """Measure the time between the two statements, where the incident holds both."""
    del until
    times: dict[str, list[float]] = {"first": [], "then": []}
    for other in case.incident.rule_events:
        for side, moments in times.items():
            if other.rule_id == event.detail.get(side) and other.event_id != event.event_id:
                is_moment = other.kind.is_instant or other.kind is RuleKind.ZONE_ENTRY
                moments.append(other.since_s if is_moment else other.monotonic_s)
    gaps = [
        then_s - first_s
        for first_s, then_s in itertools.product(times["first"], times["then"])
        if then_s >= first_s - EXACT
    ]
    if not gaps:
        return None
    return Measurement.of(min(gaps, key=lambda gap: abs(gap - event.value)), sigma=0.0)


def _number(event: RuleEvent, name: str, default: float) -> float:
    try:
        return float(event.detail[name])
    except (KeyError, ValueError):
        return default


MOTION_CONDITIONS: Final[Mapping[RuleKind, Condition]] = {
    RuleKind.ZONE_EXIT: _zone_exit,
    RuleKind.CROWD: _crowd,
    RuleKind.WRONG_WAY: _wrong_way,
    RuleKind.SPEED: _speed,
    RuleKind.RUNNING: _running,
    RuleKind.TAILGATE: _tailgate,
    RuleKind.SEQUENCE: _sequence,
}
"""How the value of each kind is taken again, from the tracks up to the decisive frame."""
