"""Rule kind ``fight``: people who move against each other as people who fight do."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from contracts.geometry import Box, Zone, centre
from contracts.incidents import RuleEvent
from contracts.rules import RuleSettings
from contracts.tracks import TrackState
from vision.boxes import overlap
from vision.cues.scuffle_reading import Scuffle
from vision.observation import Observation
from vision.rules.rule import TIME_SLACK_S, Measured, Params, state_event

THRESHOLD: Final = 0.5
HOLD_S: Final = 0.2
RELEASE_SHARE: Final = 0.6
"""A fight goes on while its likelihood is at least this share of the threshold."""
GRACE_S: Final = 4.0
"""Default: who lets go gets up and begins again."""
BEFORE_S: Final = 1.0
"""The likelihood is of the last two seconds: what lifts it began about half of them ago."""
SAME_PLACE: Final = 0.3
"""Two regions are one fight if this share of the smaller lies in the other."""


@dataclass(slots=True)
class _Fight:
    """What may be one fight, by all regions that it went through.

    Attributes:
        since_s, since_at: When it is taken to have begun.
        held_s: Since when the likelihood has been above the threshold without falling below the
            release; None while it is not.
        active_s: When it was last above the release.
        box: Where, then.
        is_reported: The rule has spoken about it.
    """

    box: Box
    active_s: float
    since_s: float = 0.0
    since_at: datetime | None = None
    held_s: float | None = None
    is_reported: bool = False
    region_ids: set[str] = field(default_factory=set)


class FightRule:
    """Fires once for each fight.

    Params: ``threshold`` (0.5: likelihood of a fight where half of all scenes are fights),
    ``hold_s`` (0.2: for so long it must not fall below 0.6 of that), ``grace_s`` (4: a fight
    that has been calmer for longer is over). With a zone, only fights whose middle is in it.

    Where the region of a fight falls apart or is lost, one that stirs in the same place goes on
    with it. The value is the likelihood in the decisive frame.
    """

    def __init__(self, settings: RuleSettings, *, zone: Zone | None = None) -> None:
        params = Params(settings)
        self.settings = settings
        self._zone = zone
        self._threshold = params.number("threshold", THRESHOLD)
        self._hold_s = params.number("hold_s", HOLD_S)
        self._grace_s = params.number("grace_s", GRACE_S)
        params.done()
        self._fights: list[_Fight] = []

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``."""
        now_s = seen.header.monotonic_s
        self._fights = [
            fight
            for fight in self._fights
            if now_s - fight.active_s <= self._grace_s + TIME_SLACK_S
        ]
        events = []
        for scuffle in seen.cues.scuffles:
            point = scuffle.region.last
            is_read = point.is_observed and point.seq == seen.header.seq
            if scuffle.region.state is not TrackState.CONFIRMED or not is_read:
                continue
            if self._zone is not None and not self._zone.contains(centre(point.box)):
                continue
            fight = self._fight_of(scuffle)
            if fight is not None and self._is_due(fight, scuffle, now_s=now_s):
                events.append(self._event(fight, scuffle, seen))
        return events

    def present(self) -> frozenset[str]:
        """Return the regions of what is, or may become, a fight."""
        return frozenset(name for fight in self._fights for name in fight.region_ids)

    def _fight_of(self, scuffle: Scuffle) -> _Fight | None:
        """Return the fight that a region belongs to, brought up to date; a new one if it is due."""
        region, value = scuffle.region, scuffle.likelihood.value
        box, now_s = region.last.box, region.last.monotonic_s
        fight = next((one for one in self._fights if region.track_id in one.region_ids), None)
        if value < RELEASE_SHARE * self._threshold:
            if fight is not None and not fight.is_reported:
                fight.held_s = None
            return None
        if fight is None:
            fight = next((one for one in self._fights if _is_same_place(one.box, box)), None)
        if fight is None:
            fight = _Fight(box=box, active_s=now_s)
            self._fights.append(fight)
        fight.region_ids.add(region.track_id)
        fight.box, fight.active_s = box, now_s
        if fight.held_s is None and value >= self._threshold:
            fight.held_s = now_s
            fight.since_s = max(region.first_seen_s, now_s - BEFORE_S)
            fight.since_at = region.last.captured_at - timedelta(seconds=now_s - fight.since_s)
        return fight

    def _is_due(self, fight: _Fight, scuffle: Scuffle, *, now_s: float) -> bool:
        return (
            not fight.is_reported
            and fight.held_s is not None
            and now_s - fight.held_s >= self._hold_s - TIME_SLACK_S
            and scuffle.likelihood.value >= self._threshold
        )

    def _event(self, fight: _Fight, scuffle: Scuffle, seen: Observation) -> RuleEvent:
        fight.is_reported = True
        measured = Measured(
            since_s=fight.since_s,
            since_at=fight.since_at or scuffle.region.last.captured_at,
            value=scuffle.likelihood.value,
            threshold=self._threshold,
            sigma=scuffle.likelihood.sigma,
            unit="share",
            detail={"people": str(len(scuffle.people))},
        )
        return state_event(
            self.settings,
            track=scuffle.region,
            header=seen.header,
            measured=measured,
            others=[track for track in seen.tracks if track.track_id in scuffle.people],
        )


def _is_same_place(one: Box, other: Box) -> bool:
    return overlap(one, other) >= SAME_PLACE
