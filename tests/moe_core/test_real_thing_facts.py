"""The program and the verifier on things as the cue, its rules and its facts make them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.incidents import FactName, Incident
from contracts.reasoning import ClaimStatus, ReasoningVerdict
from contracts.rules import RuleKind, SceneRules
from contracts.tracks import Track
from moe_core.checkers.case import Case
from moe_core.core_chain import drafted
from moe_core.program import ProgramReasoner
from moe_core.training.judge import Judge
from moe_core.training.world.truth import Truth
from tests.fakes.builders import header
from tests.fakes.clock import ManualClock
from tests.fakes.incidents import situation
from tests.fakes.thing_scenes import Watcher
from tests.fakes.thing_stories import STORIES
from tests.moe_core.training.samples import owner_of, truth_about
from vision.fact_list import merge_facts
from vision.facts import company_facts, event_facts, track_facts
from vision.reports import LEAST_POINTS, thinned
from vision.thing_facts import thing_facts

LEFT, TAKEN = STORIES[0].scene, STORIES[4].scene


def reported(watcher: Watcher) -> Incident:
    """Watch until something is said, and measure it in that very frame."""
    for seq in range(round(watcher.scene.seconds * 5)):
        watcher.look(header(seq))
        if watcher.events:
            break
    [event] = watcher.events
    tracks: dict[str, Track] = {track.track_id: track for track in watcher.seen.subjects()}
    region = tracks[event.track_id]
    doer = tracks[event.other_track_ids[0]]
    facts = merge_facts(
        (),
        [
            *track_facts(region, cited={}),
            *track_facts(doer, cited={}),
            *event_facts(event, track=region, scene=SceneRules(), cited={}),
            *company_facts(event, track=region, tracks=watcher.seen.tracks, cited={}),
            *thing_facts(event, track=region, others=tracks, cited={}),
        ],
    )
    return replace(
        situation(kind=event.kind), rule_events=(event,), tracks=(region, doer), facts=facts
    )


@pytest.fixture(scope="module")
def left() -> Incident:
    return reported(Watcher(LEFT))


@pytest.fixture(scope="module")
def taken() -> Incident:
    return reported(Watcher(TAKEN))


def test_what_is_said_of_a_left_thing_is_supported(left: Incident) -> None:
    finding = ProgramReasoner(ManualClock()).reason(left)

    claims = {claim.predicate: claim for claim in finding.reasoning.claims}
    assert {claim.status for claim in claims.values()} == {ClaimStatus.SUPPORTED}
    assert finding.reasoning.verdict is ReasoningVerdict.CONFIRMED
    assert claims["left_by"].args["who"] == "person"
    assert claims["owner_away"].args["who"] == "gone"
    assert "is gone: last seen" in claims["owner_away"].text
    assert "has been alone in the picture for 5 s" in claims["meets_rule"].text
    assert "kind_unknown" not in claims
    assert "perhaps_sway" not in claims


def test_what_is_said_of_an_owner_is_true_if_he_was_it(left: Incident) -> None:
    """That he is gone is no name of what he is."""
    draft = drafted(Case(left))
    region, doer = left.tracks
    person = truth_about(left)
    dog = truth_about(
        left, objects=(owner_of(region, "o1"), replace(owner_of(doer, "o2"), label="dog")),
        owners={region.track_id: "o1", doer.track_id: "o2"},
    )  # fmt: skip

    def true_of(truth: Truth) -> set[str]:
        judged = Judge(left, truth).judge(draft)
        return {claim.predicate for claim, is_true in zip(draft, judged, strict=True) if is_true}

    assert {"left_by", "owner_away"} <= true_of(person)
    assert {"left_by", "owner_away"} & true_of(dog) == {"owner_away"}


def test_what_is_said_of_a_taken_thing_is_supported(taken: Incident) -> None:
    finding = ProgramReasoner(ManualClock()).reason(taken)

    claims = {claim.predicate: claim for claim in finding.reasoning.claims}
    assert {claim.status for claim in claims.values()} == {ClaimStatus.SUPPORTED}
    assert finding.reasoning.verdict is ReasoningVerdict.CONFIRMED
    assert claims["taken_by"].args["who"] == "person"
    assert "and is gone" in claims["meets_rule"].text


@pytest.mark.parametrize("name", [FactName.LEFT_BY, FactName.OWNER_AWAY])
def test_an_owner_who_was_elsewhere_is_contradicted(left: Incident, name: FactName) -> None:
    """A chain may not keep a distance that the owner's own track does not show."""
    facts = tuple(
        replace(fact, value=fact.value + 0.3) if fact.name is name else fact for fact in left.facts
    )

    finding = ProgramReasoner(ManualClock()).reason(replace(left, facts=facts))

    [claim] = [one for one in finding.reasoning.claims if one.predicate == name.value]
    assert claim.status is ClaimStatus.CONTRADICTED


@pytest.mark.parametrize("shift", range(4))
@pytest.mark.parametrize("name", ["left", "taken"])
def test_what_somebody_did_who_was_followed_for_long_is_supported(
    request: pytest.FixtureRequest, name: str, shift: int
) -> None:
    """Messages thin out long histories, but not the moment that a fact was measured at."""
    incident: Incident = request.getfixturevalue(name)
    [event], (region, doer) = incident.rule_events, incident.tracks
    paced = _paced(doer, before=4 * LEAST_POINTS + shift)
    fresh = thing_facts(event, track=region, others={doer.track_id: paced}, cited={})
    facts = merge_facts(incident.facts, fresh)

    tracks = thinned((region, paced), events=[event], facts=facts, points=2 * LEAST_POINTS)
    finding = ProgramReasoner(ManualClock()).reason(
        replace(incident, tracks=tuple(tracks), facts=facts)
    )

    assert len(tracks[1].points) < len(paced.points) / 3
    said = {claim.predicate: claim.status for claim in finding.reasoning.claims}
    told = {"left_by", "owner_away"} if name == "left" else {"taken_by"}
    assert {said[one] for one in told} == {ClaimStatus.SUPPORTED}


def _paced(doer: Track, *, before: int) -> Track:
    """Return the track as if he had walked to and fro all the time, and so many frames before."""
    first = doer.points[0]
    earlier = [
        replace(
            first,
            seq=first.seq - back,
            monotonic_s=first.monotonic_s - back / 5,
            captured_at=first.captured_at - timedelta(seconds=back / 5),
        )
        for back in range(before, 0, -1)
    ]
    points = []
    for index, point in enumerate((*earlier, *doer.points)):
        aside = 0.04 * abs(index % 20 - 10)
        x1, y1, x2, y2 = point.box
        points.append(replace(point, box=(x1 - aside, y1, x2 - aside, y2)))
    return replace(
        doer, points=tuple(points), hits=doer.hits + before, first_seen_s=points[0].monotonic_s
    )


def test_without_the_owners_track_nothing_is_said_of_him(left: Incident) -> None:
    event = replace(left.rule_events[0], other_track_ids=())

    assert thing_facts(event, track=left.tracks[0], others={}, cited={}) == []
    assert thing_facts(left.rule_events[0], track=left.tracks[0], others={}, cited={}) == []


def test_a_rule_of_another_kind_has_no_facts_of_things(left: Incident) -> None:
    event = replace(left.rule_events[0], kind=RuleKind.LOITER)
    others = {track.track_id: track for track in left.tracks}

    assert thing_facts(event, track=left.tracks[0], others=others, cited={}) == []
