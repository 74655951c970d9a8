"""HTTP cameras against a real server on loopback."""

import contextlib
import itertools
import socket
import threading
import time

import pytest

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.settings import IngestSettings
from ingest.errors import CredentialsRefused, SourceError, SourceRejected, SourceUnavailable
from ingest.sources.hls import Segment, parse_playlist
from ingest.sources.http import open_http
from ingest.sources.http_body import HttpRefused
from ingest.sources.stream import StreamReader
from tests.fakes.clips import WalkerClip, walker_path
from tests.http_camera import HttpServer, fragmented, hls_pages, jpeg_part

PATIENT = IngestSettings(open_timeout_s=5.0, read_timeout_s=5.0)
HASTY = IngestSettings(open_timeout_s=1.0, read_timeout_s=1.0)
SECRET = "hunter2"  # noqa: S105  # a test's


def camera(url: str) -> Camera:
    return Camera(camera_id="gate", source=SourceSettings(source_type=SourceType.HTTP, url=url))


def times(
    url: str, *, wanted: int = 10_000, settings: IngestSettings = PATIENT
) -> tuple[list[float], str, SourceError | None]:
    """Stream times of the pictures, the codec, and what ended the stream."""
    opened = open_http(camera(url), settings)
    found: list[float] = []
    reader = StreamReader(opened, camera_id="gate")
    try:
        for unit in reader.units():
            found += [frame.stream_s for frame in unit.frames if frame.stream_s is not None]
            if len(found) >= wanted:
                return found, reader.codec, None
    except SourceError as error:
        return found, reader.codec, error
    finally:
        opened.close()
    raise AssertionError("units() ends only by an error")


def failure(url: str, settings: IngestSettings = PATIENT) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_http(camera(url), settings)
    return caught.value


def test_mjpeg_is_placed_by_its_arrival() -> None:
    with HttpServer(fps=20) as server:
        found, codec, _ = times(server.url("/mjpeg"), wanted=20)

    assert codec == "mjpeg"
    assert found == sorted(set(found))
    assert found[-1] - found[5] > 0.5


def test_a_camera_that_drips_its_answer_is_given_up() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        client, _ = listener.accept()
        with client, contextlib.suppress(OSError):
            for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Slow: yes\r\n" * 1000:
                client.send(bytes([byte]))
                time.sleep(0.05)

    thread = threading.Thread(target=drip)
    thread.start()
    error = failure(f"http://127.0.0.1:{listener.getsockname()[1]}/x", HASTY)
    thread.join()
    listener.close()

    assert isinstance(error, SourceUnavailable)
    assert "did not answer in time" in error.reason


def test_digest_credentials() -> None:
    with HttpServer(user="admin", password=SECRET) as server:
        found, _, _ = times(server.url("/mjpeg"), wanted=3)

    assert len(found) >= 3


def test_wrong_credentials_are_told_and_tried_once() -> None:
    with HttpServer(user="admin", password=SECRET[::-1]) as server:
        url = server.url("/mjpeg").replace(SECRET[::-1], SECRET)
        error = failure(url)

    assert isinstance(error, CredentialsRefused)
    assert server.requests == ["/mjpeg", "/mjpeg"], "one to be asked, one to answer"
    assert SECRET not in str(error)


def test_a_stream_of_fragmented_mp4() -> None:
    pages = {"/live.mp4": ("video/mp4", fragmented(walker_path()))}
    with HttpServer(pages=pages) as server:
        found, codec, end = times(server.url("/live.mp4"))

    assert codec == "h264"
    assert len(found) == WalkerClip().frames
    assert isinstance(end, SourceUnavailable)


@pytest.mark.parametrize("name", ["live", "main"])
def test_a_playlist_is_read_segment_after_segment(name: str) -> None:
    with HttpServer(pages=hls_pages(walker_path(), is_ended=True)) as server:
        found, _, _ = times(server.url(f"/hls/{name}.m3u8"))

    steps = [after - before for before, after in itertools.pairwise(found)]
    assert len(found) == pytest.approx(3 * WalkerClip().frames, abs=3)
    assert steps == pytest.approx([1 / WalkerClip().fps] * len(steps), abs=0.01)


def test_a_live_playlist_begins_near_its_end() -> None:
    with HttpServer(pages=hls_pages(walker_path(), segments=5)) as server:
        times(server.url("/hls/live.m3u8"), wanted=5)

    assert [path for path in server.requests if path.endswith(".ts")] == ["/hls/3.ts"]


def test_a_live_playlist_that_is_not_continued_ends_the_stream() -> None:
    with HttpServer(pages=hls_pages(walker_path(), segments=2)) as server:
        found, _, end = times(server.url("/hls/live.m3u8"))

    assert len(found) >= 2 * WalkerClip().frames - 3
    assert isinstance(end, SourceUnavailable)


def test_a_redirect_is_refused_and_its_target_never_reached() -> None:
    with HttpServer() as inside:
        target = inside.url("/mjpeg").replace("http://", f"http://root:{SECRET}@")
        with HttpServer(redirects={"/mjpeg": target}) as server:
            error = failure(server.url("/mjpeg"))

    assert inside.requests == []
    assert "redirects to 127.0.0.1 (302), which is not followed" in str(error)
    assert SECRET not in str(error)


def test_a_playlist_may_not_name_another_host() -> None:
    with HttpServer() as inside:
        text = f"#EXTM3U\n#EXTINF:1,\n{inside.url('/secret.ts')}\n"
        pages = {"/live.m3u8": ("application/vnd.apple.mpegurl", text.encode())}
        with HttpServer(pages=pages) as server, pytest.raises(SourceError):
            times(server.url("/live.m3u8"), wanted=1)

    assert inside.requests == []


@pytest.mark.parametrize("line", ["file:///etc/passwd", "concat:a|b", "data:video/mp2t;base64,AA"])
def test_a_playlist_may_not_name_what_is_no_http(line: str) -> None:
    pages = {
        "/live.m3u8": ("application/vnd.apple.mpegurl", f"#EXTM3U\n#EXTINF:1,\n{line}".encode())
    }
    with HttpServer(pages=pages) as server:
        error = failure(server.url("/live.m3u8"))

    assert isinstance(error, SourceRejected)


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("text/html", b"<html>", "it sends text/html; wanted: MJPEG"),
        ("image/jpeg", jpeg_part(1), "it sends image/jpeg; wanted: MJPEG"),
        ("video/mp4", b"no video at all" * 100, "does not answer as an HTTP camera"),
        ("application/vnd.apple.mpegurl", b"<html>", "a playlist that is none"),
    ],
)
def test_what_is_no_stream(kind: str, content: bytes, words: str) -> None:
    with HttpServer(pages={"/x": (kind, content)}) as server:
        error = failure(server.url("/x"))

    assert isinstance(error, SourceRejected)
    assert words in str(error)


def test_a_path_that_is_not_there() -> None:
    with HttpServer() as server:
        assert "has no such stream (404)" in str(failure(server.url("/nothing")))


def test_a_stream_that_falls_silent_is_unavailable() -> None:
    with HttpServer(stall_after=15) as server:
        _, _, end = times(server.url("/mjpeg"), settings=HASTY)

    assert isinstance(end, SourceUnavailable)
    assert "no data within the time-out" in str(end)


def test_a_stream_that_drips_does_not_hold_the_reader() -> None:
    with HttpServer(is_dripping=True) as server:
        started_s = time.monotonic()
        error = failure(server.url("/mjpeg"), HASTY)
        took_s = time.monotonic() - started_s

    assert isinstance(error, SourceUnavailable)
    assert took_s < 10.0


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    error = failure(f"http://admin:{SECRET}@127.0.0.1:{port}/x")

    assert isinstance(error, SourceUnavailable)
    assert "cannot be reached (Connection refused)" in str(error)
    assert SECRET not in str(error)


def test_a_media_playlist() -> None:
    found = parse_playlist(
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:41\n"
        '#EXT-X-MAP:URI="init.mp4"\n#EXTINF:2,\na.m4s\n#EXT-X-DISCONTINUITY\n#EXTINF:2,\nb.m4s\n'
    )

    assert found.segments == (
        Segment(number=41, uri="a.m4s"),
        Segment(number=42, uri="b.m4s", is_discontinuous=True),
    )
    assert (found.init_uri, found.target_s, found.is_ended) == ("init.mp4", 2.0, False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#EXTINF:1,\na.ts",
        '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:1,\na.ts',
        "#EXTM3U\n#EXTINF:1,\n#EXT-X-BYTERANGE:100@0\na.ts",
    ],
)
def test_playlists_that_are_not_read(text: str) -> None:
    with pytest.raises(HttpRefused):
        parse_playlist(text)
