"""What the core reads: whatever the numbers, they are finite and bounded, and time goes on."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.incidents import FactName, Incident
from contracts.tracks import Track
from moe_core.checkers.case import Case
from moe_core.claims import FACT_ROLES, MEETS_RULE
from moe_core.core_chain import drafted
from moe_core.hypotheses import ALARMING
from moe_core.tokens.prompt import (
    FEATURES,
    MAX_FACTS,
    MAX_TICK,
    MAX_TRACKS,
    NUMBERS,
    TICKS_PER_S,
    Prompt,
    features_of,
    prompt_of,
)
from moe_core.tokens.vocabulary import FACT_KINDS, NAMES, SLOTS, WORDS, Kind
from tests.fakes.builders import fact, track
from tests.fakes.incidents import WALK_IN, with_fact
from tests.moe_core.checking import NEAR, ZONE
from tests.moe_core.cores import INCIDENTS, crowded, prompt

BOUND = 6.0
SINCE_BEGINNING = 2 * 6
"""Feature of facts and events: when it was, from the beginning."""
NO_NUMBERS = pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
each_incident = pytest.mark.parametrize("incident", INCIDENTS.values(), ids=INCIDENTS)


def assert_is_readable(found: Prompt) -> None:
    """Rows are in their tables, numbers are finite and bounded, time never goes back."""
    claims = found.proposals
    assert len(found.kinds_S) == len(found.features_SF) == len(found.ticks_S) > 0
    for rows, size in (
        (found.names_S, len(NAMES)),
        (found.words_S, WORDS),
        (found.slots_S, SLOTS),
        (found.targets_S, SLOTS),
        (claims.slots_C, SLOTS),
        (claims.tokens_C, len(found.kinds_S)),
        (claims.needs_C + 1, len(claims) + 1),
    ):
        assert ((rows >= 0) & (rows < size)).all()
    for features in (found.features_SF, claims.features_CF):
        assert np.isfinite(features).all()
        assert (np.abs(features[:, :-1]) <= BOUND).all()
    assert (np.diff(found.ticks_S) >= 0).all()
    assert 0 <= found.ticks_S.min() <= found.ticks_S.max() <= MAX_TICK


@given(numbers=st.lists(st.floats(), max_size=NUMBERS))
def test_features_are_bounded_and_say_how_many_numbers_were_none(numbers: list[float]) -> None:
    found = features_of(numbers)

    assert found.shape == (FEATURES,)
    assert np.isfinite(found).all()
    assert (np.abs(found[:-1]) <= BOUND).all()
    assert found[-1] == sum(not math.isfinite(number) for number in numbers)


@given(first=st.floats(-1e5, 1e5), second=st.floats(-1e5, 1e5))
def test_a_larger_number_has_no_smaller_feature(first: float, second: float) -> None:
    small, large = features_of([min(first, second)]), features_of([max(first, second)])

    assert (small <= large).all()


@each_incident
def test_incidents_are_laid_out(incident: Incident) -> None:
    found = prompt(incident)

    assert_is_readable(found)
    assert found.left_out == 0
    assert found.kinds_S[0] == Kind.CAMERA
    assert (found.features_SF[:, -1] == 0).all()


@each_incident
def test_a_hypothesis_needs_the_claim_that_decides_it(incident: Incident) -> None:
    claims = prompt(incident).proposals

    for claim, need in zip(claims.claims, claims.needs_C, strict=True):
        is_alarming = claim.predicate in ALARMING.values()
        assert bool(need >= 0) is is_alarming
        assert not is_alarming or claims.claims[need].predicate == MEETS_RULE


@each_incident
def test_a_claim_points_at_the_fact_that_it_rests_on(incident: Incident) -> None:
    found = prompt(incident)
    kinds = {fact.fact_id: FACT_KINDS[fact.name] for fact in incident.facts}

    for claim, token in zip(found.proposals.claims, found.proposals.tokens_C, strict=True):
        if "rule" in claim.args:
            assert found.kinds_S[token] == Kind.EVENT
        elif claim.role in FACT_ROLES:
            assert found.kinds_S[token] == kinds[claim.evidence[0]]


@NO_NUMBERS
@pytest.mark.parametrize("field", ["value", "sigma", "start_s", "end_s"])
def test_facts_that_are_no_numbers_are_not_read(bad: float, field: str) -> None:
    found = prompt(with_fact(ZONE, FactName.DWELL, **{field: bad}))

    assert_is_readable(found)
    assert FACT_KINDS[FactName.DWELL] not in found.kinds_S
    assert found.left_out == 0


@NO_NUMBERS
@pytest.mark.parametrize("field", ["monotonic_s", "since_s", "value", "threshold", "sigma"])
def test_what_a_rule_states_that_is_no_number_is_told_as_none(bad: float, field: str) -> None:
    [event] = ZONE.rule_events
    found = prompt(replace(ZONE, rule_events=(replace(event, **{field: bad}),)))  # type: ignore[arg-type]  # any number

    assert_is_readable(found)
    [told] = found.features_SF[found.kinds_S == Kind.EVENT]
    assert told[-1] > 0 or field == "sigma"


@NO_NUMBERS
@pytest.mark.parametrize("field", ["box", "monotonic_s", "confidence"])
def test_points_that_are_no_numbers_are_left_out(bad: float, field: str) -> None:
    [followed] = ZONE.tracks
    value = (bad, 0.1, 0.2, 0.3) if field == "box" else bad
    points = tuple(replace(point, **{field: value}) for point in followed.points[:5])  # type: ignore[arg-type]  # any number
    broken = replace(followed, points=(*points, *followed.points[5:]))

    some = prompt(replace(ZONE, tracks=(broken,)))
    none = prompt(replace(ZONE, tracks=(replace(followed, points=points),)))

    assert_is_readable(some)
    assert_is_readable(none)


def test_facts_that_proposals_rest_on_are_read_first_of_ten_thousand() -> None:
    incident = crowded(ZONE)
    found = prompt(incident)
    cited = {
        name
        for claim in found.proposals.claims
        if claim.role in FACT_ROLES
        for name in claim.evidence
    }

    assert_is_readable(found)
    assert (found.kinds_S >= Kind.FACT).sum() == MAX_FACTS
    assert found.left_out == len(incident.facts) - MAX_FACTS
    assert len(cited) > 5
    for claim, token in zip(found.proposals.claims, found.proposals.tokens_C, strict=True):
        assert token > 0 or claim.role not in FACT_ROLES


def test_an_empty_scene_is_read_and_nothing_can_be_claimed_of_it() -> None:
    found = prompt(replace(ZONE, tracks=(), facts=()))

    assert_is_readable(found)
    assert len(found.proposals) == 0


def test_nothing_but_the_camera_is_read_of_nothing() -> None:
    bare = replace(ZONE, tracks=(), facts=(), rule_events=(), zones=(), lines=())

    assert list(prompt(bare).kinds_S) == [Kind.CAMERA]


def test_a_track_that_is_only_predicted_is_read() -> None:
    [followed] = ZONE.tracks
    points = tuple(replace(point, is_observed=False) for point in followed.points)

    assert_is_readable(prompt(replace(ZONE, tracks=(replace(followed, points=points),))))


def test_more_tracks_than_there_are_slots_share_the_last() -> None:
    tracks = [track(WALK_IN, track_id=f"t{index}") for index in range(1, 61)]
    near = replace(fact(FactName.NEAR, 0.2, fact_id="n1", target="t60", unit="picture"), end_s=4.0)
    found = prompt(replace(ZONE, tracks=tuple(tracks), facts=(*ZONE.facts, near)))

    assert_is_readable(found)
    assert (found.kinds_S == Kind.TRACK).sum() == MAX_TRACKS
    [told] = found.targets_S[found.kinds_S == FACT_KINDS[FactName.NEAR]]
    assert told == SLOTS - 1


def test_each_track_has_its_own_slot() -> None:
    found = prompt(NEAR)

    assert sorted(found.slots_S[found.kinds_S == Kind.TRACK]) == [1, 2]


@pytest.mark.parametrize("seconds", [-1e9, -600.0, 600.0, 1e9, 1e300])
def test_a_clock_that_jumps_bends_no_time_beyond_its_bounds(seconds: float) -> None:
    jumped = replace(
        fact(FactName.NEAR, 0.2, fact_id="j1", unit="picture"), start_s=seconds, end_s=seconds
    )
    found = prompt(replace(ZONE, facts=(*ZONE.facts, jumped)))

    assert_is_readable(found)
    [event] = ZONE.rule_events
    assert_is_readable(prompt(replace(ZONE, rule_events=(replace(event, monotonic_s=seconds),))))


@each_incident
def test_time_is_told_from_the_first_thing(incident: Incident) -> None:
    """So the weights that are shipped have learnt it."""
    events = Case(incident).events
    first_s = min(*(f.start_s for f in incident.facts), *(event.since_s for event in events))
    times = sorted([*(f.end_s for f in incident.facts), *(event.monotonic_s for event in events)])
    found = prompt(incident)

    told = slice(len(found.kinds_S) - len(times), None)
    assert list(found.ticks_S[told]) == [round(TICKS_PER_S * (at_s - first_s)) for at_s in times]
    assert found.features_SF[told, SINCE_BEGINNING] == pytest.approx(
        [math.tanh((at_s - first_s) / 20) for at_s in times]
    )


@pytest.mark.parametrize("ago_s", [600.5, 7200.0, 1e9, 1e300])
@each_incident
def test_a_thing_of_long_ago_takes_time_from_nothing_else(incident: Incident, ago_s: float) -> None:
    at_s = incident.rule_events[0].monotonic_s - ago_s
    old = replace(incident.facts[0], fact_id="old", start_s=at_s, end_s=at_s)
    plain, found = prompt(incident), prompt(replace(incident, facts=(old, *incident.facts)))

    assert_is_readable(found)
    [more] = (Counter(found.ticks_S.tolist()) - Counter(plain.ticks_S.tolist())).elements()
    assert more == 0
    told = found.features_SF[:, SINCE_BEGINNING].tolist()
    assert Counter(told) >= Counter(plain.features_SF[:, SINCE_BEGINNING].tolist())


@pytest.mark.parametrize(
    ("ago_s", "tick"),
    [
        pytest.param(600.0, MAX_TICK, id="ten minutes are told"),
        pytest.param(600.1, 0, id="what began before them is not counted from"),
    ],
)
def test_a_stay_that_began_before_the_rule_spoke(ago_s: float, tick: int) -> None:
    [event] = ZONE.rule_events
    since = replace(event, since_s=event.monotonic_s - ago_s)
    near = tuple(
        replace(found, start_s=event.monotonic_s, end_s=event.monotonic_s) for found in ZONE.facts
    )

    found = prompt(replace(ZONE, rule_events=(since,), facts=near))

    assert found.ticks_S[found.kinds_S == Kind.EVENT] == tick


@given(order=st.permutations(range(len(ZONE.facts))))
@settings(max_examples=20)
def test_the_order_of_facts_does_not_matter_to_time(order: list[int]) -> None:
    assert_is_readable(prompt(replace(ZONE, facts=tuple(ZONE.facts[index] for index in order))))


def test_a_track_named_twice_is_read() -> None:
    twice: tuple[Track, ...] = (*ZONE.tracks, *ZONE.tracks)

    assert_is_readable(prompt(replace(ZONE, tracks=twice)))


def test_the_same_incident_is_read_the_same() -> None:
    first, second = prompt(NEAR), prompt(NEAR)

    assert (first.features_SF == second.features_SF).all()
    assert (first.words_S == second.words_S).all()


def test_the_draft_can_be_any_part_of_the_chain() -> None:
    case = Case(ZONE)
    whole = drafted(case)

    for count in range(len(whole) + 1):
        assert_is_readable(prompt_of(case, whole[:count]))
