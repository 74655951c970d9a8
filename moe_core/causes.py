"""Benign causes: what harmless things can look like an alert, and what speaks against each.

A closed list, so that "was this considered?" can be measured. Each cause has one measurement and
one limit. Beyond the limit by more than the tolerance, the cause is ruled out; otherwise it
stands as counter-evidence, doubt included. Neither changes severity or decision: only confidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contracts.incidents import FactName
from contracts.rules import RuleKind

_ALL_KINDS: Final = frozenset(RuleKind)
_STILL_KINDS: Final = frozenset(
    {RuleKind.ABANDONED, RuleKind.REMOVED, RuleKind.FIRE, RuleKind.SMOKE, RuleKind.TAMPER}
)
"""Kinds about parts of the picture: they do not travel, and no detector has named them."""
_ABOUT_OBJECTS: Final = _ALL_KINDS - {RuleKind.TAMPER}
"""What is about the view itself is large, moves all of the picture and was found by no detector."""
_ZONE_KINDS: Final = frozenset({RuleKind.INTRUSION, RuleKind.ZONE_ENTRY, RuleKind.LOITER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One benign explanation and the measurement that decides about it.

    Attributes:
        fact: What is measured.
        unit: Of the fact's value.
        per: Divide by this fact as well (a pace is a distance per time).
        limit: In the unit of the measurement (after division).
        rules_out_above: A value above the limit speaks against the cause; else one below does.
        kinds: Rule kinds for which it is considered.
        is_about_picture: The fact is about the camera's whole picture, not about a track.
        needs_label: Whether the track's label must be known (True), must be unknown for the
            cause to stand (False), or does not matter (None).
    """

    name: str
    fact: FactName
    unit: str
    limit: float
    rules_out_above: bool
    per: FactName | None = None
    kinds: frozenset[RuleKind] = _ALL_KINDS
    is_about_picture: bool = False
    needs_label: bool | None = None

    @property
    def ruled_out(self) -> str:
        """Predicate of the claim that it is not the cause."""
        return f"not_{self.name}"

    @property
    def standing(self) -> str:
        """Predicate of the counter-claim that it may be the cause."""
        return f"perhaps_{self.name}"

    def is_ruled_out(self, measured: float, *, tolerance: float) -> bool:
        """Say whether the measurement is beyond the limit by more than its tolerance."""
        if self.rules_out_above:
            return measured - tolerance > self.limit
        return measured + tolerance < self.limit


CAUSES: Final[Mapping[str, Cause]] = {
    cause.name: cause
    for cause in (
        # A flicker of the detector is missing in most frames; real objects are not.
        Cause(
            name="detector_noise",
            fact=FactName.HIT_RATIO,
            unit="share",
            limit=0.5,
            rules_out_above=True,
        ),
        # Lamps, clouds and headlights move the mean luma by far more than an object does.
        Cause(
            name="light_change",
            fact=FactName.LIGHT_CHANGE,
            unit="share",
            limit=0.1,
            rules_out_above=False,
            is_about_picture=True,
        ),
        # A shaken camera moves the picture as a whole.
        Cause(
            name="camera_movement",
            fact=FactName.FOREGROUND_SHARE,
            unit="share",
            limit=0.5,
            rules_out_above=False,
            kinds=_ABOUT_OBJECTS,
            is_about_picture=True,
        ),
        # About the error of a foot in the picture; who only brushes the edge stays below it.
        Cause(
            name="edge_touch",
            fact=FactName.INSIDE,
            unit="picture",
            limit=0.01,
            rules_out_above=True,
            kinds=_ZONE_KINDS,
        ),
        Cause(
            name="line_touch",
            fact=FactName.CROSSED,
            unit="picture",
            limit=0.02,
            rules_out_above=True,
            kinds=frozenset({RuleKind.LINE_CROSS, RuleKind.TAILGATE}),
        ),
        # People on their way cross a twentieth of the picture in a second; who stays does not.
        Cause(
            name="passing_by",
            fact=FactName.DISPLACEMENT,
            unit="picture",
            per=FactName.PRESENT,
            limit=0.05,
            rules_out_above=False,
            kinds=frozenset({RuleKind.LOITER}),
        ),
        # Turning round on the spot takes a step or two in any direction.
        Cause(
            name="side_step",
            fact=FactName.DISPLACEMENT,
            unit="picture",
            limit=0.08,
            rules_out_above=True,
            kinds=frozenset({RuleKind.WRONG_WAY}),
        ),
        # What was seen for hardly longer than a pace is measured over is no sure pace.
        Cause(
            name="brief_glimpse",
            fact=FactName.PRESENT,
            unit="s",
            limit=1.2,
            rules_out_above=True,
            kinds=frozenset({RuleKind.SPEED, RuleKind.RUNNING, RuleKind.WRONG_WAY}),
        ),
        # Who sits down or squats keeps more than half of the height; who lies, a third at most.
        Cause(
            name="sitting_down",
            fact=FactName.HEAD_DROP,
            unit="height",
            limit=0.4,
            rules_out_above=True,
            kinds=frozenset({RuleKind.FALL}),
        ),
        # Who ties a shoe or picks something up is on the way up again by then.
        Cause(
            name="bending_down",
            fact=FactName.DOWN,
            unit="s",
            limit=2.0,
            rules_out_above=True,
            kinds=frozenset({RuleKind.FALL}),
        ),
        # Lying down on purpose takes two to four seconds, falling about one.
        Cause(
            name="lying_down",
            fact=FactName.FALL_PACE,
            unit="height/s",
            limit=0.35,
            rules_out_above=True,
            kinds=frozenset({RuleKind.FALL}),
        ),
        # Where only the box was lost, the head is still where it was.
        Cause(
            name="lost_box",
            fact=FactName.HEAD_GONE,
            unit="share",
            limit=0.15,
            rules_out_above=True,
            kinds=frozenset({RuleKind.FALL}),
        ),
        # Foliage, flags and reflections sway on the spot; what travelled is none of them.
        Cause(
            name="sway",
            fact=FactName.DISPLACEMENT,
            unit="picture",
            limit=0.05,
            rules_out_above=True,
            kinds=_ALL_KINDS - _STILL_KINDS,
            needs_label=False,
        ),
        # A person 23 px tall in 640 x 360: what is smaller may as well be a bird or a cat.
        Cause(
            name="too_small",
            fact=FactName.BOX_AREA,
            unit="share",
            limit=0.0008,
            rules_out_above=True,
            kinds=_ABOUT_OBJECTS,
        ),
        # Half the detections disagreeing means that the name is a guess.
        Cause(
            name="wrong_object",
            fact=FactName.LABEL_SHARE,
            unit="share",
            limit=0.5,
            rules_out_above=True,
            kinds=_ALL_KINDS - _STILL_KINDS,
            needs_label=True,
        ),
        # Detectors of this kind give wrong boxes mostly below this.
        Cause(
            name="weak_detection",
            fact=FactName.CONFIDENCE,
            unit="share",
            limit=0.4,
            rules_out_above=True,
            kinds=_ALL_KINDS - _STILL_KINDS,
            needs_label=True,
        ),
    )
}
"""All causes by name, in the order in which a chain considers them."""
