"""Publishers and viewers of aiortc's own, on loopback, against the gateway and a camera's loop."""

import queue
from datetime import timedelta
from io import BytesIO
from itertools import pairwise

import av
import pytest
from aiortc import AudioStreamTrack

from contracts.cameras import SourceSettings, SourceType
from contracts.settings import WebRtcSettings
from ingest.clips import make_clip
from ingest.webrtc.signals import SignalKind
from tests.fakes.clips import WalkerClip, walker_path
from tests.ingest.webrtc.offers import SECRET, offer, with_lines
from tests.ingest.webrtc.peers import Bench, Peers, published, watched


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_what_is_published_becomes_frames_with_true_times(
    bench: Bench, peers: Peers, codec: str
) -> None:
    assert bench.status().phase == "waiting"
    published(bench, peers, codec=codec)
    bench.until(lambda: bench.received >= 45)

    status = bench.status()
    frames = [taken.frame.header for taken in bench.queue.take(["gate"], timeout_s=0)]

    assert (status.phase, status.codec, status.cause) == ("live", codec.lower(), "")
    assert {(frame.width, frame.height) for frame in frames} == {(320, 240)}
    assert len({frame.run_id for frame in frames}) == 1
    steps = [b.monotonic_s - a.monotonic_s for a, b in pairwise(frames)]
    assert all(0.02 < step < 0.2 for step in steps)
    assert sum(steps) == pytest.approx(len(steps) / 30, rel=0.2)


def test_a_clip_is_cut_from_what_was_published(bench: Bench, peers: Peers) -> None:
    published(bench, peers)
    bench.until(lambda: bench.received >= 40)
    run_id = bench.status().run_id
    last = bench.status().last_frame_at
    assert last is not None

    clip = make_clip(bench.ring.cover(run_id, last - timedelta(seconds=1), last))

    with av.open(BytesIO(clip), "r") as container:
        assert len(list(container.decode(video=0))) > 10


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_a_viewer_gets_the_publishers_own_packets(bench: Bench, peers: Peers, codec: str) -> None:
    published(bench, peers, codec=codec)

    viewer = watched(bench, peers)

    assert bench.live.feed.is_original
    assert set(viewer.seen.sizes) == {(320, 240)}


def test_a_viewer_stays_over_a_change_of_publisher(bench: Bench, peers: Peers) -> None:
    first = published(bench, peers)
    viewer = watched(bench, peers)
    first.close()
    bench.until(lambda: bench.status().phase == "waiting")
    assert bench.status().cause == "the publisher ended its session"
    before = len(viewer.seen.sizes)

    published(bench, peers)
    bench.until(lambda: len(viewer.seen.sizes) > before + 10)

    times_s = viewer.seen.times_s
    assert all(later > earlier for earlier, later in pairwise(times_s))


def test_sound_is_declined_and_the_video_taken(bench: Bench, peers: Peers) -> None:
    publisher = peers.publisher(audio=AudioStreamTrack())
    answer = bench.publish(publisher.offer)
    publisher.take(answer)

    bench.until(lambda: bench.received > 3)
    audio = answer.sdp.partition("m=audio")[2]
    assert "a=inactive" in audio


def test_a_second_publisher_is_refused_and_takes_over_after_a_silence(
    bench: Bench, peers: Peers
) -> None:
    first = published(bench, peers)
    second = peers.publisher()
    refused = bench.publish(second.offer)
    assert (refused.status, refused.problem) == (409, "already-published")

    first.vanish()
    bench.until(lambda: bench.status().phase == "waiting")
    assert "sent no picture for 1 s" in bench.status().cause

    second.take(bench.publish(second.offer))
    bench.until(lambda: bench.status().phase == "live")


def test_a_publisher_that_ends_its_session_is_gone_at_once(bench: Bench, peers: Peers) -> None:
    publisher = peers.publisher()
    answer = bench.publish(publisher.offer)
    publisher.take(answer)
    bench.until(lambda: bench.received > 0)

    as_viewer = bench.signal(SignalKind.END, session_id=answer.session_id)
    ended = bench.signal(SignalKind.END, session_id=answer.session_id, is_publisher=True)

    assert (as_viewer.problem, ended.status) == ("no-such-session", 200)
    bench.until(lambda: bench.status().phase == "waiting")
    bench.until(lambda: bench.status().cause == "its beginner ended it")


def test_a_peer_that_never_connects_gives_its_place_free(bench: Bench, peers: Peers) -> None:
    answer = bench.publish(offer())
    assert answer.status == 201
    bench.clock.ahead_s = 11.0
    fragment = "a=ice-ufrag:x\r\n"

    bench.until(
        lambda: (
            bench.signal(
                SignalKind.TRICKLE,
                session_id=answer.session_id,
                is_publisher=True,
                sdp=fragment,
                etag=answer.etag,
            ).problem
            == "no-such-session"
        )
    )
    published(bench, peers)


def test_a_viewer_that_vanishes_gives_its_place_free(bench: Bench, peers: Peers) -> None:
    published(bench, peers)
    stays = watched(bench, peers)
    watched(bench, peers).vanish()
    third = peers.viewer()
    full = bench.watch(third.offer)
    assert (full.status, full.problem) == (503, "too-many-viewers")
    assert full.retry_after_s > 0

    bench.clock.ahead_s = 7.0
    before = len(stays.seen.sizes)
    bench.until(lambda: len(stays.seen.sizes) > before + 90)  # three seconds: it has reported
    bench.clock.ahead_s = 14.0

    bench.until(lambda: bench.watch(third.offer).status == 201)


def test_a_session_ends_with_the_sign_in_that_began_it(bench: Bench, peers: Peers) -> None:
    publisher = peers.publisher()
    ends_at = bench.clock.now() + timedelta(seconds=60)
    publisher.take(bench.publish(publisher.offer, ends_at=ends_at))
    bench.until(lambda: bench.received > 0)

    bench.clock.ahead_s = 61.0

    bench.until(lambda: bench.status().phase == "waiting")
    assert bench.status().cause == "the sign-in that began it has ended"


def test_a_request_that_nobody_waits_for_is_dropped(bench: Bench) -> None:
    bench.inbox.patience_s = 1.0
    with pytest.raises(queue.Empty):
        bench.publish(offer(), until=bench.clock.now() - timedelta(seconds=1))
    assert bench.live.intake.current is None


def test_a_camera_with_a_source_of_its_own_is_not_published_to() -> None:
    made = Bench(SourceSettings(source_type=SourceType.FILE, url=str(walker_path())))
    try:
        answer = made.publish(offer())
        elsewhere = made.publish(offer(), camera_id="other")
    finally:
        made.end()

    assert (answer.status, answer.problem) == (409, "not-a-webrtc-camera")
    assert (elsewhere.status, elsewhere.problem) == (503, "ingest-not-there")


def test_before_anything_comes_there_is_nothing_to_watch(bench: Bench, peers: Peers) -> None:
    answer = bench.watch(peers.viewer().offer)

    assert (answer.status, answer.problem) == (409, "no-picture")


def test_a_viewer_that_cannot_decode_the_camera_is_told(bench: Bench, peers: Peers) -> None:
    published(bench, peers, codec="VP8")

    answer = bench.watch(peers.viewer(codec="H264").offer)

    assert (answer.status, answer.problem) == (422, "codec-not-supported")


def test_candidates_are_taken_for_the_right_session_only(bench: Bench) -> None:
    answer = bench.publish(offer())
    candidate = "a=candidate:7 1 udp 1 127.0.0.1 4000 typ host\r\n"

    def trickle(*, etag: str, sdp: str = candidate) -> tuple[int, str]:
        said = bench.signal(
            SignalKind.TRICKLE,
            session_id=answer.session_id,
            is_publisher=True,
            sdp=sdp,
            etag=etag,
        )
        return said.status, said.problem

    assert trickle(etag=answer.etag) == (204, "")
    assert trickle(etag='"other"') == (412, "etag-differs")
    assert trickle(etag="") == (428, "etag-needed")
    assert trickle(etag="*") == (422, "no-ice-restart")
    assert trickle(etag=answer.etag, sdp="v=0") == (400, "sdp-malformed")


def test_an_offer_that_aiortc_cannot_parse_is_refused_and_leaves_nothing(bench: Bench) -> None:
    answer = bench.publish(with_lines("a=ssrc-group:FID x y", "a=rtpmap:97 rtx"))

    assert (answer.status, answer.problem) == (400, "sdp-malformed")
    assert bench.publish(offer()).status == 201


def test_only_the_addresses_of_the_settings_are_offered() -> None:
    made = Bench(webrtc=WebRtcSettings(addresses=("127.0.0.1",), public_address="203.0.113.7"))
    try:
        answer = made.publish(offer())
    finally:
        made.end()

    found = {line.split()[4] for line in answer.sdp.splitlines() if "a=candidate" in line}
    assert found == {"127.0.0.1", "203.0.113.7"}


def test_nothing_secret_is_logged(
    bench: Bench, peers: Peers, capfd: pytest.CaptureFixture[str]
) -> None:
    publisher = published(bench, peers)
    watched(bench, peers)
    answer = bench.publish(offer())
    bench.publish(with_lines("a=ssrc-group:FID x y"))
    bench.publish(offer(fingerprint=""))
    password = publisher.offer.partition("a=ice-pwd:")[2].split()[0]

    said = "".join(capfd.readouterr())

    assert "session began" in said
    for secret in (SECRET, password, answer.session_id, "ice-pwd", "fingerprint"):
        assert not secret or secret not in said


@pytest.mark.parametrize("b_frames", [0, 2])
def test_any_camera_can_be_watched(peers: Peers, b_frames: int) -> None:
    """A file in MP4: its own packets if they are in order, else encoded once for all."""
    path = walker_path(WalkerClip(b_frames=b_frames))
    source = SourceSettings(source_type=SourceType.FILE, url=str(path), is_looped=True)
    made = Bench(source)
    try:
        made.until(lambda: made.received > 3)
        viewer = watched(made, peers)
        is_original = made.live.feed.is_original
    finally:
        made.end()

    assert is_original is (b_frames == 0)
    assert len(set(viewer.seen.sizes)) == 1
