"""Each fact measured again from the incident's tracks and zones, where they still show it."""

import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from contracts.incidents import Fact, FactName
from moe_core import measure, measure_falls
from moe_core.checkers.case import K_SIGMA, Case
from moe_core.measure import FOOT_SIGMA, Measurement
from moe_core.way import Way

_SETTLED_S: Final = 1.0
"""A track that has lived this long is confirmed in anybody's counting."""
_SHARE_SIGMA: Final = 0.02
_QUARTER_H: Final = 0.25
"""Time zones are whole quarters of an hour from UTC, so the minutes can be checked without one."""

Recompute = Callable[[Case, Fact], Measurement | None]


def measured_again(case: Case, fact: Fact) -> Measurement | None:
    """Return the fact's value from tracks and geometry, or None where they do not show it."""
    if fact.name not in RECOMPUTE:
        return None
    if fact.fact_id not in case.measurements:
        case.measurements[fact.fact_id] = RECOMPUTE[fact.name](case, fact)
    return case.measurements[fact.fact_id]


def way_of_fact(case: Case, fact: Fact) -> Way | None:
    """Return the track's way up to the end of what the fact is about; None if it is not there."""
    way = case.way(fact.subject)
    if way is None:
        return None
    until = way.until(fact.end_s)
    return until if len(until) else None


def _span_of_fact(case: Case, fact: Fact) -> Way | None:
    """Return the way over all of the fact's time; None if its beginning is forgotten."""
    until = way_of_fact(case, fact)
    if until is None:
        return None
    if until.times_N[0] > fact.start_s + until.step_s:
        return None
    span = until.since(fact.start_s)
    return span if len(span) else None


def _present(case: Case, fact: Fact) -> Measurement | None:
    track, until = case.track(fact.subject), way_of_fact(case, fact)
    if track is None or until is None:
        return None
    seen_s = float(until.times_N[-1]) - track.first_seen_s
    followed_s = max(seen_s, fact.end_s - track.first_seen_s)
    return Measurement(
        value=followed_s, low=seen_s, high=followed_s, sigma=until.step_s / 2, word=track.label
    )


def _label_share(case: Case, fact: Fact) -> Measurement | None:
    track = case.track(fact.subject)
    if track is None or track.last.monotonic_s > fact.end_s + measure.GRACE_S:
        return None
    return Measurement.of(track.label_confidence, sigma=_SHARE_SIGMA, word=track.label)


def _hit_ratio(case: Case, fact: Fact) -> Measurement | None:
    track = case.track(fact.subject)
    if track is None:
        return None
    if abs(track.last.monotonic_s - fact.end_s) <= measure.GRACE_S:
        return Measurement.of(track.hit_ratio, sigma=_SHARE_SIGMA)
    return None


def _over_span(measured: Callable[[Way], Measurement | None]) -> Recompute:
    def recompute(case: Case, fact: Fact) -> Measurement | None:
        span = _span_of_fact(case, fact)
        return None if span is None else measured(span)

    return recompute


def _inside(case: Case, fact: Fact) -> Measurement | None:
    zone, until = case.zone(fact.target), way_of_fact(case, fact)
    if zone is None or until is None or until.times_N[-1] < fact.end_s - until.step_s:
        return None
    depth = float(measure.depths(zone, until.feet_N2[-1:])[0])
    return Measurement.of(depth, sigma=0.0)


def _dwell(case: Case, fact: Fact) -> Measurement | None:
    zone, until = case.zone(fact.target), way_of_fact(case, fact)
    if zone is None or until is None:
        return None
    return measure.dwell(until, zone, end_s=fact.end_s, grace_s=None, slack=K_SIGMA * FOOT_SIGMA)


def _crossed(case: Case, fact: Fact) -> Measurement | None:
    line, until = case.line(fact.target), way_of_fact(case, fact)
    if line is None or until is None or until.times_N[0] > fact.start_s:
        return None
    found = measure.crossing(until, line, direction=fact.text, near_s=fact.start_s)
    return found or Measurement.of(0.0, sigma=FOOT_SIGMA, word="none")


def _speed(case: Case, fact: Fact) -> Measurement | None:
    until = way_of_fact(case, fact)
    return None if until is None else measure.speed(until, end_s=fact.end_s)


def _entered_from(case: Case, fact: Fact) -> Measurement | None:
    way = case.way(fact.subject)
    return None if way is None else measure.entered_from(way, side=fact.text)


def _near(case: Case, fact: Fact) -> Measurement | None:
    tracks = case.track(fact.subject), case.track(fact.target)
    own, other = case.way(fact.subject), case.way(fact.target)
    if own is None or other is None or len({track.run_id for track in tracks if track}) > 1:
        return None
    own, other = own.until(fact.end_s), other.until(fact.end_s)
    if len(own) == 0 or len(other) == 0 or own.seqs_N[-1] != other.seqs_N[-1]:
        return None
    return Measurement.of(float(np.hypot(*(own.feet_N2[-1] - other.feet_N2[-1]))), sigma=0.0)


def _from_other(case: Case, fact: Fact) -> Measurement | None:
    """Measure from a region, which stands still, to where another track was at that time."""
    region, other = case.way(fact.subject), case.way(fact.target)
    if region is None or other is None or len(region) == 0:
        return None
    until = other.until(fact.end_s)
    if len(until) == 0 or until.times_N[-1] < fact.start_s - until.step_s:
        return None
    apart = float(np.hypot(*(region.feet_N2[-1] - until.feet_N2[-1])))
    return Measurement.of(apart, sigma=FOOT_SIGMA)


def _others_present(case: Case, fact: Fact) -> Measurement | None:
    """Count the incident's own tracks: a floor, since other tracks were not handed on."""
    own, subject = way_of_fact(case, fact), case.track(fact.subject)
    if own is None or subject is None:
        return None
    count = 0
    for track in case.incident.tracks:
        if track.run_id != subject.run_id:
            continue
        way = case.way(track.track_id)
        until = way.until(fact.end_s) if way is not None else None
        if track.track_id == fact.subject or until is None or len(until) == 0:
            continue
        is_settled = until.times_N[-1] - track.first_seen_s >= _SETTLED_S
        count += bool(is_settled and until.seqs_N[-1] == own.seqs_N[-1])
    return Measurement(value=max(fact.value, count), low=count, high=math.inf)


def _head_drop(case: Case, fact: Fact) -> Measurement | None:
    span = _span_of_fact(case, fact)
    return None if span is None else measure_falls.head_drop(span)


def _down(case: Case, fact: Fact) -> Measurement | None:
    """Look from where the body stood: some time before it was down."""
    way = case.way(fact.subject)
    drop = case.facts.newest(FactName.HEAD_DROP, fact.subject)
    if way is None or drop is None or drop.start_s > fact.start_s:
        return None
    fell = way.since(drop.start_s)
    if not len(fell) or fell.times_N[0] > drop.start_s + way.step_s:
        return None
    return measure_falls.down(fell, until_s=drop.end_s, end_s=fact.end_s)


def _hour(case: Case, fact: Fact) -> Measurement | None:
    """Check the minutes; which quarter of an hour it is depends on the site's time zone."""
    at = next(
        (event.at for event in case.incident.rule_events if event.monotonic_s == fact.end_s), None
    )
    if at is None:
        return None
    past_h = (at.minute / 60 + at.second / 3600) % _QUARTER_H
    off_h = (past_h - fact.value) % _QUARTER_H
    nearest = fact.value + (off_h if off_h <= _QUARTER_H / 2 else off_h - _QUARTER_H)
    return Measurement.of(nearest, sigma=1 / 120)


RECOMPUTE: Final[Mapping[FactName, Recompute]] = {
    FactName.PRESENT: _present,
    FactName.LABEL_SHARE: _label_share,
    FactName.HIT_RATIO: _hit_ratio,
    FactName.CONFIDENCE: _over_span(measure.confidence),
    FactName.PATH_LENGTH: _over_span(measure.path_length),
    FactName.DISPLACEMENT: _over_span(measure.displacement),
    FactName.BOX_AREA: _over_span(measure.box_area),
    FactName.INSIDE: _inside,
    FactName.DWELL: _dwell,
    FactName.CROSSED: _crossed,
    FactName.SPEED: _speed,
    FactName.ENTERED_FROM: _entered_from,
    FactName.NEAR: _near,
    FactName.LEFT_BY: _from_other,
    FactName.OWNER_AWAY: _from_other,
    FactName.TAKEN_BY: _from_other,
    FactName.OTHERS_PRESENT: _others_present,
    FactName.HEAD_DROP: _head_drop,
    FactName.DOWN: _down,
    FactName.HOUR: _hour,
}
"""What tracks and geometry show. Light and movement of the whole picture are in no track."""
