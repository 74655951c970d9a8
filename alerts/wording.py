"""What a provisional alert says, before the reasoning has found its own words (pure)."""

import math

from contracts.incidents import Incident, RuleEvent
from contracts.rules import RuleKind
from contracts.tracks import Track

_SECONDS = "s"


def title_of(incident: Incident) -> str:
    """Return a headline such as ``Person in Loading dock``."""
    event = incident.rule_events[0]
    who = _who(incident, event)
    place = _place(incident, event)
    match event.kind:
        case RuleKind.INTRUSION:
            return f"{who} in {place}"
        case RuleKind.ZONE_ENTRY:
            return f"{who} entered {place}"
        case RuleKind.LINE_CROSS:
            return f"{who} crossed {place}"
        case RuleKind.LOITER:
            return f"{who} staying in {place}"


def summary_of(incident: Incident) -> str:
    """Return one sentence with the rule, what it measured and what it asks for."""
    event = incident.rule_events[0]
    where = incident.camera_name or incident.camera_id
    unit = f" {event.unit}" if event.unit == _SECONDS else ""
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
    names = {zone.zone_id: zone.name for zone in incident.zones}
    return names.get(event.zone_id) or f"zone {event.zone_id}"
