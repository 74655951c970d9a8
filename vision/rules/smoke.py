"""Rule kind ``smoke``: smoke hangs in the air for longer than a puff does."""

from dataclasses import dataclass
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


@dataclass(slots=True)
class _Smoking:
    """Since when there is smoke in one place, and whether that was said."""

    since_s: float
    is_reported: bool = False


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
        self._smoking: dict[str, _Smoking] = {}

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``."""
        alive: dict[str, _Smoking] = {}
        events = []
        for smoke in seen.cues.smoke.smoke:
            track = smoke.track
            if track.state is TrackState.ENDED or not self._is_watched(smoke):
                continue
            known = self._smoking.get(track.track_id, _Smoking(track.first_seen_s))
            alive[track.track_id] = known
            event = self._event(known, smoke, seen.header)
            if event is not None:
                events.append(event)
        self._smoking = alive
        return events

    def present(self) -> frozenset[str]:
        """See ``Rule.present``."""
        return frozenset(self._smoking)

    def _is_watched(self, smoke: Smoke) -> bool:
        return self._zone is None or self._zone.contains(standing_point(smoke.track.last.box))

    def _event(self, known: _Smoking, smoke: Smoke, header: FrameHeader) -> RuleEvent | None:
        track = smoke.track
        lasted_s = header.monotonic_s - known.since_s
        if known.is_reported or not is_seen_now(track, header):
            return None
        if lasted_s < self._lasts_s - TIME_SLACK_S or track.hit_ratio < LEAST_SEEN:
            return None
        if smoke.likelihood < self._threshold or smoke.grown < SPREADS or not smoke.is_at_foot:
            return None
        known.is_reported = True
        measured = Measured(
            since_s=known.since_s,
            since_at=track.first_seen_at,
            value=smoke.likelihood,
            threshold=self._threshold,
            sigma=smoke.sigma,
            unit="share",
            detail={
                "lasted_s": f"{lasted_s:.1f}",
                "kept": f"{smoke.kept:.2f}",
                "grown": f"{smoke.grown:.1f}",
            },
        )
        return state_event(self.settings, track=track, header=header, measured=measured)
