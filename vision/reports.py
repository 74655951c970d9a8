"""Turns what the incident book says into the incidents that are published, with their proof."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from contracts.cameras import Camera
from contracts.clock import Clock
from contracts.detections import ModelIdentity
from contracts.evidence import EvidenceStore
from contracts.frames import FrameHeader
from contracts.geometry import Line, Zone
from contracts.incidents import (
    ClipRequest,
    EvidenceKind,
    Fact,
    Incident,
    IncidentState,
    RuleEvent,
)
from contracts.rules import RuleSettings, SceneRules
from contracts.settings import VisionSettings
from contracts.tracks import Track
from vision.evidence import EvidenceKeeper, kept_frames
from vision.fact_list import cite_only, merge_facts
from vision.facts import (
    PictureMotion,
    company_facts,
    dwell_fact,
    event_facts,
    picture_facts,
    track_facts,
)
from vision.fall_facts import down_fact, fall_facts
from vision.incidents import Joined, OpenIncident
from vision.keyframes import KeyFrame, KeyFrames, Moment
from vision.thing_facts import thing_facts

MAX_POINTS: Final = 600
"""Track points in one message, all its tracks together; more are thinned out evenly."""
LEAST_POINTS: Final = 180
"""... but each track keeps so many: one a second of the longest history, so that no gap is as
long as a rule's grace time and whoever measures again finds the same stay."""
NEAR_EVENT_S: Final = 3.0
"""Points this near to a rule event, or to where its condition began, are never thinned out."""
MAX_CLIP_S: Final = 30.0
"""Ingest keeps little more than this in memory."""
MAX_MEASURED_TRACKS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One frame as it was understood: objects, and regions that cues follow."""

    header: FrameHeader
    tracks: Sequence[Track]
    regions: Sequence[Track] = ()
    motions: Sequence[PictureMotion]
    key_frames: KeyFrames


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What goes out about one revision, and the open incident that remembers it."""

    remembered: OpenIncident
    incident: Incident
    clip_request: ClipRequest | None


class IncidentReporter:
    """Measures, proves and words one camera's incidents.

    Args:
        detector: Whose boxes the incidents rest on.
        settings: For pre-roll and post-roll.
        time_zone: For the hour of day; None leaves it out.
    """

    def __init__(
        self,
        detector: ModelIdentity,
        *,
        settings: VisionSettings,
        evidence: EvidenceStore,
        clock: Clock,
        time_zone: tzinfo | None = UTC,
    ) -> None:
        self._detector = detector
        self._settings = settings
        self._store = evidence
        self._clock = clock
        self._time_zone = time_zone

    def measure(
        self, incident: OpenIncident, joined: Joined, *, sight: Sight, scene: SceneRules
    ) -> OpenIncident:
        """Return the incident with the facts that the rule event rests on.

        Called in the decisive frame itself: what is near and how fast cannot be told later.
        """
        event = joined.event
        subjects = (*sight.tracks, *sight.regions)
        track = next(one for one in subjects if one.track_id == event.track_id)
        known = complete_scene(incident.scene, scene)
        cited = _cited(incident, track.track_id, sight.key_frames)
        fresh = [
            *track_facts(track, cited=cited),
            *event_facts(event, track=track, scene=known, cited=cited),
            *fall_facts(event, track=track, cited=cited),
            *company_facts(event, track=track, tracks=sight.tracks, cited=cited),
            *thing_facts(event, track=track, others=incident.tracks, cited=cited),
            *picture_facts(
                event,
                track=track,
                motions=sight.motions,
                time_zone=self._time_zone,
                cited=cited,
            ),
        ]
        return replace(
            incident,
            scene=known,
            cited={**incident.cited, track.track_id: cited},
            facts=merge_facts(incident.facts, fresh),
        )

    def report(
        self,
        incident: OpenIncident,
        state: IncidentState,
        *,
        camera: Camera,
        key_frames: KeyFrames,
        at: datetime,
    ) -> Report:
        """Return the next revision of an incident, its evidence stored.

        Args:
            incident: As the book has it.
            state: What happened to it.
            camera: Whose; its name and place go along.
            key_frames: Of the camera's present run.
            at: ``captured_at`` of the frame that this is said in.
        """
        keeper = EvidenceKeeper(self._store, camera_id=camera.camera_id)
        is_closed = state is IncidentState.CLOSED
        evidence = keeper.add_frames(
            incident.evidence, _frames_of(incident, key_frames, is_closed=is_closed)
        )
        if all(item.kind is not EvidenceKind.SNAPSHOT for item in evidence):
            decisive = key_frames.of(incident.rule_events[0].track_id).get(Moment.DECISIVE)
            if decisive is not None:
                zones, lines = _concerned(incident)
                snapshot = keeper.snapshot(
                    decisive,
                    tracks=incident.tracks.values(),
                    alerting=incident.tracks.keys(),
                    zones=zones,
                    lines=lines,
                )
                evidence = (snapshot, *evidence)
        remembered = replace(
            incident,
            revision=incident.revision + 1,
            evidence=evidence,
            facts=merge_facts(incident.facts, _aged_facts(incident, key_frames)),
            detected_at=incident.detected_at or self._clock.now(),
            revised_at=at,
            is_news=False,
        )
        is_opened = state is IncidentState.OPENED
        return Report(
            remembered=remembered,
            incident=self._worded(remembered, state, camera=camera, at=at),
            clip_request=self._clip_request(remembered, camera) if is_opened else None,
        )

    def _worded(
        self, incident: OpenIncident, state: IncidentState, *, camera: Camera, at: datetime
    ) -> Incident:
        is_closed = state is IncidentState.CLOSED
        updated_at = incident.active_at if is_closed else at
        return Incident(
            incident_id=incident.incident_id,
            revision=incident.revision,
            state=state,
            camera_id=camera.camera_id,
            camera_name=camera.name,
            place=camera.place,
            run_id=incident.run_id,
            kind=incident.kind,
            severity=incident.severity,
            started_at=incident.started_at,
            ended_at=incident.active_at if is_closed else None,
            started_s=incident.started_s,
            updated_s=incident.stream_s(updated_at),
            decisive_at=incident.decisive_at,
            detected_at=incident.detected_at or self._clock.now(),
            rule_events=incident.rule_events,
            tracks=tuple(
                thinned(
                    incident.tracks.values(),
                    events=incident.rule_events,
                    facts=incident.facts,
                    points=MAX_POINTS,
                )
            ),
            facts=cite_only(incident.facts, kept_frames(incident.evidence)),
            evidence=incident.evidence,
            zones=incident.scene.zones,
            lines=incident.scene.lines,
            calibration=incident.scene.calibration,
            detector=self._detector,
        )

    def _clip_request(self, incident: OpenIncident, camera: Camera) -> ClipRequest:
        ends_at = incident.decisive_at + timedelta(seconds=self._settings.post_roll_s)
        starts_at = incident.started_at - timedelta(seconds=self._settings.pre_roll_s)
        return ClipRequest(
            incident_id=incident.incident_id,
            camera_id=camera.camera_id,
            run_id=incident.run_id,
            starts_at=max(starts_at, ends_at - timedelta(seconds=MAX_CLIP_S)),
            ends_at=ends_at,
            still_at=incident.decisive_at,
        )


def complete_scene(known: SceneRules, current: SceneRules) -> SceneRules:
    """Return what is known of the scene, with what is current where nothing is known yet.

    An incident keeps the zones as they were when it happened, even if somebody redraws them.
    """
    zones: dict[str, Zone] = {zone.zone_id: zone for zone in (*current.zones, *known.zones)}
    lines: dict[str, Line] = {line.line_id: line for line in (*current.lines, *known.lines)}
    rules: dict[str, RuleSettings] = {rule.rule_id: rule for rule in (*current.rules, *known.rules)}
    return SceneRules(
        zones=tuple(zones.values()),
        lines=tuple(lines.values()),
        rules=tuple(rules.values()),
        calibration=known.calibration or current.calibration,
    )


def thinned(
    tracks: Iterable[Track],
    *,
    events: Sequence[RuleEvent],
    facts: Sequence[Fact] = (),
    points: int,
    least: int = LEAST_POINTS,
) -> list[Track]:
    """Return the tracks with about so many points in all: evenly spaced, whole around events.

    Where a fact says how far another track was from its subject, the point that was measured
    stays: whoever measures again must find the same place at that time.
    """
    all_tracks = list(tracks)
    share = max(least, points // max(1, len(all_tracks)))
    return [
        _thinned(
            track,
            share,
            moments_s=[
                moment_s
                for event in events
                if event.track_id == track.track_id
                for moment_s in (event.since_s, event.monotonic_s)
            ],
            measured_s={round(fact.end_s, 3) for fact in facts if fact.target == track.track_id},
        )
        for track in all_tracks
    ]


def _thinned(
    track: Track, count: int, *, moments_s: Sequence[float], measured_s: Collection[float]
) -> Track:
    if len(track.points) <= count:
        return track
    last = len(track.points) - 1
    spaced = {round(index * last / (count - 1)) for index in range(count)}
    points = tuple(
        point
        for index, point in enumerate(track.points)
        if index in spaced
        or round(point.monotonic_s, 3) in measured_s
        or any(abs(point.monotonic_s - moment_s) <= NEAR_EVENT_S for moment_s in moments_s)
    )
    return replace(track, points=points)


def _aged_facts(incident: OpenIncident, key_frames: KeyFrames) -> list[Fact]:
    """Measure again what grows while an incident goes on."""
    fresh: list[Fact] = []
    for track in list(incident.tracks.values())[:MAX_MEASURED_TRACKS]:
        cited = _cited(incident, track.track_id, key_frames)
        fresh += track_facts(track, cited=cited)
        stays = [
            dwell_fact(event, track=track, scene=incident.scene, cited=cited)
            for event in incident.rule_events
            if event.track_id == track.track_id
        ]
        stays += [
            down_fact(event, track=track, cited=cited)
            for event in incident.rule_events
            if event.track_id == track.track_id
        ]
        fresh += [stay for stay in stays if stay is not None]
    return fresh


def _cited(incident: OpenIncident, track_id: str, key_frames: KeyFrames) -> dict[Moment, str]:
    """Return the frame ids that show a track: remembered ones, and those still in memory."""
    current = {
        moment: frame.header.frame_id
        for moment, frame in key_frames.of(track_id).items()
        if not _is_name_taken(incident, frame)
    }
    return {**incident.cited.get(track_id, {}), **current}


def _is_name_taken(incident: OpenIncident, frame: KeyFrame) -> bool:
    """Say whether the frame's id already names a frame of an earlier run in the evidence."""
    return any(
        item.frame_id == frame.header.frame_id and item.captured_at != frame.header.captured_at
        for item in incident.evidence
    )


def _frames_of(incident: OpenIncident, key_frames: KeyFrames, *, is_closed: bool) -> list[KeyFrame]:
    """Return the key frames of an incident's tracks; the last ones only once it is over."""
    return [
        frame
        for track_id in incident.tracks
        for moment, frame in key_frames.of(track_id).items()
        if moment is not Moment.LAST or is_closed
    ]


def _concerned(incident: OpenIncident) -> tuple[list[Zone], list[Line]]:
    """Return the zones and lines that the incident's rule events are about."""
    zone_ids = {event.zone_id for event in incident.rule_events}
    line_ids = {event.line_id for event in incident.rule_events}
    return (
        [zone for zone in incident.scene.zones if zone.zone_id in zone_ids],
        [line for line in incident.scene.lines if line.line_id in line_ids],
    )
