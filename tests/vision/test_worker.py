"""The worker: order, leases, expiry, failures, and never losing what is to be told."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from contracts.cameras import Camera
from contracts.codec import decode
from contracts.errors import TransportUnavailable
from contracts.frames import EncodedFrame, FrameOutcome, QueuedFrame
from contracts.incidents import ClipRequest, Incident, IncidentState
from contracts.queues import CLIPS, INCIDENTS, LivePicture
from contracts.settings import QueueSettings, VisionSettings
from tests.fakes.builders import scene
from tests.fakes.clock import ManualClock
from tests.fakes.footage import corrupt, encoded
from tests.fakes.ports import (
    InMemoryCameras,
    InMemoryCheckpoints,
    InMemoryEvidence,
    InMemoryFrames,
    InMemoryLeases,
    InMemoryWorkQueue,
    RecordingLiveView,
)
from tests.fakes.scripted_detector import Script, ScriptedDetector
from tests.vision.test_pipeline import NOBODY, STANDS_IN_DOCK, camera
from vision.worker import VisionWorker, WorkerPorts


class Site:
    """All ports of one site in memory, and workers that come and go."""

    def __init__(
        self,
        script: Script = STANDS_IN_DOCK,
        *,
        cameras: Sequence[Camera] = (camera(),),
        failing_seqs: Sequence[int] = (),
    ) -> None:
        self.directory = InMemoryCameras(cameras)
        self.leases = InMemoryLeases()
        self.frames = InMemoryFrames(frames_per_camera=64)
        self.work_queue = InMemoryWorkQueue()
        self.live = RecordingLiveView()
        self.checkpoints = InMemoryCheckpoints()
        self.evidence = InMemoryEvidence()
        self.detector = ScriptedDetector(script, failing_seqs=failing_seqs)
        self.clock = ManualClock()
        self.worker = self.new_worker()

    def new_worker(self) -> VisionWorker:
        return VisionWorker(
            WorkerPorts(
                directory=self.directory,
                leases=self.leases,
                reader=self.frames,
                work_queue=self.work_queue,
                live=self.live,
                checkpoints=self.checkpoints,
                evidence=self.evidence,
            ),
            self.detector,
            settings=VisionSettings(),
            queue=QueueSettings(),
            clock=self.clock,
        )

    def restart_worker(self) -> None:
        """``kill -9``: the worker is gone with all it had in its hands; another begins."""
        self.frames.restart_reader()
        self.worker = self.new_worker()

    def live_through(self, frames: Iterable[EncodedFrame]) -> None:
        """Each frame is queued at its time and worked off at once."""
        for frame in frames:
            self.reach(frame)
            self.frames.put(frame)
            self.worker.turn()

    def reach(self, frame: EncodedFrame) -> None:
        """Move the clock to the moment at which the frame is captured."""
        wait_s = (frame.header.captured_at - self.clock.now()).total_seconds()
        self.clock.advance(max(0.0, wait_s))

    def incidents(self) -> list[Incident]:
        return [decode(payload, Incident) for payload in self.work_queue.payloads(INCIDENTS)]

    def outcomes(self, camera_id: str = "cam") -> dict[str, int]:
        account = self.frames.account(camera_id)
        assert account.is_balanced
        return dict(account.outcomes)


def clip(start: int, end: int) -> list[EncodedFrame]:
    return [encoded(seq) for seq in range(start, end)]


def test_frames_become_published_incidents_and_every_frame_is_settled() -> None:
    site = Site()

    site.live_through(clip(0, 20))

    [opened] = site.incidents()
    assert opened.state is IncidentState.OPENED
    [request] = [decode(one, ClipRequest) for one in site.work_queue.payloads(CLIPS)]
    assert request.incident_id == opened.incident_id
    assert site.outcomes() == {FrameOutcome.ANALYSED: 20}
    assert [picture.header.seq for picture in site.live.pictures] == list(range(20))


def test_what_is_published_carries_an_id_by_incident_and_revision() -> None:
    site = Site()

    site.live_through(clip(0, 20))

    [opened] = site.incidents()
    names = [item_id for topic, item_id, _ in site.work_queue.published if topic == INCIDENTS]
    assert names == [f"{opened.incident_id}:1"]


class _Journal:
    """Writes down in which order a worker uses its ports."""

    def __init__(self, site: Site) -> None:
        self.lines: list[str] = []
        self._site = site

    def publish(self, topic: str, *, item_id: str, payload: bytes) -> None:
        self.lines.append(f"publish {topic}")
        self._site.work_queue.publish(topic, item_id=item_id, payload=payload)

    def receive(
        self, topics: Sequence[str], *, group: str, max_items: int, timeout_s: float
    ) -> list[object]:
        return []

    def acknowledge(self, item: object) -> None:
        return None

    def load(self, camera_id: str) -> bytes | None:
        return None

    def save(self, camera_id: str, content: bytes) -> None:
        self.lines.append("checkpoint")

    def take(self, camera_ids: Sequence[str], *, timeout_s: float) -> list[QueuedFrame]:
        return self._site.frames.take(camera_ids, timeout_s=timeout_s)

    def settle(self, queued: QueuedFrame, outcome: FrameOutcome) -> bool:
        self.lines.append("settle")
        return self._site.frames.settle(queued, outcome)

    def show(self, picture: LivePicture) -> None:
        self.lines.append("show")


def test_news_are_remembered_then_published_then_the_frame_is_settled_then_shown() -> None:
    site = Site()
    journal = _Journal(site)
    site.worker = VisionWorker(
        WorkerPorts(
            directory=site.directory,
            leases=site.leases,
            reader=journal,
            work_queue=journal,  # type: ignore[arg-type]  # it receives nothing here
            live=journal,
            checkpoints=journal,
            evidence=site.evidence,
        ),
        site.detector,
        settings=VisionSettings(),
        queue=QueueSettings(),
        clock=site.clock,
    )

    site.live_through(clip(0, 8))

    start = journal.lines.index("publish incidents")
    assert journal.lines[start - 1 : start + 5] == [
        "checkpoint",
        "publish incidents",
        "publish clips",
        "checkpoint",
        "settle",
        "show",
    ]


def test_an_old_frame_is_not_analysed_but_the_newest_always_is() -> None:
    site = Site()
    for frame in clip(0, 5):
        site.frames.put(frame)
    site.clock.advance(60.0)

    site.worker.turn()

    assert site.outcomes() == {FrameOutcome.EXPIRED: 4, FrameOutcome.ANALYSED: 1}
    assert site.detector.seen == [("cam", 4)]


def test_a_frame_within_the_age_budget_is_analysed() -> None:
    site = Site()
    for frame in clip(0, 2):
        site.frames.put(frame)
    site.clock.advance(2.0)

    site.worker.turn()

    assert site.outcomes() == {FrameOutcome.ANALYSED: 2}


def test_frames_of_an_ended_run_are_settled_as_that() -> None:
    site = Site()

    site.live_through([encoded(0), encoded(0, run_id="run2"), encoded(1)])

    assert site.outcomes() == {FrameOutcome.ANALYSED: 2, FrameOutcome.FROM_ENDED_RUN: 1}


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


class _StopAfter(threading.Event):
    """Is set once it has been asked often enough: a loop that never looks would never end."""

    def __init__(self, clock: ManualClock, *, turns: int) -> None:
        super().__init__()
        self._left = turns

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0


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
    site.worker.run(_StopAfter(site.clock, turns=2))
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
    site.worker.run(_StopAfter(site.clock, turns=2))
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


def test_a_camera_that_is_switched_off_closes_its_incidents_and_is_given_back() -> None:
    site = Site()
    site.live_through(clip(0, 10))
    site.directory.listed = [replace(camera(version=2), is_enabled=False)]

    site.clock.advance(1.0)
    site.worker.turn()

    assert [incident.state for incident in site.incidents()] == [
        IncidentState.OPENED,
        IncidentState.CLOSED,
    ]
    assert site.leases.held == {}
    assert site.worker.held_cameras == ()


def test_a_changed_camera_is_taken_up_without_a_restart() -> None:
    site = Site(cameras=[camera(scene(labels=("car",)))])
    site.live_through(clip(0, 10))
    assert site.incidents() == []
    site.directory.listed = [camera(version=2)]

    site.clock.advance(1.0)
    site.live_through(clip(16, 26))

    assert len(site.incidents()) == 1


def test_a_camera_with_a_bad_rule_is_refused_and_the_others_are_watched() -> None:
    bad = replace(camera(scene(threshold_s=-1.0)), camera_id="bad")
    site = Site(cameras=[bad, camera()])

    site.live_through(clip(0, 10))

    assert site.worker.held_cameras == ("cam",)
    assert set(site.leases.held) == {"vision:cam"}
    site.directory.listed = [replace(camera(version=2), camera_id="bad"), camera()]
    site.clock.advance(1.0)
    site.worker.turn()
    assert set(site.worker.held_cameras) == {"bad", "cam"}


def test_a_camera_that_goes_blind_closes_its_incident_after_a_while() -> None:
    site = Site()
    site.live_through(clip(0, 10))

    for _ in range(12):
        site.clock.advance(1.0)
        site.worker.turn()

    assert site.incidents()[-1].state is IncidentState.CLOSED
    assert site.checkpoints.contents["cam"]


def test_an_empty_site_waits() -> None:
    site = Site(NOBODY, cameras=[])

    site.worker.turn()

    assert site.clock.slept_s


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

    site.worker.run(_StopAfter(site.clock, turns=3))

    assert site.clock.slept_s.count(1.0) >= 2


def test_ages_are_measured_from_capture() -> None:
    name, labels = "vigil_frame_age_seconds_sum", {"stage": "vision"}
    before = REGISTRY.get_sample_value(name, labels) or 0.0
    site = Site(NOBODY)
    site.worker.turn()
    late = encoded(1)
    site.frames.put(late)
    site.clock.step_wall(
        (late.header.captured_at + timedelta(seconds=1.5) - site.clock.now()).total_seconds()
    )

    site.worker.turn()

    assert (REGISTRY.get_sample_value(name, labels) or 0.0) - before == pytest.approx(1.5)
