"""The hypotheses that alert: for each rule kind, the claim that it is what the rule looks for."""

from collections.abc import Mapping
from typing import Final

from contracts.rules import RuleKind

ALARMING: Final[Mapping[RuleKind, str]] = {
    RuleKind.INTRUSION: "is_intrusion",
    RuleKind.ZONE_ENTRY: "is_entry",
    RuleKind.LINE_CROSS: "is_crossing",
    RuleKind.LOITER: "is_loitering",
    RuleKind.ZONE_EXIT: "is_exit",
    RuleKind.CROWD: "is_crowd",
    RuleKind.WRONG_WAY: "is_wrong_way",
    RuleKind.SPEED: "is_speeding",
    RuleKind.RUNNING: "is_running",
    RuleKind.TAILGATE: "is_tailgating",
    RuleKind.SEQUENCE: "is_sequence",
    RuleKind.FALL: "is_fall",
    RuleKind.FIGHT: "is_fight",
    RuleKind.ABANDONED: "is_abandoned",
    RuleKind.REMOVED: "is_removal",
    RuleKind.FIRE: "is_fire",
    RuleKind.SMOKE: "is_smoke",
    RuleKind.TAMPER: "is_tamper",
}
"""The hypothesis that says what each rule kind is there to find."""
