"""Which rule kinds there are, and how each is made from its settings."""

from collections.abc import Callable, Sequence
from typing import Final

from contracts.errors import ConfigError
from contracts.geometry import Line, Zone
from contracts.rules import RuleKind, RuleSettings, SceneRules
from vision.ground import GroundPlane
from vision.rules.abandoned import AbandonedRule
from vision.rules.crowd import CrowdRule
from vision.rules.fall import FallRule
from vision.rules.fight import FightRule
from vision.rules.fire import FireRule
from vision.rules.intrusion import IntrusionRule
from vision.rules.line_cross import LineCrossRule
from vision.rules.loiter import LoiterRule
from vision.rules.place import named_zone
from vision.rules.removed import RemovedRule
from vision.rules.rule import Rule
from vision.rules.running import RunningRule
from vision.rules.sequence import SequenceRule
from vision.rules.smoke import SmokeRule
from vision.rules.speed import SpeedRule
from vision.rules.tailgate import TailgateRule
from vision.rules.tamper import TamperRule
from vision.rules.wrong_way import WrongWayRule
from vision.rules.zone_entry import ZoneEntryRule
from vision.rules.zone_exit import ZoneExitRule
from vision.scene_check import check_scene

RULES: Final[dict[RuleKind, Callable[[RuleSettings, SceneRules], Rule]]] = {
    RuleKind.FIGHT: lambda settings, scene: FightRule(settings, zone=named_zone(settings, scene)),
    RuleKind.INTRUSION: lambda settings, scene: IntrusionRule(
        settings, zone=scene.zone(settings.zone_id)
    ),
    RuleKind.ZONE_ENTRY: lambda settings, scene: ZoneEntryRule(
        settings, zone=scene.zone(settings.zone_id)
    ),
    RuleKind.LINE_CROSS: lambda settings, scene: LineCrossRule(
        settings, line=scene.line(settings.line_id)
    ),
    RuleKind.FALL: lambda settings, scene: FallRule(
        settings, zone=scene.zone(settings.zone_id) if settings.zone_id else None
    ),
    RuleKind.LOITER: lambda settings, scene: LoiterRule(
        settings, zone=scene.zone(settings.zone_id)
    ),
    RuleKind.ZONE_EXIT: lambda settings, scene: ZoneExitRule(
        settings, zone=scene.zone(settings.zone_id)
    ),
    RuleKind.CROWD: lambda settings, scene: CrowdRule(
        settings, zone=named_zone(settings, scene), ground=ground_of(scene)
    ),
    RuleKind.WRONG_WAY: lambda settings, scene: WrongWayRule(
        settings,
        zone=named_zone(settings, scene),
        line=scene.line(settings.line_id) if settings.line_id else None,
    ),
    RuleKind.SPEED: lambda settings, scene: SpeedRule(
        settings, zone=named_zone(settings, scene), ground=ground_of(scene)
    ),
    RuleKind.RUNNING: lambda settings, scene: RunningRule(
        settings, zone=named_zone(settings, scene), ground=ground_of(scene)
    ),
    RuleKind.TAILGATE: lambda settings, scene: TailgateRule(
        settings, line=scene.line(settings.line_id)
    ),
    RuleKind.SEQUENCE: lambda settings, scene: SequenceRule(
        settings, zone=named_zone(settings, scene)
    ),
    RuleKind.ABANDONED: lambda settings, scene: AbandonedRule(
        settings, zone=named_zone(settings, scene)
    ),
    RuleKind.FIRE: lambda settings, scene: FireRule(settings, zone=named_zone(settings, scene)),
    RuleKind.SMOKE: lambda settings, scene: SmokeRule(settings, zone=named_zone(settings, scene)),
    RuleKind.REMOVED: lambda settings, scene: RemovedRule(
        settings, zone=named_zone(settings, scene)
    ),
    RuleKind.TAMPER: lambda settings, _scene: TamperRule(settings),
}


def make_rules(scene: SceneRules) -> list[Rule]:
    """Return fresh rules for one run of one camera, without those that are switched off.

    Raises:
        ConfigError: A rule's params are unknown or out of range, or the scene makes no sense
            (``check_scene``); the message names what is wrong.
    """
    check_scene(scene)
    return [_made(settings, scene) for settings in scene.rules if settings.is_enabled]


def remake_rules(
    before: Sequence[Rule], old_scene: SceneRules, new_scene: SceneRules
) -> tuple[list[Rule], list[str]]:
    """Return the rules of a changed scene, and the ids of those that begin anew.

    A rule whose settings and whose zone or line are what they were goes on with its state.

    Raises:
        ConfigError: As ``make_rules`` does.
    """
    known = {rule.settings.rule_id: rule for rule in before}
    rules, fresh = [], []
    for rule in make_rules(new_scene):
        settings = rule.settings
        earlier = known.get(settings.rule_id)
        if (
            earlier is not None
            and earlier.settings == settings
            and _place(settings, old_scene) == _place(settings, new_scene)
            and old_scene.calibration == new_scene.calibration
        ):
            rules.append(earlier)
        else:
            rules.append(rule)
            fresh.append(settings.rule_id)
    return rules, fresh


def ground_of(scene: SceneRules) -> GroundPlane | None:
    """Return the ground plane of a calibrated scene; None of another. Raises ConfigError."""
    return None if scene.calibration is None else GroundPlane(scene.calibration)


def _made(settings: RuleSettings, scene: SceneRules) -> Rule:
    if settings.kind not in RULES:
        raise ConfigError(
            f"rule {settings.rule_id}: kind {settings.kind} is not there yet; "
            f"known are {', '.join(sorted(RULES))}"
        )
    return RULES[settings.kind](settings, scene)


def _place(settings: RuleSettings, scene: SceneRules) -> tuple[Zone | None, Line | None]:
    return (
        scene.zone(settings.zone_id) if settings.zone_id else None,
        scene.line(settings.line_id) if settings.line_id else None,
    )
