"""What ``speed`` and ``running`` have in common: who keeps above a pace for long enough."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from contracts.geometry import Zone, standing_point
from contracts.incidents import RuleEvent
from contracts.rules import RuleSettings
from contracts.tracks import Track, TrackPoint, TrackState
from vision.kinematics import foot_jitter
from vision.labels import label_matches
from vision.observation import Observation
from vision.rules.place import is_within
from vision.rules.rule import (
    TIME_SLACK_S,
    Measured,
    has_finite_box,
    is_seen_now,
    state_event,
)

WINDOW_S: Final = 1.0
"""A pace is measured over so much of the way: half of it would double the jitter's part."""
ENOUGH: Final = 5
LONGEST_S: Final = 3.0
"""Where a second holds fewer points (few frames, or missed ones), the window is up to so long."""
LONGEST_WAY_S: Final = 2.0
"""So far back an even and straight way is looked at where metres are known."""
FILLED: Final = 0.8
"""... and not before the points reach back over this share of it."""
HOLD_S: Final = 0.4
"""Default: one measurement above the threshold may be an accident, three in a row are not."""
RELEASE: Final = 0.8
"""Who has fallen below this share of the threshold may be reported again."""
DOUBTFUL: Final = 0.25
"""A pace that is uncertain by more than this share of itself is not measured."""
GAP_S: Final = 1.0
"""Unseen for longer, the time above the threshold begins anew."""
JITTER_POINTS: Final = 12
"""Newest points that the jitter is told from."""
CUT: Final = 0.005
"""A box this near to the picture's edge is cut off: it has neither its foot nor its height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a track is now, and the standard uncertainty of that."""

    value: float
    sigma: float

    def low(self, sigmas: float) -> float:
        """Return the pace that is surely reached, by so many uncertainties."""
        return self.value - sigmas * self.sigma


class PaceMeter(Protocol):
    """Measures the pace of one track over a window of its points."""

    def measure(
        self, track: Track, points: Sequence[TrackPoint], *, jitter: float, aspect: float
    ) -> Pace | None:
        """Return the pace, None where it cannot be told.

        Args:
            track: Whose it is.
            points: At least ``LEAST_POINTS`` of the last ``WINDOW_S``, none of them cut off.
            jitter: Of the track's foot, picture units.
            aspect: Width of the picture over its height.
        """
        ...

    def is_slow(self, points: Sequence[TrackPoint], *, limit: float, aspect: float) -> bool:
        """Say at a glance, by three of the points, whether the pace is far below ``limit``."""
        ...

    def words(self, *, aspect: float) -> dict[str, str]:
        """Return the event's details: whoever measures again needs them."""
        ...


@dataclass(slots=True)
class _Run:
    """One track above the threshold: since when, when last, and whether it was reported."""

    since_s: float
    since_at: datetime
    first_s: float
    last_s: float
    is_reported: bool = False


class PaceRule:
    """Reports a track once for each time that it keeps above ``threshold`` for ``hold_s``.

    The pace is the meter's, of the last second; one wrong box does not change it, and a jump gives
    none. With a zone the foot must be in it.

    Args:
        settings: Of the rule.
        zone: None for the whole picture.
        meter: Measures.
        threshold: In the meter's unit.
        hold_s: Seconds above it.
        unit: Of the meter.
        labels: Whom it is about; empty is everybody.
        sigmas: By so many of its uncertainties the pace must be above the threshold.
    """

    def __init__(  # noqa: PLR0913  # what two kinds of rules differ in
        self,
        settings: RuleSettings,
        *,
        zone: Zone | None,
        meter: PaceMeter,
        threshold: float,
        hold_s: float,
        unit: str,
        labels: Sequence[str],
        sigmas: float = 0.0,
    ) -> None:
        self.settings = settings
        self._sigmas = sigmas
        self._zone = zone
        self._meter = meter
        self._threshold = threshold
        self._hold_s = hold_s
        self._unit = unit
        self._labels = tuple(labels)
        self._runs: dict[str, _Run] = {}

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``."""
        alive = {track.track_id for track in seen.tracks if track.state is not TrackState.ENDED}
        for track_id in self._runs.keys() - alive:
            del self._runs[track_id]
        aspect = seen.header.width / max(1, seen.header.height)
        events = []
        for track in seen.tracks:
            if not is_seen_now(track, seen.header) or not label_matches(track.label, self._labels):
                continue
            if not is_within(self._zone, standing_point(track.last.box)):
                self._runs.pop(track.track_id, None)
                continue
            points = last_second(track)
            pace = self._pace(track, points, aspect)
            run = self._followed(track.track_id, points, pace)
            if run is None or pace is None or run.is_reported:
                continue
            held_s = run.last_s - run.first_s
            is_above = pace.low(self._sigmas) >= self._threshold
            if held_s >= self._hold_s - TIME_SLACK_S and is_above:
                run.is_reported = True
                events.append(self._event(track, run, pace, aspect, seen))
        return events

    def present(self) -> frozenset[str]:
        """Return who is above the threshold."""
        return frozenset(self._runs)

    def _pace(self, track: Track, points: Sequence[TrackPoint], aspect: float) -> Pace | None:
        if not points or points[-1].monotonic_s - points[0].monotonic_s < FILLED * WINDOW_S - 1e-6:
            return None
        limit = RELEASE * self._threshold
        if self._meter.is_slow(points, limit=0.5 * limit, aspect=aspect):
            return Pace(value=0.0, sigma=0.0)
        recent = [point for point in track.points[-JITTER_POINTS:] if point.is_observed]
        pace = self._meter.measure(track, points, jitter=foot_jitter(recent), aspect=aspect)
        if pace is None or pace.sigma > DOUBTFUL * max(pace.value, self._threshold):
            return None
        return pace

    def _followed(
        self, track_id: str, points: Sequence[TrackPoint], pace: Pace | None
    ) -> _Run | None:
        """Begin, go on with or end the track's time above the threshold."""
        run = self._runs.get(track_id)
        now_s = points[-1].monotonic_s if points else 0.0
        if run is not None and now_s - run.last_s > GAP_S:
            del self._runs[track_id]
            run = None
        if pace is None:
            return None
        if run is not None and run.is_reported:
            is_over = pace.value < RELEASE * self._threshold
        else:
            is_over = pace.low(self._sigmas) < self._threshold
        if is_over:
            self._runs.pop(track_id, None)
            return None
        if run is None:
            middle = points[len(points) // 2]
            run = _Run(middle.monotonic_s, middle.captured_at, now_s, now_s)
            self._runs[track_id] = run
        run.last_s = now_s
        return run

    def _event(
        self, track: Track, run: _Run, pace: Pace, aspect: float, seen: Observation
    ) -> RuleEvent:
        measured = Measured(
            since_s=run.since_s,
            since_at=run.since_at,
            value=pace.value,
            threshold=self._threshold,
            sigma=pace.sigma,
            unit=self._unit,
            detail={"hold_s": f"{self._hold_s:g}", **self._meter.words(aspect=aspect)},
        )
        return state_event(self.settings, track=track, header=seen.header, measured=measured)


def last_second(track: Track) -> list[TrackPoint]:
    """Return the seen points of the last second, none of them cut off by the picture's edge.

    Of up to the last ``LONGEST_S``, where a second does not hold ``ENOUGH`` of them.
    """
    now_s = track.last.monotonic_s
    window: list[TrackPoint] = []
    for point in reversed(track.points):
        past_s = now_s - point.monotonic_s - TIME_SLACK_S
        if past_s > LONGEST_S or (past_s > WINDOW_S and len(window) >= ENOUGH):
            break
        is_new = not window or point.monotonic_s < window[-1].monotonic_s
        if point.is_observed and is_new and has_finite_box(point) and not _is_cut(point):
            window.append(point)
    window.reverse()
    return window


def second_before(track: Track, points: Sequence[TrackPoint]) -> list[TrackPoint]:
    """Return the seen points before these that are less than ``LONGEST_WAY_S`` old, none cut off.

    As far as the next one that is cut off.
    """
    now_s, since_s = track.last.monotonic_s, points[0].monotonic_s
    window: list[TrackPoint] = []
    for point in reversed(track.points):
        if now_s - point.monotonic_s > LONGEST_WAY_S + TIME_SLACK_S:
            break
        if not point.is_observed or point.monotonic_s >= since_s:
            continue
        if not has_finite_box(point) or _is_cut(point):
            break
        window.append(point)
        since_s = point.monotonic_s
    window.reverse()
    return window


def _is_cut(point: TrackPoint) -> bool:
    x1, y1, x2, y2 = point.box
    return min(x1, y1) < CUT or max(x2, y2) > 1 - CUT
