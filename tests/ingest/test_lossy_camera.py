"""The real loop against cameras whose datagrams get lost: UDP is given up for TCP."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from contracts.cameras import RtspTransport
from contracts.settings import IngestSettings
from ingest.carrier import SETTLED_S, Carrier
from ingest.clip_ring import ClipRing
from ingest.errors import TransportRefused
from ingest.evidence_stream import EvidenceStream
from tests.faultproxy import Faults, TcpProxy, UdpProxy
from tests.ingest.fast_loop import FastClock, watching
from tests.ingest.recordings import rtsp_camera
from tests.quirkcam import QuirkCam, Quirks
from tests.quirkcam.clips import Clip, media_of

UDP, ONLY = RtspTransport.UDP, RtspTransport.UDP_ONLY
CLIP = Clip(width=640, height=360, duration_s=8.0)


@contextmanager
def behind_a_lossy_network(loss: float, *, quirks: Quirks = Quirks()) -> Iterator[QuirkCam]:  # noqa: B008  # frozen
    """A camera whose RTP by UDP goes through a network that loses a share of it."""
    with ExitStack() as stack:

        def through(address: tuple[str, int]) -> tuple[str, int]:
            faults = Faults(loss=loss if address[1] % 2 == 0 else 0.0)
            return ("127.0.0.1", stack.enter_context(UdpProxy(address, faults=faults)).port)

        yield stack.enter_context(
            QuirkCam(media_of(CLIP), speed=FastClock.RATE, quirks=quirks, route=through)
        )


def test_by_tcp_the_pictures_of_a_lossy_network_are_whole() -> None:
    with behind_a_lossy_network(0.2) as camera, watching(camera) as watch:
        watch.until(lambda: watch.carriers == ["tcp"])
        before = watch.queue.account("gate").corrupt
        watch.until(lambda: watch.published().state == "seeing")
        received = watch.queue.account("gate").received
        watch.until(lambda: watch.queue.account("gate").received > received + 20)
        corrupt = watch.queue.account("gate").corrupt - before

    assert before > 0
    assert corrupt == 0
    assert watch.carriers == ["tcp"]
    assert any("read by TCP from now on" in said.cause for said in watch.directory.statuses)
    assert "back_off" not in [said.phase for said in watch.directory.statuses]


def test_where_the_camera_refuses_tcp_udp_goes_on_and_says_so() -> None:
    refusing = Quirks(refuses_tcp=True)
    with behind_a_lossy_network(0.2, quirks=refusing) as camera, watching(camera) as watch:
        watch.until(lambda: watch.carriers == ["tcp", "udp"])
        plays = camera.plays_total
        watch.until(lambda: "TCP was tried and did not work" in watch.published().cause)
        time.sleep(1.5 * SETTLED_S / FastClock.RATE)
        assert camera.plays_total <= plays + 1

    assert watch.carriers == ["tcp", "udp"]


def test_where_the_line_is_too_thin_for_tcp_udp_is_gone_back_to() -> None:
    with behind_a_lossy_network(0.2) as camera, TcpProxy(camera.port) as proxy:
        camera.stand_behind(proxy.port)
        with watching(camera) as watch:
            watch.until(lambda: bool(watch.published().last_frame_at or watch.corrupt))
            proxy.faults = Faults(rate_bps=100_000)
            watch.until(lambda: watch.carriers == ["tcp", "udp"])

    [change] = [found for found in watch.told if found.after == "udp"]
    assert "by TCP it does not work" in change.cause


def test_who_is_told_udp_only_stays_there_and_is_told_what_would_help() -> None:
    with behind_a_lossy_network(0.2) as camera, watching(camera, ONLY) as watch:
        watch.until(lambda: "udp_only" in watch.published().cause)
        time.sleep(1.5 * SETTLED_S / FastClock.RATE)

    assert (watch.carriers, camera.plays_total) == ([], 1)


def test_where_a_firewall_swallows_udp_the_camera_is_seen_by_tcp() -> None:
    quirks = Quirks(is_udp_blocked=True)
    with (
        QuirkCam(media_of(CLIP), speed=FastClock.RATE, quirks=quirks) as camera,
        watching(camera) as watch,
    ):
        watch.until(lambda: watch.published().state == "seeing")

    assert watch.carriers == ["tcp"]


def test_a_main_stream_follows_the_analysed_one() -> None:
    carrier = Carrier(UDP, now_s=0.0)
    stop = threading.Event()
    with QuirkCam(media_of(CLIP), quirks=Quirks(refuses_udp=True)) as camera:
        source = rtsp_camera(camera.url, transport=UDP)
        ring = ClipRing(keep_s=60.0)
        stream = EvidenceStream(
            replace(source, source=replace(source.source, evidence_url=camera.url)),
            ring=ring,
            settings=IngestSettings(back_off_max_s=0.2),
            clock=FastClock(),
            carrier=carrier,
        )
        thread = threading.Thread(target=stream.run, args=(stop,), daemon=True)
        thread.start()
        carrier.failed(TransportRefused("gate", "461"), now_s=1.0)
        for _ in range(400):
            if ring.size_bytes:
                break
            stop.wait(0.025)
        stop.set()
        thread.join(10)

    assert ring.size_bytes > 0
