"""The pipeline from encoded frames to incidents, with a scripted detector and the real tracker."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import cv2
import numpy as np
import pytest

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.codec import decode, encode
from contracts.errors import ConfigError, ModelError
from contracts.frames import EncodedFrame, FrameOutcome
from contracts.geometry import Line
from contracts.incidents import EvidenceKind, FactName, Incident, IncidentState
from contracts.rules import RuleKind, RuleSettings, SceneRules, Severity
from contracts.settings import VisionSettings
from tests.fakes.builders import scene
from tests.fakes.clock import START, ManualClock
from tests.fakes.footage import corrupt, encoded
from tests.fakes.ports import InMemoryEvidence
from tests.fakes.scripted_detector import Script, ScriptedDetector, together, walk
from vision.pipeline import CameraPipeline, FrameResult

INTO_DOCK = walk((0.1, 0.6), (0.9, 0.6), from_s=0.0, to_s=8.0)
"""Crosses x = 0.5, the edge of the dock, at 4 s."""
STANDS_IN_DOCK = walk((0.7, 0.6), (0.7001, 0.6), from_s=0.0, to_s=60.0)
NOBODY: Script = lambda _: ()  # noqa: E731  # the empty script


def camera(scene_rules: SceneRules | None = None, *, version: int = 1) -> Camera:
    return Camera(
        camera_id="cam",
        name="Loading yard",
        place="north",
        source=SourceSettings(source_type=SourceType.SYNTHETIC, url="yard"),
        scene=scene() if scene_rules is None else scene_rules,
        version=version,
    )


class Rig:
    """A pipeline with what it was made of, and all that came out."""

    def __init__(
        self,
        script: Script,
        *,
        watched: Camera | None = None,
        failing_seqs: Sequence[int] = (),
        checkpoint: bytes | None = None,
    ) -> None:
        self.detector = ScriptedDetector(script, failing_seqs=failing_seqs)
        self.evidence = InMemoryEvidence()
        self.clock = ManualClock()
        self.pipeline = CameraPipeline(
            camera() if watched is None else watched,
            self.detector,
            settings=VisionSettings(),
            evidence=self.evidence,
            clock=self.clock,
        )
        self.pipeline.restore(checkpoint)
        self.results: list[FrameResult] = []

    def play(self, frames: Iterable[EncodedFrame]) -> list[Incident]:
        """Process the frames; the incident revisions that they led to."""
        before = len(self.results)
        for frame in frames:
            self.results.append(self.pipeline.process(frame))
        return [one for result in self.results[before:] for one in result.incidents]


def seconds(
    start: float, end: float, make: Callable[..., EncodedFrame] = encoded, **changes: object
) -> list[EncodedFrame]:
    """Frames at 5 fps from ``start`` up to and including ``end``."""
    return [make(seq, **changes) for seq in range(round(start * 5), round(end * 5) + 1)]


def states(incidents: Sequence[Incident]) -> list[IncidentState]:
    return [incident.state for incident in incidents]


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
    assert set(facts) == set(FactName) - {FactName.CROSSED}
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


def test_a_corrupt_picture_is_counted_and_the_next_one_read() -> None:
    rig = Rig(INTO_DOCK)
    frames = seconds(0, 6)
    frames[10] = corrupt(frames[10])

    incidents = rig.play(frames)

    assert rig.results[10].outcome is FrameOutcome.DECODE_ERROR
    assert rig.results[10].live is None
    assert states(incidents) == [IncidentState.OPENED]


def test_a_detector_that_fails_is_heard_and_what_was_due_is_not_lost() -> None:
    rig = Rig(INTO_DOCK, failing_seqs=[100])
    [opened] = rig.play(seconds(0, 8))

    with pytest.raises(ModelError, match="told to fail"):
        rig.pipeline.process(encoded(100))
    [closed] = rig.play([encoded(101)])

    assert closed.incident_id == opened.incident_id
    assert closed.state is IncidentState.CLOSED


def test_a_still_and_empty_scene_is_gated_and_looked_at_from_time_to_time() -> None:
    rig = Rig(NOBODY)

    rig.play([encoded(seq, is_still=True) for seq in range(100)])

    outcomes = [result.outcome for result in rig.results]
    assert outcomes.count(FrameOutcome.GATED) > 70
    assert outcomes[50:].count(FrameOutcome.ANALYSED) >= 3
    assert len(rig.detector.seen) == outcomes.count(FrameOutcome.ANALYSED)


def test_somebody_who_stands_still_is_followed_in_a_still_picture() -> None:
    rig = Rig(STANDS_IN_DOCK)

    incidents = rig.play([encoded(seq, is_still=True) for seq in range(100)])

    assert states(incidents) == [IncidentState.OPENED]
    assert rig.results[-1].outcome is FrameOutcome.ANALYSED


def test_gated_frames_close_what_is_over() -> None:
    rig = Rig(walk((0.7, 0.6), (0.75, 0.6), from_s=0.0, to_s=3.0))

    incidents = rig.play([encoded(seq, is_still=True) for seq in range(100)])

    assert states(incidents) == [IncidentState.OPENED, IncidentState.CLOSED]


def test_a_new_run_continues_the_incident_and_the_numbers_of_tracks() -> None:
    rig = Rig(STANDS_IN_DOCK)
    [opened] = rig.play(seconds(0, 3))

    incidents = rig.play(seconds(0, 4, run_id="run2", starts_s=6.0))

    assert {incident.incident_id for incident in incidents} == {opened.incident_id}
    assert states(incidents) == [IncidentState.EXTENDED]
    assert {track.track_id for track in incidents[-1].tracks} == {"t1", "t2"}
    assert rig.detector.forgotten == ["cam"]
    for incident in incidents:
        kept = {item.frame_id: item.captured_at for item in incident.evidence}
        assert len(kept) == sum(item.kind is EvidenceKind.FRAME for item in incident.evidence)


def test_a_new_run_after_a_long_silence_closes_and_begins_anew() -> None:
    rig = Rig(STANDS_IN_DOCK)
    [opened] = rig.play(seconds(0, 3))

    closed, again = rig.play(seconds(0, 4, run_id="run2", starts_s=60.0))

    assert (closed.state, again.state) == (IncidentState.CLOSED, IncidentState.OPENED)
    assert closed.incident_id == opened.incident_id != again.incident_id


def test_late_frames_of_an_ended_run_are_not_read() -> None:
    rig = Rig(STANDS_IN_DOCK)
    rig.play([encoded(0), encoded(0, run_id="run2")])
    looked = len(rig.detector.seen)

    rig.play([encoded(1)])

    assert rig.results[-1].outcome is FrameOutcome.FROM_ENDED_RUN
    assert len(rig.detector.seen) == looked


def test_a_frame_that_comes_twice_is_read_once() -> None:
    rig = Rig(STANDS_IN_DOCK)
    rig.play([encoded(0), encoded(1), encoded(1)])

    assert rig.results[-1].outcome is FrameOutcome.ANALYSED
    assert len(rig.detector.seen) == 2


def test_after_a_crash_a_person_still_in_the_zone_continues_the_stored_incident() -> None:
    first = Rig(STANDS_IN_DOCK)
    [opened] = first.play(seconds(0, 3))
    content = first.pipeline.due_checkpoint()
    assert content is not None

    second = Rig(STANDS_IN_DOCK, checkpoint=content)
    incidents = second.play(seconds(5, 8))

    assert {incident.incident_id for incident in incidents} == {opened.incident_id}
    assert states(incidents) == [IncidentState.EXTENDED]
    assert incidents[0].revision == 2
    assert [track.track_id for track in incidents[0].tracks] == ["t1", "t2"]
    assert {item.ref for item in opened.evidence} <= {item.ref for item in incidents[0].evidence}


def test_a_stored_incident_closes_when_nobody_is_there_any_more() -> None:
    first = Rig(STANDS_IN_DOCK)
    [opened] = first.play(seconds(0, 3))

    [closed] = Rig(NOBODY, checkpoint=first.pipeline.checkpoint()).play(seconds(5, 20))

    assert closed.incident_id == opened.incident_id
    assert closed.state is IncidentState.CLOSED
    assert closed.revision == 2
    assert closed.evidence[: len(opened.evidence)] == opened.evidence


def test_a_checkpoint_that_cannot_be_read_starts_anew() -> None:
    rig = Rig(STANDS_IN_DOCK, checkpoint=b"{}[")

    assert states(rig.play(seconds(0, 3))) == [IncidentState.OPENED]


def test_a_checkpoint_is_due_when_something_happened_and_not_otherwise() -> None:
    rig = Rig(NOBODY)
    rig.play([encoded(0)])
    assert rig.pipeline.due_checkpoint() is not None

    rig.play([encoded(1)])

    assert rig.pipeline.due_checkpoint() is None


def test_finish_closes_what_is_open() -> None:
    rig = Rig(STANDS_IN_DOCK)
    [opened] = rig.play(seconds(0, 3))

    [closed] = rig.pipeline.finish()

    assert closed.incident_id == opened.incident_id
    assert closed.state is IncidentState.CLOSED
    assert closed.ended_at == START + timedelta(seconds=3)
    assert rig.pipeline.finish() == ()


def test_a_camera_that_sends_nothing_more_does_not_keep_its_incident_open() -> None:
    rig = Rig(STANDS_IN_DOCK)
    rig.play(seconds(0, 3))
    rig.clock.advance(9.0)
    assert rig.pipeline.close_idle() == ()

    rig.clock.advance(2.0)

    assert states(rig.pipeline.close_idle()) == [IncidentState.CLOSED]


def test_redrawn_zones_count_from_the_next_frame_and_keep_the_open_incident() -> None:
    rig = Rig(STANDS_IN_DOCK)
    [opened] = rig.play(seconds(0, 3))
    elsewhere = scene(polygon=((0.0, 0.0), (0.2, 0.0), (0.2, 1.0), (0.0, 1.0)))

    rig.pipeline.reconfigure(camera(elsewhere, version=2))
    [closed] = rig.play(seconds(3.2, 20))

    assert closed.incident_id == opened.incident_id
    assert closed.state is IncidentState.CLOSED
    assert closed.zones == opened.zones


def test_a_change_that_leaves_the_rules_alone_tells_nothing_twice() -> None:
    rig = Rig(STANDS_IN_DOCK)
    rig.play(seconds(0, 3))

    rig.pipeline.reconfigure(replace(camera(version=2), name="New name"))

    assert rig.play(seconds(3.2, 10)) == []


def test_a_line_drawn_behind_somebody_was_not_crossed() -> None:
    rig = Rig(INTO_DOCK, watched=camera(SceneRules()))
    rig.play(seconds(0, 6))
    crossed = SceneRules(
        lines=(Line(line_id="gate", points=((0.5, 0.9), (0.5, 0.3))),),
        rules=(RuleSettings(rule_id="cross", kind=RuleKind.LINE_CROSS, line_id="gate"),),
    )

    rig.pipeline.reconfigure(camera(crossed, version=2))

    assert rig.play(seconds(6.2, 10)) == []


def test_a_bad_rule_changes_nothing() -> None:
    rig = Rig(STANDS_IN_DOCK)

    with pytest.raises(ConfigError, match="rule keep_out"):
        rig.pipeline.reconfigure(camera(scene(threshold_s=-1.0), version=2))

    assert rig.pipeline.camera.version == 1
    assert states(rig.play(seconds(0, 3))) == [IncidentState.OPENED]


def test_the_live_picture_shows_who_is_alerting() -> None:
    script = together(STANDS_IN_DOCK, walk((0.2, 0.6), (0.21, 0.6), from_s=0.0, to_s=9.0))
    rig = Rig(script)
    rig.play(seconds(0, 4))

    live = rig.results[-1].live

    assert live is not None
    assert {box.track_id: box.is_alerting for box in live.boxes} == {"t1": True, "t2": False}


def test_every_part_of_the_work_is_timed() -> None:
    rig = Rig(STANDS_IN_DOCK)

    rig.play([encoded(0)])

    assert list(rig.results[0].timings) == [
        "decode",
        "motion",
        "detect",
        "track",
        "rule",
        "report",
    ]


def test_two_cameras_share_a_detector_and_nothing_else() -> None:
    gate = Rig(STANDS_IN_DOCK)
    yard = CameraPipeline(
        replace(camera(), camera_id="yard"),
        gate.detector,
        settings=VisionSettings(),
        evidence=gate.evidence,
        clock=gate.clock,
    )
    incidents: list[Incident] = []
    for seq in range(16):
        incidents += gate.play([encoded(seq)])
        incidents += yard.process(encoded(seq, camera_id="yard")).incidents

    assert sorted(incident.camera_id for incident in incidents) == ["cam", "yard"]
    assert len({incident.incident_id for incident in incidents}) == 2
    assert {track.track_id for one in incidents for track in one.tracks} == {"t1"}
