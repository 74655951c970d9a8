"""One client of the camera: a thread that answers its requests, and one that plays to it."""

import random
import re
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from tests.quirkcam.carriers import HOST, Carrier, Datagrams, Interleaved
from tests.quirkcam.credentials import Gatekeeper
from tests.quirkcam.description import describe
from tests.quirkcam.player import Player
from tests.quirkcam.quirks import SsrcField

if TYPE_CHECKING:
    from tests.quirkcam.camera import QuirkCam

_JOIN_S: Final = 5.0
_SESSION_GRACE_S: Final = 1.0
_POLL_S: Final = 0.2


class _Answer(NamedTuple):
    status: str
    lines: tuple[str, ...] = ()
    body: str = ""


class Session:
    """Serves one TCP connection until either end closes it."""

    def __init__(self, client: socket.socket, camera: "QuirkCam") -> None:
        self._client = client
        self._camera = camera
        self._quirks = camera.quirks
        self._gate = Gatekeeper(
            user=camera.user,
            password=camera.password,
            scheme=camera.scheme,
            nonce_lasts=camera.quirks.nonce_lasts,
        )
        self._session = secrets.token_hex(4)
        self._ssrc = secrets.randbits(32)
        self._write_lock = threading.Lock()
        self._is_ended = threading.Event()
        self._alive_s = time.monotonic()
        self._carriers: dict[int, Carrier] = {}
        self._player: Player | None = None
        self._threads = [threading.Thread(target=self._answer, name="quirk-answer", daemon=True)]

    @property
    def is_playing(self) -> bool:
        return self._player is not None

    @property
    def refusals(self) -> int:
        return self._gate.refusals

    def start(self) -> None:
        self._threads[0].start()

    def close(self) -> None:
        """Cut the connection and wait until its threads are gone."""
        self._end()
        for thread in list(self._threads):
            if thread is not threading.current_thread():
                thread.join(_JOIN_S)

    def write(self, content: bytes) -> None:
        """Send whole, not mixed with what the other thread sends."""
        with self._write_lock:
            self._client.sendall(content)

    def _end(self) -> None:
        self._is_ended.set()
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    def _answer(self) -> None:
        try:
            with self._client.makefile("rb") as reader:
                while request := _read_request(reader):
                    is_rtcp = request[0] == ""
                    if self._keeps_alive(request[0]):
                        self._alive_s = time.monotonic()
                    is_heard = not (is_rtcp or self._quirks.is_silent)
                    if is_heard and not self._reply(*request):
                        break
        except OSError:
            pass  # the client is gone
        finally:
            self._end()
            for thread in self._threads[1:]:
                thread.join(_JOIN_S)
            for carrier in self._carriers.values():
                carrier.close()
            self._client.close()
            self._camera.forget(self)

    def _keeps_alive(self, method: str) -> bool:
        """Say whether a request (empty: interleaved RTCP) tells this camera that we are there."""
        if method == "":
            return self._quirks.rtcp_keeps_alive
        is_refused = self._quirks.keep_alive in ("options", "refused_454")
        return not (method == "GET_PARAMETER" and is_refused)

    def _reply(self, method: str, url: str, headers: Mapping[str, str]) -> bool:
        """Answer one request; False ends the connection."""
        self._camera.note_request(method)
        if method == "TEARDOWN" and not self._quirks.answers_teardown:
            return True
        answer = self._decide(method, url, headers)
        content = self._worded(answer, headers)
        if method == "PLAY" and answer.status.startswith("200"):
            self._play(content)
            return True
        if self._quirks.floods_headers:
            return self._flood()
        if self._quirks.drip_every_s is None:
            self.write(content)
            return method != "TEARDOWN"
        for index in range(len(content)):
            self.write(content[index : index + 1])
            if self._is_ended.wait(self._quirks.drip_every_s):
                return False
        return True

    def _flood(self) -> bool:
        self.write(b"RTSP/1.0 200 OK\r\n")
        while not self._is_ended.wait(0.01):
            self.write(b"X-Flood: " + b"a" * 500 + b"\r\n")
        return False

    def _worded(self, answer: _Answer, headers: Mapping[str, str]) -> bytes:
        lines = [f"RTSP/1.0 {answer.status}", f"CSeq: {headers.get('cseq', '0')}", *answer.lines]
        if answer.body:
            if self._quirks.has_content_type:
                lines.append("Content-Type: application/sdp")
            lines.append(f"Content-Length: {len(answer.body.encode())}")
        end = "  \r\n" if self._quirks.trailing_spaces else "\r\n"
        return (end.join(lines) + "\r\n\r\n" + answer.body).encode()

    def _decide(self, method: str, url: str, headers: Mapping[str, str]) -> _Answer:
        quirks = self._quirks
        if method == "OPTIONS":
            keep = "" if quirks.keep_alive == "options" else "GET_PARAMETER, "
            return _Answer("200 OK", (f"Public: OPTIONS, DESCRIBE, SETUP, PLAY, {keep}TEARDOWN",))
        if challenge := self._gate.check(method, headers):
            return _Answer("401 Unauthorized", tuple(challenge))
        if quirks.session_changes:
            self._session = secrets.token_hex(4)
        match method:
            case "DESCRIBE":
                return self._describe(url)
            case "SETUP":
                return self._set_up(url, headers.get("transport", ""))
            case "PLAY":
                if not self._carriers or self._player is not None:
                    return _Answer("455 Method Not Valid in This State")
                return _Answer("200 OK", (self._session_line, *self._play_lines()))
            case "GET_PARAMETER" if quirks.keep_alive != "any":
                is_known = quirks.keep_alive == "refused_454"
                return _Answer("454 Session Not Found" if is_known else "501 Not Implemented")
            case "GET_PARAMETER" | "TEARDOWN":
                return _Answer("200 OK", (self._session_line,))
            case _:
                return _Answer("501 Not Implemented")

    @property
    def _public_line(self) -> str:
        keep = "" if self._quirks.keep_alive == "options" else "GET_PARAMETER, "
        return f"Public: OPTIONS, DESCRIBE, SETUP, PLAY, {keep}TEARDOWN"

    @property
    def _session_line(self) -> str:
        return f"Session: {self._session};timeout={self._quirks.session_timeout_s}"

    def _describe(self, url: str) -> _Answer:
        quirks, camera = self._quirks, self._camera
        if quirks.redirect_to:
            return _Answer("302 Moved Temporarily", (f"Location: {quirks.redirect_to}",))
        if url.rstrip("/") != camera.bare_url:
            return _Answer("404 Not Found")
        base = camera.bare_url
        if quirks.content_base == "no_scheme":
            base = base.removeprefix("rtsp://")
        lines = () if quirks.content_base == "none" else (f"Content-Base: {base}/",)
        sdp = quirks.sdp or describe(camera.media, quirks, host=HOST)
        return _Answer("200 OK", lines, sdp)

    def _set_up(self, url: str, wanted: str) -> _Answer:
        quirks = self._quirks
        limit = quirks.max_sessions
        if limit and self._camera.sessions_playing >= limit:
            return _Answer("453 Not Enough Bandwidth")
        track = 2 if url.endswith("track2") else 1
        channels = re.search(r"RTP/AVP/TCP.*interleaved=(\d+)-(\d+)", wanted)
        ports = re.search(r"RTP/AVP(?:/UDP)?;unicast;client_port=(\d+)-(\d+)", wanted)
        if channels and not quirks.refuses_tcp:
            pair = (int(channels[1]), int(channels[2]))
            self._carriers[track] = Interleaved(self.write, pair, quirks)
            transport = f"RTP/AVP/TCP;unicast;interleaved={pair[0]}-{pair[1]}"
        elif ports and not quirks.refuses_udp:
            targets = [self._camera.route((HOST, int(port))) for port in ports.groups()]
            chance = random.Random(11)  # noqa: S311  # the same faults every time
            carrier = Datagrams(targets, quirks, chance)
            self._carriers[track] = carrier
            said = "-".join(str(port) for port in carrier.said_ports)
            transport = f"RTP/AVP/UDP;unicast;client_port={ports[1]}-{ports[2]};server_port={said}"
        else:
            return _Answer("461 Unsupported Transport")
        said = _with_ssrc(transport, quirks.ssrc, f"{self._ssrc:08X}")
        return _Answer("200 OK", (self._session_line, f"Transport: {said}"))

    def _play_lines(self) -> tuple[str, ...]:
        quirks, url = self._quirks, f"url={self._camera.bare_url}/track1"
        begin = f"seq={quirks.first_sequence};rtptime={quirks.first_timestamp}"
        said = {
            "true": f"{url};{begin}",
            "lies": f"{url};seq=1;rtptime=0",
            "unreadable": f"{url};seq=;rtptime=soon",
            "semicolon": f"{url};{begin};",
        }
        info = said.get(quirks.rtp_info)
        return ("Range: npt=0.000-", *((f"RTP-Info: {info}",) if info else ()))

    def _play(self, answer: bytes) -> None:
        """Answer PLAY and begin to play, in this order or not."""
        camera = self._camera
        self._player = Player(
            media=camera.media,
            quirks=self._quirks,
            speed=camera.speed,
            is_looped=camera.is_looped,
            carrier=self._carriers[min(self._carriers)],
            audio=self._carriers.get(2),
            is_ended=self._is_ended,
            told=camera.note_sent,
            ssrc=self._ssrc,
        )
        camera.note_play()
        if self._quirks.early_rtp:
            self._player.send_early()
        self.write(answer)
        for target in (self._run_player, self._watch):
            thread = threading.Thread(target=target, name=f"quirk{target.__name__}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run_player(self) -> None:
        if self._player is not None:
            self._player.run()
        self._end()

    def _watch(self) -> None:
        """Cut a session that is not kept alive, if this camera does so."""
        limit_s = self._quirks.session_timeout_s + _SESSION_GRACE_S
        while not self._is_ended.wait(_POLL_S):
            if self._quirks.ends_idle and time.monotonic() - self._alive_s > limit_s:
                self._camera.note_idle()
                self._end()


def _with_ssrc(transport: str, how: SsrcField, ssrc: str) -> str:
    match how:
        case "true":
            return f"{transport};ssrc={ssrc}"
        case "spaces":
            return f"{transport};ssrc=  {ssrc} "
        case "misplaced":
            first, _, rest = transport.partition(";")
            return f"{first};ssrc={ssrc};{rest}"
        case "wrong":
            return f"{transport};ssrc=DEADBEEF"
        case "none":
            return transport


def _read_request(reader: BinaryIO) -> tuple[str, str, dict[str, str]] | None:
    """Return method, URL and headers (names in lower case); None at the end of the connection.

    The method of an interleaved packet of the client is empty.
    """
    first = reader.read(1)
    if first == b"$":
        head = reader.read(3)
        reader.read(int.from_bytes(head[1:], "big"))
        return "", "", {}
    words = (first + reader.readline()).decode("latin-1").split()
    headers: dict[str, str] = {}
    while line := reader.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    reader.read(int(headers.get("content-length", "0")))
    return (words[0], words[1], headers) if len(words) >= 2 else None
