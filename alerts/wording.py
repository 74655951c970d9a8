"""What a provisional alert says, before the reasoning has found its own words (pure)."""

import math
from collections.abc import Mapping
from typing import Final

from contracts.incidents import Incident, RuleEvent
from contracts.rules import RuleKind
from contracts.tracks import Track

_UNITS: Final[Mapping[str, str]] = {
    "s": " s",
    "m/s": " m/s",
    "deg": " degrees",
    "height/s": " body heights per second",
    "1/m2": " per square metre",
}
_TITLES: Final[Mapping[RuleKind, str]] = {
    RuleKind.INTRUSION: "{who} in {place}",
    RuleKind.ZONE_ENTRY: "{who} entered {place}",
    RuleKind.LINE_CROSS: "{who} crossed {place}",
    RuleKind.LOITER: "{who} staying in {place}",
    RuleKind.ZONE_EXIT: "{who} left {place}",
    RuleKind.CROWD: "Crowd in {place}",
    RuleKind.WRONG_WAY: "{who} going the wrong way in {place}",
    RuleKind.SPEED: "{who} too fast in {place}",
    RuleKind.RUNNING: "{who} running in {place}",
    RuleKind.TAILGATE: "{who} tailgating over {place}",
    RuleKind.SEQUENCE: "Sequence in {place}",
    RuleKind.FALL: "{who} fell in {place}",
    RuleKind.FIGHT: "Fight in {place}",
    RuleKind.ABANDONED: "Object left in {place}",
    RuleKind.REMOVED: "Object removed from {place}",
    RuleKind.FIRE: "Fire in {place}",
    RuleKind.SMOKE: "Smoke in {place}",
    RuleKind.TAMPER: "{who}: camera tampered with",
}


def title_of(incident: Incident) -> str:
    """Return a headline such as ``Person in Loading dock``; a rule may have its own."""
    event = incident.rule_events[0]
    if event.detail.get("title"):
        return event.detail["title"]
    who = _who(incident, event)
    place = _place(incident, event)
    return _TITLES[event.kind].format(who=who, place=place)


def summary_of(incident: Incident) -> str:
    """Return one sentence with the rule, what it measured and what it asks for."""
    event = incident.rule_events[0]
    where = incident.camera_name or incident.camera_id
    unit = _UNITS.get(event.unit, "")
    return (
        f"{title_of(incident)} at {where}: rule {event.rule_id} measured "
        f"{event.value:.2f}{unit}, its threshold is {event.threshold:.2f}{unit}. "
        "Not reasoned yet."
    )


def rule_confidence(incident: Incident) -> float:
    """Return the probability, 0 to 1, that the rule's condition held, from its margin alone.

    The measured value is taken as normally distributed with the rule's own uncertainty. It says
    nothing about whether the object is what it seems; that is the reasoning's part.
    """
    event = incident.rule_events[0]
    if event.sigma <= 0:
        return 1.0 if event.margin >= 0 else 0.0
    return 0.5 * (1.0 + math.erf(event.margin / (event.sigma * math.sqrt(2.0))))


def _who(incident: Incident, event: RuleEvent) -> str:
    fired = {item.track_id for item in incident.rule_events}
    if len(fired) > 1:
        return f"{len(fired)} objects"
    track = _track(incident, event.track_id)
    return track.label.capitalize() if track else "Object"


def _track(incident: Incident, track_id: str) -> Track | None:
    return next((track for track in incident.tracks if track.track_id == track_id), None)


def _place(incident: Incident, event: RuleEvent) -> str:
    if event.line_id:
        names = {line.line_id: line.name for line in incident.lines}
        return names.get(event.line_id) or f"line {event.line_id}"
    if not event.zone_id:
        return "the picture"
    names = {zone.zone_id: zone.name for zone in incident.zones}
    return names.get(event.zone_id) or f"zone {event.zone_id}"
