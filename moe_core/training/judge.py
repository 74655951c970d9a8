"""Whether a claim is true in the world, not just in the measurements.

In a simulated scene the world is known: each claim is measured again with the true objects in the
place of the tracks, by the code that checks claims against tracks. What rests on a track that
follows nothing is not true, whatever was measured of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from contracts.detections import ANY_LABEL
from contracts.geometry import standing_point
from contracts.incidents import Fact, FactName, Incident
from contracts.reasoning import Claim, ClaimRole
from contracts.tracks import Track
from moe_core.causes import Cause
from moe_core.checkers.case import K_SIGMA, Case
from moe_core.checkers.recompute import measured_again
from moe_core.claims import COULD_BE, MEETS_RULE, PREDICATES
from moe_core.hypotheses import ALARMING
from moe_core.training.world.truth import Truth

SLACK: Final[Mapping[str, float]] = {
    "s": 0.4, "picture": 0.02, "picture/s": 0.03, "share": 0.15, "height": 0.15, "height/s": 0.3,
    "1": 0.0, "h": 0.02,
}  # fmt: skip
"""Beside its stated uncertainty, a number may be off by so much and still be called true: two
analysed frames, a fiftieth of the picture."""
NEAR_S: Final = 0.3
"""Two frames: so near in time a true position is taken for one of the same moment."""
LONG_S: Final = 2.0
"""Who has been in view for so long has not just come in."""
_ALARMING: Final = frozenset(ALARMING.values())
_OF_THE_CAMERA: Final = frozenset({FactName.LIGHT_CHANGE, FactName.FOREGROUND_SHARE, FactName.HOUR})
_OF_THE_FALL: Final = frozenset(
    {FactName.HEAD_DROP, FactName.FALL_PACE, FactName.HEAD_GONE, FactName.DOWN, FactName.POSTURE}
)
_ALWAYS_THERE: Final = 0.7
"""Share of the time told in which an object must really have been in view."""


class Judge:
    """Judges claims about one incident whose truth is known.

    Args:
        incident: As it was reported.
        truth: What really happened.
    """

    def __init__(self, incident: Incident, truth: Truth) -> None:
        self.truth = truth
        self.reported = Case(incident)
        self._objects = {one.track_id: one for one in truth.objects}
        self._owned = {
            track.track_id: self._objects[truth.owners[track.track_id]]
            for track in incident.tracks
            if truth.owners.get(track.track_id, "") in self._objects
        }
        tracks = tuple(self._as_it_was(track) for track in incident.tracks)
        self.world = Case(replace(incident, tracks=tracks))

    def judge(self, claims: Sequence[Claim]) -> list[bool]:
        """Return for each claim of a draft whether it is true, in order."""
        known: dict[str, bool] = {}
        for claim in sorted(claims, key=lambda claim: claim.role is ClaimRole.HYPOTHESIS):
            known[claim.claim_id] = self._is_true(claim, known)
        return [known[claim.claim_id] for claim in claims]

    def _is_true(self, claim: Claim, known: Mapping[str, bool]) -> bool:
        args = claim.args
        if claim.predicate == MEETS_RULE or claim.predicate in _ALARMING:
            return any(
                event.event_id in self.truth.real_events
                for event in self.reported.incident.rule_events
                if event.rule_id == args["rule"] and event.track_id == args["track"]
            )
        if claim.predicate == COULD_BE:
            return any(known.get(name, False) for name in claim.evidence)
        cause = PREDICATES[claim.predicate].cause
        if cause is not None:
            is_cause = self._is_cause(claim, cause)
            return is_cause is (claim.role is ClaimRole.COUNTER)
        if claim.predicate == "kind_unknown":
            return True
        fact = self.reported.facts.get(claim.evidence[0]) if claim.evidence else None
        if fact is None:
            return False
        if fact.name is FactName.OTHERS_PRESENT:
            return self._is_count(claim, fact)
        return self._is_measured(claim, fact)

    def _is_there(self, track_id: str) -> bool:
        """Say whether a track follows something real; regions do where their event is real."""
        if track_id in self._owned:
            return True
        track = self.reported.track(track_id)
        return track is not None and track.is_region and self._is_event_real(track_id)

    def _is_ghost(self, track_id: str) -> bool:
        """Say whether a detector's track follows nothing."""
        track = self.reported.track(track_id)
        return track is not None and not track.is_region and track_id not in self._owned

    def _is_event_real(self, track_id: str) -> bool:
        return any(
            event.event_id in self.truth.real_events
            for event in self.reported.incident.rule_events
            if event.track_id == track_id
        )

    def _is_cause(self, claim: Claim, cause: Cause) -> bool:
        """Say whether the benign cause really is one."""
        if cause.is_about_picture:
            return claim.role is ClaimRole.COUNTER  # what the picture did was measured exactly
        track_id = str(claim.args["track"])
        if cause.name in ("detector_noise", "weak_detection"):
            return not self._is_there(track_id)
        if cause.name == "wrong_object":
            return self._is_ghost(track_id) or not self._is_called(
                track_id, str(claim.args["label"])
            )
        fact = self.reported.cited(claim, cause.fact)
        if fact is None or not self._is_there(track_id):
            return True
        if fact.name in _OF_THE_FALL:
            return not self._is_event_real(track_id)
        again = measured_again(self.world, fact)
        value = fact.value if again is None else again.value
        if cause.per is not None:
            lasting = self.reported.cited(claim, cause.per)
            value /= max(0.2, 0.2 if lasting is None else lasting.value)
        value = value if cause.rules_out_above else abs(value)
        return not cause.is_ruled_out(value, tolerance=0.0)

    def _is_called(self, track_id: str, label: str) -> bool:
        true = self._owned.get(track_id)
        return true is None or label in (true.label, ANY_LABEL)

    def _is_measured(self, claim: Claim, fact: Fact) -> bool:
        """Say whether the true objects give what was measured of the tracks."""
        if fact.name in _OF_THE_CAMERA:
            return True
        if not self._is_there(fact.subject):
            return False
        if fact.name is FactName.PRESENT:
            return self._is_called(fact.subject, str(claim.args["label"])) and self._was_there(fact)
        if fact.name is FactName.ENTERED_FROM:
            return self._came_in(fact)
        target = self.reported.track(fact.target)
        if target is not None and not self._is_there(fact.target):
            return False
        again = measured_again(self.world, fact)
        if fact.name in _OF_THE_FALL and (again is None or fact.name is FactName.DOWN):
            return self._is_event_real(fact.subject) or fact.text not in ("", "lying")
        if again is None:
            return True
        is_named = fact.name in (FactName.LEFT_BY, FactName.TAKEN_BY)
        if is_named and not self._is_called(fact.target, str(claim.args["who"])):
            return False
        words = {str(claim.args[name]) for name in ("side", "direction") if name in claim.args}
        if again.word and words and again.word not in words:
            return False
        tolerance = K_SIGMA * float(np.hypot(fact.sigma, again.sigma)) + SLACK.get(fact.unit, 0.0)
        return again.low - tolerance <= fact.value <= again.high + tolerance

    def _was_there(self, fact: Fact) -> bool:
        """Say whether the object was in view for most of the time told."""
        true = self._owned.get(fact.subject)
        if true is None:
            return True
        seen = sum(fact.start_s - 0.1 <= point.monotonic_s <= fact.end_s + 0.1
                   for point in true.points)  # fmt: skip
        step_s = max(0.05, (true.points[-1].monotonic_s - true.points[0].monotonic_s)
                     / max(1, len(true.points) - 1))  # fmt: skip
        told = max(1.0, (fact.end_s - fact.start_s) / step_s)
        return seen / told >= _ALWAYS_THERE

    def _came_in(self, fact: Fact) -> bool:
        """Say whether the object was where it is told to have been seen first, and just come in.

        What is told of a side is false of somebody who had been in view for long.
        """
        true = self._owned.get(fact.subject)
        near = [] if true is None else [
            point for point in true.points if abs(point.monotonic_s - fact.start_s) < NEAR_S
        ]  # fmt: skip
        if true is None or not near:
            return true is None or true.points[0].monotonic_s < fact.start_s
        x, y = standing_point(near[0].box)
        edges = {"left": x, "right": 1 - x, "top": y, "bottom": 1 - y}
        tolerance = K_SIGMA * fact.sigma + SLACK["picture"]
        distance = edges.get(fact.text, min(edges.values()))
        has_been = true.points[0].monotonic_s < fact.start_s - LONG_S
        return abs(distance - fact.value) <= tolerance and (fact.text == "inside" or not has_been)

    def _is_count(self, claim: Claim, fact: Fact) -> bool:
        """Say whether so many others really were in view, all in all."""
        own = self.truth.owners.get(fact.subject, "")
        count = sum(
            any(abs(point.monotonic_s - fact.end_s) < 0.11 for point in one.points)
            for one in self.truth.objects
            if one.track_id != own
        )
        said = 0.0 if claim.predicate == "alone" else fact.value
        return abs(count - said) <= (0 if said <= 2 else max(1.0, 0.25 * said))

    def _as_it_was(self, track: Track) -> Track:
        true = self._owned.get(track.track_id)
        if true is None:
            return track
        return replace(
            true,
            track_id=track.track_id,
            camera_id=track.camera_id,
            run_id=track.run_id,
            is_region=track.is_region,
        )
