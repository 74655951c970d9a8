"""Rows P10 and, last of all, C18: the camera that the other rows had ten minutes to lose."""

import threading
import time
import zlib
from dataclasses import replace

import numpy as np
import pytest

from contracts.clock import SystemClock
from contracts.frames import EncodedFrame, FrameOutcome
from contracts.settings import QueueSettings
from ingest.frame_queue import RedisFrameQueue
from tests.chaos.measured import Measured
from tests.chaos.site import Site
from tests.fakes.footage import encoded
from tests.quirkcam import QuirkCam, Quirks
from tests.quirkcam.clips import Clip, media_of

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(700)]

WATCHED_S = 600.0
TORN_S = 20.0


@pytest.mark.row("P10")
def test_frames_are_never_torn(redis_url: str, measured: Measured) -> None:
    """Frames travel by value through Redis; there is no shared slot that a writer could reuse."""
    settings = QueueSettings(frames_per_camera=4)
    writer = RedisFrameQueue(redis_url, settings=settings, clock=SystemClock())
    reader = RedisFrameQueue(redis_url, settings=settings, clock=SystemClock())
    is_over = threading.Event()
    written = [0]

    def write() -> None:
        chance = np.random.default_rng(5)
        while not is_over.is_set():
            content = chance.bytes(20_000)
            writer.put(_sealed(written[0], content))
            written[0] += 1

    thread = threading.Thread(target=write)
    thread.start()
    torn = read = 0
    until_s = time.monotonic() + TORN_S
    while time.monotonic() < until_s:
        for queued in reader.take(["cam"], timeout_s=0.1):
            jpeg = queued.frame.jpeg
            torn += zlib.crc32(jpeg[4:]).to_bytes(4, "big") != jpeg[:4]
            read += 1
            reader.settle(queued, FrameOutcome.ANALYSED)
    is_over.set()
    thread.join()
    account = reader.account("cam")
    measured.lost(f"{torn} torn of {read} read", is_allowed=torn == 0 and read > 0)
    measured.note(f"{written[0]} written into 4 places", holds=account.is_balanced)
    measured.note("by value through Redis: no shared slots to reuse, so not run to 10^7")
    writer.close()
    reader.close()
    measured.hold()


def _sealed(seq: int, content: bytes) -> EncodedFrame:
    frame = encoded(seq % 5)
    seal = zlib.crc32(content).to_bytes(4, "big")
    return replace(frame, header=replace(frame.header, seq=seq), jpeg=seal + content)


@pytest.mark.row("C18")
def test_sessions_are_kept_alive(
    site: Site, long_lived: tuple[QuirkCam, float], measured: Measured
) -> None:
    """Answers GET_PARAMETER with 501; cuts whoever gives no sign of life for 20 s."""
    camera, began_s = long_lived
    time.sleep(max(0.0, began_s + WATCHED_S - time.monotonic()))
    drops = camera.plays_total - 1
    measured.lost(
        f"{drops} drops, {camera.idle_total} for want of a sign of life, in "
        f"{(time.monotonic() - began_s) / 60:.0f} min",
        is_allowed=drops == 0,
    )
    measured.note(f"kept alive by {camera.requests['OPTIONS']} OPTIONS")
    measured.check("not fresh", site.is_fresh("longlived"))
    measured.hold()


@pytest.mark.row("C18")
def test_a_camera_that_refuses_get_parameter(site: Site, measured: Measured) -> None:
    """Says that it knows GET_PARAMETER, answers 454 to it, and counts OPTIONS alone."""
    quirks = Quirks(
        ends_idle=True, session_timeout_s=4, keep_alive="refused_454", rtcp_keeps_alive=False
    )
    with (
        QuirkCam(media_of(Clip(duration_s=4.0)), quirks=quirks) as camera,
        site.watching("c18", camera),
    ):
        site.until_live("c18", within_s=30.0)
        time.sleep(30.0)
        measured.lost(
            f"454: {camera.idle_total} drops in 30 s at a time-out of 4 s",
            is_allowed=camera.idle_total == 0 and camera.plays_total == 1,
        )
        measured.note(
            f"{camera.requests['GET_PARAMETER']} GET_PARAMETER, "
            f"{camera.requests['OPTIONS']} OPTIONS"
        )
    measured.hold()
