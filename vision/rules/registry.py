"""Which rule kinds there are, and how each is made from its settings."""

from collections.abc import Callable
from typing import Final

from contracts.rules import RuleKind, RuleSettings, SceneRules
from vision.rules.intrusion import IntrusionRule
from vision.rules.line_cross import LineCrossRule
from vision.rules.loiter import LoiterRule
from vision.rules.rule import Rule
from vision.rules.zone_entry import ZoneEntryRule

RULES: Final[dict[RuleKind, Callable[[RuleSettings, SceneRules], Rule]]] = {
    RuleKind.INTRUSION: lambda settings, scene: IntrusionRule(
        settings, zone=scene.zone(settings.zone_id)
    ),
    RuleKind.ZONE_ENTRY: lambda settings, scene: ZoneEntryRule(
        settings, zone=scene.zone(settings.zone_id)
    ),
    RuleKind.LINE_CROSS: lambda settings, scene: LineCrossRule(
        settings, line=scene.line(settings.line_id)
    ),
    RuleKind.LOITER: lambda settings, scene: LoiterRule(
        settings, zone=scene.zone(settings.zone_id)
    ),
}


def make_rules(scene: SceneRules) -> list[Rule]:
    """Return fresh rules for one run of one camera, without those that are switched off.

    Raises:
        ConfigError: A rule's params are unknown or out of range; the message names them.
    """
    return [
        RULES[settings.kind](settings, scene) for settings in scene.rules if settings.is_enabled
    ]
