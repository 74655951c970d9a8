"""Where a rule watches that may be about a zone or about the whole picture."""

from contracts.geometry import Point, Zone
from contracts.rules import RuleSettings, SceneRules


def named_zone(settings: RuleSettings, scene: SceneRules) -> Zone | None:
    """Return the zone that a rule is narrowed to; None if it watches the whole picture."""
    return scene.zone(settings.zone_id) if settings.zone_id else None


def is_within(zone: Zone | None, point: Point) -> bool:
    """Say whether a point of the picture lies where the rule watches."""
    return zone is None or zone.contains(point)
