"""Facts about things that were left or taken: by whom, and where he is by now (pure)."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from contracts.geometry import standing_point
from contracts.incidents import Fact, FactName, RuleEvent
from contracts.rules import RuleKind
from contracts.tracks import Track, TrackPoint
from vision.facts import TRACKER, Cited
from vision.keyframes import Moment
from vision.kinematics import foot_jitter, seen_points

PLACE_SIGMA: Final = 0.005
"""Picture units: where a thing stands is known to about a pixel of the small picture."""

MOST_LATE_S: Final = 0.5
"""A point so long after the moment no longer says where somebody was then."""


def thing_facts(
    event: RuleEvent, *, track: Track, others: Mapping[str, Track], cited: Cited
) -> list[Fact]:
    """Measure who left or took the thing that a rule event is about; nothing of other kinds.

    Args:
        event: Of kind ``abandoned`` or ``removed``; its first other track is whoever did it.
        track: The thing's region.
        others: The incident's tracks, by id.
        cited: Frames that show the thing.
    """
    if event.kind not in (RuleKind.ABANDONED, RuleKind.REMOVED) or not event.other_track_ids:
        return []
    doer = others.get(event.other_track_ids[0])
    points = () if doer is None else seen_points(doer)
    if doer is None or not points:
        return []
    if event.kind is RuleKind.REMOVED:
        return _nearness(FactName.TAKEN_BY, track, doer, points, cited)
    last = points[-1]
    is_there = last.seq == event.frame_seq
    away = _fact(FactName.OWNER_AWAY, track, doer, last, cited, text="away" if is_there else "gone")
    return [*_nearness(FactName.LEFT_BY, track, doer, points, cited), away]


def _nearness(
    name: FactName, track: Track, doer: Track, points: Sequence[TrackPoint], cited: Cited
) -> list[Fact]:
    """State how near somebody was when a region began, if his points reach back to it."""
    began_s = track.first_seen_s
    if points[0].monotonic_s > began_s + MOST_LATE_S:
        return []
    nearest = min(points, key=lambda point: abs(point.monotonic_s - began_s))
    return [_fact(name, track, doer, nearest, cited, text=doer.label)]


def _fact(
    name: FactName, track: Track, doer: Track, point: TrackPoint, cited: Cited, *, text: str
) -> Fact:
    frames = [cited[moment] for moment in (Moment.FIRST, Moment.DECISIVE) if moment in cited]
    return Fact(
        fact_id="",
        name=name,
        subject=track.track_id,
        target=doer.track_id,
        value=math.dist(standing_point(track.last.box), standing_point(point.box)),
        text=text,
        unit="picture",
        sigma=math.hypot(PLACE_SIGMA, foot_jitter(seen_points(doer))),
        start_s=point.monotonic_s,
        end_s=point.monotonic_s,
        frames=tuple(dict.fromkeys(frames)),
        source=TRACKER,
    )
