"""Rule kind ``crowd``: more come together in a place than it is meant for."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from contracts.errors import ConfigError
from contracts.geometry import Zone, standing_point
from contracts.incidents import RuleEvent
from contracts.rules import RuleSettings
from contracts.tracks import Track, TrackState
from vision.ground import GroundPlane
from vision.labels import label_matches
from vision.observation import Observation
from vision.rules.place import is_within
from vision.rules.rule import (
    TIME_SLACK_S,
    Measured,
    Params,
    has_finite_box,
    is_seen_now,
    state_event,
)

THRESHOLD: Final = 5.0
"""Default count."""
HOLD_S: Final = 2.0
"""Default: groups that pass each other come apart again within this."""
RELEASE: Final = 0.8
"""A crowd goes on until there are fewer than this share of the threshold."""
GAP_S: Final = 2.0
"""Without a frame for longer nobody knows whether it went on: the time begins anew."""
MOST_NAMED: Final = 23
"""Others that an event names: with the first one, as many tracks as an incident keeps."""


class CrowdRule:
    """Reports each crowd once: ``threshold`` or more at the same time for ``hold_s``.

    Params: ``threshold`` (5), tracks; or instead ``density``, tracks per square metre of the
    zone, which needs a zone and the scene's calibration; ``hold_s`` (2.0).

    Counted are confirmed tracks of the labels (people, unless said otherwise) whose foot is in
    the zone, those included that the detector misses for a few frames. The crowd ends when there
    have been fewer than 0.8 of the threshold for ``hold_s``, and may then be reported again. The
    event is about the track that has been there longest, and names up to 23 others.

    Source: the counting of ONVIF's ``CountAggregation/OccupancyCounter``; the rest is ours.

    Raises:
        ConfigError: A density without zone or calibration, or for a zone near the horizon.
    """

    def __init__(
        self, settings: RuleSettings, *, zone: Zone | None, ground: GroundPlane | None
    ) -> None:
        params = Params(settings)
        self.settings = settings
        self._zone = zone
        self._labels = settings.labels or ("person",)
        self._threshold = params.number("threshold", THRESHOLD, least=1)
        density = params.number("density", 0.0)
        self._hold_s = params.number("hold_s", HOLD_S)
        params.done()
        self._area_m2 = 0.0
        if "density" in settings.params:
            self._area_m2 = _area_of(settings, zone, ground)
            self._threshold = density
            if "threshold" in settings.params or density <= 0:
                raise ConfigError(
                    f"rule {settings.rule_id} ({settings.kind}): give either threshold or "
                    "density, and above 0"
                )
        self._last_s = float("-inf")
        self._changed: tuple[float, datetime] | None = None
        self._is_on = False
        self._is_reported = False
        self._members: frozenset[str] = frozenset()
        self._arrived_s: dict[str, float] = {}

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``; the event is about those seen in this very frame."""
        members = [track for track in seen.tracks if self._counts(track)]
        now_s = seen.header.monotonic_s
        self._arrived_s = {
            track.track_id: self._arrived_s.get(track.track_id, now_s) for track in members
        }
        value = len(members) / self._area_m2 if self._area_m2 else float(len(members))
        is_over = value >= self._threshold * (RELEASE if self._is_on else 1.0) - 1e-9
        is_gap, self._last_s = now_s - self._last_s > GAP_S, now_s
        if is_over is self._is_on or is_gap:
            self._changed = None
        if is_over is not self._is_on and self._changed is None:
            self._changed = (now_s, seen.header.captured_at)
        since = self._changed
        if since is not None and now_s - since[0] >= self._hold_s - TIME_SLACK_S:
            self._is_on, self._changed = not self._is_on, None
            self._is_reported = False
        self._members = frozenset(self._arrived_s) if self._is_on else frozenset()
        if not self._is_on or self._is_reported or since is None:
            return []
        shown = [track for track in members if is_seen_now(track, seen.header)]
        self._is_reported = True
        return [self._event(shown or members, members, value, since, seen)]

    def present(self) -> frozenset[str]:
        """Return who is in the crowd while there is one."""
        return self._members

    def _counts(self, track: Track) -> bool:
        return (
            track.state is TrackState.CONFIRMED
            and label_matches(track.label, self._labels)
            and has_finite_box(track.last)
            and is_within(self._zone, standing_point(track.last.box))
        )

    def _event(
        self,
        shown: Sequence[Track],
        members: Sequence[Track],
        value: float,
        since: tuple[float, datetime],
        seen: Observation,
    ) -> RuleEvent:
        by_arrival = sorted(
            members, key=lambda track: (self._arrived_s[track.track_id], track.first_seen_s)
        )
        first = next(track for track in by_arrival if track in shown)
        others = [track for track in by_arrival if track is not first]
        sigma = count_sigma(members)
        measured = Measured(
            since_s=since[0],
            since_at=since[1],
            value=value,
            threshold=self._threshold,
            sigma=sigma / self._area_m2 if self._area_m2 else sigma,
            unit="1/m2" if self._area_m2 else "1",
            detail={"count": str(len(members)), "hold_s": f"{self._hold_s:g}"},
        )
        return state_event(
            self.settings,
            track=first,
            header=seen.header,
            measured=measured,
            others=others[:MOST_NAMED],
        )


def count_sigma(members: Sequence[Track]) -> float:
    """Return the standard uncertainty of a count: each is there as surely as it is seen."""
    shares = [min(1.0, max(0.0, track.hit_ratio)) for track in members]
    return math.sqrt(sum(share * (1 - share) for share in shares))


def _area_of(settings: RuleSettings, zone: Zone | None, ground: GroundPlane | None) -> float:
    where = f"rule {settings.rule_id} ({settings.kind})"
    if zone is None or ground is None:
        raise ConfigError(f"{where}: density needs a zone and the scene's calibration")
    area_m2 = ground.area_m2(zone.polygon)
    if area_m2 is None:
        raise ConfigError(
            f"{where}: zone {zone.zone_id} reaches up to the horizon, so that it has no area"
        )
    return area_m2
