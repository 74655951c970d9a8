"""Rule kind ``wrong_way``: a track goes against the direction that is allowed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from contracts.errors import ConfigError
from contracts.geometry import Line, Point, Zone, standing_point
from contracts.incidents import RuleEvent
from contracts.rules import RuleSettings
from contracts.tracks import Track, TrackPoint, TrackState
from vision.kinematics import foot_jitter, seen_points
from vision.observation import Observation
from vision.rules.place import is_within
from vision.rules.rule import Measured, NewPoints, Params, is_seen_now, state_event

THRESHOLD_DEG: Final = 120.0
"""Default: across is 90, and who crosses a road slantwise has not driven against the traffic."""
BASE: Final = 0.1
"""Default, picture units: over less than this, jitter and side steps have any direction."""
REARM_DEG: Final = 90.0
"""Who has gone along the allowed way by this much may be reported again."""
BASE_S: Final = 10.0
"""A way of the length of the base that took longer is no going anywhere."""
_STEP_SHARE: Final = 0.1
"""Feet nearer together than this share of the base are one place."""


@dataclass(slots=True)
class _Walk:
    """Where one track has been within the place, a step apart, and whether it goes wrong now."""

    way: list[TrackPoint]
    is_wrong: bool = False


class WrongWayRule:
    """Reports each track once when it goes against the allowed direction, until it has turned.

    Params: ``direction`` in degrees, clockwise from the picture's top (0 up, 90 to the right, 180
    down, 270 to the left), or none if the rule names a line: then the way from its first point to
    its last is allowed. ``threshold_deg`` (120), the angle to it that is wrong; ``base`` (0.1 of
    the picture), the length of way over which the angle is measured.

    The angle is that between the allowed direction and the straight way from where the foot was
    when it was last ``base`` away, at most 10 s ago, to where it is. It is as one sees it: picture
    units are put right by the picture's proportions. With a zone the whole of that way must lie
    in it. Standing, jitter and steps aside shorter than the base have no direction.

    Source: "prohibited direction" of common video analytics; the base length is ours.

    Raises:
        ConfigError: Neither ``direction`` nor a line, or both, or a line that ends where it began.
    """

    def __init__(self, settings: RuleSettings, *, zone: Zone | None, line: Line | None) -> None:
        params = Params(settings)
        self.settings = settings
        self._zone = zone
        self._line = line
        if line is None or "direction" in settings.params:
            self._direction = params.needed(
                "direction", "degrees clockwise from up", least=0.0, most=360.0
            )
        if line is not None and "direction" in settings.params:
            raise ConfigError(
                f"rule {settings.rule_id} ({settings.kind}): either line or direction"
            )
        if line is not None and math.dist(line.points[0], line.points[-1]) < 1e-3:
            raise ConfigError(
                f"rule {settings.rule_id} ({settings.kind}): line {line.line_id} ends where it "
                "begins, so it has no direction"
            )
        self._threshold = params.number("threshold_deg", THRESHOLD_DEG, least=1.0)
        if self._threshold > 180:
            raise ConfigError(
                f"rule {settings.rule_id} ({settings.kind}): threshold_deg must be at most 180, "
                f"got {self._threshold:g}"
            )
        self._base = params.number("base", BASE, least=0.01)
        params.done()
        self._new_points = NewPoints(settings.labels)
        self._walks: dict[str, _Walk] = {}

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``."""
        alive = {track.track_id for track in seen.tracks if track.state is not TrackState.ENDED}
        for track_id in self._walks.keys() - alive:
            del self._walks[track_id]
        aspect = seen.header.width / max(1, seen.header.height)
        allowed = self.allowed_deg(aspect)
        events = []
        for track, points in self._new_points.read(seen.tracks):
            walk = self._walks.setdefault(track.track_id, _Walk([]))
            since, angle = None, 0.0
            for point in points:
                since = self._read(walk, point)
                if since is None:
                    continue
                angle = angle_deg(_heading(since, point, aspect), allowed)
                if angle < REARM_DEG:
                    walk.is_wrong = False
            if since is None or walk.is_wrong or not is_seen_now(track, seen.header):
                continue
            if angle >= self._threshold:
                walk.is_wrong = True
                events.append(self._event(track, since, angle, allowed, aspect, seen))
        return events

    def present(self) -> frozenset[str]:
        """Return who is going the wrong way."""
        return frozenset(track_id for track_id, walk in self._walks.items() if walk.is_wrong)

    def allowed_deg(self, aspect: float) -> float:
        """Return the allowed direction on a picture so many times as wide as it is high."""
        if self._line is None:
            return self._direction % 360
        return heading_deg(self._line.points[0], self._line.points[-1], aspect)

    def _read(self, walk: _Walk, point: TrackPoint) -> TrackPoint | None:
        """Take the walk one point further; return where it was when it was last a base away."""
        at = standing_point(point.box)
        if not is_within(self._zone, at):
            walk.way.clear()
            return None
        since = None
        for index in range(len(walk.way) - 1, -1, -1):
            earlier = walk.way[index]
            if point.monotonic_s - earlier.monotonic_s > BASE_S:
                del walk.way[: index + 1]
                break
            if math.dist(standing_point(earlier.box), at) >= self._base:
                since = earlier
                del walk.way[:index]
                break
        moved = math.dist(standing_point(walk.way[-1].box), at) if walk.way else math.inf
        if moved >= _STEP_SHARE * self._base:
            walk.way.append(point)
        return since

    def _event(
        self,
        track: Track,
        since: TrackPoint,
        angle: float,
        allowed: float,
        aspect: float,
        seen: Observation,
    ) -> RuleEvent:
        measured = Measured(
            since_s=since.monotonic_s,
            since_at=since.captured_at,
            value=angle,
            threshold=self._threshold,
            sigma=angle_sigma_deg(seen_points(track), base=self._base),
            unit="deg",
            detail={
                "allowed_deg": f"{allowed:.1f}",
                "base": f"{self._base:g}",
                "aspect": f"{aspect:.4f}",
            },
        )
        # The line tells the direction; where it happened is the zone or the picture.
        stated = replace(self.settings, line_id="")
        return state_event(stated, track=track, header=seen.header, measured=measured)


def heading_deg(start: Point, end: Point, aspect: float) -> float:
    """Return the direction of a way in degrees, clockwise from up, as one sees it."""
    across, down = (end[0] - start[0]) * aspect, end[1] - start[1]
    return math.degrees(math.atan2(across, -down)) % 360


def angle_deg(first: float, second: float) -> float:
    """Return the angle between two directions, 0 to 180."""
    apart = abs(first - second) % 360
    return min(apart, 360 - apart)


def angle_sigma_deg(points: Sequence[TrackPoint], *, base: float) -> float:
    """Return the standard uncertainty of a direction measured over ``base``, degrees."""
    return math.degrees(math.atan2(math.sqrt(2) * foot_jitter(points), base))


def _heading(start: TrackPoint, end: TrackPoint, aspect: float) -> float:
    return heading_deg(standing_point(start.box), standing_point(end.box), aspect)
