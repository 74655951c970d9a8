"""The program and the verifier on what the rules about motion and company really say."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest

from contracts.geometry import Point, standing_point
from contracts.incidents import Incident, RuleEvent
from contracts.reasoning import ClaimStatus, Decision, Finding, ReasoningVerdict
from contracts.rules import RuleKind, RuleSettings, SceneRules
from contracts.tracks import Track
from ingest.sources.scenes import yard_plan as plan
from moe_core.program import ProgramReasoner
from tests.fakes.builders import box_at, header, track
from tests.fakes.clock import ManualClock
from tests.fakes.incidents import DOCK, GATE, situation
from tests.fakes.tracks import observed
from tests.vision.test_ground import YARD
from vision.fact_list import merge_facts
from vision.facts import company_facts, event_facts, track_facts
from vision.watch import Watch

Params = Mapping[str, float | str]


def walk(start: Point, end: Point, frames: int, *, seed: int = 1) -> list[Point]:
    """An even way whose feet jitter by a pixel or two."""
    noise = random.Random(seed)  # noqa: S311  # jitter, no secret
    return [
        (
            start[0] + (end[0] - start[0]) * index / (frames - 1) + noise.gauss(0, 0.002),
            start[1] + (end[1] - start[1]) * index / (frames - 1) + noise.gauss(0, 0.002),
        )
        for index in range(frames)
    ]


@dataclass(frozen=True, kw_only=True)
class Story:
    """A kind of rule, its settings, and the ways of tracks ``t1``, ``t2``, ... that meet it."""

    kind: RuleKind
    ways: Sequence[Sequence[Point]]
    params: Params
    zone_id: str = ""
    line_id: str = ""
    label: str = "person"
    before: tuple[RuleSettings, ...] = ()


def ground_way(speed_mps: float) -> list[Point]:
    return walk(
        plan.VIEW.ground_point(-4, 12), plan.VIEW.ground_point(-4 + 2.4 * speed_mps, 12), 13
    )


OVER = RuleSettings(rule_id="over", kind=RuleKind.LINE_CROSS, line_id="gate")
INTO = RuleSettings(rule_id="into", kind=RuleKind.ZONE_ENTRY, zone_id="dock")
STORIES = (
    Story(
        kind=RuleKind.ZONE_EXIT,
        ways=[walk((0.8, 0.6), (0.2, 0.6), 25)],
        params={},
        zone_id="dock",
    ),
    Story(
        kind=RuleKind.CROWD,
        ways=[walk((0.6, 0.4 + 0.1 * n), (0.65, 0.4 + 0.1 * n), 20, seed=n) for n in range(4)],
        params={"threshold": 4},
        zone_id="dock",
    ),
    Story(
        kind=RuleKind.CROWD,
        ways=[walk((0.6, 0.4 + 0.1 * n), (0.65, 0.4 + 0.1 * n), 20, seed=n) for n in range(4)],
        params={"threshold": 4},
    ),
    Story(
        kind=RuleKind.WRONG_WAY,
        ways=[walk((0.9, 0.6), (0.5, 0.6), 20)],
        params={"direction": 90},
        zone_id="dock",
        label="car",
    ),
    Story(kind=RuleKind.SPEED, ways=[ground_way(4.0)], params={"threshold_mps": 3}, label="car"),
    Story(kind=RuleKind.RUNNING, ways=[ground_way(3.5)], params={}),
    Story(
        kind=RuleKind.TAILGATE,
        ways=[
            walk((0.3, 0.5), (0.8, 0.5), 15),
            [(0.1, 0.7)] * 3 + walk((0.3, 0.7), (0.8, 0.7), 15, seed=2),
        ],
        params={},
        line_id="gate",
    ),
    Story(
        kind=RuleKind.SEQUENCE,
        ways=[walk((0.2, 0.6), (0.9, 0.6), 20)],
        params={"first": "over", "then": "into"},
        before=(OVER, INTO),
    ),
)
names = [f"{story.kind}{'-in-zone' if story.zone_id else ''}" for story in STORIES]
each_story = pytest.mark.parametrize("story", STORIES, ids=names)


def told(story: Story, *, calibrated: bool = True) -> Incident:
    """What the rule said about the story, with the facts of whom it is about."""
    rule = RuleSettings(
        rule_id="keep_out",
        kind=story.kind,
        zone_id=story.zone_id,
        line_id=story.line_id,
        params=story.params,
    )
    scene = SceneRules(
        zones=(DOCK,),
        lines=(GATE,),
        rules=(*story.before, rule),
        calibration=YARD if calibrated else None,
    )
    watch = Watch(scene)
    wholes = [
        track(way, track_id=f"t{number}", label=story.label)
        for number, way in enumerate(story.ways, start=1)
    ]
    said: list[RuleEvent] = []
    for count in range(1, max(len(way) for way in story.ways) + 1):
        seen = [
            replace(whole, points=whole.points[:count], hits=count)
            for whole in wholes
            if count <= len(whole.points)
        ]
        events = watch.look(observed(seen, header(count - 1))).events
        said += events
        fired = next((event for event in events if event.kind is story.kind), None)
        if fired is None:
            continue
        tracks = {one.track_id: one for one in seen}
        lead = tracks[fired.track_id]
        facts = merge_facts(
            (),
            [
                *track_facts(lead, cited={}),
                *event_facts(fired, track=lead, scene=scene, cited={}),
                *company_facts(fired, track=lead, tracks=seen, cited={}),
            ],
        )
        blank = situation(kind=story.kind, label=story.label)
        concerned = [lead, *(tracks[name] for name in fired.other_track_ids if name in tracks)]
        return replace(
            blank,
            rule_events=(fired, *(event for event in said if event is not fired)),
            tracks=tuple(concerned),
            facts=facts,
            calibration=scene.calibration,
        )
    pytest.fail(f"{story.kind} did not fire")


def reason(incident: Incident) -> Finding:
    return ProgramReasoner(ManualClock()).reason(incident)


def about_itself(incident: Incident) -> Incident:
    """The incident without what other rules said: they are not what is tested."""
    return replace(incident, rule_events=incident.rule_events[:1])


@each_story
def test_what_vision_states_is_supported(story: Story) -> None:
    finding = reason(about_itself(told(story)))

    doubted = [
        (claim.predicate, claim.status, claim.note)
        for claim in finding.reasoning.claims
        if claim.status is not ClaimStatus.SUPPORTED
    ]
    assert doubted == []
    assert finding.reasoning.verdict is ReasoningVerdict.CONFIRMED
    assert finding.decision is Decision.ALERT
    assert finding.confidence > 0.5


@each_story
def test_the_value_is_taken_again_from_the_tracks(story: Story) -> None:
    incident = told(story)
    [claim] = [
        claim
        for claim in reason(incident).reasoning.claims
        if claim.predicate == "meets_rule" and claim.args["rule"] == "keep_out"
    ]

    assert claim.status is ClaimStatus.SUPPORTED
    assert claim.measured is not None
    assert claim.tolerance is not None
    assert claim.measured == pytest.approx(claim.args["value"], rel=0.25, abs=0.3)


def moved(incident: Incident, at: Point) -> Incident:
    """The same statements, but every track was really standing at one place."""
    tracks: list[Track] = []
    for one in incident.tracks:
        height = one.points[0].box[3] - one.points[0].box[1]
        box = box_at(at, height=height)
        points = tuple(replace(point, box=box) for point in one.points)
        tracks.append(replace(one, points=points))
    return replace(incident, tracks=tuple(tracks))


@pytest.mark.parametrize(
    "story",
    [
        one
        for one in STORIES
        if one.kind is not RuleKind.SEQUENCE and (one.zone_id or one.kind is not RuleKind.CROWD)
    ],
    ids=lambda story: str(story.kind),
)
def test_what_vision_states_is_contradicted_by_tracks_that_stood_elsewhere(story: Story) -> None:
    finding = reason(moved(about_itself(told(story)), (0.1, 0.8)))

    assert finding.reasoning.verdict is ReasoningVerdict.CONTRADICTED
    assert finding.decision is Decision.WATCH


def test_a_sequence_is_held_against_what_its_rules_said() -> None:
    [story] = [one for one in STORIES if one.kind is RuleKind.SEQUENCE]
    incident = told(story)
    first, *others = incident.rule_events
    late = tuple(
        replace(event, since_s=event.since_s + 60.0) if event.rule_id == "into" else event
        for event in others
    )

    claims = reason(replace(incident, rule_events=(first, *late))).reasoning.claims

    [claim] = [
        claim
        for claim in claims
        if claim.predicate == "meets_rule" and claim.args["rule"] == "keep_out"
    ]
    assert claim.status is ClaimStatus.CONTRADICTED


def test_a_crowd_of_which_some_tracks_are_not_kept_is_not_contradicted() -> None:
    [story] = [one for one in STORIES if one.kind is RuleKind.CROWD and one.zone_id]
    incident = about_itself(told(story))

    finding = reason(replace(incident, tracks=incident.tracks[:2]))

    assert finding.reasoning.verdict is ReasoningVerdict.CONFIRMED


def test_running_is_taken_again_by_the_body_where_there_is_no_calibration() -> None:
    [story] = [one for one in STORIES if one.kind is RuleKind.RUNNING]
    incident = about_itself(told(story, calibrated=False))

    assert incident.rule_events[0].detail["by"] == "body"
    assert reason(incident).reasoning.verdict is ReasoningVerdict.CONFIRMED
    stood = reason(moved(incident, (0.1, 0.8)))
    assert stood.reasoning.verdict is ReasoningVerdict.CONTRADICTED


def test_who_turned_a_corner_is_taken_again_by_the_way_that_was_gone() -> None:
    """Not from end to end of the second, which is a third less."""
    step_m = 0.2 * 3.5
    ground = [(-4 + step_m * min(n, 6), 14 - step_m * max(n - 6, 0)) for n in range(12)]
    way = [plan.VIEW.ground_point(x, z) for x, z in ground]
    incident = about_itself(told(Story(kind=RuleKind.RUNNING, ways=[way], params={})))

    assert incident.rule_events[0].value == pytest.approx(3.5 / 1.7, rel=0.1)
    [claim] = [c for c in reason(incident).reasoning.claims if c.predicate == "meets_rule"]
    assert claim.status is ClaimStatus.SUPPORTED


def test_speed_without_the_calibration_stands_by_its_facts() -> None:
    [story] = [one for one in STORIES if one.kind is RuleKind.SPEED]
    incident = replace(about_itself(told(story)), calibration=None)

    assert reason(incident).reasoning.verdict is ReasoningVerdict.CONFIRMED


WORDS = {
    RuleKind.ZONE_EXIT: ("Zone exit: person left Loading dock", "left Loading dock"),
    RuleKind.CROWD: ("Crowd: 4 in", "4 were in"),
    RuleKind.WRONG_WAY: ("Wrong way: car in Loading dock", "degrees off the direction"),
    RuleKind.SPEED: ("Speed: car at 4", "m/s"),
    RuleKind.RUNNING: ("Running: person in the picture", "body heights per second"),
    RuleKind.TAILGATE: ("Tailgating: person 0.", "after another"),
    RuleKind.SEQUENCE: ("Sequence at the picture: person", "after the first"),
}


@each_story
def test_it_is_told_in_words_that_people_use(story: Story) -> None:
    finding = reason(about_itself(told(story)))

    title, summary = WORDS[story.kind]
    assert title in finding.title
    assert summary in finding.summary
    assert "met rule" not in finding.summary
    assert all("met rule" not in claim.text for claim in finding.reasoning.claims)


def test_feet_are_where_the_stories_say() -> None:
    """Guards the fakes: a story whose feet were clamped would test something else."""
    for story in STORIES:
        for way in story.ways:
            assert all(standing_point(box_at(foot)) == pytest.approx(foot) for foot in way)
