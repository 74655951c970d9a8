"""Rule kind ``smoke``: smoke hangs in the air for longer than a puff does."""

from typing import Final

from contracts.errors import ConfigError
from contracts.frames import FrameHeader
from contracts.geometry import Zone, standing_point
from contracts.incidents import RuleEvent
from contracts.rules import RuleSettings
from contracts.tracks import TrackState
from vision.cues.seen import Smoke
from vision.observation import Observation
from vision.rules.rule import TIME_SLACK_S, Measured, Params, is_seen_now, state_event

THRESHOLD: Final = 0.7
"""Default: five looks of six that are a second apart look like smoke."""
LASTS_S: Final = 6.0
"""Default: an exhaust, a breath in the cold or a cigarette are over by then."""
SPREADS: Final = 1.3
"""It has become so many times as large as when it was found."""
LEAST_SEEN: Final = 0.5
"""Smoke is seen in so many of the frames since it began: the wind tears it."""


class SmokeRule:
    """Reports smoke once, when it has lasted for ``lasts_s``, has spread, and is likely enough.

    Params: ``threshold`` (0.7: likelihood that the next look looks like smoke too), ``lasts_s``
    (6). With a zone, only smoke that comes from it: the foot of the region lies there.
    """

    def __init__(self, settings: RuleSettings, *, zone: Zone | None) -> None:
        params = Params(settings)
        self.settings = settings
        self._zone = zone
        self._threshold = params.number("threshold", THRESHOLD)
        if self._threshold >= 1:
            raise ConfigError(
                f"rule {settings.rule_id} ({settings.kind}): threshold must be a likelihood "
                f"below 1, got {self._threshold:g}"
            )
        self._lasts_s = params.number("lasts_s", LASTS_S)
        params.done()
        self._reported: set[str] = set()
        self._present: frozenset[str] = frozenset()

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``."""
        smoke = [one for one in seen.cues.smoke.smoke if self._is_watched(one)]
        self._present = frozenset(one.track.track_id for one in smoke)
        self._reported &= self._present
        events = [self._event(one, seen.header) for one in smoke if self._is_due(one, seen.header)]
        self._reported |= {event.track_id for event in events}
        return events

    def present(self) -> frozenset[str]:
        """See ``Rule.present``."""
        return self._present

    def _is_watched(self, smoke: Smoke) -> bool:
        if smoke.track.state is TrackState.ENDED:
            return False
        return self._zone is None or self._zone.contains(standing_point(smoke.track.last.box))

    def _is_due(self, smoke: Smoke, header: FrameHeader) -> bool:
        track = smoke.track
        lasted_s = header.monotonic_s - track.first_seen_s
        if track.track_id in self._reported or not is_seen_now(track, header):
            return False
        if lasted_s < self._lasts_s - TIME_SLACK_S or track.hit_ratio < LEAST_SEEN:
            return False
        return smoke.likelihood >= self._threshold and smoke.grown >= SPREADS and smoke.is_at_foot

    def _event(self, smoke: Smoke, header: FrameHeader) -> RuleEvent:
        track = smoke.track
        measured = Measured(
            since_s=track.first_seen_s,
            since_at=track.first_seen_at,
            value=smoke.likelihood,
            threshold=self._threshold,
            sigma=smoke.sigma,
            unit="share",
            detail={
                "lasted_s": f"{header.monotonic_s - track.first_seen_s:.1f}",
                "kept": f"{smoke.kept:.2f}",
                "grown": f"{smoke.grown:.1f}",
            },
        )
        return state_event(self.settings, track=track, header=header, measured=measured)
