"""What the relay keeps from libav and from other hosts."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog

from contracts.settings import IngestSettings
from ingest.errors import CredentialsRefused, SourceRejected
from ingest.sources.rtsp import open_rtsp
from ingest.sources.rtsp_relay import RtspRelay
from ingest.sources.stream import StreamReader
from tests.fakes.clips import walker_path
from tests.ingest.recordings import rtsp_camera
from tests.quirkcam import QuirkCam, Quirks

PATIENT = IngestSettings(open_timeout_s=5.0, read_timeout_s=5.0)
SECRET = "hunter2"  # noqa: S105  # a test's


def pictures(url: str, *, wanted: int = 5) -> int:
    opened = open_rtsp(rtsp_camera(url), PATIENT)
    found = 0
    try:
        for unit in StreamReader(opened, camera_id="gate").units():
            found += len(unit.frames)
            if found >= wanted:
                return found
    finally:
        opened.close()
    return found


def test_a_redirect_is_refused_and_its_target_never_reached() -> None:
    with QuirkCam(walker_path()) as inside:
        quirks = Quirks(redirect_to=inside.url.replace("rtsp://", f"rtsp://root:{SECRET}@"))
        with (
            QuirkCam(walker_path(), quirks=quirks) as server,
            pytest.raises(SourceRejected) as caught,
        ):
            open_rtsp(rtsp_camera(server.url), PATIENT)

        assert inside.connections_total == 0
    assert "redirects to 127.0.0.1 (302), which is not followed" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_libav_is_given_no_credentials() -> None:
    with QuirkCam(walker_path(), user="admin", password=SECRET) as server:
        relay = RtspRelay(camera_url=server.url, timeout_s=2.0)
        relay.open()
        relay.close()

    assert relay.url.startswith("rtsp://127.0.0.1:")
    assert "admin" not in relay.url + repr(relay)
    assert SECRET not in relay.url + repr(relay)


def test_a_wrong_password_is_tried_once() -> None:
    with QuirkCam(walker_path(), user="admin", password=SECRET[::-1]) as server:
        url = server.bare_url.replace("rtsp://", f"rtsp://admin:{SECRET}@")
        with pytest.raises(CredentialsRefused):
            open_rtsp(rtsp_camera(url), PATIENT)

        assert server.connections_total == 1


@pytest.mark.parametrize("odd", ["p@ss:w/rd", "%41", "ü"])
def test_odd_passwords_written_as_a_url_wants_them(odd: str) -> None:
    with QuirkCam(walker_path(), speed=4, user="admin", password=odd) as server:
        url = server.bare_url.replace("rtsp://", f"rtsp://admin:{quote(odd, safe='')}@")

        assert pictures(url) >= 5


def test_somebody_else_on_this_machine_is_turned_away() -> None:
    with QuirkCam(walker_path()) as server:
        relay = RtspRelay(camera_url=server.url, timeout_s=2.0)
        relay.open()
        port = int(relay.url.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port), 2.0) as stranger:
            stranger.sendall(b"DESCRIBE rtsp://127.0.0.1/live RTSP/1.0\r\nCSeq: 1\r\n\r\n")
            assert stranger.recv(100) == b""
        relay.close()


def test_what_answers_is_told() -> None:
    heard: list[bool] = []
    with QuirkCam(walker_path(), speed=4) as server:
        open_rtsp(rtsp_camera(server.url), PATIENT, on_answer=lambda: heard.append(True)).close()

    assert heard == [True]


def test_no_thread_and_no_socket_is_left_behind() -> None:
    with QuirkCam(walker_path(), speed=4) as server:
        for _ in range(3):
            pictures(server.url, wanted=1)

    assert [thread.name for thread in threading.enumerate() if "relay" in thread.name] == []


def heard(end: socket.socket) -> str:
    """The next message without a body."""
    end.settimeout(5.0)
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        chunk = end.recv(4096)
        assert chunk, received
        received += chunk
    return received.decode()


@contextmanager
def dialogue() -> Iterator[tuple[RtspRelay, socket.socket, socket.socket]]:
    """A relay between two ends that say what the test wants: libav's and the camera's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        relay = RtspRelay(camera_url=f"rtsp://127.0.0.1:{port}/live", timeout_s=2.0)
        relay.open()
        camera, _ = listener.accept()
        local = int(relay.url.split(":")[2].split("/")[0])
        with camera, socket.create_connection(("127.0.0.1", local), 2.0) as libav:
            yield relay, libav, camera
        relay.close()


def asks(relay: RtspRelay, libav: socket.socket, method: str, number: int) -> None:
    libav.sendall(f"{method} {relay.url} RTSP/1.0\r\nCSeq: {number}\r\nSession: 7\r\n\r\n".encode())


@pytest.mark.parametrize("status", ["454 Session Not Found", "501 Not Implemented"])
def test_a_refused_sign_of_life_is_given_by_options_instead(status: str) -> None:
    with dialogue() as (relay, libav, camera):
        asks(relay, libav, "GET_PARAMETER", 5)
        assert heard(camera).startswith("GET_PARAMETER rtsp://")
        camera.sendall(f"RTSP/1.0 {status}\r\nCSeq: 5\r\n\r\n".encode())
        instead = heard(camera)
        camera.sendall(b"RTSP/1.0 200 OK\r\nCSeq: 5\r\n\r\n")
        told = heard(libav)
        asks(relay, libav, "GET_PARAMETER", 6)
        next_time = heard(camera)

    assert instead.startswith("OPTIONS rtsp://")
    assert "Session: 7" in instead
    assert told.startswith("RTSP/1.0 200 OK")
    assert next_time.startswith("OPTIONS rtsp://")
    assert "CSeq: 6" in next_time
    assert relay.refusal is None


def test_a_camera_that_knows_no_sign_of_life_is_asked_once_each_time_and_plays_on() -> None:
    with dialogue() as (relay, libav, camera):
        for number in (5, 6):
            asks(relay, libav, "GET_PARAMETER", number)
            if number == 5:
                assert heard(camera).startswith("GET_PARAMETER")
                camera.sendall(b"RTSP/1.0 454 Session Not Found\r\nCSeq: 5\r\n\r\n")
            assert heard(camera).startswith("OPTIONS")
            camera.sendall(f"RTSP/1.0 405 No\r\nCSeq: {number}\r\n\r\n".encode())
            assert heard(libav).startswith("RTSP/1.0 405 No")

    assert relay.refusal is None


@contextmanager
def over_tls(target: str, folder: Path) -> Iterator[str]:
    """A camera's server behind TLS with a certificate that it signed itself."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=camera"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    host, port = target.split("/")[2].split("@")[-1].split(":")

    def copy(source: socket.socket, sink: socket.socket) -> None:
        try:
            while chunk := source.recv(65536):
                sink.sendall(chunk)
        except OSError:
            pass
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                client = context.wrap_socket(plain, server_side=True)
            except OSError:
                plain.close()
                continue
            with client, socket.create_connection((host, int(port))) as camera:
                back = threading.Thread(target=copy, args=(camera, client), daemon=True)
                back.start()
                copy(client, camera)
                back.join(5)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield target.replace("rtsp://", "rtsps://").replace(
            f":{port}/", f":{listener.getsockname()[1]}/"
        )
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_rtsps_with_a_certificate_of_its_own_is_read_and_said_so(tmp_path: Path) -> None:
    with (
        QuirkCam(walker_path(), speed=4, user="admin", password=SECRET) as server,
        over_tls(server.url, tmp_path) as url,
        structlog.testing.capture_logs() as lines,
    ):
        server.bare_url = url.replace(f"admin:{SECRET}@", "")
        assert pictures(url) >= 5

    assert any("certificate is not trusted" in line["event"] for line in lines)
    assert SECRET not in str(lines)


def test_a_password_is_not_sent_openly_to_a_stranger(tmp_path: Path) -> None:
    with (
        QuirkCam(walker_path(), user="admin", password=SECRET, scheme="basic") as server,
        over_tls(server.url, tmp_path) as url,
        pytest.raises(SourceRejected, match="the password is not sent openly"),
    ):
        open_rtsp(rtsp_camera(url), PATIENT)
