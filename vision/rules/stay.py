"""Stays: for how long each track has been in a zone, absences within a grace time included."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.detections import ANY_LABEL
from contracts.geometry import Zone, standing_point
from contracts.incidents import RuleEvent
from contracts.rules import RuleSettings
from contracts.tracks import Track, TrackPoint, TrackState
from vision.kinematics import foot_jitter, frame_step_s, seen_points, speed
from vision.observation import Observation
from vision.rules.rule import (
    TIME_SLACK_S,
    Measured,
    NewPoints,
    Params,
    is_seen_now,
    state_event,
)

GRACE_S: Final = 2.0
"""Default: detectors miss people for a few frames, and a step over the edge and back is no exit."""
ENTRY_GAP_S: Final = 1.0
"""Between two points farther apart in time nobody knows when it came in."""
_HALVINGS: Final = 8
LOOKS: Final = 2
"""What nobody could name must be inside so often in a row to be told: its foot comes and goes with
its legs, as far as they differ from the ground."""
UNSEEN: Final = 2
"""... with so many frames at most in which it was not seen between the last two: two coats a second
apart are no stay of a second."""
MOSTLY: Final = 0.5
"""Whoever is told must be inside in this share of the frames of his stay in which he was seen: of
somebody with a name, too, a find may end at the waist, and he seems to stand farther off."""
_SLOWEST: Final = 0.02
"""Picture units per second; below this the moment of entry is bounded by ``_ENTRY_SIGMA_MAX_S``."""
_ENTRY_SIGMA_MAX_S: Final = 0.5


@dataclass(slots=True, kw_only=True)
class Stay:
    """One unbroken stay of one track.

    Attributes:
        since_s, since_at: When it came in, on the straight way from the last point outside to
            the first one inside; that point's time where it was not seen just before.
        first_inside_s: Of the first point inside.
        last_inside_s: Of the newest point inside.
        is_inside: Whether the newest point lies inside.
        frames_inside: Points inside without one outside between, up to the newest.
        points_inside, points: Of the whole stay, those inside and all that were seen.
        is_reported: The rule has spoken about this stay.
    """

    since_s: float
    since_at: datetime
    first_inside_s: float
    last_inside_s: float
    is_inside: bool = True
    frames_inside: int = 1
    points_inside: int = 1
    points: int = 1
    is_reported: bool = False

    @property
    def seen_s(self) -> float:
        """Seconds from the first to the newest point inside."""
        return self.last_inside_s - self.first_inside_s

    @property
    def dwell_s(self) -> float:
        """Seconds from when it came in to the newest point inside."""
        return self.last_inside_s - self.since_s

    def is_of(self, track: Track) -> bool:
        """Say whether the body itself has stayed, and not only its foot was inside now and then."""
        if self.points_inside < MOSTLY * self.points:
            return False
        if track.label != ANY_LABEL:
            return True
        lately = sum(point.is_observed for point in track.points[-UNSEEN - LOOKS :])
        return self.frames_inside >= LOOKS and lately >= LOOKS


class Stays:
    """Follows the stays of all tracks in one zone.

    An absence of up to ``grace_s``, outside or unseen, does not end a stay. A longer one ends it
    before the next point is read, whatever caused it: a camera that freezes for a minute must
    not turn a passer-by into a loiterer.
    """

    def __init__(self, zone: Zone, *, grace_s: float, labels: Sequence[str]) -> None:
        self._zone = zone
        self._grace_s = grace_s
        self._new_points = NewPoints(labels)
        self._stays: dict[str, Stay] = {}
        self._outside: dict[str, TrackPoint] = {}

    def update(self, seen: Observation) -> Iterator[tuple[Track, Stay]]:
        """Yield the stays of tracks that are inside and seen in this frame."""
        tracks = []
        for track, points in self._new_points.read(seen.tracks):
            tracks.append(track)
            for point in points:
                self._read(track.track_id, point)
        # Not before: who has not been looked at for a while may have been inside meanwhile.
        self._forget(seen)
        for track in tracks:
            stay = self._stays.get(track.track_id)
            if stay is not None and stay.is_inside and is_seen_now(track, seen.header):
                yield track, stay

    def present(self) -> frozenset[str]:
        """Return the tracks whose stay has not ended."""
        return frozenset(self._stays)

    def _forget(self, seen: Observation) -> None:
        alive = {track.track_id for track in seen.tracks if track.state is not TrackState.ENDED}
        for track_id in self._outside.keys() - alive:
            del self._outside[track_id]
        self._stays = {
            track_id: stay
            for track_id, stay in self._stays.items()
            if track_id in alive and not self._is_over(stay, seen.header.monotonic_s)
        }

    def _read(self, track_id: str, point: TrackPoint) -> None:
        stay = self._stays.get(track_id)
        if stay is not None and self._is_over(stay, point.monotonic_s):
            del self._stays[track_id]
            stay = None
        is_inside = self._zone.contains(standing_point(point.box))
        before = self._outside.pop(track_id, None)
        if not is_inside:
            self._outside[track_id] = point
        if stay is None:
            if is_inside:
                late_s = 0.0 if before is None else self._late_s(before, point)
                self._stays[track_id] = Stay(
                    since_s=point.monotonic_s - late_s,
                    since_at=point.captured_at - timedelta(seconds=late_s),
                    first_inside_s=point.monotonic_s,
                    last_inside_s=point.monotonic_s,
                )
            return
        stay.is_inside = is_inside
        stay.points += 1
        stay.points_inside += is_inside
        stay.frames_inside = stay.frames_inside + 1 if is_inside else 0
        if is_inside:
            stay.last_inside_s = point.monotonic_s

    def _late_s(self, outside: TrackPoint, inside: TrackPoint) -> float:
        """Return for how long somebody had been inside when he was first seen there."""
        passed_s = inside.monotonic_s - outside.monotonic_s
        if passed_s > ENTRY_GAP_S:
            return 0.0
        (out_x, out_y), (in_x, in_y) = standing_point(outside.box), standing_point(inside.box)
        out, within = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = (out + within) / 2
            at = (out_x + middle * (in_x - out_x), out_y + middle * (in_y - out_y))
            if self._zone.contains(at):
                within = middle
            else:
                out = middle
        return (1 - within) * passed_s

    def _is_over(self, stay: Stay, now_s: float) -> bool:
        return now_s - stay.last_inside_s > self._grace_s + TIME_SLACK_S


class DwellRule:
    """Fires once for each stay in a zone that has lasted ``threshold_s``.

    What ``intrusion`` and ``loiter`` have in common; they differ in what their threshold means
    to people, and so in its default. Whoever is told was inside in half of the frames of his stay
    in which he was seen; what nobody could name, in the last two of them besides, with no more
    than two frames between them.
    """

    def __init__(self, settings: RuleSettings, *, zone: Zone, default_threshold_s: float) -> None:
        params = Params(settings)
        self.settings = settings
        self._threshold_s = params.number("threshold_s", default_threshold_s)
        self._grace_s = params.number("grace_s", GRACE_S)
        self._stays = Stays(zone, grace_s=self._grace_s, labels=settings.labels)
        params.done()

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``.

        The events say which absence was forgiven (``grace_s``): without it nobody could tell a
        wrong dwell time from a generous one.
        """
        events = []
        for track, stay in self._stays.update(seen):
            if stay.is_reported or stay.seen_s < self._threshold_s - TIME_SLACK_S:
                continue
            if not stay.is_of(track):
                continue
            stay.is_reported = True
            measured = Measured(
                since_s=stay.since_s,
                since_at=stay.since_at,
                value=stay.dwell_s,
                threshold=self._threshold_s,
                sigma=dwell_sigma(track),
                unit="s",
                detail={"grace_s": f"{self._grace_s:g}"},
            )
            events.append(
                state_event(self.settings, track=track, header=seen.header, measured=measured)
            )
        return events

    def present(self) -> frozenset[str]:
        """See ``Rule.present``."""
        return self._stays.present()


def dwell_sigma(track: Track) -> float:
    """Return the standard uncertainty in seconds of a dwell that began between two frames.

    The entry lies anywhere between them (uniform: nobody knows how evenly the way was gone), and
    is blurred by the time the foot needs to pass its own jitter: long for one who dawdles on the
    edge, so it is bounded.
    """
    points = seen_points(track)
    jitter = foot_jitter(points)
    pace = max(_SLOWEST, speed(points, until_s=track.last.monotonic_s, jitter=jitter) or 0.0)
    blur_s = min(_ENTRY_SIGMA_MAX_S, jitter / pace)
    return math.hypot(frame_step_s(points) / math.sqrt(12), blur_s)
