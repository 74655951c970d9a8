"""``tamper``: the camera no longer sees what it should.

Params: ``threshold_s`` (1.4, at least 1.4): how long it must last before it is told; ``share``
(0.6): how much of the known scene must be gone, for what is told by that (covered, sprayed,
defocused, moved).
"""

from datetime import timedelta

from contracts.incidents import RuleEvent
from contracts.rules import RuleSettings
from contracts.tracks import TrackState
from vision.cues.tampering import Tampering, ViewReading
from vision.cues.view import GONE, SURE_S
from vision.observation import Observation
from vision.rules.rule import TIME_SLACK_S, Measured, Params, is_seen_now, state_event


class TamperRule:
    """Fires once for each tampering, and again where its cause turns out to be another.

    The later statements are about the same region, so they sharpen the incident and open none.
    What the cue is not sure of yet does not fire.
    """

    def __init__(self, settings: RuleSettings) -> None:
        params = Params(settings)
        self.settings = settings
        self._threshold_s = params.number("threshold_s", SURE_S, least=SURE_S)
        self._share = params.number("share", GONE)
        params.done()
        self._told: tuple[str, Tampering] | None = None
        self._present: frozenset[str] = frozenset()

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``."""
        view = seen.cues.view
        region = view.region
        if region is None or view.cause is None or region.state is TrackState.ENDED:
            self._present = frozenset()
            return []
        self._present = frozenset({region.track_id})
        if not is_seen_now(region, seen.header) or not self._is_met(view, seen.header.monotonic_s):
            return []
        told, self._told = self._told, (region.track_id, view.cause)
        if told == self._told:
            return []
        is_first = told is None or told[0] != region.track_id
        now_s, at = seen.header.monotonic_s, seen.header.captured_at
        lasted_s = now_s - view.since_s if is_first else 0.0
        measured = Measured(
            since_s=now_s - lasted_s,
            since_at=at - timedelta(seconds=lasted_s),
            value=view.gone,
            threshold=self._share,
            sigma=view.sigma,
            unit="share",
            detail={"cause": view.cause.value},
        )
        return [state_event(self.settings, track=region, header=seen.header, measured=measured)]

    def present(self) -> frozenset[str]:
        """See ``Rule.present``: the view, while anything is wrong with it."""
        return self._present

    def _is_met(self, view: ViewReading, now_s: float) -> bool:
        if view.gone < self._share:
            return False
        return now_s - view.since_s >= self._threshold_s - TIME_SLACK_S
