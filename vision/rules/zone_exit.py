"""Rule kind ``zone_exit``: a track goes out of a zone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.geometry import PICTURE_MARGIN, Box, Zone, standing_point
from contracts.incidents import RuleEvent
from contracts.rules import RuleSettings
from contracts.tracks import Track, TrackPoint, TrackState
from vision.kinematics import frame_step_s, seen_points
from vision.observation import Observation
from vision.rules.rule import (
    TIME_SLACK_S,
    Measured,
    NewPoints,
    Params,
    is_seen_now,
    state_event,
)

OUTSIDE_S: Final = 1.0
"""Default: who steps over the edge and back within this has not left."""
INSIDE_S: Final = 0.4
"""Default: who was inside for less has brushed the zone, not been in it."""
CLEAR: Final = 0.01
"""Picture units outside the edge: about two standard deviations of a good detector's foot."""
EDGE: Final = 0.02
"""Picture units: a box this near to the picture's edge touches it."""
_HEADING_S: Final = 1.0


@dataclass(slots=True)
class _Visit:
    """One track's time in the zone: from ``since`` on; ``outside`` since it was last inside."""

    since: TrackPoint
    inside: TrackPoint
    outside: TrackPoint | None = None

    @property
    def lasted_s(self) -> float:
        return self.inside.monotonic_s - self.since.monotonic_s


class ZoneExitRule:
    """Reports each exit once: from inside to outside, or out of the picture from inside.

    Params: ``outside_s`` (1.0), seconds outside that make an exit; ``inside_s`` (0.4), least
    seconds inside before it.

    A track that ends is not seen to leave. It has left if it was outside already, or if it was
    last seen at the edge of the picture, moving out over it: then ``detail`` says
    ``{"over": "picture edge"}``. One that ends anywhere else inside (hidden, or lost by the
    detector) has not left as far as anybody can say, and nothing is reported.

    The value is the time outside, seconds, against ``outside_s``; ``since`` is the interpolated
    moment on the zone's edge.

    Source: ONVIF Analytics Service Specification, ``FieldDetector``; the times are ours.
    """

    def __init__(self, settings: RuleSettings, *, zone: Zone) -> None:
        params = Params(settings)
        self.settings = settings
        self._zone = zone
        self._outside_s = params.number("outside_s", OUTSIDE_S)
        self._inside_s = params.number("inside_s", INSIDE_S)
        params.done()
        self._new_points = NewPoints(settings.labels)
        self._visits: dict[str, _Visit] = {}

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``; an exit out of the picture is stated when the track ends."""
        events = []
        now_s = seen.header.monotonic_s
        for track, points in self._new_points.read(seen.tracks):
            for point in points:
                self._read(track.track_id, point)
            visit = self._visits.get(track.track_id)
            if visit is None or visit.outside is None or not is_seen_now(track, seen.header):
                continue
            out_s = now_s - visit.outside.monotonic_s
            if out_s >= self._outside_s - TIME_SLACK_S and self._is_clear(track.last.box):
                events.append(self._event(track, visit, visit.outside, seen, over=""))
        for track in seen.tracks:
            if track.state is TrackState.ENDED and track.track_id in self._visits:
                events += self._at_end(track, self._visits[track.track_id], seen)
        alive = {track.track_id for track in seen.tracks if track.state is not TrackState.ENDED}
        for track_id in self._visits.keys() - alive:
            del self._visits[track_id]
        return events

    def present(self) -> frozenset[str]:
        """Return nothing: an exit is over in an instant."""
        return frozenset()

    def _read(self, track_id: str, point: TrackPoint) -> None:
        visit = self._visits.get(track_id)
        if self._zone.contains(standing_point(point.box)):
            if visit is None:
                self._visits[track_id] = _Visit(point, point)
            else:
                visit.inside, visit.outside = point, None
        elif visit is not None and visit.outside is None:
            if visit.lasted_s < self._inside_s - TIME_SLACK_S:
                del self._visits[track_id]
            else:
                visit.outside = point

    def _at_end(self, track: Track, visit: _Visit, seen: Observation) -> list[RuleEvent]:
        points = seen_points(track)
        if not points or visit.lasted_s < self._inside_s - TIME_SLACK_S:
            return []
        if visit.outside is not None:
            is_clear = self._is_clear(points[-1].box)
            return [self._event(track, visit, visit.outside, seen, over="")] if is_clear else []
        if not is_leaving_picture(points):
            return []
        return [self._event(track, visit, visit.inside, seen, over="picture edge")]

    def _is_clear(self, box: Box) -> bool:
        return self._zone.depth(standing_point(box)) <= -CLEAR

    def _event(
        self, track: Track, visit: _Visit, outside: TrackPoint, seen: Observation, *, over: str
    ) -> RuleEvent:
        """State the exit and forget the visit: coming back begins another one."""
        self._visits.pop(track.track_id, None)
        since_s, since_at = self._moment(visit.inside, outside)
        gap_s = max(
            frame_step_s(seen_points(track)), outside.monotonic_s - visit.inside.monotonic_s
        )
        measured = Measured(
            since_s=since_s,
            since_at=since_at,
            value=seen.header.monotonic_s - since_s,
            threshold=self._outside_s,
            sigma=gap_s / math.sqrt(12),
            unit="s",
            detail={"over": over} if over else {},
        )
        return state_event(self.settings, track=track, header=seen.header, measured=measured)

    def _moment(self, inside: TrackPoint, outside: TrackPoint) -> tuple[float, datetime]:
        """Return when the foot was on the edge, if it went straight and evenly."""
        passed_s = outside.monotonic_s - inside.monotonic_s
        within = self._zone.distance_to_edge(standing_point(inside.box))
        beyond = self._zone.distance_to_edge(standing_point(outside.box))
        share = within / (within + beyond) if within + beyond > 0 else 0.5
        on_edge_s = share * passed_s
        return inside.monotonic_s + on_edge_s, inside.captured_at + timedelta(seconds=on_edge_s)


def is_leaving_picture(points: Sequence[TrackPoint]) -> bool:
    """Say whether a track was last seen at an edge of the picture and moving out over it."""
    last = points[-1]
    before = [
        point
        for point in points[:-1]
        if last.monotonic_s - point.monotonic_s <= _HEADING_S + TIME_SLACK_S
    ]
    if not before:
        return False
    moved = [end - start for start, end in zip(before[0].box, last.box, strict=True)]
    x1, y1, x2, y2 = last.box
    return (
        (x1 <= EDGE and moved[2] < -PICTURE_MARGIN)
        or (y1 <= EDGE and moved[3] < -PICTURE_MARGIN)
        or (x2 >= 1 - EDGE and moved[0] > PICTURE_MARGIN)
        or (y2 >= 1 - EDGE and moved[1] > PICTURE_MARGIN)
    )
