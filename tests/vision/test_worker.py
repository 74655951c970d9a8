"""The worker: order, expiry, leases taken and given back, changed settings."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from contracts.codec import decode
from contracts.frames import FrameOutcome, QueuedFrame
from contracts.incidents import ClipRequest, IncidentState
from contracts.queues import CLIPS, INCIDENTS, LivePicture
from contracts.settings import QueueSettings, VisionSettings
from tests.fakes.builders import scene
from tests.fakes.footage import encoded
from tests.fakes.pipeline_rig import NOBODY, camera
from tests.fakes.vision_site import Site, clip
from vision.worker import VisionWorker, WorkerPorts


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

    def is_due(self, camera_id: str) -> bool:
        return True

    def show(self, picture: LivePicture) -> None:
        self.lines.append("show")


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


def test_a_refused_camera_that_is_added_anew_with_a_sound_rule_is_watched() -> None:
    site = Site(cameras=[replace(camera(scene(threshold_s=-1.0)), camera_id="bad")])
    site.worker.turn()
    assert not site.worker.held_cameras

    site.directory.listed = [replace(camera(version=1), camera_id="bad")]
    site.clock.advance(1.0)
    site.worker.turn()

    assert site.worker.held_cameras == ("bad",)


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
