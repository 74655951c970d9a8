"""Builders that default everything a test does not care about."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from contracts.detections import ModelIdentity
from contracts.frames import Frame, FrameHeader
from contracts.geometry import Box, Point, Zone
from contracts.incidents import (
    EvidenceItem,
    EvidenceKind,
    Fact,
    FactName,
    Incident,
    IncidentState,
    RuleEvent,
)
from contracts.rules import RuleKind, RuleSettings, SceneRules, Severity
from contracts.tracks import Track, TrackPoint, TrackState
from tests.fakes.clock import START

WHOLE: tuple[Point, ...] = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
RIGHT_HALF: tuple[Point, ...] = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))


def header(
    seq: int = 0,
    *,
    camera_id: str = "cam",
    run_id: str = "run1",
    at_s: float | None = None,
    size: tuple[int, int] = (640, 360),
) -> FrameHeader:
    """Frame ``seq`` of a 5 fps stream that began at ``START``; ``at_s`` overrides its time."""
    stream_s = seq / 5 if at_s is None else at_s
    return FrameHeader(
        camera_id=camera_id,
        run_id=run_id,
        seq=seq,
        captured_at=START + timedelta(seconds=stream_s),
        monotonic_s=stream_s,
        width=size[0],
        height=size[1],
    )


def frame(seq: int = 0, *, camera_id: str = "cam", at_s: float | None = None) -> Frame:
    """A grey frame."""
    head = header(seq, camera_id=camera_id, at_s=at_s)
    return Frame(header=head, pixels_HW3=np.full((head.height, head.width, 3), 90, np.uint8))


def box_at(foot_at: Point, *, width: float = 0.05, height: float = 0.2) -> Box:
    """A standing box whose bottom centre is ``foot_at``."""
    x, y = foot_at
    return (x - width / 2, y - height, x + width / 2, y)


def track(
    feet: Sequence[Point],
    *,
    track_id: str = "t1",
    label: str = "person",
    camera_id: str = "cam",
    first_seq: int = 0,
    fps: float = 5.0,
) -> Track:
    """A confirmed track seen in each frame, at one foot point a frame."""
    points = tuple(
        TrackPoint(
            seq=first_seq + index,
            monotonic_s=(first_seq + index) / fps,
            captured_at=START + timedelta(seconds=(first_seq + index) / fps),
            box=box_at(at),
            confidence=0.9,
            is_observed=True,
        )
        for index, at in enumerate(feet)
    )
    return Track(
        track_id=track_id,
        camera_id=camera_id,
        run_id="run1",
        label=label,
        label_confidence=1.0,
        state=TrackState.CONFIRMED,
        points=points,
        hits=len(points),
        misses=0,
        first_seen_at=points[0].captured_at,
        first_seen_s=points[0].monotonic_s,
    )


def scene(
    *,
    kind: RuleKind = RuleKind.INTRUSION,
    polygon: tuple[Point, ...] = RIGHT_HALF,
    labels: tuple[str, ...] = ("person",),
    threshold_s: float = 1.0,
) -> SceneRules:
    """One zone ``dock`` and one rule ``keep_out`` about it."""
    return SceneRules(
        zones=(Zone(zone_id="dock", polygon=polygon, name="Loading dock", is_restricted=True),),
        rules=(
            RuleSettings(
                rule_id="keep_out",
                kind=kind,
                zone_id="dock",
                labels=labels,
                params={"threshold_s": threshold_s},
                severity=Severity.HIGH,
            ),
        ),
    )


def rule_event(
    *,
    kind: RuleKind = RuleKind.INTRUSION,
    track_id: str = "t1",
    value: float = 1.4,
    threshold: float = 1.0,
    seq: int = 20,
    event_id: str = "re_1",
) -> RuleEvent:
    """``keep_out`` fired for a track in zone ``dock``."""
    at_s = seq / 5
    return RuleEvent(
        event_id=event_id,
        rule_id="keep_out",
        rule_version=1,
        kind=kind,
        severity=Severity.HIGH,
        track_id=track_id,
        zone_id="dock",
        at=START + timedelta(seconds=at_s),
        monotonic_s=at_s,
        frame_seq=seq,
        since_at=START + timedelta(seconds=at_s - value),
        since_s=at_s - value,
        value=value,
        threshold=threshold,
        sigma=0.1,
        unit="s",
    )


def fact(
    name: FactName,
    value: float,
    *,
    fact_id: str,
    subject: str = "t1",
    target: str = "",
    text: str = "",
    unit: str = "s",
    sigma: float = 0.1,
    frames: tuple[str, ...] = ("f_20",),
    source: str = "tracker",
) -> Fact:
    """One measurement about track ``t1``."""
    return Fact(
        fact_id=fact_id,
        name=name,
        subject=subject,
        target=target,
        value=value,
        text=text,
        unit=unit,
        sigma=sigma,
        start_s=0.0,
        end_s=4.0,
        frames=frames,
        source=source,
    )


def intrusion_facts() -> tuple[Fact, ...]:
    """Facts of a person who walked from the left into ``dock`` and has been there 1.4 s."""
    return (
        fact(FactName.PRESENT, 4.0, fact_id="a1", text="person"),
        fact(FactName.LABEL_SHARE, 0.95, fact_id="a2", text="person", unit="share", sigma=0.05),
        fact(FactName.HIT_RATIO, 0.95, fact_id="a3", unit="share", sigma=0.05),
        fact(FactName.CONFIDENCE, 0.85, fact_id="a4", unit="share", sigma=0.05),
        fact(FactName.INSIDE, 0.216, fact_id="a5", target="dock", unit="picture", sigma=0.01),
        fact(FactName.DWELL, 1.4, fact_id="a6", target="dock"),
        fact(FactName.PATH_LENGTH, 0.616, fact_id="a7", unit="picture", sigma=0.02),
        fact(FactName.DISPLACEMENT, 0.616, fact_id="a8", unit="picture", sigma=0.01),
        fact(FactName.SPEED, 0.154, fact_id="a9", unit="picture/s", sigma=0.01),
        fact(FactName.BOX_AREA, 0.01, fact_id="a10", unit="share", sigma=0.001),
        fact(FactName.OTHERS_PRESENT, 0.0, fact_id="a11", unit="1", sigma=0.0),
        fact(
            FactName.LIGHT_CHANGE,
            0.01,
            fact_id="a12",
            subject="cam",
            unit="share",
            sigma=0.005,
            source="gate",
        ),
        fact(
            FactName.FOREGROUND_SHARE,
            0.02,
            fact_id="a13",
            subject="cam",
            unit="share",
            sigma=0.002,
            source="gate",
        ),
        fact(
            FactName.RULE_VALUE,
            1.4,
            fact_id="a14",
            target="keep_out",
            text="s",
            source="rule:keep_out",
        ),
    )


def incident(
    *,
    revision: int = 1,
    state: IncidentState = IncidentState.OPENED,
    incident_id: str = "ev_1",
    camera_id: str = "cam",
    detected_at: datetime | None = None,
    facts: tuple[Fact, ...] | None = None,
    evidence: tuple[EvidenceItem, ...] | None = None,
) -> Incident:
    """An intrusion into ``dock`` by the person ``t1``."""
    event = rule_event()
    followed = track([(0.1 + 0.0308 * index, 0.6) for index in range(21)], camera_id=camera_id)
    default_evidence = (
        EvidenceItem(
            kind=EvidenceKind.FRAME,
            ref="sha256-" + "0" * 64 + ".jpg",
            frame_id="f_20",
            captured_at=event.at,
            boxes={"t1": followed.last.box},
        ),
    )
    return Incident(
        incident_id=incident_id,
        revision=revision,
        state=state,
        camera_id=camera_id,
        camera_name="Loading yard",
        place="north",
        run_id="run1",
        kind=event.kind,
        severity=event.severity,
        started_at=event.since_at,
        ended_at=event.at if state is IncidentState.CLOSED else None,
        started_s=event.since_s,
        updated_s=event.monotonic_s,
        decisive_at=event.at,
        detected_at=detected_at or event.at + timedelta(milliseconds=80),
        rule_events=(event,),
        tracks=(followed,),
        facts=intrusion_facts() if facts is None else facts,
        evidence=default_evidence if evidence is None else evidence,
        zones=scene().zones,
        detector=ModelIdentity(name="scripted"),
    )
