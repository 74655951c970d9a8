"""The pipeline over time: failures, gating, runs, crashes, changed settings."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.errors import ConfigError, ModelError
from contracts.frames import FrameOutcome
from contracts.geometry import Line
from contracts.incidents import EvidenceKind, Incident, IncidentState
from contracts.rules import RuleKind, RuleSettings, SceneRules
from contracts.settings import VisionSettings
from tests.fakes.builders import scene
from tests.fakes.clock import START
from tests.fakes.footage import corrupt, encoded
from tests.fakes.pipeline_rig import INTO_DOCK, NOBODY, STANDS_IN_DOCK, Rig, camera, seconds, states
from tests.fakes.scripted_detector import together, walk
from vision.pipeline import CameraPipeline


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
        "motion",
        "decode",
        "detect",
        "track",
        "cue",
        "rule",
        "report",
    ]


def test_a_frame_that_nobody_looks_at_is_not_decoded_in_full() -> None:
    rig = Rig(NOBODY)

    rig.play(seconds(0, 4))

    gated = [one for one in rig.results if one.outcome is FrameOutcome.GATED]
    assert gated
    assert all("decode" not in one.timings for one in gated)


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
