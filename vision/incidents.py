"""What becomes one incident: rule events of one situation, from opening to closing.

Pure: time is an argument. Times are ``captured_at`` rather than stream seconds, because an
incident may go on in the next run of its camera.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from contracts.frames import FrameHeader
from contracts.geometry import Box, centre, standing_point
from contracts.ids import derived_id
from contracts.incidents import EvidenceItem, Fact, IncidentState, RuleEvent
from contracts.rules import RuleKind, SceneRules, Severity
from contracts.tracks import Track, TrackPoint, TrackState
from vision.keyframes import Moment

MAX_RULE_EVENTS: Final = 32
MAX_TRACKS: Final = 24
"""Bounds of one incident: a crowd in a zone stays one message of bounded size."""
REVISION_GAP_S: Final = 1.0
"""News that comes faster than this goes together into one revision."""
JOIN_S: Final = 1.0
"""An event of the same rule joins while somebody was there within this time."""
_EACH_ITS_OWN: Final = frozenset({RuleKind.ABANDONED, RuleKind.REMOVED})
"""Kinds that are about one thing each: two bags are two situations, not a group."""
_STRIDE_PER_S: Final = 1.0
"""Somebody unseen moves at most so many of its own sizes a second (walking is about 0.8)."""
_TOUCH: Final = 0.02
_OUTWARD: Final = 0.03
"""Picture units per second: whoever was last seen moving faster than this out of the picture has
left it."""
_HEADING_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncident:
    """An incident as it is kept between frames, and across a crash in the checkpoint.

    Attributes:
        revision: Of the last message about it; 0 before the first.
        tracks: Newest snapshot of each track involved, by id, in the order of joining.
        active_at: ``captured_at`` of the last frame in which one of its tracks was seen while it
            satisfied the condition (a rule's grace time included), or of the last rule event.
        revised_at: ``captured_at`` of the frame of its last message.
        is_news: Something material happened since its last message.
        scene: Zones, lines and rules as they were when its events happened.
        detected_at: Wall clock when it was opened; None until it is reported.
        cited: For each track, ids of the frames that show it.
    """

    incident_id: str
    revision: int = 0
    run_id: str
    kind: RuleKind
    severity: Severity
    started_at: datetime
    started_s: float
    decisive_at: datetime
    rule_events: tuple[RuleEvent, ...]
    tracks: Mapping[str, Track]
    active_at: datetime
    revised_at: datetime
    is_news: bool = True
    scene: SceneRules = field(default_factory=SceneRules)
    detected_at: datetime | None = None
    cited: Mapping[str, Mapping[Moment, str]] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    evidence: tuple[EvidenceItem, ...] = ()

    @property
    def rule_ids(self) -> frozenset[str]:
        """The rules that have spoken in it."""
        return frozenset(event.rule_id for event in self.rule_events)

    def stream_s(self, at: datetime) -> float:
        """Return ``at`` in seconds of the stream time in which the incident began."""
        return self.started_s + (at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A message about an incident that is due: what happened to it."""

    incident_id: str
    state: IncidentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A rule event and the incident that it opened or extended."""

    incident_id: str
    event: RuleEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one frame did to the book."""

    joined: tuple[Joined, ...] = ()
    revisions: tuple[Revision, ...] = ()


@dataclass(slots=True)
class IncidentBook:
    """The open incidents of one camera.

    A rule event joins an open incident of its track; or one of the same rule while another of
    its tracks is still there (two intruders at once are one situation, two cars over a line are
    two); else it opens one. A track that appears where a track of an incident was lost takes its
    place without further news, so that one visitor never alerts twice because an id changed;
    whoever was last seen on the way out of the picture is not replaced. An incident closes when
    nobody has satisfied its condition for ``close_after_s``.
    """

    close_after_s: float
    _open: dict[str, OpenIncident] = field(default_factory=dict)

    def restore(self, incidents: Sequence[OpenIncident]) -> None:
        """Take up what an earlier process left open."""
        self._open = {incident.incident_id: incident for incident in incidents}

    @property
    def open_incidents(self) -> tuple[OpenIncident, ...]:
        """All that is open, oldest first."""
        return tuple(self._open.values())

    def incident(self, incident_id: str) -> OpenIncident:
        """Return one open incident; KeyError if it is not open."""
        return self._open[incident_id]

    def keep(self, incident: OpenIncident) -> None:
        """Replace an open incident by its richer self."""
        self._open[incident.incident_id] = incident

    def remove(self, incident_id: str) -> None:
        """Forget an incident whose closing has been told."""
        del self._open[incident_id]

    def close_stale(self, at: datetime) -> tuple[Revision, ...]:
        """Return the closings that are due; call it before the frame of ``at`` is read.

        Each stays in the book until ``remove``.
        """
        return tuple(
            Revision(incident_id=incident.incident_id, state=IncidentState.CLOSED)
            for incident in self._open.values()
            if (at - incident.active_at).total_seconds() > self.close_after_s
        )

    def close_all(self) -> tuple[Revision, ...]:
        """Return the closing of everything open: the recording is at its end."""
        return tuple(
            Revision(incident_id=incident_id, state=IncidentState.CLOSED)
            for incident_id in self._open
        )

    def begin_run(self, at: datetime) -> None:
        """Note that a new run begins at ``at``, which may lie before what is known."""
        for incident in self.open_incidents:
            if incident.active_at > at:
                self.keep(replace(incident, active_at=at, revised_at=min(at, incident.revised_at)))

    def read(
        self,
        events: Sequence[RuleEvent],
        *,
        tracks: Sequence[Track],
        present: Mapping[str, Collection[str]],
        header: FrameHeader,
    ) -> Turn:
        """Read one frame.

        Args:
            events: What the rules said about it.
            tracks: All snapshots of the frame.
            present: For each rule id, the tracks that are where it watches (``Rule.present``).
            header: Of the frame.
        """
        by_id = {track.track_id: track for track in tracks}
        for incident in self.open_incidents:
            self.keep(self._follow(incident, by_id, present, header))
        joined = tuple(self._join(event, by_id, header) for event in events)
        return Turn(joined=joined, revisions=self._due(header.captured_at))

    def _follow(
        self,
        incident: OpenIncident,
        by_id: Mapping[str, Track],
        present: Mapping[str, Collection[str]],
        header: FrameHeader,
    ) -> OpenIncident:
        """Bring an incident's tracks up to date, with successors, and see whether it goes on."""
        there = {name for rule_id in incident.rule_ids for name in present.get(rule_id, ())}
        if not there and by_id.keys().isdisjoint(incident.tracks):
            return incident
        tracks = {name: by_id.get(name, track) for name, track in incident.tracks.items()}
        lost = [track for track in tracks.values() if not _is_followed(track, by_id)]
        for name in sorted(there - tracks.keys()):
            heir = by_id.get(name)
            if heir is None or not _is_followed(heir, by_id) or len(tracks) >= MAX_TRACKS:
                continue
            if any(self._continues(heir, track) for track in lost):
                tracks[name] = heir
        seen_at = [_last_seen(tracks[name]).captured_at for name in there if name in tracks]
        return replace(incident, tracks=tracks, active_at=max([incident.active_at, *seen_at]))

    def _continues(self, heir: Track, lost: Track) -> bool:
        """Say whether ``heir`` may be the same object as ``lost``, under a new id."""
        if heir.is_region is not lost.is_region:
            return False
        ending = _last_seen(lost)
        gap_s = (heir.first_seen_at - ending.captured_at).total_seconds()
        if not 0 < gap_s <= self.close_after_s or _is_leaving(lost, ending):
            return False
        beginning = _first_seen(heir)
        reach = _diagonal(ending.box) * (1 + _STRIDE_PER_S * gap_s)
        return math.dist(standing_point(ending.box), standing_point(beginning.box)) <= reach

    def _join(self, event: RuleEvent, by_id: Mapping[str, Track], header: FrameHeader) -> Joined:
        incident = self._situation_of(event) or self._opened(event, by_id, header)
        tracks = dict(incident.tracks)
        for name in (event.track_id, *event.other_track_ids):
            if name in by_id and (name in tracks or len(tracks) < MAX_TRACKS):
                tracks[name] = by_id[name]
        rule_events = incident.rule_events
        is_repeat = any(event.event_id == known.event_id for known in rule_events)
        if not is_repeat:
            rule_events = (*rule_events, event)
        if len(rule_events) > MAX_RULE_EVENTS:
            rule_events = (rule_events[0], *rule_events[2:])
        self.keep(
            replace(
                incident,
                rule_events=rule_events,
                tracks=tracks,
                severity=max(incident.severity, event.severity, key=lambda one: one.rank),
                active_at=header.captured_at,
                is_news=incident.is_news or not is_repeat,
            )
        )
        return Joined(incident_id=incident.incident_id, event=event)

    def _situation_of(self, event: RuleEvent) -> OpenIncident | None:
        newest_first = tuple(reversed(self.open_incidents))
        for incident in newest_first:
            if event.track_id in incident.tracks:
                return incident
        if event.kind.is_instant or event.kind in _EACH_ITS_OWN:
            return None
        for incident in newest_first:
            quiet_s = (event.at - incident.active_at).total_seconds()
            if event.rule_id in incident.rule_ids and quiet_s <= JOIN_S:
                return incident
        return None

    def _opened(
        self, event: RuleEvent, by_id: Mapping[str, Track], header: FrameHeader
    ) -> OpenIncident:
        return OpenIncident(
            incident_id=derived_id("ev", event.event_id),
            run_id=header.run_id,
            kind=event.kind,
            severity=event.severity,
            started_at=event.since_at,
            started_s=event.since_s,
            decisive_at=event.at,
            rule_events=(event,),
            tracks={event.track_id: by_id[event.track_id]},
            active_at=header.captured_at,
            revised_at=header.captured_at,
        )

    def _due(self, at: datetime) -> tuple[Revision, ...]:
        due = []
        for incident in self._open.values():
            quiet_s = (at - incident.revised_at).total_seconds()
            if incident.revision == 0:
                due.append(Revision(incident_id=incident.incident_id, state=IncidentState.OPENED))
            elif incident.is_news and quiet_s >= REVISION_GAP_S:
                due.append(Revision(incident_id=incident.incident_id, state=IncidentState.EXTENDED))
        return tuple(due)


def _is_followed(track: Track, by_id: Mapping[str, Track]) -> bool:
    """Say whether the track is confirmed and seen in the frame of ``by_id``."""
    now = by_id.get(track.track_id)
    return now is not None and now.state is TrackState.CONFIRMED and now.last.is_observed


def _last_seen(track: Track) -> TrackPoint:
    return next((point for point in reversed(track.points) if point.is_observed), track.last)


def _first_seen(track: Track) -> TrackPoint:
    return next((point for point in track.points if point.is_observed), track.points[0])


def _diagonal(box: Box) -> float:
    return math.hypot(box[2] - box[0], box[3] - box[1])


def _is_leaving(track: Track, ending: TrackPoint) -> bool:
    """Say whether the track was last seen at the picture's edge, moving out over it."""
    earlier = [
        point
        for point in track.points
        if point.is_observed
        and 0 < (ending.captured_at - point.captured_at).total_seconds() <= _HEADING_S
    ]
    if not earlier:
        return False
    passed_s = (ending.captured_at - earlier[0].captured_at).total_seconds()
    start, end = centre(earlier[0].box), centre(ending.box)
    speed_x, speed_y = (end[0] - start[0]) / passed_s, (end[1] - start[1]) / passed_s
    x1, y1, x2, y2 = ending.box
    outward = [
        -speed_x if x1 <= _TOUCH else 0.0,
        speed_x if x2 >= 1 - _TOUCH else 0.0,
        -speed_y if y1 <= _TOUCH else 0.0,
        speed_y if y2 >= 1 - _TOUCH else 0.0,
    ]
    return max(outward) > _OUTWARD
