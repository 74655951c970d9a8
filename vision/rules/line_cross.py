"""Rule kind ``line_cross``: a track crosses a polyline in a direction that is watched."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.detections import ANY_LABEL
from contracts.frames import FrameHeader
from contracts.geometry import (
    PICTURE_MARGIN,
    Line,
    Point,
    iou,
    segment_distance,
    standing_point,
)
from contracts.incidents import RuleEvent
from contracts.rules import RuleSettings
from contracts.tracks import Track, TrackPoint, TrackState
from vision.kinematics import foot_jitter, seen_points
from vision.observation import Observation
from vision.rules.rule import Measured, NewPoints, Params, state_event

HYSTERESIS: Final = 0.01
"""Default, picture units: about two standard deviations of a good detector's foot."""
OTHER_SIZE: Final = 1.5
"""What nobody could name and is so many times as tall at its next place, beside the one before, is
another body: neither has crossed what lies between."""
SAME_TOP: Final = 0.25
"""If its top moves by less than this of its height meanwhile, its foot did not go up or down: legs
that are not told from the ground, or a beam of light that went with it."""
JUMP_LOOKS: Final = 2
"""Somebody with a name whose foot has jumped over the line so must be seen beyond it so often more:
a head is found alone where his coat is like the wall, and the next look finds him whole."""
LEFT: Final = "left"
RIGHT: Final = "right"
BOTH: Final = "both"


@dataclass(frozen=True, slots=True)
class _Step:
    """One passage over the line: +1 to the right, -1 to the left, and when."""

    sign: int
    at_s: float
    at: datetime


@dataclass(slots=True)
class _Walk:
    """What is remembered of one track: where it was last, and its steps since it stood clear.

    A step back takes back the step before it, so what is left goes in one direction.

    Attributes:
        looks_due: So often it must be seen yet before its steps count.
    """

    last: TrackPoint
    has_stood_clear: bool
    steps: list[_Step]
    looks_due: int = 0


class LineCrossRule:
    """Reports each crossing of the line by a track's foot, once for each change of side.

    Params: ``direction`` (``both``, ``left`` or ``right``: the side that is gone *to*, as seen
    walking from the line's first point to its last), ``hysteresis`` (0.01 of the picture).

    A crossing is a real intersection of the foot's way with the polyline, so walking around an
    end is none. It counts once the foot stands clear of the line by ``hysteresis`` on the other
    side, having stood clear of it before: whoever dithers on the line has crossed it at most
    once. A foot that jumped over it must have stayed beyond. ``since`` is the interpolated moment
    on the line; the value is how far beyond it the foot has come, against ``hysteresis``.

    Source: ONVIF Analytics Service Specification, topic
    ``tns1:RuleEngine/LineDetector/Crossed``. The hysteresis is ours.
    """

    def __init__(self, settings: RuleSettings, *, line: Line) -> None:
        params = Params(settings)
        self.settings = settings
        self._line = line
        self._direction = params.choice("direction", BOTH, among=(BOTH, LEFT, RIGHT))
        self._hysteresis = params.number("hysteresis", HYSTERESIS, least=1e-4)
        params.done()
        self._new_points = NewPoints(settings.labels)
        self._walks: dict[str, _Walk] = {}

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``."""
        alive = {track.track_id for track in seen.tracks if track.state is not TrackState.ENDED}
        for track_id in self._walks.keys() - alive:
            del self._walks[track_id]
        events = []
        for track, points in self._new_points.read(seen.tracks):
            for point in points:
                step = self._read(track, point)
                if step is not None and self._is_watched(step):
                    events.append(self._event(track, step, seen.header))
        return events

    def present(self) -> frozenset[str]:
        """Return nothing: a crossing is over in an instant."""
        return frozenset()

    def _read(self, track: Track, point: TrackPoint) -> _Step | None:
        """Take the walk one point further; return the crossing that this completes, if any."""
        at = standing_point(point.box)
        is_clear = line_distance(self._line, at) >= self._hysteresis
        walk = self._walks.get(track.track_id)
        if walk is None or (track.label == ANY_LABEL and _is_another_body(walk.last, point)):
            self._walks[track.track_id] = _Walk(point, is_clear, [])
            return None
        steps = self._steps(walk.last, point, at)
        walk.looks_due = max(0, walk.looks_due - 1)
        if _is_foot_lost(walk.last, point):
            aside = self._steps(walk.last, point, (at[0], standing_point(walk.last.box)[1]))
            if track.label == ANY_LABEL:
                steps = aside
            elif steps and not aside:
                walk.looks_due = JUMP_LOOKS
        for step in steps:
            if walk.steps and walk.steps[-1].sign != step.sign:
                walk.steps.pop()
            else:
                walk.steps.append(step)
        walk.last = point
        if not is_clear or (walk.steps and walk.looks_due):
            return None
        crossing = walk.steps[-1] if walk.steps else None
        was_clear, walk.has_stood_clear, walk.steps = walk.has_stood_clear, True, []
        return crossing if was_clear else None

    def _steps(self, before: TrackPoint, after: TrackPoint, end: Point) -> list[_Step]:
        start = standing_point(before.box)
        passed_s = after.monotonic_s - before.monotonic_s
        passages = []
        for first, second in zip(self._line.points, self._line.points[1:], strict=False):
            found = passage(start, end, first, second)
            if found is not None:
                sign, share = found
                passages.append(
                    _Step(
                        sign,
                        before.monotonic_s + share * passed_s,
                        before.captured_at + timedelta(seconds=share * passed_s),
                    )
                )
        return sorted(passages, key=lambda step: step.at_s)

    def _is_watched(self, step: _Step) -> bool:
        return self._direction in (BOTH, _word(step))

    def _event(self, track: Track, step: _Step, header: FrameHeader) -> RuleEvent:
        points = seen_points(track)
        measured = Measured(
            since_s=step.at_s,
            since_at=step.at,
            value=line_distance(self._line, standing_point(points[-1].box)),
            threshold=self._hysteresis,
            sigma=foot_jitter(points),
            unit="picture",
            detail={"direction": _word(step)},
        )
        return state_event(self.settings, track=track, header=header, measured=measured)


def _is_another_body(before: TrackPoint, after: TrackPoint) -> bool:
    low, high = _heights(before, after)
    return high > OTHER_SIZE * low and iou(before.box, after.box) == 0


def _is_foot_lost(before: TrackPoint, after: TrackPoint) -> bool:
    """Say whether the same body ends elsewhere below, at one of the points too high or too low.

    A top that the picture's edge cuts stays where it is, whatever the body does.
    """
    if min(before.box[1], after.box[1]) <= PICTURE_MARGIN:
        return False
    low, high = _heights(before, after)
    return high > OTHER_SIZE * low and abs(after.box[1] - before.box[1]) <= SAME_TOP * low


def _heights(before: TrackPoint, after: TrackPoint) -> list[float]:
    return sorted(point.box[3] - point.box[1] for point in (before, after))


def line_distance(line: Line, point: Point) -> float:
    """Return the distance from a point to the nearest segment of the line, picture units."""
    return min(
        segment_distance(point, first, second)
        for first, second in zip(line.points, line.points[1:], strict=False)
    )


def passage(start: Point, end: Point, first: Point, second: Point) -> tuple[int, float] | None:
    """Return how the step ``start -> end`` passes over the segment ``first -> second``.

    Returns:
        +1 for a step to the right of the segment's direction on the picture, -1 to the left,
        and the share (0..1) of the step that was made on the line; None if it does not pass.
        Every point counts to exactly one side and every corner of a polyline to exactly one of
        its segments, so that a step through a corner passes once and a touch passes never.
    """
    before, after = _cross(first, second, start), _cross(first, second, end)
    if (before > 0) == (after > 0):
        return None
    if (_cross(start, end, first) > 0) == (_cross(start, end, second) > 0):
        return None
    share = before / (before - after)
    return (1 if after > 0 else -1), min(1.0, max(0.0, share))


def _cross(origin: Point, towards: Point, point: Point) -> float:
    """Positive where ``point`` lies to the right, on the picture, of ``origin -> towards``."""
    return (towards[0] - origin[0]) * (point[1] - origin[1]) - (towards[1] - origin[1]) * (
        point[0] - origin[0]
    )


def _word(step: _Step) -> str:
    return RIGHT if step.sign > 0 else LEFT
