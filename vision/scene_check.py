"""Whether the zones, calibration, schedules and rules of a scene make sense together (pure)."""

import itertools
from datetime import UTC

from contracts.errors import ConfigError
from contracts.geometry import Point, Zone
from contracts.rules import RuleKind, RuleSettings, SceneRules
from vision.ground import GroundPlane
from vision.rules.defaults import with_defaults
from vision.schedule import Schedule
from vision.sequence_across import is_across, sequence_across


def check_scene(scene: SceneRules) -> None:
    """Refuse what can be written down but not watched.

    Raises:
        ConfigError: The first thing that is wrong; the message names it.
    """
    for zone in scene.zones:
        check_zone(zone)
    if scene.calibration is not None:
        GroundPlane(scene.calibration)
    for rule in scene.rules:
        check_rule(rule)
    for rule in scene.rules:
        if rule.kind is RuleKind.SEQUENCE:
            _check_sequence(rule, scene)


def check_zone(zone: Zone) -> None:
    """Refuse a polygon whose edges cross: what lies inside it would be a matter of taste.

    Raises:
        ConfigError: Two of its edges cross; the message numbers them.
    """
    corners = zone.polygon
    edges = [(corners[index], corners[(index + 1) % len(corners)]) for index in range(len(corners))]
    for (first, one), (second, other) in itertools.combinations(enumerate(edges, start=1), 2):
        if _cross(*one, *other):
            raise ConfigError(
                f"zone {zone.zone_id}: its edges {first} and {second} cross; give the corners in "
                "the order in which one walks around it"
            )


def check_rule(rule: RuleSettings) -> None:
    """Refuse hours that cannot be read.

    Raises:
        ConfigError: An entry of its schedule or its time zone; the message names the rule.
    """
    Schedule(rule, time_zone=UTC)


def _check_sequence(rule: RuleSettings, scene: SceneRules) -> None:
    """A sequence hears of the rules before it, so that sequences may build on each other."""
    if is_across(rule):
        _check_own_side(rule, scene)
        return
    before: set[str] = set()
    for other in scene.rules:
        if other is rule:
            break
        before.add(other.rule_id)
    heard = before | {other.rule_id for other in scene.rules if other.kind is not rule.kind}
    for name in ("first", "then"):
        wanted = rule.params.get(name)
        if wanted not in heard:
            raise ConfigError(
                f"rule {rule.rule_id} ({rule.kind}): {name} must name another rule of the camera "
                f"(a sequence, only one that stands before it), got {wanted!r}; "
                f"there are {', '.join(sorted(heard)) or 'none'}"
            )


def _check_own_side(rule: RuleSettings, scene: SceneRules) -> None:
    """Of a sequence across cameras only the side of its own camera can be looked up here."""
    wanted = sequence_across(rule, camera_id="own").then.rule_id
    others = {other.rule_id for other in with_defaults(scene).rules} - {rule.rule_id}
    if wanted not in others:
        raise ConfigError(
            f"rule {rule.rule_id} ({rule.kind}): then must name another rule of the camera, "
            f"got {wanted!r}; there are {', '.join(sorted(others))}"
        )


def _cross(start: Point, end: Point, first: Point, second: Point) -> bool:
    """Say whether two segments cross inside both of them; touching is no crossing."""
    return _sides_differ(start, end, first, second) and _sides_differ(first, second, start, end)


def _sides_differ(start: Point, end: Point, one: Point, other: Point) -> bool:
    return _side(start, end, one) * _side(start, end, other) < 0


def _side(start: Point, end: Point, point: Point) -> float:
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])
