"""Incidents whose facts agree with their tracks, measured here in the plainest way.

``situation`` makes one of any rule kind from a way of feet; ``together`` joins several.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from statistics import median

from contracts.detections import ModelIdentity
from contracts.geometry import Line, Point, Zone, standing_point
from contracts.incidents import Fact, FactName, Incident, IncidentState, RuleEvent
from contracts.rules import RuleKind, Severity
from contracts.tracks import Track
from tests.fakes.builders import RIGHT_HALF, track
from tests.fakes.clock import START

WALK_IN: tuple[Point, ...] = tuple((0.03 + 0.035 * index, 0.6) for index in range(21))
"""From the left edge into the right half, entered at 2.8 s, at 4 s 0.23 beyond its edge."""
STAY: tuple[Point, ...] = (
    *((0.03 + 0.06 * index, 0.6) for index in range(11)),
    *((0.66 + 0.004 * (index % 3), 0.6) for index in range(60)),
)
"""In from the left, then on one spot in the right half until 14 s."""

DOCK = Zone(zone_id="dock", polygon=RIGHT_HALF, name="Loading dock", is_restricted=True)
ELSEWHERE = Zone(
    zone_id="elsewhere", polygon=((0.0, 0.0), (0.3, 0.0), (0.3, 0.4), (0.0, 0.4)), name="Garden"
)
GATE = Line(line_id="gate", points=((0.5, 0.1), (0.5, 0.9)), name="Gate")
"""Walked downward, so that a step to the right of the picture goes to its left."""

Measured = tuple[FactName, float, str, float]


def situation(
    *,
    kind: RuleKind = RuleKind.INTRUSION,
    feet: Sequence[Point] = WALK_IN,
    label: str = "person",
    threshold: float = 1.0,
    state: IncidentState = IncidentState.OPENED,
    track_id: str = "t1",
    severity: Severity = Severity.HIGH,
    others: int = 0,
    light_change: float = 0.01,
) -> Incident:
    """One track, one rule ``keep_out`` that fired in its last frame, and the facts of both."""
    followed = track(feet, track_id=track_id, label=label)
    event = _event(kind, followed, threshold=threshold, severity=severity)
    facts = [
        *_track_facts(followed),
        *_rule_facts(event, followed),
        _fact(event, FactName.OTHERS_PRESENT, float(others), "1", 0.0),
        *_picture_facts(event, light_change),
    ]
    return Incident(
        incident_id="ev_1",
        revision=1,
        state=state,
        camera_id="cam",
        camera_name="Loading yard",
        place="north",
        run_id="run1",
        kind=kind,
        severity=severity,
        started_at=event.since_at,
        ended_at=event.at if state is IncidentState.CLOSED else None,
        started_s=event.since_s,
        updated_s=event.monotonic_s,
        decisive_at=event.at,
        detected_at=event.at + timedelta(milliseconds=80),
        rule_events=(event,),
        tracks=(followed,),
        facts=_numbered(facts),
        evidence=(),
        zones=(DOCK, ELSEWHERE),
        lines=(GATE,),
        detector=ModelIdentity(name="scripted"),
    )


def together(*incidents: Incident) -> Incident:
    """One incident with the rule events, tracks and facts of all."""
    first = incidents[0]
    return replace(
        first,
        rule_events=tuple(event for one in incidents for event in one.rule_events),
        tracks=tuple(followed for one in incidents for followed in one.tracks),
        facts=_numbered([fact for one in incidents for fact in one.facts]),
    )


def without(incident: Incident, *names: FactName) -> Incident:
    """The incident without the facts of these names."""
    return replace(incident, facts=tuple(fact for fact in incident.facts if fact.name not in names))


def with_fact(incident: Incident, name: FactName, **changes: object) -> Incident:
    """The incident with the facts of that name changed."""
    return replace(
        incident,
        facts=tuple(
            replace(fact, **changes) if fact.name is name else fact  # type: ignore[arg-type]  # any field
            for fact in incident.facts
        ),
    )


def elsewhere(incident: Incident, feet: Sequence[Point] = ((0.1, 0.9),)) -> Incident:
    """The same statements and facts, but the track's points were really at ``feet``, repeated."""
    [followed] = incident.tracks
    moved = tuple(
        replace(point, box=_box(feet[index % len(feet)]))
        for index, point in enumerate(followed.points)
    )
    return replace(incident, tracks=(replace(followed, points=moved),))


def _box(foot: Point) -> tuple[float, float, float, float]:
    x, y = foot
    return (x - 0.025, y - 0.2, x + 0.025, y)


def _event(kind: RuleKind, followed: Track, *, threshold: float, severity: Severity) -> RuleEvent:
    last = followed.last
    foot = standing_point(last.box)
    since = next(
        (
            point
            for point in reversed(followed.points)
            if not DOCK.contains(standing_point(point.box))
        ),
        followed.points[0],
    )
    is_line = kind is RuleKind.LINE_CROSS
    since_s = since.monotonic_s + (0.1 if is_line else 0.2)
    value, unit, sigma = last.monotonic_s - since_s, "s", 0.06
    if is_line or kind is RuleKind.ZONE_ENTRY:
        value, unit, sigma = abs(foot[0] - 0.5), "picture", 0.004
        threshold = 0.01 if is_line else 0.0
    return RuleEvent(
        event_id=f"re_{followed.track_id}",
        rule_id="keep_out",
        rule_version=1,
        kind=kind,
        severity=severity,
        track_id=followed.track_id,
        zone_id="" if is_line else "dock",
        line_id="gate" if is_line else "",
        at=last.captured_at,
        monotonic_s=last.monotonic_s,
        frame_seq=last.seq,
        since_at=START + timedelta(seconds=since_s),
        since_s=since_s,
        value=value,
        threshold=threshold,
        sigma=sigma,
        unit=unit,
        detail={"direction": "left"} if is_line else {},
    )


def _track_facts(followed: Track) -> list[Fact]:
    feet = [standing_point(point.box) for point in followed.points]
    path = sum(math.dist(a, b) for a, b in itertools.pairwise(feet))
    boxes = [point.box for point in followed.points]
    area = median((box[2] - box[0]) * (box[3] - box[1]) for box in boxes)
    measured: list[tuple[FactName, float, str, float, str]] = [
        (FactName.PRESENT, followed.age_s, "s", 0.08, followed.label),
        (FactName.LABEL_SHARE, followed.label_confidence, "share", 0.02, followed.label),
        (FactName.HIT_RATIO, followed.hit_ratio, "share", 0.02, ""),
        (FactName.CONFIDENCE, 0.9, "share", 0.01, ""),
        (FactName.PATH_LENGTH, path, "picture", 0.01, ""),
        (FactName.DISPLACEMENT, max(math.dist(feet[0], at) for at in feet), "picture", 0.004, ""),
        (FactName.BOX_AREA, area, "share", 0.0005, ""),
        (FactName.ENTERED_FROM, feet[0][0], "picture", 0.003, "left"),
    ]
    return [
        Fact(
            fact_id="",
            name=name,
            subject=followed.track_id,
            value=value,
            text=text,
            unit=unit,
            sigma=sigma,
            start_s=followed.first_seen_s,
            end_s=followed.last.monotonic_s,
            frames=(f"f_{followed.points[0].seq}", f"f_{followed.last.seq}"),
            source="tracker",
        )
        for name, value, unit, sigma, text in measured
    ]


def _rule_facts(event: RuleEvent, followed: Track) -> list[Fact]:
    feet = [standing_point(point.box) for point in followed.points]
    found = [
        _fact(event, FactName.RULE_VALUE, event.value, event.unit, event.sigma, target="keep_out"),
        _fact(event, FactName.SPEED, _speed(followed), "picture/s", 0.01),
    ]
    if event.zone_id:
        depth = DOCK.depth(feet[-1])
        dwell_s = event.monotonic_s - event.since_s
        found += [
            _fact(event, FactName.INSIDE, depth, "picture", 0.004, target="dock"),
            _fact(event, FactName.DWELL, dwell_s, "s", 0.06, target="dock"),
        ]
    else:
        before = next(foot for foot in reversed(feet) if foot[0] < 0.49)
        step = math.dist(before, feet[-1])
        crossed = _fact(event, FactName.CROSSED, step, "picture", 0.005, target="gate")
        found.append(replace(crossed, text="left"))
    return found


def _picture_facts(event: RuleEvent, light_change: float) -> list[Fact]:
    hour = event.at.hour + event.at.minute / 60 + event.at.second / 3600
    return [
        replace(fact, subject="cam")
        for fact in (
            _fact(event, FactName.LIGHT_CHANGE, light_change, "share", 0.005),
            _fact(event, FactName.FOREGROUND_SHARE, 0.02, "share", 0.002),
            _fact(event, FactName.HOUR, hour, "h", 0.0),
        )
    ]


def _speed(followed: Track) -> float:
    recent = [point for point in followed.points if point.monotonic_s >= followed.age_s - 2]
    steps = [
        math.dist(standing_point(a.box), standing_point(b.box)) / 0.6
        for a, b in zip(recent, recent[3:], strict=False)
    ]
    return median(steps)


def _fact(
    event: RuleEvent, name: FactName, value: float, unit: str, sigma: float, *, target: str = ""
) -> Fact:
    return Fact(
        fact_id="",
        name=name,
        subject=event.track_id,
        target=target,
        value=value,
        unit=unit,
        sigma=sigma,
        start_s=event.since_s,
        end_s=event.monotonic_s,
        frames=(f"f_{event.frame_seq}",),
        source="tracker",
    )


def _numbered(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    return tuple(replace(fact, fact_id=f"a{index}") for index, fact in enumerate(facts, start=1))
