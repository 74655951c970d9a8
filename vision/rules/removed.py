"""Rule kind ``removed``: a thing that had been in its place is not there any more."""

import math
from typing import Final

from contracts.frames import FrameHeader
from contracts.geometry import Zone, standing_point
from contracts.incidents import RuleEvent
from contracts.rules import RuleSettings
from contracts.tracks import TrackState
from vision.cues.seen import Removal
from vision.kinematics import frame_step_s
from vision.labels import label_matches
from vision.observation import Observation
from vision.rules.fights_around import FightsAround
from vision.rules.rule import TIME_SLACK_S, Measured, Params, state_event

THRESHOLD_S: Final = 6.0
"""Default: what stood there for less was only put down for a moment."""
_THERE_SIGMA_S: Final = 0.5
"""A second of stillness makes the ground, so nothing is known more exactly."""


class RemovedRule:
    """Reports each removal once: a thing that stood there for ``threshold_s`` is gone.

    Not where somebody takes back what he left himself, nor where a thing is moved to another
    place in the picture, nor where smoke hangs: it hides what is behind it. Nor where people
    fought when it went: furniture goes over then, and the fight is what is told.

    Params: ``threshold_s`` (6).
    """

    def __init__(self, settings: RuleSettings, *, zone: Zone | None) -> None:
        params = Params(settings)
        self.settings = settings
        self._zone = zone
        self._threshold_s = params.number("threshold_s", THRESHOLD_S)
        self._reported: set[str] = set()
        self._present: frozenset[str] = frozenset()
        self._fights = FightsAround()
        params.done()

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``."""
        self._fights.look(seen)
        removals = [
            removal
            for removal in seen.cues.things.removals
            if removal.track.state is not TrackState.ENDED and self._is_watched(removal)
        ]
        self._present = frozenset(removal.track.track_id for removal in removals)
        self._reported &= self._present
        events = []
        for removal in removals:
            if removal.track.track_id in self._reported or not removal.is_settled:
                continue
            box = removal.track.last.box
            if seen.cues.smoke.hides(box):
                continue
            if self._fights.explain(box, at_s=removal.track.first_seen_s):
                continue
            if removal.there_s < self._threshold_s - TIME_SLACK_S:
                continue
            self._reported.add(removal.track.track_id)
            events.append(self._event(removal, seen.header))
        return events

    def present(self) -> frozenset[str]:
        """See ``Rule.present``: the places that were emptied just now."""
        return self._present

    def _is_watched(self, removal: Removal) -> bool:
        if removal.is_by_owner or not label_matches(removal.track.label, self.settings.labels):
            return False
        return self._zone is None or self._zone.contains(standing_point(removal.track.last.box))

    def _event(self, removal: Removal, header: FrameHeader) -> RuleEvent:
        track, taker = removal.track, removal.taker
        measured = Measured(
            since_s=track.first_seen_s,
            since_at=track.first_seen_at,
            value=removal.there_s,
            threshold=self._threshold_s,
            sigma=math.hypot(frame_step_s(track.points) / math.sqrt(12), _THERE_SIGMA_S),
            unit="s",
            detail={} if taker is None else {"taker": taker.track_id},
        )
        others = () if taker is None else (taker,)
        return state_event(
            self.settings, track=track, header=header, measured=measured, others=others
        )
