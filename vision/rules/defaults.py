"""What every camera is watched for without being asked."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from contracts.rules import RuleKind, RuleSettings, SceneRules, Severity

ON_BY_DEFAULT: Final[Mapping[RuleKind, Severity]] = {
    RuleKind.TAMPER: Severity.HIGH,
    RuleKind.FALL: Severity.HIGH,
    RuleKind.FIGHT: Severity.HIGH,
    RuleKind.ABANDONED: Severity.MEDIUM,
    RuleKind.REMOVED: Severity.MEDIUM,
    RuleKind.FIRE: Severity.CRITICAL,
    RuleKind.SMOKE: Severity.HIGH,
}
"""Kinds that watch the whole picture of every camera unless they are configured otherwise."""


def with_defaults(scene: SceneRules) -> SceneRules:
    """Return the scene with a rule of each kind that is on by default and not configured.

    A configured rule of the kind replaces it, also one that is switched off.
    """
    configured = {rule.kind for rule in scene.rules}
    taken = {rule.rule_id for rule in scene.rules}
    added = tuple(
        RuleSettings(
            rule_id=kind.value if kind.value not in taken else f"default-{kind.value}",
            kind=kind,
            severity=severity,
        )
        for kind, severity in ON_BY_DEFAULT.items()
        if kind not in configured
    )
    return replace(scene, rules=(*scene.rules, *added)) if added else scene
