"""The RTSP source against a real server on loopback."""

import contextlib
import itertools
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Literal

import av
import pytest

from contracts.cameras import RtspTransport
from contracts.settings import IngestSettings
from ingest.errors import (
    CredentialsRefused,
    SourceError,
    SourceRejected,
    SourceUnavailable,
    TransportRefused,
)
from ingest.sources.rtsp import open_rtsp
from ingest.sources.stream import StreamReader
from tests.fakes.clips import WalkerClip, walker_path
from tests.ingest.recordings import rtsp_camera
from tests.quirkcam import QuirkCam, Quirks

PATIENT = IngestSettings(open_timeout_s=5.0, read_timeout_s=5.0)
HASTY = IngestSettings(open_timeout_s=0.5, read_timeout_s=0.5)
Scheme = Literal["basic", "digest"]
SCHEMES: tuple[Scheme, ...] = ("basic", "digest")
SECRET = "hunter2"  # noqa: S105  # a test's


def times(
    server: QuirkCam, *, frames: int, transport: RtspTransport = RtspTransport.TCP
) -> list[float | None]:
    opened = open_rtsp(rtsp_camera(server.url, transport=transport), PATIENT)
    try:
        reader = StreamReader(opened, camera_id="gate")
        found: list[float | None] = []
        for unit in reader.units():
            found += [frame.stream_s for frame in unit.frames]
            if len(found) >= frames:
                break
        return found
    finally:
        opened.close()


def failure(url: str, settings: IngestSettings = PATIENT) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_rtsp(rtsp_camera(url), settings)
    return caught.value


@pytest.mark.parametrize("transport", list(RtspTransport))
def test_streams(transport: RtspTransport) -> None:
    with QuirkCam(walker_path(), speed=4) as server:
        found = times(server, frames=10, transport=transport)

    later = [at for at in found if at is not None][1:9]
    assert [after - before for before, after in itertools.pairwise(later)] == (
        pytest.approx([1 / WalkerClip().fps] * 7, abs=1e-4)
    )


def test_timestamps_that_wrap_do_not_go_back() -> None:
    with QuirkCam(walker_path(), speed=4, quirks=Quirks(first_timestamp=2**32 - 45_000)) as server:
        found = [at for at in times(server, frames=15) if at is not None]

    assert found == sorted(found)
    assert found[-1] < 3


@pytest.mark.parametrize("auth", SCHEMES)
def test_right_credentials(auth: Scheme) -> None:
    with QuirkCam(walker_path(), speed=4, user="admin", password=SECRET, scheme=auth) as server:
        assert len(times(server, frames=3)) >= 3


@pytest.mark.parametrize("auth", SCHEMES)
def test_wrong_credentials_are_refused_and_never_repeated(
    auth: Scheme, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with QuirkCam(walker_path(), user="admin", password=SECRET[::-1], scheme=auth) as server:
        url = server.bare_url.replace("rtsp://", f"rtsp://admin:{SECRET}@")
        error = failure(url)

    assert isinstance(error, CredentialsRefused)
    assert "refused the credentials (401); check user and password" in str(error)
    trace = "".join(traceback.format_exception(error))
    printed = capfd.readouterr()
    for text in (str(error), trace, printed.out, printed.err, caplog.text):
        assert SECRET not in text
        assert "admin" not in text


def test_libav_prints_nothing_of_its_own() -> None:
    assert av.logging.get_level() is None


def test_a_camera_that_wants_a_password_says_where_it_goes() -> None:
    with QuirkCam(walker_path(), user="admin", password=SECRET) as server:
        error = failure(server.bare_url)

    assert isinstance(error, CredentialsRefused)
    assert "wants a user and a password (401); wanted: rtsp://user:password@" in str(error)


def test_a_host_without_address_asks_for_its_name() -> None:
    error = failure(f"rtsp://admin:{SECRET}@no-such-host.invalid/live")

    assert isinstance(error, SourceUnavailable)
    assert "is the host's name right?" in str(error)
    assert SECRET not in str(error)


def test_a_port_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    error = failure(f"rtsp://admin:{SECRET}@127.0.0.1:{port}/live")

    assert isinstance(error, SourceUnavailable)
    assert f"rtsp://***@127.0.0.1:{port}/live cannot be reached (Connection refused)" in str(error)


@pytest.mark.parametrize(
    "quirks",
    [
        pytest.param(Quirks(is_silent=True), id="silent"),
        pytest.param(Quirks(drip_every_s=0.5), id="a byte every half second"),
    ],
)
def test_the_open_deadline_holds(quirks: Quirks) -> None:
    with QuirkCam(walker_path(), quirks=quirks) as server:
        started_s = time.monotonic()
        error = failure(server.url, HASTY)
        took_s = time.monotonic() - started_s

    assert isinstance(error, SourceUnavailable)
    assert "did not answer in time" in str(error)
    assert took_s < 15.0


@pytest.mark.parametrize(
    ("quirks", "reason"),
    [
        pytest.param(Quirks(stall_after_s=0.5), "no data within the time-out", id="falls silent"),
        pytest.param(Quirks(drop_after_s=0.5), "the stream ", id="breaks off"),
    ],
)
def test_a_stream_that_stops_is_unavailable(quirks: Quirks, reason: str) -> None:
    with QuirkCam(walker_path(), quirks=quirks) as server:
        opened = open_rtsp(
            rtsp_camera(server.url), IngestSettings(open_timeout_s=1.0, read_timeout_s=0.5)
        )
        reader = StreamReader(opened, camera_id="gate")
        with pytest.raises(SourceUnavailable, match=reason):
            list(reader.units())
        opened.close()


@contextlib.contextmanager
def answering(status: str) -> Iterator[str]:
    """URL of a server that says nothing but ``status``, once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            client, _ = listener.accept()
            with client:
                request = client.recv(65536).decode()
                number = request.split("CSeq:")[1].split("\r\n")[0].strip()
                client.sendall(f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n\r\n".encode())
                client.recv(65536)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"rtsp://127.0.0.1:{listener.getsockname()[1]}/live"
        thread.join(5)


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        ("403 Forbidden", CredentialsRefused, "forbids this user the stream (403)"),
        ("404 Not Found", SourceRejected, "has no such stream (404); check the path"),
        ("461 Unsupported Transport", TransportRefused, "TCP (461); set its transport to udp"),
        ("503 Service Unavailable", SourceUnavailable, "cannot be reached"),
    ],
)
def test_what_a_camera_may_answer(status: str, kind: type[SourceError], words: str) -> None:
    with answering(status) as url:
        error = failure(url)

    assert type(error) is kind
    assert words in str(error)


def test_something_that_is_no_camera() -> None:
    with answering("200 OK") as url:
        error = failure(url)

    assert isinstance(error, SourceUnavailable)
    assert "does not answer as an RTSP camera" in str(error)


def test_a_camera_that_hangs_up_while_it_starts_is_tried_again_soon() -> None:
    with QuirkCam(walker_path()) as server:
        server.refuse_connections()
        assert isinstance(failure(server.url), SourceUnavailable)


@pytest.mark.parametrize(
    "url",
    [
        f"http://admin:{SECRET}@127.0.0.1/live",
        "rtsp://",
        f"rtsp://admin:{SECRET}@[broken",
        f"admin:{SECRET}@camera/live",
    ],
)
def test_what_is_no_rtsp_url_is_refused_without_a_connection(url: str) -> None:
    error = failure(url)

    assert isinstance(error, SourceRejected)
    assert "wanted rtsp://host/path" in str(error)
    assert SECRET not in str(error)
