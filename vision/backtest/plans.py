"""How each kind of rule is planned, and which kinds cannot be told from tracks."""

from collections.abc import Callable, Mapping
from typing import Final

from contracts.rules import RuleKind, SceneRules
from vision.backtest.plan import Plan, Question
from vision.backtest.plan_ways import crossing_plan, pace_plan, wrong_way_plan
from vision.backtest.plan_zones import dwell_plan, entry_plan, exit_plan
from vision.rules import intrusion, loiter

PLANS: Final[Mapping[RuleKind, Callable[[Question], Plan]]] = {
    RuleKind.INTRUSION: lambda asked: dwell_plan(asked, threshold_s=intrusion.THRESHOLD_S),
    RuleKind.LOITER: lambda asked: dwell_plan(asked, threshold_s=loiter.THRESHOLD_S),
    RuleKind.ZONE_ENTRY: entry_plan,
    RuleKind.ZONE_EXIT: exit_plan,
    RuleKind.LINE_CROSS: crossing_plan,
    RuleKind.TAILGATE: lambda asked: crossing_plan(asked, is_together=True),
    RuleKind.WRONG_WAY: wrong_way_plan,
    RuleKind.SPEED: pace_plan,
    RuleKind.RUNNING: pace_plan,
}
"""Kinds whose rules are about one track at a time, or compare who crossed a line."""

WITHOUT_PLAN: Final = frozenset({RuleKind.CROWD, RuleKind.SEQUENCE})
"""Kinds that are replayed in their own way: by how many there are, by what others said."""

REPLAYED: Final = frozenset(PLANS) | WITHOUT_PLAN

_NEED: Final = {
    RuleKind.FALL: "follows bodies that the detector is unsure of, and asks the pictures",
    RuleKind.FIGHT: "is told from motion in the pictures",
    RuleKind.ABANDONED: "compares the picture with what stood there before",
    RuleKind.REMOVED: "compares the picture with what stood there before",
    RuleKind.FIRE: "is told from colour and flicker",
    RuleKind.SMOKE: "is told from the pictures",
    RuleKind.TAMPER: "is told from the whole picture",
}


def why_not(scene: SceneRules) -> dict[str, str]:
    """Return, for each rule that is on and cannot be replayed, why."""
    reasons: dict[str, str] = {}
    for rule in scene.rules:
        if rule.is_enabled and rule.kind not in REPLAYED:
            need = _NEED.get(rule.kind, "is not told from tracks alone")
            reasons[rule.rule_id] = f"{rule.kind} {need}; only tracks are kept"
    for rule in scene.rules:
        # Sequences hear of those before them, so one pass finds all that rest on another's word.
        heard = [rule.params.get(name) for name in ("first", "then")]
        unheard = [name for name in heard if name in reasons]
        if rule.is_enabled and rule.kind is RuleKind.SEQUENCE and unheard:
            reasons[rule.rule_id] = f"it hears {unheard[0]}, which cannot be replayed"
    return reasons
