"""Incidents of several cameras, by when they were said, for what listens to all of them."""

from dataclasses import replace
from datetime import datetime, timedelta

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.geometry import Zone
from contracts.incidents import EvidenceItem, EvidenceKind, Incident
from contracts.rules import RuleKind, RuleSettings, SceneRules, Severity
from tests.fakes.builders import RIGHT_HALF
from tests.fakes.clock import START
from tests.fakes.incidents import situation

TITLE = "Over the fence and in"


def moment(at_s: float) -> datetime:
    """The wall clock so many seconds after the start."""
    return START + timedelta(seconds=at_s)


def said(camera_id: str, rule_id: str, at_s: float, *, revision: int = 1) -> Incident:
    """An incident in which a rule of a camera speaks, with a picture that proves it."""
    blank = situation(kind=RuleKind.INTRUSION)
    [event] = blank.rule_events
    shift = moment(at_s) - event.at
    told = replace(
        event,
        event_id=f"re_{camera_id}_{rule_id}_{at_s:g}",
        rule_id=rule_id,
        at=event.at + shift,
        since_at=event.since_at + shift,
    )
    evidence = tuple(
        EvidenceItem(
            kind=kind,
            ref=f"sha256-{camera_id}-{at_s:g}-{kind.value}.jpg",
            frame_id="f_20",
            captured_at=told.at,
            boxes={"t1": (0.1, 0.2, 0.3, 0.4)},
        )
        for kind in (EvidenceKind.SNAPSHOT, EvidenceKind.FRAME)
    )
    return replace(
        blank,
        incident_id=f"ev_{camera_id}_{rule_id}_{at_s:g}",
        revision=revision,
        camera_id=camera_id,
        camera_name=camera_id.capitalize(),
        run_id=f"run-{camera_id}",
        started_at=told.since_at,
        decisive_at=told.at,
        rule_events=(told,),
        facts=tuple(
            replace(fact, subject=camera_id if fact.subject == "cam" else fact.subject)
            for fact in blank.facts
        ),
        evidence=evidence,
    )


def watching(camera_id: str, *rules: RuleSettings) -> Camera:
    """A camera with rules and a zone ``dock``."""
    return Camera(
        camera_id=camera_id,
        name=camera_id.capitalize(),
        place="north",
        source=SourceSettings(source_type=SourceType.SYNTHETIC, url="yard"),
        scene=SceneRules(zones=(Zone(zone_id="dock", polygon=RIGHT_HALF),), rules=rules),
    )


def intrusion(rule_id: str, *, is_quiet: bool = False) -> RuleSettings:
    """A rule that a sequence may name."""
    return RuleSettings(rule_id=rule_id, kind=RuleKind.INTRUSION, zone_id="dock", is_quiet=is_quiet)


def over_and_in(
    first: str = "yard/fence", then: str = "door", **params: float | str
) -> RuleSettings:
    """Somebody comes over the fence of the yard, and then somebody is at the hall's door."""
    asked: dict[str, float | str] = {"first": first, "then": then, "within_s": 30, "title": TITLE}
    return RuleSettings(
        rule_id="over-and-in",
        kind=RuleKind.SEQUENCE,
        params=asked | params,
        severity=Severity.CRITICAL,
        version=3,
    )


def site(rule: RuleSettings | None = None) -> list[Camera]:
    """Yard and hall; the hall has the sequence."""
    return [
        watching("yard", intrusion("fence")),
        watching("hall", intrusion("door"), rule or over_and_in()),
    ]
