"""An incident about a fall, as vision's own rule and facts make it."""

from dataclasses import replace

from contracts.incidents import Incident
from contracts.rules import RuleKind, RuleSettings, SceneRules, Severity
from contracts.tracks import Track
from tests.fakes.bodies import BENT, LYING, STANDING, Way, body, region, seen_bodies, stays
from tests.fakes.incidents import situation
from tests.fakes.tracks import header_at
from vision.fact_list import merge_facts
from vision.facts import company_facts, event_facts, track_facts
from vision.fall_facts import fall_facts
from vision.rules.fall import FallRule

FALLS = stays((STANDING, 2.0), (BENT, 0.4), (LYING, 2.0))
SETTINGS = RuleSettings(rule_id="fall", kind=RuleKind.FALL, severity=Severity.HIGH)
_POSTURES = {STANDING: (0.9, 0.1, 0.0, 0.0), BENT: (0.2, 0.7, 0.1, 0.0)}


def with_postures(track: Track) -> Track:
    """The track as a detector sees it that knows postures."""
    return replace(
        track,
        points=tuple(
            replace(point, postures=_POSTURES.get(point.box, (0.0, 0.1, 0.1, 0.8)))
            for point in track.points
        ),
    )


def fall_incident(way: Way = FALLS, *, down_s: float = 0.8) -> Incident:
    """What is known at the decisive frame of a fall, which comes after ``down_s``."""
    rule = FallRule(replace(SETTINGS, params={"down_s": down_s}), zone=None)
    for count in range(1, len(way) + 1):
        header = header_at(way[count - 1][0])
        events = rule.update(seen_bodies(body(way[:count]), header=header))
        if not events:
            continue
        [event], track = events, with_postures(region(way[:count]))
        fresh = [
            *track_facts(track, cited={}),
            *event_facts(event, track=track, scene=SceneRules(rules=(SETTINGS,)), cited={}),
            *fall_facts(event, track=track, cited={}),
            *company_facts(event, track=track, tracks=[], cited={}),
        ]
        blank = situation(kind=RuleKind.INTRUSION)
        pictures = [fact for fact in blank.facts if fact.subject == blank.camera_id]
        return replace(
            blank,
            kind=RuleKind.FALL,
            severity=Severity.HIGH,
            rule_events=(event,),
            tracks=(track,),
            facts=merge_facts((), [*fresh, *pictures]),
            zones=(),
            lines=(),
        )
    raise AssertionError("the rule did not fire")
