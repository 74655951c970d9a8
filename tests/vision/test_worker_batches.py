"""Frames of several cameras in one call of the detector: each camera is as if it were alone."""

from collections.abc import Sequence
from dataclasses import replace

from contracts.cameras import Camera
from contracts.errors import TransportUnavailable
from contracts.frames import FrameOutcome, QueuedFrame
from contracts.settings import QueueSettings
from tests.fakes.footage import corrupt, encoded
from tests.fakes.pipeline_rig import NOBODY, STANDS_IN_DOCK, camera
from tests.fakes.ports import InMemoryFrames
from tests.fakes.scripted_detector import Script
from tests.fakes.vision_site import Site
from tests.vision.detect.fake_backend import FakeBackend
from vision.detect.encoder import EncoderDetector
from vision.worker import VisionWorker

NAMES = ("cam", "gate", "yard")


def cameras() -> list[Camera]:
    return [replace(camera(), camera_id=name) for name in NAMES]


def site(
    script: Script = STANDS_IN_DOCK, *, batch_frames: int = 8, failing_seqs: Sequence[int] = ()
) -> Site:
    return Site(script, cameras=cameras(), batch_frames=batch_frames, failing_seqs=failing_seqs)


def live_through(place: Site, start: int, end: int) -> None:
    """All cameras send their frames at the same moments."""
    for seq in range(start, end):
        place.reach(encoded(seq))
        for name in NAMES:
            place.frames.put(encoded(seq, camera_id=name))
        place.worker.turn()


def with_encoder(backend: FakeBackend, spare: FakeBackend | None = None) -> Site:
    """A site whose worker looks with the encoder on these devices."""
    place = Site(cameras=cameras())
    detector = EncoderDetector(
        backend, confidence=0.3, spare=None if spare is None else lambda: spare
    )
    place.worker = VisionWorker(
        place.ports(), detector, settings=place.settings, queue=QueueSettings(), clock=place.clock
    )
    return place


class _SecondTakeFails(InMemoryFrames):
    """Gives what one camera has, and is away when it is asked for the others."""

    def take(self, camera_ids: Sequence[str], *, timeout_s: float) -> list[QueuedFrame]:
        if "cam" not in camera_ids:
            raise TransportUnavailable("frames: told to be away")
        return super().take(["cam"], timeout_s=timeout_s)


def test_frames_of_all_cameras_go_in_one_call_and_each_has_its_own_incident() -> None:
    place = site()

    live_through(place, 0, 20)

    assert place.detector.calls == [3] * 20
    assert {incident.camera_id for incident in place.incidents()} == set(NAMES)
    assert all(place.outcomes(name) == {FrameOutcome.ANALYSED: 20} for name in NAMES)


def test_a_batch_is_no_larger_than_it_may_be() -> None:
    place = site(batch_frames=2)

    live_through(place, 0, 2)

    assert place.detector.calls == [2, 1, 2, 1]


def test_incidents_are_those_of_frames_one_by_one() -> None:
    together, alone = site(), site(batch_frames=1)

    live_through(together, 0, 30)
    live_through(alone, 0, 30)

    assert alone.detector.calls == [1] * 90
    told = [(one.incident_id, one.revision, one.state) for one in alone.incidents()]
    assert [(one.incident_id, one.revision, one.state) for one in together.incidents()] == told


def test_waiting_frames_of_one_camera_are_looked_at_in_order() -> None:
    place = site()
    place.reach(encoded(3))
    for seq in range(4):
        place.frames.put(encoded(seq))
    place.frames.put(encoded(3, camera_id="gate"))

    place.worker.turn()

    assert place.detector.seen == [("cam", 0), ("gate", 3), ("cam", 1), ("cam", 2), ("cam", 3)]
    assert place.outcomes() == {FrameOutcome.ANALYSED: 4}


def test_a_frame_that_spoils_its_batch_costs_only_itself() -> None:
    place = site(failing_seqs=[5])
    for name, seqs in (("cam", range(10)), ("gate", [0, 1, 2, 3, 4, 6, 7, 8, 9, 10])):
        for seq in seqs:
            place.frames.put(encoded(seq, camera_id=name))

    place.worker.turn()

    assert place.outcomes() == {FrameOutcome.ANALYSED: 9, FrameOutcome.ANALYSIS_ERROR: 1}
    assert place.outcomes("gate") == {FrameOutcome.ANALYSED: 10}


def test_a_picture_that_cannot_be_decoded_does_not_reach_the_batch() -> None:
    place = site()
    place.frames.put(corrupt(encoded(0)))
    place.frames.put(encoded(0, camera_id="gate"))

    place.worker.turn()

    assert place.detector.calls == [1]
    assert place.outcomes() == {FrameOutcome.DECODE_ERROR: 1}
    assert place.outcomes("gate") == {FrameOutcome.ANALYSED: 1}


def test_a_still_camera_is_not_in_the_batch() -> None:
    place = site(NOBODY)
    for seq in range(9):
        place.reach(encoded(seq))
        place.frames.put(encoded(seq, is_still=True))
        place.frames.put(encoded(seq, camera_id="gate"))
        place.worker.turn()

    assert place.detector.calls[-1] == 1
    assert place.outcomes()[FrameOutcome.GATED] >= 1
    assert place.outcomes("gate") == {FrameOutcome.ANALYSED: 9}


def test_what_was_taken_is_worked_off_though_the_queue_goes_away_while_waiting_for_more() -> None:
    place = site()
    place.frames = _SecondTakeFails()
    place.worker = place.new_worker()
    place.frames.put(encoded(0))

    place.worker.turn()

    assert place.outcomes() == {FrameOutcome.ANALYSED: 1}


def test_a_device_that_runs_full_costs_no_frame() -> None:
    backend = FakeBackend(batch_frames=8, room=1, batches=[])
    place = with_encoder(backend)

    live_through(place, 0, 6)

    assert all(place.outcomes(name) == {FrameOutcome.ANALYSED: 6} for name in NAMES)
    assert backend.batches == [1] * 18


def test_a_device_that_is_lost_between_frames_costs_no_frame() -> None:
    spare = FakeBackend(name="spare", batch_frames=1, batches=[])
    place = with_encoder(FakeBackend(batch_frames=8, looks_left=2), spare)

    live_through(place, 0, 6)

    assert all(place.outcomes(name) == {FrameOutcome.ANALYSED: 6} for name in NAMES)
    assert spare.batches == [1] * 12
