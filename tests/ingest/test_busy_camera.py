"""The real loop where it has no time to decode all that comes: key pictures alone, seen in time."""

import time

import pytest

from contracts.cameras import RtspTransport
from contracts.frames import EncodedFrame, Frame
from contracts.settings import QueueSettings
from ingest.carrier import Brought, Carrier, Changeover
from ingest.local_queue import LocalFrameQueue
from ingest.planar_frame import PlanarFrame
from tests.ingest.fast_loop import FastClock, watching
from tests.quirkcam import QuirkCam
from tests.quirkcam.clips import Clip, media_of

CLIP = Clip(width=640, height=360, fps=10, duration_s=8.0)
TOO_LONG_S = 0.06
"""At forty pictures a second."""


class SlowQueue(LocalFrameQueue):
    """Takes the loop's time for each picture, as decoding does on a machine that is too busy."""

    def __init__(self) -> None:
        super().__init__(QueueSettings(frames_per_camera=5000))
        self.takes_s = 0.0

    def put(self, frame: Frame | PlanarFrame | EncodedFrame) -> None:
        time.sleep(self.takes_s)
        super().put(frame)

    def count_unqueued(self, camera_id: str, *, skipped: int = 0, corrupt: int = 0) -> None:
        time.sleep(self.takes_s * skipped)
        super().count_unqueued(camera_id, skipped=skipped, corrupt=corrupt)


def test_a_loop_without_time_to_decode_all_shows_key_pictures_in_time_and_all_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue = SlowQueue()
    told: list[bool] = []
    note = Carrier.note

    def hear(carrier: Carrier, brought: Brought, *, now_s: float) -> Changeover | None:
        told.append(brought.is_thinned)
        return note(carrier, brought, now_s=now_s)

    monkeypatch.setattr(Carrier, "note", hear)
    with (
        QuirkCam(media_of(CLIP), speed=FastClock.RATE) as camera,
        watching(camera, RtspTransport.TCP, queue=queue) as watch,
    ):
        watch.until(lambda: watch.published().state == "seeing")
        # It is known by then for how much of its time the loop waits.
        watch.until(lambda: queue.account("gate").received > 70)
        queue.takes_s = TOO_LONG_S
        watch.until(lambda: "only its key pictures are" in watch.published().cause)
        assert watch.published().state == "degraded"
        packets, plays = watch.ring.size_bytes, camera.plays_total
        received = queue.account("gate").received
        watch.until(lambda: queue.account("gate").received > received + 10)
        assert watch.published().state == "degraded"
        assert (told[0], told[-1]) == (False, True), "so that the line is not judged by it"
        queue.takes_s = 0.0
        watch.until(lambda: watch.published().state == "seeing")

    assert watch.ring.size_bytes > packets  # what is kept for clips is whole
    assert camera.plays_total == plays
    assert "back_off" not in [said.phase for said in watch.directory.statuses]
