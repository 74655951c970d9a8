"""Rule kind ``fire``: flames burn in one place for longer than a flash lasts."""

import math
from dataclasses import dataclass
from typing import Final

from contracts.frames import FrameHeader
from contracts.geometry import Zone, centre
from contracts.incidents import RuleEvent
from contracts.rules import RuleSettings
from contracts.tracks import TrackState
from vision.cues.seen import Flame
from vision.kinematics import frame_step_s
from vision.observation import Observation
from vision.rules.rule import TIME_SLACK_S, Measured, Params, is_seen_now, state_event

THRESHOLD_S: Final = 4.0
"""Default: whoever passes, waves or welds for a moment is gone by then; a fire is not."""
LEAST_SEEN: Final = 0.5
"""A fire is seen in so many of the frames since it began: smoke drifts across it."""
BEGAN_SIGMA_S: Final = 0.5
"""Flicker is known after several frames only."""


@dataclass(slots=True)
class _Burning:
    """Since when one fire has burnt, and whether that was said."""

    since_s: float
    is_reported: bool = False


class FireRule:
    """Reports each fire once it has burnt for ``threshold_s``.

    Params: ``threshold_s`` (4).
    """

    def __init__(self, settings: RuleSettings, *, zone: Zone | None) -> None:
        params = Params(settings)
        self.settings = settings
        self._zone = zone
        self._threshold_s = params.number("threshold_s", THRESHOLD_S)
        self._burning: dict[str, _Burning] = {}
        params.done()

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``."""
        alive: dict[str, _Burning] = {}
        events = []
        for flame in seen.cues.flames.flames:
            track = flame.track
            if track.state is TrackState.ENDED or not self._is_watched(flame):
                continue
            known = self._burning.get(track.track_id, _Burning(track.first_seen_s))
            alive[track.track_id] = known
            event = self._event(known, flame, seen.header)
            if event is not None:
                events.append(event)
        self._burning = alive
        return events

    def present(self) -> frozenset[str]:
        """See ``Rule.present``."""
        return frozenset(self._burning)

    def _is_watched(self, flame: Flame) -> bool:
        return self._zone is None or self._zone.contains(centre(flame.track.last.box))

    def _event(self, known: _Burning, flame: Flame, header: FrameHeader) -> RuleEvent | None:
        track = flame.track
        value = header.monotonic_s - known.since_s
        if known.is_reported or flame.is_blinking or not is_seen_now(track, header):
            return None
        if value < self._threshold_s - TIME_SLACK_S or track.hit_ratio < LEAST_SEEN:
            return None
        known.is_reported = True
        measured = Measured(
            since_s=known.since_s,
            since_at=track.first_seen_at,
            value=value,
            threshold=self._threshold_s,
            sigma=math.hypot(frame_step_s(track.points) / math.sqrt(12), BEGAN_SIGMA_S),
            unit="s",
            detail={"flicker": f"{flame.flicker:.2f}"},
        )
        return state_event(self.settings, track=track, header=header, measured=measured)
