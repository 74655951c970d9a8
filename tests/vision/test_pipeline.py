"""What the pipeline makes of what is seen: incidents, facts, evidence, clips."""

from dataclasses import replace
from datetime import timedelta

import cv2
import numpy as np
import pytest

from contracts.codec import decode, encode
from contracts.frames import FrameOutcome
from contracts.geometry import Line
from contracts.incidents import EvidenceKind, FactName, Incident, IncidentState
from contracts.rules import RuleKind, RuleSettings, SceneRules, Severity
from tests.fakes.builders import scene
from tests.fakes.clock import START
from tests.fakes.pipeline_rig import INTO_DOCK, NOBODY, STANDS_IN_DOCK, Rig, camera, seconds, states
from tests.fakes.scripted_detector import together, walk


def test_an_intruder_opens_one_incident_that_closes_after_it_is_gone() -> None:
    rig = Rig(INTO_DOCK)

    opened, closed = rig.play(seconds(0, 25))

    assert (opened.state, closed.state) == (IncidentState.OPENED, IncidentState.CLOSED)
    assert opened.incident_id == closed.incident_id
    assert (opened.revision, closed.revision) == (1, 2)
    assert opened.kind is RuleKind.INTRUSION
    assert opened.severity is Severity.HIGH
    assert (opened.camera_name, opened.place) == ("Loading yard", "north")
    assert opened.detector.name == "scripted"
    assert opened.started_s == pytest.approx(4.2, abs=0.21)
    assert opened.decisive_at == START + timedelta(seconds=opened.rule_events[0].monotonic_s)
    assert closed.ended_at is not None
    assert 7.5 <= (closed.ended_at - START).total_seconds() <= 10.5
    assert rig.pipeline.open_incidents == 0


def test_an_empty_scene_says_nothing() -> None:
    rig = Rig(NOBODY)

    assert rig.play(seconds(0, 10)) == []
    assert rig.evidence.contents == {}


def test_a_doubtful_find_where_nothing_ever_moved_is_no_intruder() -> None:
    bollard = Rig(STANDS_IN_DOCK, confidence=0.45)

    assert bollard.play(seconds(0, 20, is_still=True)) == []
    assert bollard.detector.seen


def test_a_sure_find_is_an_intruder_though_nothing_moved() -> None:
    sleeper = Rig(STANDS_IN_DOCK, confidence=0.8)

    assert states(sleeper.play(seconds(0, 20, is_still=True))) == [IncidentState.OPENED]


def test_an_incident_survives_the_wire() -> None:
    [opened] = Rig(INTO_DOCK).play(seconds(0, 7))

    assert decode(encode(opened), Incident) == opened


def test_each_frame_that_a_fact_cites_is_kept_as_it_was() -> None:
    rig = Rig(INTO_DOCK)
    frames = {frame.header.frame_id: frame for frame in seconds(0, 25)}

    for incident in rig.play(frames.values()):
        kept = {
            item.frame_id: item for item in incident.evidence if item.kind is EvidenceKind.FRAME
        }
        cited = {name for fact in incident.facts for name in fact.frames}
        assert cited
        assert cited <= kept.keys()
        for name in cited:
            assert rig.evidence.get(kept[name].ref) == frames[name].jpeg
            assert kept[name].boxes


def test_the_facts_say_what_the_reasoning_needs() -> None:
    script = together(
        INTO_DOCK, walk((0.3, 0.8), (0.3001, 0.8), from_s=0.0, to_s=60.0, label="car")
    )

    [opened] = Rig(script).play(seconds(0, 6))

    facts = {fact.name: fact for fact in opened.facts}
    of_things = {FactName.LEFT_BY, FactName.TAKEN_BY, FactName.OWNER_AWAY}
    of_falls = {
        FactName.HEAD_DROP,
        FactName.FALL_PACE,
        FactName.HEAD_GONE,
        FactName.DOWN,
        FactName.POSTURE,
    }
    assert set(facts) == set(FactName) - of_things - of_falls - {FactName.CROSSED}
    assert [fact.fact_id for fact in opened.facts] == [
        f"a{index + 1}" for index in range(len(opened.facts))
    ]
    assert facts[FactName.PRESENT].text == "person"
    assert facts[FactName.INSIDE].value > 0.05
    assert facts[FactName.DWELL].value == pytest.approx(1.0, abs=0.21)
    assert facts[FactName.SPEED].value == pytest.approx(0.1, abs=0.02)
    assert facts[FactName.DISPLACEMENT].value == pytest.approx(0.52, abs=0.06)
    assert facts[FactName.PATH_LENGTH].value == pytest.approx(0.52, abs=0.06)
    assert facts[FactName.OTHERS_PRESENT].value == 1
    assert facts[FactName.HOUR].value == pytest.approx(12.0, abs=0.01)
    assert facts[FactName.RULE_VALUE].target == "keep_out"


def test_the_dwell_has_grown_when_the_incident_closes() -> None:
    opened, closed = Rig(walk((0.1, 0.6), (0.99, 0.6), from_s=0.0, to_s=20.0)).play(seconds(0, 40))

    first = next(fact for fact in opened.facts if fact.name is FactName.DWELL)
    last = next(fact for fact in closed.facts if fact.name is FactName.DWELL)
    assert first.fact_id == last.fact_id
    assert first.value < 2
    assert last.value > 7
    assert [fact.fact_id for fact in closed.facts if fact.name is FactName.RULE_VALUE] == [
        fact.fact_id for fact in opened.facts if fact.name is FactName.RULE_VALUE
    ]


def test_the_snapshot_shows_the_decisive_frame_enlarged() -> None:
    rig = Rig(INTO_DOCK)

    [opened] = rig.play(seconds(0, 6))

    [snapshot] = [item for item in opened.evidence if item.kind is EvidenceKind.SNAPSHOT]
    assert snapshot.frame_id == f"f_{opened.rule_events[0].frame_seq}"
    picture = cv2.imdecode(np.frombuffer(rig.evidence.get(snapshot.ref), np.uint8), 1)
    assert picture is not None
    assert picture.shape == (540, 960, 3)


def test_a_full_store_costs_the_pictures_and_not_the_incident() -> None:
    rig = Rig(INTO_DOCK)
    rig.evidence.is_full = True

    [opened] = rig.play(seconds(0, 6))

    assert opened.evidence
    assert all(item.problem and not item.ref for item in opened.evidence)
    assert all(fact.frames == () for fact in opened.facts)


def test_a_clip_is_asked_for_once_with_pre_and_post_roll() -> None:
    rig = Rig(INTO_DOCK)

    [opened, _] = rig.play(seconds(0, 25))

    [request] = [one for result in rig.results for one in result.clip_requests]
    assert request.incident_id == opened.incident_id
    assert request.starts_at == opened.started_at - timedelta(seconds=5)
    assert request.ends_at == opened.decisive_at + timedelta(seconds=5)


def test_the_clip_of_a_long_stay_is_cut_to_half_a_minute_around_the_decision() -> None:
    rig = Rig(STANDS_IN_DOCK, watched=camera(scene(kind=RuleKind.LOITER, threshold_s=40.0)))

    [opened] = rig.play(seconds(0, 45))

    [request] = [one for result in rig.results for one in result.clip_requests]
    assert request.ends_at == opened.decisive_at + timedelta(seconds=5)
    assert request.ends_at - request.starts_at == timedelta(seconds=30)


def test_a_line_crossing_cites_both_sides_of_the_line() -> None:
    watched = SceneRules(
        lines=(Line(line_id="gate", points=((0.5, 0.9), (0.5, 0.3))),),
        rules=(RuleSettings(rule_id="cross", kind=RuleKind.LINE_CROSS, line_id="gate"),),
    )
    rig = Rig(INTO_DOCK, watched=camera(watched))

    opened, _ = rig.play(seconds(0, 25))

    crossed = next(fact for fact in opened.facts if fact.name is FactName.CROSSED)
    assert crossed.text == "right"
    assert crossed.target == "gate"
    assert crossed.value > 3 * crossed.sigma
    assert len(crossed.frames) == 2
    assert opened.lines == watched.lines


def test_an_incident_goes_on_when_the_track_gets_another_id() -> None:
    """The detector misses a visitor for longer than the tracker remembers."""
    script = together(
        walk((0.7, 0.6), (0.72, 0.6), from_s=0.0, to_s=5.0),
        walk((0.72, 0.6), (0.75, 0.6), from_s=13.0, to_s=18.0),
    )
    rig = Rig(script)

    incidents = rig.play(seconds(0, 35))

    assert len({incident.incident_id for incident in incidents}) == 1
    assert states(incidents)[0] is IncidentState.OPENED
    assert states(incidents)[-1] is IncidentState.CLOSED
    assert len(incidents[-1].tracks) == 2


def test_a_second_visitor_after_the_first_has_closed_is_a_second_incident() -> None:
    script = together(
        walk((0.1, 0.6), (0.9, 0.6), from_s=0.0, to_s=8.0),
        walk((0.1, 0.6), (0.9, 0.6), from_s=30.0, to_s=38.0),
    )

    incidents = Rig(script).play(seconds(0, 60))

    assert len({incident.incident_id for incident in incidents}) == 2


def test_two_intruders_at_once_are_one_incident() -> None:
    script = together(
        walk((0.6, 0.6), (0.9, 0.6), from_s=0.0, to_s=10.0),
        walk((0.9, 0.9), (0.6, 0.9), from_s=3.0, to_s=10.0),
    )

    incidents = Rig(script).play(seconds(0, 30))

    assert states(incidents) == [
        IncidentState.OPENED,
        IncidentState.EXTENDED,
        IncidentState.CLOSED,
    ]
    assert {event.track_id for event in incidents[-1].rule_events} == {"t1", "t2"}


def test_who_comes_while_pictures_are_patched_is_told_all_the_same() -> None:
    rig = Rig(INTO_DOCK)
    frames = [
        replace(frame, header=replace(frame.header, is_patched=frame.header.monotonic_s > 3.0))
        for frame in seconds(0, 7)
    ]

    assert states(rig.play(frames)) == [IncidentState.OPENED]
    assert {result.outcome for result in rig.results} == {FrameOutcome.ANALYSED}
