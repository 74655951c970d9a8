"""Rule events, facts and incidents: what vision states, each with what it was measured by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from contracts.detections import ModelIdentity
from contracts.geometry import Calibration, Line, Zone
from contracts.rules import RuleKind, Severity
from contracts.tracks import Track

WHOLE_PICTURE = "picture"
"""Stands for the place of what is about no zone and no line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEvent:
    """One rule's statement about a track, with how near it was to not being made.

    Attributes:
        event_id: Derived from camera, run, rule and track, so a repeat has the same id.
        track_id: Whom or what it is about: an object, or a region that a cue follows.
        other_track_ids: Others who take part: whom somebody follows in, who else is in the crowd.
        at, monotonic_s, frame_seq: Of the decisive frame.
        since_at, since_s: When the condition began (entering the zone, the crossing itself).
        value, threshold, unit: What was measured and what was asked, in ``unit``: ``s`` for times,
            ``picture`` for normalised lengths, ``1`` for counts, ``share`` for shares and
            probabilities, ``deg`` for angles, ``m/s``, ``height/s`` for body heights per second,
            ``1/m2`` for people per square metre.
        sigma: Standard uncertainty of ``value``, same unit.
        detail: Words the rule adds, for instance ``{"direction": "left"}``.
    """

    event_id: str
    rule_id: str
    rule_version: int
    kind: RuleKind
    severity: Severity
    track_id: str
    other_track_ids: tuple[str, ...] = ()
    zone_id: str = ""
    line_id: str = ""
    at: datetime
    monotonic_s: float
    frame_seq: int
    since_at: datetime
    since_s: float
    value: float
    threshold: float
    sigma: float
    unit: str
    detail: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Id of the line or zone that it is about; ``picture`` where it is about neither."""
        return self.line_id or self.zone_id or WHOLE_PICTURE

    @property
    def margin(self) -> float:
        """How far past the threshold, in the rule's unit, whichever way that is."""
        past = self.value - self.threshold
        return -past if self.kind.fires_below else past


class FactName(StrEnum):
    """What can be measured. ``subject`` is a track unless said otherwise."""

    PRESENT = "present"
    """Seconds from where the track was first seen to where it was last. Text: its label."""
    LABEL_SHARE = "label_share"
    """Share (0..1) of detections that gave the track its label. Text: the label."""
    HIT_RATIO = "hit_ratio"
    """Share (0..1) of frames in which the track was really seen."""
    CONFIDENCE = "confidence"
    """Median detector confidence over the track, 0..1."""
    INSIDE = "inside"
    """Signed depth of the foot in the zone ``target``, picture units; positive is inside."""
    DWELL = "dwell"
    """Seconds in the zone ``target`` since it entered, absences within the grace time included."""
    CROSSED = "crossed"
    """Length of the step over the line ``target``, picture units. Text: ``left`` or ``right``."""
    PATH_LENGTH = "path_length"
    """Length of the smoothed way of the foot, picture units."""
    DISPLACEMENT = "displacement"
    """Largest distance of the foot from where it was first seen, picture units."""
    SPEED = "speed"
    """Median speed of the foot over the last 2 s, picture units per second."""
    BOX_AREA = "box_area"
    """Median area of the box, share of the picture 0..1."""
    ENTERED_FROM = "entered_from"
    """Distance of the first foot to the picture's edge. Text: left, right, top, bottom, inside."""
    NEAR = "near"
    """Distance of feet to the track ``target``, picture units, at the decisive frame."""
    OTHERS_PRESENT = "others_present"
    """Number of other confirmed tracks in the decisive frame."""
    LIGHT_CHANGE = "light_change"
    """Change of mean luma (0..1) over the second before the track appeared. Subject: camera."""
    FOREGROUND_SHARE = "foreground_share"
    """Largest share (0..1) of the picture that moved at once. Subject: camera."""
    RULE_VALUE = "rule_value"
    """What the rule measured. Target: the rule. Text: the unit."""
    LEFT_BY = "left_by"
    """Distance of feet from a thing to whoever left it (``target``) then. Text: his label."""
    OWNER_AWAY = "owner_away"
    """The same where he was last seen. Text: ``away`` if he is still in view, else ``gone``."""
    TAKEN_BY = "taken_by"
    """Distance of feet from a thing to whoever took it (``target``) then. Text: his label."""
    HEAD_DROP = "head_drop"
    """How far the head of whoever fell came down, in heights of the body as it stood."""
    FALL_PACE = "fall_pace"
    """How fast it came down, body heights per second."""
    HEAD_GONE = "head_gone"
    """Share (0..1) of the place where its head was that looks otherwise now."""
    DOWN = "down"
    """Seconds that it has been down."""
    POSTURE = "posture"
    """Share (0..1) of the posture that it is in. Text: upright, bent, sitting or lying."""
    HOUR = "hour"
    """Local hour of day, 0..24, at the decisive frame. Subject: camera."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One measurement, made to be checked against.

    Attributes:
        fact_id: ``a1``, ``a2``, … in the order of making; unique in its incident.
        subject: Track id, or the camera id for facts about the whole picture.
        target: Zone, line, rule or other track it relates to; may be empty.
        value: The number; NaN is never stored.
        text: The word, for facts that have one.
        unit: ``s``, ``picture``, ``picture/s``, ``height``, ``height/s`` (of a body), ``share``,
            ``1`` or ``h``.
        sigma: Standard uncertainty of ``value`` in its unit; 0 means exact by construction.
        start_s, end_s: The stream time that it is about.
        frames: Frame ids (``f_12``) that show it; each is kept as evidence.
        source: Who measured: ``tracker``, ``bodies``, ``rule:<id>``, ``gate`` or ``clock``.
    """

    fact_id: str
    name: FactName
    subject: str
    target: str = ""
    value: float
    text: str = ""
    unit: str
    sigma: float
    start_s: float
    end_s: float
    frames: tuple[str, ...] = ()
    source: str


class EvidenceKind(StrEnum):
    """What a piece of evidence is."""

    SNAPSHOT = "snapshot"
    """JPEG of the decisive frame with boxes."""
    FRAME = "frame"
    """JPEG of one cited frame, as analysed, without drawing."""
    CLIP = "clip"
    """MP4 around the incident."""
    STILL = "still"
    """JPEG of the key frame nearest to the decisive moment, at the source's full size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceItem:
    """One stored picture or clip.

    Attributes:
        ref: ``sha256-<hex>.<suffix>``; empty if not kept. problem: Why not, or what it lacks.
        frame_id, stream: Of a picture as analysed; of clip and still, ``main`` or ``sub`` if both.
        boxes: For pictures, ``track_id -> normalised box`` in that frame, for drawing.
    """

    kind: EvidenceKind
    ref: str = ""
    frame_id: str = ""
    stream: str = ""
    captured_at: datetime | None = None
    boxes: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)
    problem: str = ""


class IncidentState(StrEnum):
    """Life of an incident."""

    OPENED = "opened"
    EXTENDED = "extended"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Rule events of one situation, as of one revision; on the wire it is called an event.

    Attributes:
        incident_id: ``ev_…``, derived from the first rule event.
        revision: 1 when opened, one more with every message about it.
        rule_events: First is the one that opened it; at least one.
        tracks: Snapshots of the tracks involved, histories included.
        facts: Everything a claim about it may rest on.
        evidence: What is kept so far; the clip follows later (see ``EvidenceReady``).
        zones, lines, calibration: As they were when it happened.
        decisive_at: ``captured_at`` of the frame that opened it.
        detected_at: Wall clock when vision had it.
    """

    incident_id: str
    revision: int
    state: IncidentState
    camera_id: str
    camera_name: str
    place: str
    run_id: str
    kind: RuleKind
    severity: Severity
    started_at: datetime
    ended_at: datetime | None
    started_s: float
    updated_s: float
    decisive_at: datetime
    detected_at: datetime
    rule_events: tuple[RuleEvent, ...]
    tracks: tuple[Track, ...]
    facts: tuple[Fact, ...]
    evidence: tuple[EvidenceItem, ...]
    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    calibration: Calibration | None = None
    detector: ModelIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRequest:
    """Vision asks the ingestor that holds the camera to keep a clip.

    The clip covers ``starts_at`` to ``ends_at`` (UTC of ``captured_at``), pre- and post-roll
    included; it is made once its end has passed, and a still of ``still_at`` with it.
    """

    incident_id: str
    camera_id: str
    run_id: str
    starts_at: datetime
    ends_at: datetime
    still_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceReady:
    """Evidence that came after its incident: clip or still, or why there is none."""

    incident_id: str
    camera_id: str
    item: EvidenceItem
