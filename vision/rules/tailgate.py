"""Rule kind ``tailgate``: somebody follows another over a line before it can close again."""

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from contracts.geometry import Box, Line, iou
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings
from contracts.tracks import Track
from vision.kinematics import foot_jitter, frame_step_s, seen_points, speed
from vision.observation import Observation
from vision.rules.line_cross import BOTH, HYSTERESIS, LEFT, RIGHT, LineCrossRule
from vision.rules.rule import TIME_SLACK_S, Measured, Params, state_event

WITHIN_S: Final = 2.0
"""Default: a door that is opened for one closes after about this."""
SAME_IOU: Final = 0.6
"""Boxes that overlap by more are one object that was found twice."""
_SLOWEST: Final = 0.02


@dataclass(frozen=True, slots=True)
class _Passed:
    """Who crossed, when, which way, and the box in which it was then seen."""

    track: Track
    event: RuleEvent
    box: Box


class TailgateRule:
    """Reports each track that crosses the line within ``within_s`` after another, the same way.

    Params: ``within_s`` (2.0), ``direction`` (``both``, ``left`` or ``right``: the side that is
    gone *to*) and ``hysteresis`` (0.01), as ``line_cross`` has them.

    The event is about the second, and names the first as the other. Of three in a row the second
    and the third are reported, each with the one before. One object that was found twice (boxes
    that overlap by more than 0.6 at the same moment) follows nobody. The value is the time
    between the crossings, seconds, which must not exceed ``within_s``; ``since`` is the second's
    crossing.
    """

    def __init__(self, settings: RuleSettings, *, line: Line) -> None:
        params = Params(settings)
        self.settings = settings
        self._within_s = params.number("within_s", WITHIN_S, least=0.1)
        direction = params.choice("direction", BOTH, among=(BOTH, LEFT, RIGHT))
        hysteresis = params.number("hysteresis", HYSTERESIS, least=1e-4)
        params.done()
        crossing = replace(
            settings,
            kind=RuleKind.LINE_CROSS,
            params={"direction": direction, "hysteresis": hysteresis},
        )
        self._crossings = LineCrossRule(crossing, line=line)
        self._passed: deque[_Passed] = deque(maxlen=64)

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``."""
        tracks = {track.track_id: track for track in seen.tracks}
        fresh = sorted(self._crossings.update(seen), key=lambda event: event.since_s)
        events = []
        for crossed in fresh:
            track = tracks[crossed.track_id]
            ahead = self._ahead(crossed, track)
            self._passed.append(_Passed(track, crossed, track.last.box))
            if ahead is not None:
                events.append(self._event(track, crossed, ahead, seen))
        return events

    def present(self) -> frozenset[str]:
        """Return nothing: a crossing is over in an instant."""
        return frozenset()

    def _ahead(self, crossed: RuleEvent, track: Track) -> _Passed | None:
        """Return whom the track follows: the last that crossed the same way before it."""
        before = [
            passed
            for passed in self._passed
            if passed.track.track_id != track.track_id
            and passed.event.detail == crossed.detail
            and 0 <= crossed.since_s - passed.event.since_s <= self._within_s + TIME_SLACK_S
            and not _is_same(passed, track)
        ]
        return max(before, key=lambda passed: passed.event.since_s, default=None)

    def _event(
        self, track: Track, crossed: RuleEvent, ahead: _Passed, seen: Observation
    ) -> RuleEvent:
        measured = Measured(
            since_s=crossed.since_s,
            since_at=crossed.since_at,
            value=crossed.since_s - ahead.event.since_s,
            threshold=self._within_s,
            sigma=math.hypot(crossing_sigma_s(track), crossing_sigma_s(ahead.track)),
            unit="s",
            detail=dict(crossed.detail),
        )
        return state_event(
            self.settings,
            track=track,
            header=seen.header,
            measured=measured,
            others=(ahead.track,),
        )


def crossing_sigma_s(track: Track) -> float:
    """Return the standard uncertainty of an interpolated crossing: the foot's jitter over its pace.

    At most half a frame: between two frames it was on the one side and then on the other.
    """
    points = seen_points(track)
    jitter = foot_jitter(points)
    pace = max(_SLOWEST, speed(points, until_s=track.last.monotonic_s, jitter=jitter) or 0.0)
    return min(frame_step_s(points) / 2, jitter / pace)


def _is_same(passed: _Passed, track: Track) -> bool:
    """Say whether both are one object: seen at the same time in the same place."""
    moments = {point.seq: point.box for point in track.points[-10:] if point.is_observed}
    shared = [
        iou(point.box, moments[point.seq])
        for point in passed.track.points[-10:]
        if point.is_observed and point.seq in moments
    ]
    return bool(shared) and max(shared) > SAME_IOU
