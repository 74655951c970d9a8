"""Rule kind ``abandoned``: a thing was left and whoever left it is away for longer than allowed."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.frames import FrameHeader
from contracts.geometry import Zone, standing_point
from contracts.incidents import RuleEvent
from contracts.rules import RuleSettings
from contracts.tracks import TrackState
from vision.cues.seen import Thing
from vision.kinematics import frame_step_s
from vision.labels import label_matches
from vision.observation import Observation
from vision.rules.rule import TIME_SLACK_S, Measured, Params, state_event

THRESHOLD_S: Final = 5.0
"""Default: longer than putting a bag down to open a door takes, short enough to call him back."""
AWAY_HEIGHTS: Final = 1.8
"""Default: about three metres, the distance from which a bag counts as left alone."""
BACK_S: Final = 2.0
"""Whoever is back for so long has come for it; who leaves it again leaves it anew."""
APPEARED_SIGMA_S: Final = 0.2
"""A thing is seen to stand still within about a fifth of a second."""


@dataclass(slots=True)
class _Alone:
    """How long one thing has been alone.

    Attributes:
        since_s: Since when; None while somebody of concern is near.
        near_s: When somebody of concern was last near.
        back_s: Since when whoever left it has been back.
    """

    since_s: float | None = None
    near_s: float = -math.inf
    back_s: float | None = None
    is_reported: bool = False


class AbandonedRule:
    """Reports each thing once it has been alone for ``threshold_s``.

    It is alone while whoever left it is further away than ``away_heights`` or out of the picture;
    if nobody was seen to leave it, while nobody is that near. Others who pass do not count. A
    thing whose owner comes back and leaves again is reported again. Things that only stood
    elsewhere in the picture before are not reported.

    Params: ``threshold_s`` (5), ``away_heights`` (1.8, in the owner's body heights).
    """

    def __init__(self, settings: RuleSettings, *, zone: Zone | None) -> None:
        params = Params(settings)
        self.settings = settings
        self._zone = zone
        self._threshold_s = params.number("threshold_s", THRESHOLD_S)
        self._away_heights = params.number("away_heights", AWAY_HEIGHTS)
        self._alone: dict[str, _Alone] = {}
        params.done()

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``."""
        events = []
        alive: dict[str, _Alone] = {}
        for thing in seen.cues.things.things:
            if thing.track.state is TrackState.ENDED or not self._is_watched(thing):
                continue
            alone = self._alone.get(thing.track.track_id, _Alone())
            alive[thing.track.track_id] = alone
            self._follow(alone, thing, seen.header.monotonic_s)
            if seen.cues.smoke.hides(thing.track.last.box):
                continue
            event = self._event(alone, thing, seen.header)
            if event is not None:
                events.append(event)
        self._alone = alive
        return events

    def present(self) -> frozenset[str]:
        """See ``Rule.present``: the things that are alone."""
        return frozenset(
            track_id for track_id, alone in self._alone.items() if alone.since_s is not None
        )

    def _is_watched(self, thing: Thing) -> bool:
        if thing.is_moved or not label_matches(thing.track.label, self.settings.labels):
            return False
        return self._zone is None or self._zone.contains(standing_point(thing.track.last.box))

    def _follow(self, alone: _Alone, thing: Thing, now_s: float) -> None:
        """Bring up to date since when a thing has been alone."""
        since_s = self._alone_since_s(thing, now_s)
        if since_s is not None:
            alone.back_s = None
            if alone.since_s is None:
                alone.since_s = max(since_s, thing.track.first_seen_s, alone.near_s)
            return
        alone.near_s = now_s
        if alone.is_reported and thing.owner is None:
            return
        if alone.back_s is None:
            alone.back_s = now_s
        if not alone.is_reported or now_s - alone.back_s >= BACK_S - TIME_SLACK_S:
            alone.since_s, alone.is_reported = None, False

    def _alone_since_s(self, thing: Thing, now_s: float) -> float | None:
        """Return since when nobody of concern has been near, as far as this frame tells."""
        if thing.owner is None:
            return thing.track.first_seen_s if thing.nearest > self._away_heights else None
        if not thing.is_owner_seen:
            return thing.owner.last_seen.monotonic_s
        return now_s if thing.owner_distance > self._away_heights else None

    def _event(self, alone: _Alone, thing: Thing, header: FrameHeader) -> RuleEvent | None:
        track = thing.track
        is_seen = track.last.is_observed and track.last.seq == header.seq
        if alone.since_s is None or alone.is_reported or not is_seen:
            return None
        value = header.monotonic_s - alone.since_s
        if value < self._threshold_s - TIME_SLACK_S:
            return None
        alone.is_reported = True
        detail = {"left_s": f"{track.first_seen_s:.1f}"}
        if thing.owner is not None:
            detail["owner"] = thing.owner.track_id
        measured = Measured(
            since_s=alone.since_s,
            since_at=_at(header, alone.since_s),
            value=value,
            threshold=self._threshold_s,
            sigma=math.hypot(frame_step_s(track.points) / math.sqrt(12), APPEARED_SIGMA_S),
            unit="s",
            detail=detail,
        )
        others = () if thing.owner is None else (thing.owner,)
        return state_event(
            self.settings, track=track, header=header, measured=measured, others=others
        )


def _at(header: FrameHeader, moment_s: float) -> datetime:
    return header.captured_at - timedelta(seconds=header.monotonic_s - moment_s)
