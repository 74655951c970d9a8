"""Sequences across cameras: pairs by captured_at, once, late, after a restart, and who is named."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.book import AlertBook
from alerts.payload import alert_data
from contracts.alerts import AlertPhase
from contracts.cameras import Camera
from contracts.codec import decode, encode
from contracts.errors import ConfigError
from contracts.incidents import EvidenceKind, Incident, IncidentState
from contracts.reasoning import ClaimStatus, ReasoningVerdict
from contracts.rules import RuleKind, RuleSettings, Severity
from contracts.settings import Settings
from moe_core.program import ProgramReasoner
from tests.fakes.clock import ManualClock
from tests.fakes.site_incidents import (
    TITLE,
    intrusion,
    moment,
    over_and_in,
    said,
    site,
    watching,
)
from vision.rules.registry import make_rules
from vision.sequence_across import check_across
from vision.site_sequences import SiteMemory, SiteSequences


def listening(
    cameras: Sequence[Camera] | None = None, memory: SiteMemory | None = None
) -> SiteSequences:
    sequences = SiteSequences(clock=ManualClock(), time_zone=UTC, memory=memory)
    assert sequences.configure(site() if cameras is None else cameras) == {}
    return sequences


def told(sequences: SiteSequences, *incidents: Incident) -> list[Incident]:
    return [made for one in incidents for made in sequences.read(one)]


FENCE, DOOR = said("yard", "fence", 10), said("hall", "door", 25)


def test_one_incident_names_both_cameras_and_shows_both() -> None:
    [made] = told(listening(), FENCE, DOOR)

    [event] = made.rule_events
    assert (made.camera_id, made.kind, made.state) == (
        "hall", RuleKind.SEQUENCE, IncidentState.CLOSED,
    )  # fmt: skip
    assert (event.rule_id, event.rule_version, event.severity) == (
        "over-and-in", 3, Severity.CRITICAL,
    )  # fmt: skip
    assert (event.value, event.threshold, event.unit) == (15.0, 30.0, "s")
    assert event.sigma >= 0.2
    assert (event.since_at, event.at) == (moment(10), moment(25))
    assert event.detail == {
        "first": "yard/fence",
        "then": "hall/door",
        "first_incident": FENCE.incident_id,
        "then_incident": DOOR.incident_id,
        "title": TITLE,
    }
    refs = {item.ref for item in made.evidence}
    assert refs == {item.ref for item in (*FENCE.evidence, *DOOR.evidence)}
    keys = [(item.kind, item.frame_id) for item in made.evidence]
    assert len(set(keys)) == len(keys)
    [snapshot] = [item for item in made.evidence if item.kind is EvidenceKind.SNAPSHOT]
    assert "hall" in snapshot.ref


def test_every_claim_about_it_holds() -> None:
    [made] = told(listening(), FENCE, DOOR)

    finding = ProgramReasoner(ManualClock()).reason(made)

    assert {claim.status for claim in finding.reasoning.claims} == {ClaimStatus.SUPPORTED}
    assert finding.reasoning.verdict is ReasoningVerdict.CONFIRMED
    assert finding.title == TITLE


def test_it_is_one_alert_however_often_it_is_told() -> None:
    book = AlertBook(Settings().alerts, cameras=site())
    [made], [again] = told(listening(), FENCE, DOOR), told(listening(), FENCE, DOOR)

    for one in (made, again, made):
        book.take_incident(one)
        book.take_finding(ProgramReasoner(ManualClock()).reason(one))

    [alert] = book.alerts()
    assert alert_data(alert)["joins"] == [FENCE.incident_id, DOOR.incident_id]
    assert (alert.title, alert.severity, alert.phase) == (
        TITLE, Severity.CRITICAL, AlertPhase.FINAL,
    )  # fmt: skip


@pytest.mark.parametrize(("gap_s", "count"), [(0.0, 1), (30.0, 1), (30.1, 0), (-0.1, 0)], ids=str)
def test_the_time_is_a_boundary(gap_s: float, count: int) -> None:
    assert len(told(listening(), FENCE, said("hall", "door", 10 + gap_s))) == count


def test_news_that_comes_in_the_wrong_order_is_matched_by_its_time() -> None:
    [made] = told(listening(), DOOR, FENCE)

    assert made.rule_events[0].value == 15.0


def test_the_wrong_order_in_time_is_no_sequence() -> None:
    early, late = said("hall", "door", 5), said("yard", "fence", 10)

    assert told(listening(), early, late) == []
    assert told(listening(), late, early) == []


def test_revisions_and_repeats_tell_nothing_twice() -> None:
    sequences = listening()
    assert len(told(sequences, FENCE, DOOR)) == 1

    assert told(sequences, replace(FENCE, revision=2), replace(DOOR, revision=2), DOOR) == []


def test_it_shows_what_the_newest_revision_of_the_first_one_had() -> None:
    bare = replace(FENCE, evidence=())

    [made] = told(listening(), bare, replace(FENCE, revision=2), DOOR)

    assert any("yard" in item.ref for item in made.evidence)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_restart_at_any_moment_tells_it_once(order: tuple[int, ...]) -> None:
    news = [FENCE, DOOR, said("hall", "door", 27)]
    sequences, ids = listening(), []
    for index in order:
        ids += [one.incident_id for one in sequences.read(news[index])]
        stored = encode(sequences.memory())
        sequences = listening(memory=decode(stored, SiteMemory))
        ids += [one.incident_id for one in told(sequences, *(news[one] for one in order[:1]))]

    assert len(ids) == len(set(ids)) == 1


def test_what_was_heard_before_a_restart_counts_after_it() -> None:
    before = listening()
    assert told(before, FENCE) == []

    assert len(told(listening(memory=before.memory()), DOOR)) == 1


def test_killed_before_it_could_remember_it_makes_the_same_incident_again() -> None:
    [first], [second] = told(listening(), FENCE, DOOR), told(listening(), FENCE, DOOR)

    assert first.incident_id == second.incident_id


def test_another_configuration_begins_anew() -> None:
    before = listening()
    told(before, FENCE)
    changed = site(over_and_in(within_s=60))

    assert told(listening(changed, before.memory()), DOOR) == []


def test_a_changed_rule_elsewhere_lets_it_go_on() -> None:
    sequences = listening()
    told(sequences, FENCE)
    sequences.configure([*site(), watching("gate")])

    assert len(told(sequences, DOOR)) == 1


@pytest.mark.parametrize("change", [{"is_enabled": False}, {"is_quiet": True}])
def test_a_rule_that_is_switched_off_hears_nothing(change: dict[str, bool]) -> None:
    off = replace(over_and_in(), is_enabled="is_enabled" not in change,
                  is_quiet="is_quiet" in change)  # fmt: skip

    assert told(listening(site(off)), FENCE, DOOR) == []


def test_outside_its_hours_it_hears_nothing() -> None:
    hour = moment(0).hour
    hours = f"{(hour + 2) % 24:02}:00-{(hour + 3) % 24:02}:00"

    assert told(listening(site(replace(over_and_in(), schedule=(hours,)))), FENCE, DOOR) == []


def test_two_people_are_two_sequences_and_one_door_is_one() -> None:
    two = [said("yard", "fence", 12), said("hall", "door", 26)]

    assert len(told(listening(), FENCE, two[0], DOOR, two[1])) == 2
    assert len(told(listening(), FENCE, two[0], DOOR)) == 1


def test_a_sequence_may_build_on_another() -> None:
    longer = over_and_in("hall/over-and-in", "door", title="")
    sequences = listening([*site(), watching("gate", longer, intrusion("door"))])
    [first] = told(sequences, FENCE, DOOR)

    [made] = told(sequences, first, said("gate", "door", 40))

    assert made.camera_id == "gate"
    assert made.rule_events[0].value == 15.0
    assert "title" not in made.rule_events[0].detail


def test_what_it_remembers_stays_small() -> None:
    sequences = listening()
    for number in range(600):
        sequences.read(said("yard", "fence", 40.0 * number))

    [memory] = sequences.memory().sequences
    assert len(memory.heard) <= 20


def test_what_was_told_is_remembered_by_its_name_only() -> None:
    sequences = listening()
    told(sequences, FENCE, DOOR, replace(DOOR, revision=2))

    [memory] = sequences.memory().sequences
    assert [one.event_id for one in memory.heard] == [
        FENCE.rule_events[0].event_id,
        DOOR.rule_events[0].event_id,
    ]
    assert all(not one.incident.tracks and not one.incident.evidence for one in memory.heard)


def test_a_camera_that_went_away_leaves_it_deaf() -> None:
    sequences = listening()

    deaf = sequences.configure(site()[1:])

    [(name, problem)] = deaf.items()
    assert name == "hall/over-and-in"
    assert "camera 'yard', which is not there; cameras are hall" in problem


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (over_and_in("yrd/fence"), "first names camera 'yrd', which is not there; cameras are"),
        (over_and_in("yard/gate"), "first names yard/gate, but the camera has no such rule"),
        (over_and_in("hall/over-and-in"), "first names itself"),
        (over_and_in("yard/hush"), "first names yard/hush, which is quiet"),
    ],
)
def test_what_it_cannot_hear_is_refused(rule: RuleSettings, problem: str) -> None:
    [_, hall] = site(rule)
    yard = watching("yard", intrusion("fence"), intrusion("hush", is_quiet=True))

    with pytest.raises(ConfigError, match=f"rule over-and-in .*{problem}"):
        check_across(hall, [yard])


def test_it_may_name_rules_that_are_on_by_default() -> None:
    [yard, hall] = site(over_and_in("yard/tamper", "fight"))

    check_across(hall, [yard])
    assert make_rules(hall.scene)


@pytest.mark.parametrize(
    "params",
    [
        {"first": "yard/"},
        {"first": "yard/fence/x"},
        {"first": "Yard/fence"},
        {"then": "window"},
        {"then": "hall/door"},
        {"who": "same"},
        {"within_s": 0},
        {"within_s": 1e9},
        {"title": "x" * 81},
        {"title": "a\nb"},
        {"speed": 3},
    ],
    ids=str,
)
def test_params_that_make_no_sense_are_refused(params: dict[str, float | str]) -> None:
    rule = over_and_in()
    [_, hall] = site(replace(rule, params={**rule.params, **params}))

    with pytest.raises(ConfigError, match="rule over-and-in"):
        make_rules(hall.scene)


def test_a_zone_of_one_camera_is_refused() -> None:
    [_, hall] = site(replace(over_and_in(), zone_id="dock"))

    with pytest.raises(ConfigError, match="a zone lies in one camera's picture"):
        make_rules(hall.scene)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 200)), max_size=20, unique=True))
def test_no_second_thing_is_told_twice_and_none_out_of_time(news: list[tuple[bool, int]]) -> None:
    incidents = [
        said("yard", "fence", at_s) if is_first else said("hall", "door", at_s)
        for is_first, at_s in news
    ]

    made = told(listening(), *incidents, *incidents)

    assert all(0 <= one.rule_events[0].value <= 30 for one in made)
    assert len({one.rule_events[0].detail["then_incident"] for one in made}) == len(made)
    assert len({one.rule_events[0].detail["first_incident"] for one in made}) == len(made)
