"""The camera itself: what it plays well formed is seen whole, and each switch does what it says."""

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice, pairwise

import av
import numpy as np
import pytest

from tests.quirkcam import QuirkCam, Quirks, timecode
from tests.quirkcam.clips import Clip, media_of, picture
from tests.quirkcam.media import Codec
from tests.quirkcam.payloads import flip_bits, payloads_of
from tests.quirkcam.quirks import Scheme

FAST = 8.0
SHORT = Clip(duration_s=2.0)
PASSWORD = "correct"  # noqa: S105  # of a camera on loopback that ends with its test


@contextmanager
def opened(url: str, transport: str = "tcp") -> Iterator[av.container.InputContainer]:
    options = {"rtsp_transport": transport, "allowed_media_types": "video", "fpsprobesize": "0"}
    with av.open(url, options=options, timeout=(3.0, 3.0)) as container:
        yield container


def code_of(frame: av.VideoFrame) -> int | None:
    return timecode.read(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))


def codes(url: str, *, transport: str = "tcp", limit: int = 100) -> list[int | None]:
    """The time codes of what a client sees until the stream ends or there are enough."""
    found: list[int | None] = []
    with opened(url, transport) as container:
        for frame in container.decode(video=0):
            found.append(code_of(frame))
            if len(found) == limit:
                break
    return found


@pytest.mark.parametrize("size", [(1920, 1080), (640, 360), (320, 180)])
@pytest.mark.parametrize("number", [0, 1, 12_345, 2**20 - 1])
def test_a_burnt_in_number_is_read_back(size: tuple[int, int], number: int) -> None:
    pixels_HW3 = np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), np.uint8)
    timecode.burn(pixels_HW3, number)
    assert timecode.read(pixels_HW3) == number


def test_a_picture_without_a_number_has_none() -> None:
    chance = np.random.default_rng(2)
    pictures = (chance.integers(0, 255, (180, 320, 3), np.uint8) for _ in range(50))
    assert {timecode.read(pixels) for pixels in pictures} == {None}


def test_a_number_needs_room() -> None:
    with pytest.raises(ValueError, match="at most 20 bits, got 1048576"):
        timecode.burn(np.zeros((90, 160, 3), np.uint8), 2**20)


@pytest.mark.parametrize(
    ("codec", "transport"), [("h264", "tcp"), ("h264", "udp"), ("hevc", "tcp"), ("mjpeg", "tcp")]
)
def test_every_picture_of_a_clip_arrives_in_order(codec: Codec, transport: str) -> None:
    clip = Clip(codec=codec, duration_s=2.0)
    with QuirkCam(media_of(clip), speed=4.0, is_looped=False) as camera:
        assert codes(camera.url, transport=transport) == list(range(20))


@pytest.mark.parametrize("scheme", ["basic", "digest", "digest-sha256", "both"])
def test_credentials_are_asked_for_and_checked(scheme: Scheme) -> None:
    with QuirkCam(
        media_of(SHORT), user="admin", password=PASSWORD, scheme=scheme, speed=FAST
    ) as camera:
        if scheme != "digest-sha256":  # libav speaks MD5 only
            assert codes(camera.url, limit=3) == [0, 1, 2]
            assert camera.refusals_total == 0
        wrong = camera.url.replace(PASSWORD, "wrong")
        with pytest.raises(av.HTTPUnauthorizedError), opened(wrong):
            pass


def test_a_stale_nonce_is_replaced_by_a_fresh_one() -> None:
    quirks = Quirks(nonce_lasts=1)
    with QuirkCam(
        media_of(SHORT), user="admin", password=PASSWORD, speed=FAST, quirks=quirks
    ) as camera:
        assert codes(camera.url, limit=2) == [0, 1]
        assert camera.refusals_total == 0


def test_the_glass_knows_when_a_number_was_before_it() -> None:
    with QuirkCam(media_of(SHORT), speed=FAST) as camera:
        codes(camera.url, limit=30)
        now = datetime.now(UTC)
        first, second = (camera.glass_at(number, before=now) for number in (3, 4))
    assert first is not None
    assert second is not None
    assert (second - first).total_seconds() == pytest.approx(0.1 / FAST, abs=1e-6)
    assert camera.glass_at(3, before=first) == first
    assert camera.glass_at(900, before=now) is None


def test_a_second_clip_follows_with_its_own_size_and_numbers() -> None:
    day = media_of(Clip(duration_s=1.0))
    night = media_of(Clip(duration_s=1.0, width=160, height=96, first_number=500))
    with (
        QuirkCam(day + night, speed=FAST, is_looped=False) as camera,
        opened(camera.url) as container,
    ):
        frames = list(container.decode(video=0))
    assert [frame.width for frame in frames] == [320] * 10 + [160] * 10
    assert code_of(frames[-1]) == 509


def test_fragments_lie_as_told_and_hold_the_whole_nal() -> None:
    media = media_of(Clip(duration_s=1.0, width=640, height=360))
    key = media.units[0]
    plain = [payload for payload, _ in payloads_of(media, key, Quirks())]
    fragments = [payload for payload in plain if payload[0] & 0x1F == 28]
    assert b"".join(payload[2:] for payload in fragments) in {nal[1:] for nal in key.nals}

    empty = payloads_of(media, key, Quirks(empty_fragments=True))
    assert sum(len(payload) == 2 for payload, _ in empty) == len(fragments) - 1
    lying = payloads_of(media, key, Quirks(fu_type_changes=True))
    assert {payload[1] & 0x1F for payload, _ in lying if payload[0] & 0x1F == 28} == {5, 1}


def test_bits_flip_as_often_as_told() -> None:
    content, chance = bytes(100_000), random.Random(1)  # noqa: S311  # no secret
    flipped = flip_bits(content, 1e-3, chance)
    assert sum(byte.bit_count() for byte in flipped) == pytest.approx(800, abs=5)
    assert flip_bits(content, 0.0, chance) == content


def test_the_clock_of_a_camera_that_runs_fast_gets_ahead() -> None:
    with (
        QuirkCam(media_of(SHORT), speed=FAST, quirks=Quirks(ppm=50_000)) as camera,
        opened(camera.url) as container,
    ):
        times = [frame.time or 0.0 for frame in islice(container.decode(video=0), 20)]
    assert times[19] == pytest.approx(1.9 * 1.05, abs=0.001)


def test_a_jump_of_its_timestamps_is_seen_once() -> None:
    quirks = Quirks(jump_at_s=1.0, jump_s=-5.0)
    with (
        QuirkCam(media_of(SHORT), speed=FAST, quirks=quirks) as camera,
        opened(camera.url) as container,
    ):
        times = [frame.time or 0.0 for frame in islice(container.decode(video=0), 18)]
    steps = [after - before for before, after in pairwise(times)]
    assert [round(step, 1) for step in steps if abs(step - 0.1) > 0.01] == [-4.9]


def test_an_idle_session_is_cut() -> None:
    quirks = Quirks(ends_idle=True, session_timeout_s=1, rtcp_keeps_alive=False)
    with (
        QuirkCam(media_of(SHORT), quirks=quirks) as camera,
        socket.create_connection(("127.0.0.1", camera.port), timeout=8.0) as client,
    ):
        for line in ("SETUP", "PLAY"):
            head = f"{line} {camera.bare_url} RTSP/1.0\r\nCSeq: 3\r\n"
            transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
            client.sendall(f"{head}{transport}\r\n".encode())
        while client.recv(4096):
            pass
        assert camera.idle_total == 1


def test_a_client_that_keeps_its_session_alive_is_not_cut() -> None:
    quirks = Quirks(ends_idle=True, session_timeout_s=1, keep_alive="options")
    with QuirkCam(media_of(SHORT), quirks=quirks) as camera:
        assert None not in codes(camera.url, limit=26)
        assert camera.idle_total == 0


def test_answers_drip_flood_or_fail_to_come() -> None:
    for quirks in (
        Quirks(is_silent=True),
        Quirks(drip_every_s=0.3),
        Quirks(floods_headers=True),
    ):
        with (
            QuirkCam(media_of(SHORT), quirks=quirks) as camera,
            pytest.raises(av.FFmpegError),
            av.open(camera.url, options={"rtsp_transport": "tcp"}, timeout=(0.6, 0.6)),
        ):
            pass
        assert camera.plays_total == 0


def test_no_more_sessions_than_allowed() -> None:
    with (
        QuirkCam(media_of(SHORT), speed=FAST, quirks=Quirks(max_sessions=1)) as camera,
        opened(camera.url),
        pytest.raises(av.FFmpegError),
        opened(camera.url),
    ):
        pass


def test_no_thread_is_left_behind() -> None:
    before = set(threading.enumerate())
    with QuirkCam(media_of(SHORT), speed=FAST) as camera:
        codes(camera.url, limit=2)
    assert [thread for thread in threading.enumerate() if thread not in before] == []


def test_a_mishap_shows_from_its_time_on() -> None:
    clip = Clip(duration_s=2.0, mishap="black", mishap_at_s=1.0)
    below = slice(timecode.strip_height(clip.height), None)
    assert picture(clip, 9)[below].mean() > 60
    assert picture(clip, 10)[below].mean() < 15
    frozen = Clip(duration_s=2.0, mishap="frozen", mishap_at_s=1.0)
    assert np.array_equal(picture(frozen, 12)[below], picture(frozen, 19)[below])
    assert timecode.read(picture(frozen, 19)) == 19
