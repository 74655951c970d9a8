"""The worker when things fail: nothing that is to be told is lost, nothing is told twice."""

import threading
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from contracts.errors import TransportUnavailable
from contracts.frames import FrameOutcome
from contracts.incidents import IncidentState
from contracts.queues import CLIPS
from tests.fakes.footage import corrupt, encoded
from tests.fakes.pipeline_rig import camera
from tests.fakes.vision_site import Site, StopAfter, clip


def test_a_frame_that_raises_is_settled_and_the_others_go_on() -> None:
    yard = replace(camera(), camera_id="yard")
    site = Site(cameras=[camera(), yard], failing_seqs=[3])

    site.live_through(
        frame
        for seq in range(12)
        for frame in (
            (encoded(seq), encoded(seq, camera_id="yard")) if seq != 3 else (encoded(seq),)
        )
    )

    assert site.outcomes() == {FrameOutcome.ANALYSED: 11, FrameOutcome.ANALYSIS_ERROR: 1}
    assert site.outcomes("yard") == {FrameOutcome.ANALYSED: 11}
    assert {incident.camera_id for incident in site.incidents()} == {"cam", "yard"}
    assert (REGISTRY.get_sample_value("vigil_vision_errors_total", {"camera": "cam"}) or 0) >= 1


def test_a_corrupt_picture_is_settled_as_that_and_not_shown() -> None:
    site = Site()

    site.live_through([encoded(0), corrupt(encoded(1)), encoded(2)])

    assert site.outcomes() == {FrameOutcome.ANALYSED: 2, FrameOutcome.DECODE_ERROR: 1}
    assert len(site.live.pictures) == 2


def test_a_queue_that_is_away_for_a_while_loses_no_incident() -> None:
    site = Site()
    site.work_queue.failures = 5

    site.live_through(clip(0, 20))

    assert [incident.revision for incident in site.incidents()] == [1]
    assert len(site.work_queue.payloads(CLIPS)) == 1
    assert site.outcomes() == {FrameOutcome.ANALYSED: 20}
    assert site.clock.slept_s[:5] == [0.1, 0.2, 0.4, 0.8, 1.0]


def test_after_a_kill_nothing_is_lost_and_nobody_alerts_twice() -> None:
    site = Site()
    site.live_through(clip(0, 15))
    for frame in clip(15, 20):
        site.reach(frame)
        site.frames.put(frame)
    site.frames.take(["cam"], timeout_s=0.0)

    site.restart_worker()
    site.live_through(clip(20, 40))

    assert site.outcomes() == {FrameOutcome.ANALYSED: 40}
    incidents = site.incidents()
    assert len({incident.incident_id for incident in incidents}) == 1
    assert [incident.revision for incident in incidents] == [1, 2]
    assert [track.track_id for track in incidents[-1].tracks] == ["t1", "t2"]


def test_a_kill_before_publishing_publishes_what_was_due_and_nobody_twice() -> None:
    site = Site()
    site.live_through(clip(0, 5))
    site.work_queue.is_down = True
    site.reach(encoded(5))
    site.frames.put(encoded(5))
    site.worker.run(StopAfter(turns=2))
    assert site.incidents() == []

    site.work_queue.is_down = False
    site.restart_worker()
    site.live_through(clip(6, 26))

    incidents = site.incidents()
    assert [incident.revision for incident in incidents] == [1, 2]
    assert len({incident.incident_id for incident in incidents}) == 1
    assert incidents[0].rule_events[0].frame_seq == 5
    assert len(site.work_queue.payloads(CLIPS)) == 1
    assert site.outcomes()[FrameOutcome.ANALYSED] == 26


def test_a_kill_after_publishing_publishes_the_same_again() -> None:
    site = Site()
    site.live_through(clip(0, 5))
    site.reach(encoded(5))
    site.frames.put(encoded(5))
    site.checkpoints.saves_left = 1
    site.worker.run(StopAfter(turns=2))
    [first] = site.work_queue.published[:1]

    site.checkpoints.saves_left = None
    site.restart_worker()
    site.live_through(clip(6, 26))

    assert site.work_queue.published.count(first) == 2
    assert len({incident.incident_id for incident in site.incidents()}) == 1


def test_only_cameras_whose_lease_is_held_are_looked_at() -> None:
    site = Site(cameras=[camera(), replace(camera(), camera_id="yard")])
    site.leases.held_elsewhere.add("vision:yard")
    site.frames.put(encoded(0, camera_id="yard"))

    site.live_through(clip(0, 2))

    assert site.worker.held_cameras == ("cam",)
    assert site.frames.account("yard").queued == 1


def test_a_camera_that_another_worker_took_is_let_go_without_closing_anything() -> None:
    site = Site()
    site.live_through(clip(0, 10))
    site.leases.held_elsewhere.add("vision:cam")

    site.clock.advance(1.0)
    site.worker.turn()

    assert site.worker.held_cameras == ()
    assert [incident.state for incident in site.incidents()] == [IncidentState.OPENED]


def test_a_lease_that_was_lost_in_between_starts_from_the_checkpoint() -> None:
    """Another worker had the camera for a moment: what is in memory is out of date."""
    site = Site()
    site.live_through(clip(0, 10))
    site.leases.release("vision:cam")

    site.clock.advance(1.0)
    site.live_through(clip(16, 26))

    incidents = site.incidents()
    assert len({incident.incident_id for incident in incidents}) == 1
    assert [track.track_id for track in incidents[-1].tracks] == ["t1", "t2"]


def test_leases_that_cannot_be_asked_for_keep_what_is_held() -> None:
    site = Site()
    site.live_through(clip(0, 2))
    site.leases.is_down = True

    site.live_through(clip(2, 15))

    assert site.worker.held_cameras == ("cam",)
    assert site.outcomes() == {FrameOutcome.ANALYSED: 15}


def test_the_loop_stops_when_told_and_hands_its_cameras_over() -> None:
    site = Site()
    site.live_through(clip(0, 10))
    stop = threading.Event()
    stop.set()

    site.worker.run(stop)

    assert site.leases.held == {}
    assert [incident.state for incident in site.incidents()] == [IncidentState.OPENED]


def test_a_frame_queue_that_is_away_does_not_end_the_loop() -> None:
    site = Site()
    site.live_through(clip(0, 3))
    site.frames.is_down = True
    with pytest.raises(TransportUnavailable):
        site.worker.turn()

    site.worker.run(StopAfter(turns=3))

    assert site.clock.slept_s.count(1.0) >= 2
