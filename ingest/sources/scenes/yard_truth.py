"""What is true in the yard at any time, what is watched there, and what should be reported."""

from dataclasses import dataclass
from typing import Final

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.geometry import Box, Line, Point, Zone, foot
from contracts.rules import RuleKind, RuleSettings, SceneRules, Severity
from ingest.sources.scenes import yard_plan as plan
from ingest.sources.scenes.yard_script import CAR, INTRUDER, LOITERER, yard_actors

SCENE_NAME: Final = "yard"
ROLLER_DOOR: Final = "roller_door"
BAY: Final = "bay"
GATE: Final = "gate"
LOITER_S: Final = 8.0
"""Whoever crosses the bay needs 3 s, the car manoeuvres there for 5 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueObject:
    """One object of the scene at one instant.

    Attributes:
        object_id: The same throughout one loop of the script.
        label: ``person``, ``car`` or ``bag``; what a person carries is part of the person.
        box: Of what lies in the picture, normalised; hidden by others or not. Without shadow.
    """

    object_id: str
    label: str
    box: Box

    @property
    def foot(self) -> Point:
        """Bottom centre of the box, as rules use it."""
        return foot(self.box)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueEvent:
    """Something of a loop that a rule of ``YARD_RULES`` is about.

    Attributes:
        kind: Of the rule.
        place_id: The zone or line.
        object_id: Who.
        start_s, end_s: In the loop: the stay from entering to leaving, or the crossing (equal).
    """

    kind: RuleKind
    place_id: str
    object_id: str
    start_s: float
    end_s: float


_BAY_WATCHED: Final = plan.Ground(
    plan.LOADING_BAY.left - 0.2,
    plan.LOADING_BAY.right + 0.3,
    plan.LOADING_BAY.near - 0.2,
    plan.LOADING_BAY.far + 0.3,
)

YARD_RULES: Final = SceneRules(
    zones=(
        Zone(
            zone_id=ROLLER_DOOR,
            name="Roller door",
            polygon=plan.RESTRICTED.polygon(),
            is_restricted=True,
        ),
        Zone(zone_id=BAY, name="Loading bay", polygon=_BAY_WATCHED.polygon()),
    ),
    lines=(
        Line(
            line_id=GATE,
            name="Gate",
            points=(
                plan.VIEW.ground_point(plan.GATE_LEFT, plan.GATE_LINE_Z),
                plan.VIEW.ground_point(plan.GATE_RIGHT, plan.GATE_LINE_Z),
            ),
        ),
    ),
    rules=(
        RuleSettings(
            rule_id="keep_clear",
            kind=RuleKind.INTRUSION,
            zone_id=ROLLER_DOOR,
            labels=("person",),
            params={"threshold_s": 1.0},
            severity=Severity.HIGH,
        ),
        RuleSettings(
            rule_id="gate_passage",
            kind=RuleKind.LINE_CROSS,
            line_id=GATE,
            labels=("vehicle",),
            severity=Severity.INFO,
        ),
        RuleSettings(
            rule_id="bay_loitering",
            kind=RuleKind.LOITER,
            zone_id=BAY,
            labels=("person",),
            params={"threshold_s": LOITER_S},
            severity=Severity.MEDIUM,
        ),
    ),
)

YARD_EVENTS: Final = (
    TrueEvent(
        kind=RuleKind.INTRUSION,
        place_id=ROLLER_DOOR,
        object_id=INTRUDER,
        start_s=9.1,
        end_s=19.7,
    ),
    TrueEvent(kind=RuleKind.LINE_CROSS, place_id=GATE, object_id=CAR, start_s=28.2, end_s=28.2),
    TrueEvent(kind=RuleKind.LOITER, place_id=BAY, object_id=LOITERER, start_s=39.3, end_s=53.9),
    TrueEvent(kind=RuleKind.LINE_CROSS, place_id=GATE, object_id=CAR, start_s=66.2, end_s=66.2),
)
"""Of one loop, in order of time, to a tenth of a second; nothing else should be reported."""


def yard_truth(t_s: float) -> tuple[TrueObject, ...]:
    """Return what is to be seen in the yard ``t_s`` (>= 0) after its script began."""
    return tuple(
        TrueObject(object_id=actor.object_id, label=actor.label, box=box)
        for actor in yard_actors(t_s)
        if (box := actor.figure.box(plan.VIEW.width, plan.VIEW.height)) is not None
    )


def demo_camera() -> Camera:
    """Return the camera that is started where none is configured."""
    return Camera(
        camera_id="yard",
        name="Demo yard",
        place="Goods entrance (a drawn scene)",
        tags=("demo",),
        source=SourceSettings(source_type=SourceType.SYNTHETIC, url=SCENE_NAME),
        scene=YARD_RULES,
    )
