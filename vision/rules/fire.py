"""Rule kind ``fire``: flames burn in one place for longer than a flash lasts."""

import math
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


class FireRule:
    """Reports each fire once it has burnt for ``threshold_s``.

    Params: ``threshold_s`` (4).
    """

    def __init__(self, settings: RuleSettings, *, zone: Zone | None) -> None:
        params = Params(settings)
        self.settings = settings
        self._zone = zone
        self._threshold_s = params.number("threshold_s", THRESHOLD_S)
        self._reported: set[str] = set()
        self._present: frozenset[str] = frozenset()
        params.done()

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``."""
        flames = [flame for flame in seen.cues.flames.flames if self._is_watched(flame)]
        self._present = frozenset(flame.track.track_id for flame in flames)
        self._reported &= self._present
        events = [
            self._event(flame, seen.header) for flame in flames if self._is_due(flame, seen.header)
        ]
        self._reported |= {event.track_id for event in events}
        return events

    def present(self) -> frozenset[str]:
        """See ``Rule.present``."""
        return self._present

    def _is_watched(self, flame: Flame) -> bool:
        if flame.track.state is TrackState.ENDED:
            return False
        return self._zone is None or self._zone.contains(centre(flame.track.last.box))

    def _is_due(self, flame: Flame, header: FrameHeader) -> bool:
        track = flame.track
        if track.track_id in self._reported or flame.is_blinking or not is_seen_now(track, header):
            return False
        burnt_s = header.monotonic_s - track.first_seen_s
        return burnt_s >= self._threshold_s - TIME_SLACK_S and track.hit_ratio >= LEAST_SEEN

    def _event(self, flame: Flame, header: FrameHeader) -> RuleEvent:
        track = flame.track
        measured = Measured(
            since_s=track.first_seen_s,
            since_at=track.first_seen_at,
            value=header.monotonic_s - track.first_seen_s,
            threshold=self._threshold_s,
            sigma=math.hypot(frame_step_s(track.points) / math.sqrt(12), BEGAN_SIGMA_S),
            unit="s",
            detail={"flicker": f"{flame.flicker:.2f}"},
        )
        return state_event(self.settings, track=track, header=header, measured=measured)
