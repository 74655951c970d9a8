"""Facts: what was measured about an incident, each with its uncertainty.

Pure functions from tracks, rule events and picture motion. Claims are recomputed from nothing
but these, so each says when it holds, what it is uncertain by and which kept frames show it.
A value that cannot be measured is left out; none is ever NaN.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from statistics import median
from typing import Final

from contracts.geometry import Point, Zone, standing_point
from contracts.incidents import Fact, FactName, RuleEvent
from contracts.rules import Place, SceneRules
from contracts.tracks import Track, TrackPoint, TrackState
from vision.boxes import area
from vision.estimates import MAD_TO_SIGMA, share_sigma
from vision.keyframes import Moment
from vision.kinematics import (
    foot_jitter,
    frame_step_s,
    largest_displacement,
    seen_points,
    smoothed_way,
    speed,
    speed_sigma,
    way_length,
)
from vision.rules.line_cross import HYSTERESIS, line_distance
from vision.rules.rule import TIME_SLACK_S
from vision.rules.stay import GRACE_S, dwell_sigma

TRACKER: Final = "tracker"
GATE: Final = "gate"
CLOCK: Final = "clock"
_SHARE_SIGMA_FLOOR: Final = 0.005
_TOUCH: Final = 0.02
"""A box this near to the picture's edge touches it."""
_ENTRY_STRIP: Final = 0.05
"""A first foot this near to the picture's edge came in over it."""
_NEAREST: Final = 3
"""So many distances to other tracks are stated, nearest first."""
_LIGHT_WINDOW_S: Final = 1.0
_LIGHT_SIGMA: Final = 0.005
_FOREGROUND_SIGMA: Final = 0.002

Cited = Mapping[Moment, str]
"""Ids of the frames kept for a track, by what they show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureMotion:
    """What the motion gate measured in one frame.

    Attributes:
        at_s: Stream time of the frame.
        share: Share (0..1) of the picture that moved.
        light_change: Change of mean luma (0..1) over the second before it.
    """

    at_s: float
    share: float
    light_change: float


def track_facts(track: Track, *, cited: Cited) -> list[Fact]:
    """Measure a track as a whole, over the points it still has.

    Where the first of them is forgotten there is no displacement: nobody knows any more where
    the track was first seen, nor how far from there it has been.
    """
    points = seen_points(track)
    if not points:
        return []
    jitter = foot_jitter(points)
    way = smoothed_way(points)
    frames = track.hits + track.misses
    confidences = [point.confidence for point in points]
    areas = [area(point.box) for point in points]
    since = _Stated(track, cited, track.first_seen_s, (Moment.FIRST, Moment.DECISIVE, Moment.LAST))
    last_s = points[-1].monotonic_s
    seen = replace(since, start_s=points[0].monotonic_s, end_s=last_s)
    step_s = frame_step_s(points)
    is_whole = _is_first(track, points[0])
    return _finite(
        replace(since, end_s=last_s).fact(
            FactName.PRESENT,
            last_s - track.first_seen_s,
            "s",
            step_s / math.sqrt(6),
            text=track.label,
        ),
        since.fact(
            FactName.LABEL_SHARE,
            track.label_confidence,
            "share",
            share_sigma(track.label_confidence, track.hits, floor=_SHARE_SIGMA_FLOOR),
            text=track.label,
        ),
        since.fact(
            FactName.HIT_RATIO,
            track.hit_ratio,
            "share",
            share_sigma(track.hit_ratio, frames, floor=_SHARE_SIGMA_FLOOR),
        ),
        seen.fact(FactName.CONFIDENCE, median(confidences), "share", _median_sigma(confidences)),
        seen.fact(
            FactName.PATH_LENGTH,
            way_length(way),
            "picture",
            math.sqrt(2 * len(way)) * jitter,
        ),
        seen.fact(
            FactName.DISPLACEMENT, largest_displacement(points), "picture", math.sqrt(2) * jitter
        )
        if is_whole
        else None,
        seen.fact(FactName.BOX_AREA, median(areas), "share", _median_sigma(areas, floor=1e-4)),
        _entered_from(seen, points[0]) if is_whole and not track.is_region else None,
    )


def event_facts(event: RuleEvent, *, track: Track, scene: SceneRules, cited: Cited) -> list[Fact]:
    """Measure what a rule event rests on: zone or line, speed, and the rule's own value."""
    points = [point for point in seen_points(track) if point.seq <= event.frame_seq]
    if not points:
        return []
    moment = _Stated(track, cited, event.monotonic_s, (Moment.DECISIVE,), event.monotonic_s)
    since = _Stated(track, cited, event.since_s, (Moment.ENTRY, Moment.DECISIVE), event.monotonic_s)
    pace = speed(points, until_s=event.monotonic_s)
    found: list[Fact | None] = [
        None
        if pace is None
        else moment.fact(FactName.SPEED, pace, "picture/s", speed_sigma(points)),
        since.fact(
            FactName.RULE_VALUE,
            event.value,
            event.unit,
            event.sigma,
            target=event.rule_id,
            text=event.unit,
            source=f"rule:{event.rule_id}",
        ),
    ]
    if event.zone_id:
        depth = scene.zone(event.zone_id).depth(standing_point(points[-1].box))
        found.append(
            moment.fact(
                FactName.INSIDE, depth, "picture", foot_jitter(points), target=event.zone_id
            )
        )
        found.append(dwell_fact(event, track=track, scene=scene, cited=cited))
    if event.line_id:
        found.append(_crossed(event, points, scene, since))
    return _finite(*found)


def dwell_fact(event: RuleEvent, *, track: Track, scene: SceneRules, cited: Cited) -> Fact | None:
    """Measure how long the stay that a zone's rule event is about has lasted by now.

    Absences within the rule's grace time are included; None if the event is not about a stay that
    began with it.
    """
    if not event.zone_id or event.kind.place is not Place.ZONE or event.kind.is_instant:
        return None
    zone = scene.zone(event.zone_id)
    grace_s = next(
        (rule.params.get("grace_s") for rule in scene.rules if rule.rule_id == event.rule_id), None
    )
    end_s = stay_end_s(
        seen_points(track),
        zone=zone,
        decisive_s=event.monotonic_s,
        grace_s=float(grace_s) if grace_s is not None else GRACE_S,
    )
    stated = _Stated(
        track, cited, event.since_s, (Moment.ENTRY, Moment.DECISIVE, Moment.LAST), end_s
    )
    return stated.fact(
        FactName.DWELL, end_s - event.since_s, "s", dwell_sigma(track), target=event.zone_id
    )


def stay_end_s(
    points: Sequence[TrackPoint], *, zone: Zone, decisive_s: float, grace_s: float
) -> float:
    """Return the stream time of the last point inside of the stay that goes on at ``decisive_s``.

    Where the points forgot what followed the decisive frame, the stay is taken to have gone on.
    """
    end_s = decisive_s
    later = [point for point in points if point.monotonic_s > decisive_s]
    if points and points[0].monotonic_s > decisive_s + grace_s:
        end_s = points[0].monotonic_s
    for point in later:
        if point.monotonic_s - end_s > grace_s + TIME_SLACK_S:
            break
        if zone.contains(standing_point(point.box)):
            end_s = point.monotonic_s
    return end_s


def company_facts(
    event: RuleEvent, *, track: Track, tracks: Iterable[Track], cited: Cited
) -> list[Fact]:
    """Measure who else is in the decisive frame, and how near. ``tracks`` are that frame's."""
    stated = _Stated(track, cited, event.monotonic_s, (Moment.DECISIVE,), event.monotonic_s)
    others = [
        other
        for other in tracks
        if other.track_id != track.track_id
        and other.state is TrackState.CONFIRMED
        and other.last.is_observed
    ]
    own_foot = standing_point(track.last.box)
    near = sorted(
        (math.dist(own_foot, standing_point(other.last.box)), other.track_id, other)
        for other in others
    )
    own_jitter = foot_jitter(seen_points(track))
    return _finite(
        stated.fact(FactName.OTHERS_PRESENT, float(len(others)), "1", 0.0),
        *(
            stated.fact(
                FactName.NEAR,
                distance,
                "picture",
                math.hypot(own_jitter, foot_jitter(seen_points(other))),
                target=other_id,
            )
            for distance, other_id, other in near[:_NEAREST]
        ),
    )


def picture_facts(
    event: RuleEvent,
    *,
    track: Track,
    motions: Sequence[PictureMotion],
    time_zone: tzinfo | None,
    cited: Cited,
) -> list[Fact]:
    """Measure the whole picture: light and movement around the event, and the hour of day.

    Without a time zone there is no hour: nobody knows when a recording was made.
    """
    appeared_s = track.first_seen_s
    dawn_s = appeared_s - _LIGHT_WINDOW_S
    before = [motion for motion in motions if dawn_s < motion.at_s <= appeared_s + TIME_SLACK_S]
    during = [motion for motion in motions if dawn_s < motion.at_s <= event.monotonic_s]
    picture = _Stated(
        track,
        cited,
        dawn_s,
        (Moment.FIRST, Moment.DECISIVE),
        event.monotonic_s,
        subject=track.camera_id,
    )
    return _finite(
        picture.fact(
            FactName.LIGHT_CHANGE,
            before[-1].light_change,
            "share",
            _LIGHT_SIGMA,
            source=GATE,
        )
        if before
        else None,
        picture.fact(
            FactName.FOREGROUND_SHARE,
            max(motion.share for motion in during),
            "share",
            _FOREGROUND_SIGMA,
            source=GATE,
        )
        if during
        else None,
        replace(picture, start_s=event.monotonic_s).fact(
            FactName.HOUR, _hour_of(event.at, time_zone), "h", 0.0, source=CLOCK
        )
        if time_zone is not None
        else None,
    )


def _hour_of(at: datetime, time_zone: tzinfo) -> float:
    local = at.astimezone(time_zone)
    return local.hour + local.minute / 60 + local.second / 3600


@dataclass(frozen=True, slots=True)
class _Stated:
    """What the facts of one group have in common."""

    track: Track
    cited: Cited
    start_s: float
    moments: tuple[Moment, ...]
    end_s: float | None = None
    subject: str = ""

    def fact(  # noqa: PLR0913  # a fact is wide; this is the one place that makes one
        self,
        name: FactName,
        value: float,
        unit: str,
        sigma: float,
        *,
        target: str = "",
        text: str = "",
        source: str = TRACKER,
    ) -> Fact:
        frames = [self.cited[moment] for moment in self.moments if moment in self.cited]
        return Fact(
            fact_id="",
            name=name,
            subject=self.subject or self.track.track_id,
            target=target,
            value=value,
            text=text,
            unit=unit,
            sigma=sigma,
            start_s=self.start_s,
            end_s=self.track.last.monotonic_s if self.end_s is None else self.end_s,
            frames=tuple(dict.fromkeys(frames)),
            source=source,
        )


def _finite(*facts: Fact | None) -> list[Fact]:
    return [
        fact
        for fact in facts
        if fact is not None and math.isfinite(fact.value) and math.isfinite(fact.sigma)
    ]


def _is_first(track: Track, point: TrackPoint) -> bool:
    return point.monotonic_s <= track.first_seen_s + TIME_SLACK_S


def _entered_from(stated: _Stated, first: TrackPoint) -> Fact:
    """State over which edge the track came: one its first box touches, or its foot is near."""
    x1, y1, x2, y2 = first.box
    x, y = standing_point(first.box)
    foot_to = {"left": x, "right": 1 - x, "top": y, "bottom": 1 - y}
    box_to = {"left": x1, "right": 1 - x2, "top": y1, "bottom": 1 - y2}
    touched = [edge for edge, distance in box_to.items() if distance <= _TOUCH]
    near = touched or [edge for edge, distance in foot_to.items() if distance <= _ENTRY_STRIP]
    nearest_first: Callable[[str], float] = foot_to.__getitem__
    edge = min(near or foot_to, key=nearest_first)
    jitter = foot_jitter(seen_points(stated.track))
    fact = stated.fact(
        FactName.ENTERED_FROM, foot_to[edge], "picture", jitter, text=edge if near else "inside"
    )
    return replace(fact, end_s=first.monotonic_s)


def _crossed(
    event: RuleEvent, points: Sequence[TrackPoint], scene: SceneRules, since: _Stated
) -> Fact | None:
    """State the length of the step over the line: from standing clear to standing clear."""
    line = scene.line(event.line_id)
    before = [point for point in points if point.monotonic_s <= event.since_s + TIME_SLACK_S]
    feet: list[Point] = [standing_point(point.box) for point in before]
    hysteresis = event.threshold if event.unit == "picture" else HYSTERESIS
    clear = [at for at in feet if line_distance(line, at) >= hysteresis]
    if not clear:
        return None
    return since.fact(
        FactName.CROSSED,
        math.dist(clear[-1], standing_point(points[-1].box)),
        "picture",
        math.sqrt(2) * foot_jitter(points),
        target=event.line_id,
        text=event.detail.get("direction", ""),
    )


def _median_sigma(values: Sequence[float], *, floor: float = _SHARE_SIGMA_FLOOR) -> float:
    """Return the standard uncertainty of a median: 1.2533 of the mean's, from the MAD."""
    middle = median(values)
    deviation = MAD_TO_SIGMA * median(abs(value - middle) for value in values)
    return max(floor, 1.2533 * deviation / math.sqrt(len(values)))
