"""What the program concludes: claims, decision, severity; and that doubt lowers nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import codec
from contracts.geometry import Point
from contracts.incidents import FactName, Incident, IncidentState
from contracts.reasoning import (
    Claim,
    ClaimRole,
    ClaimStatus,
    Decision,
    Finding,
    ReasoningVerdict,
)
from contracts.rules import RuleKind, Severity
from moe_core.chain_writer import MAX_TRACKS
from moe_core.claims import MAX_CLAIMS, check_structure
from moe_core.program import ProgramReasoner
from tests.fakes.builders import fact
from tests.fakes.clock import ManualClock
from tests.fakes.incidents import (
    STAY,
    WALK_IN,
    elsewhere,
    situation,
    together,
    with_fact,
    without,
)

BY_KIND = [
    situation(kind=RuleKind.INTRUSION),
    situation(kind=RuleKind.ZONE_ENTRY),
    situation(kind=RuleKind.LINE_CROSS),
    situation(kind=RuleKind.LOITER, feet=STAY, threshold=8.0),
]
each_kind = pytest.mark.parametrize("incident", BY_KIND, ids=[str(one.kind) for one in BY_KIND])


def reason(incident: Incident) -> Finding:
    return ProgramReasoner(ManualClock()).reason(incident)


def claims_of(incident: Incident, role: ClaimRole) -> list[Claim]:
    return [claim for claim in reason(incident).reasoning.claims if claim.role is role]


def predicates(incident: Incident) -> set[str]:
    return {claim.predicate for claim in reason(incident).reasoning.claims}


@each_kind
def test_a_plain_incident_gives_a_chain_of_supported_claims(incident: Incident) -> None:
    finding = reason(incident)

    assert {claim.status for claim in finding.reasoning.claims} == {ClaimStatus.SUPPORTED}
    assert 10 <= len(finding.reasoning.claims) <= 20
    assert finding.reasoning.verdict is ReasoningVerdict.CONFIRMED
    assert finding.decision is Decision.ALERT
    assert finding.severity is incident.severity


@each_kind
def test_the_chain_has_observations_a_hypothesis_causes_and_a_verdict(incident: Incident) -> None:
    roles = [claim.role for claim in reason(incident).reasoning.claims]

    assert roles.count(ClaimRole.OBSERVATION) >= 3
    assert roles.count(ClaimRole.RULED_OUT) >= 5
    assert roles.count(ClaimRole.HYPOTHESIS) == 1
    assert roles[-1] is ClaimRole.VERDICT


@each_kind
def test_the_chain_keeps_to_the_grammar(incident: Incident) -> None:
    names = {one.fact_id: one.name for one in incident.facts}

    check_structure(reason(incident).reasoning.claims, facts=names)


def test_a_finding_says_who_reasoned_and_about_what() -> None:
    incident = situation()

    finding = reason(incident)

    assert finding.reasoning.reasoner == "program"
    assert finding.confidence_basis == "program"
    assert finding.incident_id == incident.incident_id
    assert finding.incident_revision == incident.revision
    assert finding.decisive_at == incident.decisive_at


def test_claims_cite_the_frames_of_their_facts() -> None:
    [present] = [
        claim
        for claim in claims_of(situation(), ClaimRole.OBSERVATION)
        if claim.predicate == "present"
    ]

    assert present.frames == ("f_0", "f_20")


@each_kind
def test_the_same_incident_gives_the_same_finding(incident: Incident) -> None:
    assert reason(incident) == reason(incident)


@each_kind
def test_the_finding_survives_the_wire(incident: Incident) -> None:
    finding = reason(incident)

    assert codec.decode(codec.encode(finding), Finding) == finding


def test_another_revision_gives_another_finding_id() -> None:
    first = situation()

    assert reason(first).finding_id != reason(replace(first, revision=2)).finding_id


@each_kind
def test_what_the_tracks_contradict_is_watched_at_one_step_less(incident: Incident) -> None:
    finding = reason(elsewhere(incident))

    assert finding.reasoning.verdict is ReasoningVerdict.CONTRADICTED
    assert finding.decision is Decision.WATCH
    assert finding.severity is Severity.MEDIUM
    assert finding.attributes["lowered_from"] == "high"
    assert "medium instead of high" in finding.summary


def test_severity_is_never_lowered_below_info() -> None:
    finding = reason(elsewhere(situation(severity=Severity.INFO)))

    assert finding.decision is Decision.WATCH
    assert finding.severity is Severity.INFO
    assert "lowest" in finding.summary


def test_one_statement_that_holds_keeps_the_alert() -> None:
    both = together(elsewhere(situation()), situation(track_id="t2"))

    finding = reason(both)

    assert finding.decision is Decision.ALERT
    assert finding.severity is Severity.HIGH
    assert finding.reasoning.verdict is ReasoningVerdict.CONFIRMED


def test_one_statement_that_cannot_be_checked_keeps_the_alert() -> None:
    unseen = situation(track_id="t2")
    both = replace(together(elsewhere(situation()), unseen), tracks=elsewhere(situation()).tracks)

    finding = reason(both)

    assert finding.decision is Decision.ALERT
    assert finding.severity is Severity.HIGH


def test_a_rule_that_spoke_twice_about_a_track_is_not_contradicted_by_the_first_time() -> None:
    once = elsewhere(situation())
    [event] = once.rule_events
    later = replace(event, event_id="re_2", at=event.at + timedelta(seconds=60))

    finding = reason(replace(once, rule_events=(event, later)))

    assert finding.decision is Decision.ALERT


DOUBTS = {
    "rarely seen": with_fact(
        replace(situation(), tracks=(replace(situation().tracks[0], hits=6, misses=14),)),
        FactName.HIT_RATIO,
        value=0.3,
    ),
    "light changed": situation(light_change=0.4),
    "unknown kind": situation(label="object"),
    "label unsure": with_fact(
        replace(situation(), tracks=(replace(situation().tracks[0], label_confidence=0.4),)),
        FactName.LABEL_SHARE,
        value=0.4,
    ),
    "hardly long enough": situation(threshold=1.1, state=IncidentState.CLOSED),
    "everything moved": with_fact(situation(), FactName.FOREGROUND_SHARE, value=0.9),
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_doubt_is_written_down_and_lowers_the_confidence_only(doubt: str) -> None:
    plain = situation()
    finding = reason(DOUBTS[doubt])

    assert claims_of(DOUBTS[doubt], ClaimRole.COUNTER)
    assert claims_of(plain, ClaimRole.COUNTER) == []
    assert finding.confidence < reason(plain).confidence
    assert finding.decision is Decision.ALERT
    assert finding.severity is plain.severity
    assert "Against it:" in finding.summary


def test_a_cause_that_stands_is_also_a_hypothesis() -> None:
    claims = claims_of(situation(light_change=0.4), ClaimRole.HYPOTHESIS)

    assert [claim.text for claim in claims][1:] == ["It may also be a change of light."]


def test_darkening_is_a_change_of_light_as_well() -> None:
    assert "perhaps_light_change" in predicates(situation(light_change=-0.4))


def test_no_facts_leave_the_rules_word_as_it_is() -> None:
    finding = reason(replace(situation(), facts=()))

    assert finding.decision is Decision.ALERT
    assert finding.severity is Severity.HIGH
    assert finding.reasoning.verdict is ReasoningVerdict.UNVERIFIED
    assert [claim.predicate for claim in finding.reasoning.claims] == ["verdict"]
    assert finding.confidence < 0.5


def test_neither_tracks_nor_rule_events_break_it() -> None:
    bare = replace(situation(), facts=(), tracks=(), rule_events=(), zones=(), lines=())

    assert reason(bare).decision is Decision.ALERT


@each_kind
@pytest.mark.parametrize("name", list(FactName))
def test_a_fact_that_is_missing_contradicts_nothing(incident: Incident, name: FactName) -> None:
    finding = reason(without(incident, name))

    assert finding.decision is Decision.ALERT
    assert finding.severity is incident.severity
    assert {claim.status for claim in finding.reasoning.claims} == {ClaimStatus.SUPPORTED}


@each_kind
@pytest.mark.parametrize("name", list(FactName))
def test_a_fact_that_is_no_number_is_not_cited(incident: Incident, name: FactName) -> None:
    broken = with_fact(incident, name, value=float("nan"))
    bad = {one.fact_id for one in broken.facts if one.name is name}

    finding = reason(broken)

    assert finding.decision is Decision.ALERT
    assert not any(bad & set(claim.evidence) for claim in finding.reasoning.claims)


def test_a_rule_that_measured_no_number_is_not_contradicted() -> None:
    incident = situation()
    [event] = incident.rule_events
    broken = replace(incident, rule_events=(replace(event, value=float("nan")),))

    finding = reason(broken)

    assert finding.decision is Decision.ALERT
    assert 0.01 <= finding.confidence <= 0.99


def test_tracks_that_are_no_numbers_contradict_nothing() -> None:
    incident = situation()
    [followed] = incident.tracks
    nowhere = tuple(replace(point, box=(float("nan"),) * 4) for point in followed.points)

    finding = reason(replace(incident, tracks=(replace(followed, points=nowhere),)))

    assert finding.decision is Decision.ALERT


def test_ten_thousand_facts_change_nothing() -> None:
    incident = situation()
    noise = tuple(
        fact(FactName.NEAR, 0.1, fact_id=f"n{index}", subject=f"x{index}", target="y")
        for index in range(10_000)
    )

    finding = reason(replace(incident, facts=(*incident.facts, *noise)))

    assert finding.reasoning.claims == reason(incident).reasoning.claims


def test_a_crowd_is_spoken_of_in_part_and_counted_as_a_whole() -> None:
    crowd = together(*(situation(track_id=f"t{index}") for index in range(24)))

    finding = reason(crowd)
    tracks = {claim.args["track"] for claim in finding.reasoning.claims if "track" in claim.args}

    assert len(tracks) == MAX_TRACKS
    assert len(finding.reasoning.claims) <= MAX_CLAIMS
    assert finding.attributes["rule_events_left_out"] == str(24 - MAX_TRACKS)
    assert finding.decision is Decision.ALERT


def test_a_crowd_of_which_a_part_is_contradicted_stays_an_alert() -> None:
    crowd = together(*(elsewhere(situation(track_id=f"t{index}")) for index in range(24)))

    assert reason(crowd).decision is Decision.ALERT


def test_the_most_severe_statement_is_spoken_of_first() -> None:
    both = together(
        situation(severity=Severity.LOW), situation(track_id="t2", severity=Severity.CRITICAL)
    )

    assert claims_of(both, ClaimRole.OBSERVATION)[0].args["track"] == "t2"


def test_a_stay_that_goes_on_is_said_to_have_grown() -> None:
    """The rule spoke at 4 s; by now the track has been followed for longer."""
    longer = situation(feet=[*WALK_IN, *((0.73, 0.6),) * 20])
    early = situation()
    rule_values = [one for one in early.facts if one.name is FactName.RULE_VALUE]
    grown = replace(
        longer,
        rule_events=early.rule_events,
        facts=(
            *without(longer, FactName.RULE_VALUE).facts,
            *(replace(one, fact_id="r1") for one in rule_values),
        ),
    )

    observations = claims_of(grown, ClaimRole.OBSERVATION)

    assert {claim.status for claim in observations} == {ClaimStatus.SUPPORTED}
    assert "The person has been in Loading dock for 5.2 s." in [c.text for c in observations]


def test_company_is_said() -> None:
    assert "others_present" in predicates(situation(others=2))
    assert "alone" in predicates(situation())


feet = st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.2, 1.0)), min_size=2, max_size=30)


@settings(deadline=None)
@given(
    way=feet,
    kind=st.sampled_from([RuleKind.INTRUSION, RuleKind.ZONE_ENTRY, RuleKind.LOITER]),
    changes=st.lists(
        st.tuples(st.sampled_from(list(FactName)), st.floats(-2, 2), st.floats(0, 3)), max_size=4
    ),
)
def test_only_contradicted_deciding_claims_lower_an_alert(
    way: list[Point], kind: RuleKind, changes: list[tuple[FactName, float, float]]
) -> None:
    """Whatever the facts say, nothing but a measurement against the rule itself lowers."""
    incident = situation(kind=kind)
    for name, value, sigma in changes:
        incident = with_fact(incident, name, value=value, sigma=sigma)
    incident = elsewhere(incident, way)

    finding = reason(incident)

    deciding = [claim for claim in finding.reasoning.claims if claim.predicate == "meets_rule"]
    is_lowered = bool(deciding) and all(
        claim.status is ClaimStatus.CONTRADICTED for claim in deciding
    )
    assert (finding.decision is Decision.WATCH) is is_lowered
    assert finding.severity is (Severity.MEDIUM if is_lowered else Severity.HIGH)
    assert 0.01 <= finding.confidence <= 0.99
    assert len(finding.title) <= 80


@settings(deadline=None)
@given(value=st.floats(-2, 2), sigma=st.floats(0, 3), name=st.sampled_from(list(FactName)))
def test_no_fact_alone_lowers_an_alert(name: FactName, value: float, sigma: float) -> None:
    finding = reason(with_fact(situation(), name, value=value, sigma=sigma))

    assert finding.decision is Decision.ALERT
    assert finding.severity is Severity.HIGH


def test_only_a_closed_incident_is_said_to_have_been_near_its_threshold() -> None:
    """A stay that goes on is reported just when it reaches its threshold."""
    closed = situation(threshold=1.1, state=IncidentState.CLOSED)

    assert "near_threshold" in predicates(closed)
    assert "near_threshold" not in predicates(situation(threshold=1.1))
