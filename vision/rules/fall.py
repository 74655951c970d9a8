"""Rule kind ``fall``: somebody came down fast and stays down."""

import math
from collections.abc import Sequence
from typing import Final

from contracts.errors import ConfigError
from contracts.geometry import Zone, standing_point
from contracts.incidents import RuleEvent
from contracts.rules import RuleSettings
from vision.boxes import overlap
from vision.cues.body import LIKELY, Body
from vision.descent import Descent
from vision.fall_model import Likelihood
from vision.labels import label_matches
from vision.observation import Observation
from vision.rules.rule import TIME_SLACK_S, Measured, Params, is_seen_now, state_event

DOWN_S: Final = 0.8
"""Default: who squats or picks something up is on the way up again by then."""
SAME_PLACE: Final = 0.5
"""Of the smaller box, lying in the other: then both are one body."""


class FallRule:
    """Reports each fall once, when whoever fell has been down for ``down_s``.

    Params: ``threshold`` (0.5, at least that: how likely it must be that it was a fall),
    ``down_s`` (0.8). With a zone, only falls that begin or end in it count.

    What fell is a body that the cue of the same name follows (``vision/cues/bodies.py``), so
    that a lost box loses nobody. The value is the likelihood of a fall; ``since`` is the last
    moment at which the body stood. Who comes up again and falls again is reported again.
    """

    def __init__(self, settings: RuleSettings, *, zone: Zone | None) -> None:
        params = Params(settings)
        self.settings = settings
        self._zone = zone
        self._threshold = params.number("threshold", LIKELY, least=LIKELY)
        self._down_s = params.number("down_s", DOWN_S)
        params.done()
        if self._threshold > 1:
            raise ConfigError(
                f"rule {settings.rule_id} ({settings.kind}): threshold must be a likelihood "
                f"of {LIKELY:g} to 1, got {self._threshold:g}"
            )
        self._down: frozenset[str] = frozenset()
        self._reported: set[str] = set()
        self._last_told_s: dict[str, float] = {}

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``; what it asks for is a body that is seen, not a track."""
        events = []
        fallen = [(body, *how) for body in seen.cues.bodies if (how := self._fell(body))]
        self._down = frozenset(body.track.track_id for body, _, _ in fallen)
        self._reported &= self._down
        followed = {body.track.track_id for body in seen.cues.bodies}
        self._last_told_s = {
            name: since_s for name, since_s in self._last_told_s.items() if name in followed
        }
        for body, descent, fall in fallen:
            stood_s = descent.upright.monotonic_s
            is_down_long = descent.down_s >= self._down_s - TIME_SLACK_S
            # Another fall begins where the body stood after the last one that was told.
            told_s = self._last_told_s.get(body.track.track_id, -math.inf)
            is_told = body.track.track_id in self._reported or stood_s <= told_s
            if is_told or not is_down_long:
                continue
            if not is_seen_now(body.track, seen.header) or self._is_told(body, fallen):
                continue
            self._reported.add(body.track.track_id)
            self._last_told_s[body.track.track_id] = stood_s
            measured = Measured(
                since_s=stood_s,
                since_at=descent.upright.captured_at,
                value=fall.share,
                threshold=self._threshold,
                sigma=fall.sigma,
                unit="share",
                detail={
                    "down_s": f"{descent.down_s:.1f}",
                    "drop": f"{descent.drop:.2f}",
                    "pace": f"{descent.pace:.2f}",
                    **_gone(body),
                },
            )
            events.append(
                state_event(self.settings, track=body.track, header=seen.header, measured=measured)
            )
        return events

    def present(self) -> frozenset[str]:
        """Return the bodies that are down."""
        return self._down

    def _is_told(self, body: Body, fallen: Sequence[tuple[Body, Descent, Likelihood]]) -> bool:
        """Say whether somebody in the same place was reported: one person seen as two."""
        return any(
            other.track.track_id in self._reported
            and overlap(body.track.last.box, other.track.last.box) > SAME_PLACE
            for other, _, _ in fallen
        )

    def _fell(self, body: Body) -> tuple[Descent, Likelihood] | None:
        """Return how a body fell, None where it did not, or elsewhere."""
        descent, fall = body.descent, body.fall
        if descent is None or fall is None or not body.is_down or fall.share < self._threshold:
            return None
        if not label_matches(body.track.label, self.settings.labels):
            return None
        if self._zone is not None:
            feet = (standing_point(descent.upright.box), standing_point(body.track.last.box))
            if not any(self._zone.contains(foot) for foot in feet):
                return None
        return descent, fall


def _gone(body: Body) -> dict[str, str]:
    """Return how much of the place of the head looks otherwise, for the detail of an event."""
    return {} if body.surroundings is None else {"gone": f"{body.surroundings.gone:.2f}"}
