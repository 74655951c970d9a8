"""The program and the verifier on facts as vision makes them, with its jitter and definitions."""

import random
from dataclasses import replace

import numpy as np
import pytest

from contracts.geometry import Point
from contracts.incidents import FactName, Incident
from contracts.reasoning import ClaimStatus, Decision, ReasoningVerdict
from contracts.rules import RuleKind, RuleSettings, SceneRules
from contracts.tracks import Track
from moe_core.program import ProgramReasoner
from tests.bench.tamper_scenes import cover
from tests.fakes.bodies import LYING, STANDING, stays
from tests.fakes.builders import header, track
from tests.fakes.clock import ManualClock
from tests.fakes.fall_incidents import fall_incident
from tests.fakes.incidents import DOCK, GATE, STAY, WALK_IN, elsewhere, situation
from tests.fakes.scuffles import scene as fight_scene
from tests.fakes.scuffles import scuffle
from tests.fakes.smoke_scenes import FPS, Plume, render
from tests.fakes.tracks import followed, observed
from tests.fakes.views import filmed, frame_of, glimpse, scene
from vision.cues.port import Cues
from vision.cues.smoke import SmokeCue
from vision.cues.view import ViewCue
from vision.fact_list import merge_facts
from vision.facts import company_facts, event_facts, track_facts
from vision.observation import Observation
from vision.rules.registry import make_rules


def shaky(feet: tuple[Point, ...], *, sigma: float = 0.004) -> list[Point]:
    noise = random.Random(7)  # noqa: S311  # jitter, no secret
    return [(x + noise.gauss(0, sigma), y + noise.gauss(0, sigma)) for x, y in feet]


def reported(kind: RuleKind, feet: list[Point], *, threshold_s: float | None = None) -> Incident:
    """Let vision's own rule watch the track grow, and its own facts measure what it saw."""
    settings = RuleSettings(
        rule_id="keep_out",
        kind=kind,
        zone_id="" if kind is RuleKind.LINE_CROSS else "dock",
        line_id="gate" if kind is RuleKind.LINE_CROSS else "",
        params={} if threshold_s is None else {"threshold_s": threshold_s},
    )
    scene = SceneRules(zones=(DOCK,), lines=(GATE,), rules=(settings,))
    [rule] = make_rules(scene)
    whole = track(feet)
    for count in range(1, len(feet) + 1):
        seen: Track = replace(whole, points=whole.points[:count], hits=count)
        events = rule.update(observed([seen], header(seen.last.seq)))
        if events:
            facts = merge_facts(
                (),
                [
                    *track_facts(seen, cited={}),
                    *event_facts(events[0], track=seen, scene=scene, cited={}),
                    *company_facts(events[0], track=seen, tracks=[seen], cited={}),
                ],
            )
            blank = situation(kind=kind)
            return replace(blank, rule_events=tuple(events), tracks=(seen,), facts=facts)
    pytest.fail(f"{kind} did not fire")


def blinded() -> Incident:
    """A lens that was covered, as vision's own cue, rule and facts tell it."""
    settings = RuleSettings(rule_id="tamper", kind=RuleKind.TAMPER)
    scene_rules = SceneRules(rules=(settings,))
    [rule] = make_rules(scene_rules)
    cue = ViewCue()
    frames = [
        *filmed(scene(), seconds=6.0),
        *filmed(scene(), seconds=3.0, starts_s=6.0, effect=cover(22, slides_s=0.2)),
    ]
    for frame in frames:
        view = cue.look(glimpse(frame))
        events = rule.update(Observation(header=frame.header, tracks=(), cues=Cues(view=view)))
        if events and view.region is not None:
            facts = merge_facts(
                (),
                [
                    *track_facts(view.region, cited={}),
                    *event_facts(events[0], track=view.region, scene=scene_rules, cited={}),
                    *company_facts(events[0], track=view.region, tracks=(), cited={}),
                ],
            )
            blank = situation(kind=RuleKind.TAMPER)
            return replace(blank, rule_events=tuple(events), tracks=(view.region,), facts=facts)
    pytest.fail("nothing fired")


def test_what_vision_states_of_a_blinded_camera_is_supported() -> None:
    finding = ProgramReasoner(ManualClock()).reason(blinded())

    assert {claim.status for claim in finding.reasoning.claims} == {ClaimStatus.SUPPORTED}
    assert finding.reasoning.verdict is ReasoningVerdict.CONFIRMED
    assert finding.decision is Decision.ALERT
    assert finding.title == "Camera tampered with: covered view"
    assert "came in" not in " ".join(claim.text for claim in finding.reasoning.claims)


def test_a_fight_that_vision_saw_is_confirmed_and_every_claim_of_it_holds() -> None:
    """The region that the cue follows is measured, told and checked as a track is."""
    settings = RuleSettings(rule_id="fight", kind=RuleKind.FIGHT)
    scene = SceneRules(rules=(settings,))
    [rule] = make_rules(scene)
    two = [followed([(2.0, (0.45, 0.8)), (3.0, (0.45, 0.8))], track_id="t1"),
           followed([(2.0, (0.55, 0.8)), (3.0, (0.55, 0.8))], track_id="t2")]  # fmt: skip
    for at_s in (2.6, 2.8, 3.0):
        seen = scuffle(at_s, 0.8, since_s=1.0, people=("t1", "t2"))
        for event in rule.update(fight_scene(at_s, seen, tracks=two)):
            facts = merge_facts(
                (),
                [
                    *track_facts(seen.region, cited={}),
                    *event_facts(event, track=seen.region, scene=scene, cited={}),
                    *company_facts(event, track=seen.region, tracks=two, cited={}),
                ],
            )
            blank = situation(kind=RuleKind.FIGHT)
            incident = replace(blank, rule_events=(event,), tracks=(seen.region, *two), facts=facts)

            finding = ProgramReasoner(ManualClock()).reason(incident)

            claims = finding.reasoning.claims
            assert {claim.status for claim in claims} == {ClaimStatus.SUPPORTED}
            assert "is_fight" in {claim.predicate for claim in claims}
            texts = [claim.text for claim in claims if claim.predicate == "meets_rule"]
            assert all("move against each other as in a fight" in text for text in texts)
            assert finding.reasoning.verdict is ReasoningVerdict.CONFIRMED
            assert finding.decision is Decision.ALERT
            return
    pytest.fail("the fight was not told")


def smoking() -> Incident:
    """Smoke that rises in the street, as vision's own cue, rule and facts tell it."""
    settings = RuleSettings(rule_id="smoke", kind=RuleKind.SMOKE)
    scene_rules = SceneRules(rules=(settings,))
    [rule] = make_rules(scene_rules)
    cue = SmokeCue()
    rng = np.random.default_rng(1)
    for number in range(90):
        pixels = render([Plume(starts_s=3.2)], number / FPS, rng, where="street")
        frame = frame_of(pixels, number / FPS)
        seen = cue.look(glimpse(frame))
        for event in rule.update(
            Observation(header=frame.header, tracks=(), cues=Cues(smoke=seen))
        ):
            [region] = seen.regions()
            facts = merge_facts(
                (),
                [
                    *track_facts(region, cited={}),
                    *event_facts(event, track=region, scene=scene_rules, cited={}),
                    *company_facts(event, track=region, tracks=(), cited={}),
                ],
            )
            blank = situation(kind=RuleKind.SMOKE)
            return replace(blank, rule_events=(event,), tracks=(region,), facts=facts)
    pytest.fail("nothing fired")


def test_what_vision_states_of_smoke_is_supported() -> None:
    finding = ProgramReasoner(ManualClock()).reason(smoking())

    claims = finding.reasoning.claims
    assert {claim.status for claim in claims} == {ClaimStatus.SUPPORTED}
    assert finding.reasoning.verdict is ReasoningVerdict.CONFIRMED
    assert finding.decision is Decision.ALERT
    assert finding.title == "Smoke in the picture"
    assert claims[0].text.startswith("Smoke was followed for")
    [met] = [claim.text for claim in claims if claim.predicate == "meets_rule"]
    assert met.startswith("A grey veil, such as smoke or steam, hangs in the picture")


MOVED = FactName.DISPLACEMENT
FEET = {
    RuleKind.INTRUSION: shaky(WALK_IN),
    RuleKind.ZONE_ENTRY: shaky(WALK_IN),
    RuleKind.LINE_CROSS: shaky(WALK_IN),
    RuleKind.LOITER: shaky(STAY),
}
THRESHOLDS = {RuleKind.INTRUSION: 0.6, RuleKind.LOITER: 6.0}


@pytest.mark.parametrize("kind", list(FEET))
def test_what_vision_states_is_supported(kind: RuleKind) -> None:
    incident = reported(kind, FEET[kind], threshold_s=THRESHOLDS.get(kind))

    finding = ProgramReasoner(ManualClock()).reason(incident)

    assert {claim.status for claim in finding.reasoning.claims} == {ClaimStatus.SUPPORTED}
    assert len(finding.reasoning.claims) >= 7
    assert finding.reasoning.verdict is ReasoningVerdict.CONFIRMED
    assert finding.decision is Decision.ALERT


@pytest.mark.parametrize("kind", list(FEET))
def test_what_vision_states_is_contradicted_by_a_track_that_was_elsewhere(kind: RuleKind) -> None:
    incident = reported(kind, FEET[kind], threshold_s=THRESHOLDS.get(kind))

    finding = ProgramReasoner(ManualClock()).reason(elsewhere(incident))

    assert finding.reasoning.verdict is ReasoningVerdict.CONTRADICTED
    assert finding.decision is Decision.WATCH


OUT = tuple(reversed(STAY[:11]))


@pytest.mark.parametrize("label", ["person", "object"])
def test_who_walks_in_and_out_again_is_never_said_to_have_stayed_where_it_was(label: str) -> None:
    """Once a chain said of a visitor, as he left by the door he came by, that he had not moved."""
    opened = reported(RuleKind.LOITER, shaky(STAY), threshold_s=6.0)
    gone = track(shaky((*STAY, *OUT)), label=label)
    facts = merge_facts(opened.facts, track_facts(gone, cited={}))

    finding = ProgramReasoner(ManualClock()).reason(replace(opened, tracks=(gone,), facts=facts))

    claims = {claim.predicate: claim for claim in finding.reasoning.claims}
    assert "perhaps_sway" not in claims
    assert claims["not_sway"].status is ClaimStatus.SUPPORTED
    assert claims["not_sway"].args["value"] == pytest.approx(0.64, abs=0.02)
    assert "64 % of the picture away from where it was first seen" in claims["not_sway"].text


def test_a_displacement_that_was_measured_long_ago_says_nothing_about_the_pace_since() -> None:
    """Points are forgotten after minutes: what was measured before is not about all the time."""
    opened = reported(RuleKind.LOITER, shaky(STAY), threshold_s=6.0)
    later = replace(opened.tracks[0], label="object", first_seen_s=-300.0)
    facts = merge_facts(opened.facts, track_facts(later, cited={}))
    aged = tuple(
        replace(fact, start_s=-300.0, end_s=-120.0) if fact.name is MOVED else fact
        for fact in facts
    )

    finding = ProgramReasoner(ManualClock()).reason(replace(opened, tracks=(later,), facts=aged))

    told = {claim.predicate for claim in finding.reasoning.claims}
    assert told.isdisjoint({"not_passing_by", "perhaps_passing_by", "perhaps_sway"})
    assert "not_sway" in told


def test_what_vision_states_of_a_fall_is_supported() -> None:
    finding = ProgramReasoner(ManualClock()).reason(fall_incident())

    claims = {claim.predicate: claim for claim in finding.reasoning.claims}
    assert {claim.status for claim in claims.values()} == {ClaimStatus.SUPPORTED}
    assert {"came_down", "down", "posture", "not_sitting_down", "not_lying_down"} <= claims.keys()
    assert {"not_lost_box", "perhaps_bending_down"} <= claims.keys()
    assert finding.reasoning.verdict is ReasoningVerdict.CONFIRMED
    assert finding.decision is Decision.ALERT
    assert "has been down for only 0.8 s so far" in claims["perhaps_bending_down"].text


def test_the_longer_somebody_lies_the_less_it_may_be_bending_down() -> None:
    way = stays((STANDING, 2.0), (LYING, 4.0))

    finding = ProgramReasoner(ManualClock()).reason(fall_incident(way, down_s=3.0))

    told = {claim.predicate for claim in finding.reasoning.claims}
    assert "not_bending_down" in told
    assert "perhaps_bending_down" not in told


def test_a_fall_of_a_body_that_never_came_down_is_contradicted_by_its_way() -> None:
    """Facts that were made up do not survive the body's own points."""
    incident = fall_incident()
    [body] = incident.tracks
    upright = replace(
        body, points=tuple(replace(point, box=body.points[0].box) for point in body.points)
    )

    finding = ProgramReasoner(ManualClock()).reason(replace(incident, tracks=(upright,)))

    claims = {claim.predicate: claim for claim in finding.reasoning.claims}
    assert claims["came_down"].status is ClaimStatus.CONTRADICTED
    assert "not_sitting_down" not in claims
