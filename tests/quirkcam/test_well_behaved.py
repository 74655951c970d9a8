"""The camera without bad habits, as any client sees it."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from tests.fakes.clips import WalkerClip, walker_path
from tests.quirkcam import QuirkCam, Quirks

FAST = 20.0


@pytest.fixture
def walk() -> Path:
    return walker_path(WalkerClip(duration_s=2.0))


@contextmanager
def opened(url: str, transport: str = "tcp") -> Iterator[av.container.InputContainer]:
    with av.open(url, options={"rtsp_transport": transport}, timeout=(3.0, 3.0)) as container:
        yield container


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_client_sees_every_picture_of_the_file(walk: Path, transport: str) -> None:
    # UDP at many times real time would overrun the client's socket.
    speed = FAST if transport == "tcp" else 4.0
    with (
        QuirkCam(walk, speed=speed, is_looped=False) as server,
        opened(server.url, transport) as container,
    ):
        frames = list(container.decode(video=0))

    assert len(frames) == 20
    assert (frames[0].width, frames[0].height) == (320, 180)
    # libav gives the first picture of an RTSP stream no time.
    times = [frame.time or 0.0 for frame in frames]
    assert times == pytest.approx([index / 10 for index in range(20)], abs=0.001)


def test_a_loop_goes_on_in_time(walk: Path) -> None:
    with QuirkCam(walk, speed=FAST) as server, opened(server.url) as container:
        times = []
        for frame in container.decode(video=0):
            times.append(frame.time or 0.0)
            if len(times) == 45:
                break
    assert times == pytest.approx([index / 10 for index in range(45)], abs=0.001)


def test_pictures_come_at_the_speed_of_the_file(walk: Path) -> None:
    with QuirkCam(walk, speed=2.0, is_looped=False) as server:
        began_s = time.monotonic()
        with opened(server.url) as container:
            frames = list(container.decode(video=0))
        took_s = time.monotonic() - began_s
    assert len(frames) == 20
    # 1.9 s lie between the first and the last picture, here at twice the speed.
    assert 0.95 <= took_s <= 15.0


def test_an_unknown_path_is_not_found(walk: Path) -> None:
    with (
        QuirkCam(walk) as server,
        pytest.raises(av.HTTPNotFoundError),
        opened(server.url.replace("/live", "/other")),
    ):
        pass


def test_a_redirecting_camera_sends_clients_elsewhere(walk: Path) -> None:
    with (
        QuirkCam(walk, speed=FAST) as inner,
        QuirkCam(walk, quirks=Quirks(redirect_to=inner.bare_url)) as outer,
        opened(outer.url),
    ):
        pass
    assert (outer.plays_total, inner.plays_total) == (0, 1)


def test_a_dropped_connection_ends_the_stream_and_a_new_one_begins_again(walk: Path) -> None:
    with QuirkCam(walk, speed=FAST, quirks=Quirks(drop_after_s=1.0)) as server:
        seen = []
        for _ in range(2):
            with opened(server.url) as container:
                seen.append(len(list(container.decode(video=0))))
    assert seen == [10, 10]
    assert server.connections_total == 2


def test_a_stalled_camera_keeps_the_connection_and_says_nothing(walk: Path) -> None:
    frames: list[av.VideoFrame] = []
    with QuirkCam(walk, speed=FAST, quirks=Quirks(stall_after_s=6.0)) as server:
        url = server.url
        with av.open(url, options={"rtsp_transport": "tcp"}, timeout=(3.0, 0.5)) as container:
            with pytest.raises(av.ExitError):
                frames.extend(container.decode(video=0))
            connections = server.connections
    assert connections == 1
    assert len(frames) > 40
    assert server.connections == 0


def test_a_camera_that_refuses_takes_nobody_until_it_accepts_again(walk: Path) -> None:
    with QuirkCam(walk, speed=FAST) as server:
        server.refuse_connections()
        with pytest.raises(av.FFmpegError), opened(server.url):
            pass
        server.accept_connections()
        with opened(server.url) as container:
            assert next(container.decode(video=0)).width == 320


def test_two_clients_are_served_at_once(walk: Path) -> None:
    with (
        QuirkCam(walk, speed=FAST) as server,
        opened(server.url) as first,
        opened(server.url) as second,
    ):
        assert next(first.decode(video=0)).width == next(second.decode(video=0)).width
        assert server.connections == 2


def test_a_timestamp_wraps_at_32_bits(walk: Path) -> None:
    with (
        QuirkCam(
            walk, speed=FAST, is_looped=False, quirks=Quirks(first_timestamp=2**32 - 45_000)
        ) as server,
        opened(server.url) as container,
    ):
        times = [frame.time or 0.0 for frame in container.decode(video=0)]
    assert times == pytest.approx([index / 10 for index in range(20)], abs=0.001)


def test_requests_are_answered_in_words_of_the_standard(walk: Path) -> None:
    with QuirkCam(walk) as server:
        port = int(server.bare_url.rsplit(":", 1)[1].split("/")[0])
        with socket.create_connection(("127.0.0.1", port), timeout=3.0) as client:
            for line in ("PLAY", "SETUP", "PAUSE", "GET_PARAMETER", "TEARDOWN"):
                client.sendall(f"{line} {server.bare_url} RTSP/1.0\r\nCSeq: 3\r\n\r\n".encode())
            answer = b""
            while chunk := client.recv(4096):
                answer += chunk
    statuses = [line for line in answer.decode().splitlines() if line.startswith("RTSP/1.0")]
    assert statuses == [
        "RTSP/1.0 455 Method Not Valid in This State",
        "RTSP/1.0 461 Unsupported Transport",
        "RTSP/1.0 501 Not Implemented",
        "RTSP/1.0 200 OK",
        "RTSP/1.0 200 OK",
    ]
