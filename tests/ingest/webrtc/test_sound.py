"""Sound of publishers: kept as it was sent where that is wanted, at the time of its pictures."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import av
import pytest
from aiortc import AudioStreamTrack

from ingest.clip_ring import Footage
from ingest.clips import make_clip
from tests.ingest.webrtc.beeps import CLOCK, BeepTrack, FlashTrack, apart_s
from tests.ingest.webrtc.peers import Bench, Peers

APART_MAX_S = 0.1


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench(keeps_audio=True)
    yield made
    made.end()


def kept(bench: Bench, seconds: float) -> Footage:
    last_at, run_id = bench.status().last_frame_at, bench.status().run_id
    assert last_at is not None
    return bench.ring.cover(run_id, last_at - timedelta(seconds=seconds), last_at)


def test_a_clip_has_the_publishers_own_sound_beside_its_picture(
    bench: Bench, peers: Peers, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    epoch_s = CLOCK.monotonic_s()
    publisher = peers.publisher(audio=BeepTrack(epoch_s), video=FlashTrack(epoch_s))
    answer = bench.publish(publisher.offer)
    publisher.take(answer)
    bench.until(lambda: bench.received > 200)

    footage = kept(bench, 5.0)
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(make_clip(footage))

    audio = answer.sdp.partition("m=audio")[2]
    assert "a=recvonly" in audio
    assert "PCMU" not in audio
    with av.open(str(clip)) as container:
        [stream] = container.streams.audio
        assert stream.codec_context.codec.canonical_name == "opus"
        packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    assert set(packets) <= {sound.content for sound in footage.sounds}, "copied, not encoded again"
    assert len(packets) > 0.9 * 5.0 / 0.02
    record_property("sound_late_ms", round(1000 * apart_s(clip)))
    assert apart_s(clip) == pytest.approx(0.0, abs=APART_MAX_S)


def test_a_camera_whose_sound_is_not_kept_is_sent_none(peers: Peers) -> None:
    bench = Bench()
    try:
        publisher = peers.publisher(audio=AudioStreamTrack())
        answer = bench.publish(publisher.offer)
        publisher.take(answer)
        bench.until(lambda: bench.received > 20)
        footage = kept(bench, 5.0)
    finally:
        bench.end()

    assert "a=inactive" in answer.sdp.partition("m=audio")[2]
    assert footage.sounds == ()


def test_a_publisher_without_sound_is_taken_where_sound_is_kept(bench: Bench, peers: Peers) -> None:
    publisher = peers.publisher()
    publisher.take(bench.publish(publisher.offer))
    bench.until(lambda: bench.received > 20)

    footage = kept(bench, 5.0)

    assert footage.sounds == ()
    assert footage.template.audio_problem == ""


def test_who_switches_sound_has_the_publisher_asked_anew(bench: Bench, peers: Peers) -> None:
    publisher = peers.publisher(audio=AudioStreamTrack())
    publisher.take(bench.publish(publisher.offer))
    bench.until(lambda: bench.received > 3)

    bench.cameras.open(replace(bench.camera, keeps_audio=False))

    bench.until(lambda: bench.status().phase == "waiting")
    assert bench.status().cause == "whether its sound is kept was changed"
