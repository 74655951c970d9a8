"""A real RTSP 1.0 server on loopback that plays an H.264 file, with a camera's bad habits.

    with RtspServer(clip, user="admin", password="secret") as server:
        av.open(server.url, options={"rtsp_transport": "tcp"})

Every client gets the file from its beginning. Sources: RFC 2326, RFC 2617 (Basic, Digest).
"""

import math
import re
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

from tests.rtp_packets import CLOCK_HZ, ElementaryStream, RtpSender, describe, read_h264
from tests.rtsp_requests import Credentials, read_request

_HOST = "127.0.0.1"
_REPORT_EVERY_S = 1.0
_DRIP_EVERY_S = 0.5
_JOIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What a camera does wrong. All times count from its first PLAY answer of a connection.

    Attributes:
        is_silent: Accepts connections and never answers.
        is_dripping: Answers one byte every half second.
        redirect_to: Answers DESCRIBE with 302 to this URL.
        drop_after_s: Cuts the connection at this stream time.
        stall_after_s: Sends nothing more from this stream time on, and keeps the connection.
        refuse_after_s: Takes no new connection once the server has run this long.
        has_reports: Whether RTCP sender reports are sent; some cameras send none.
    """

    is_silent: bool = False
    is_dripping: bool = False
    redirect_to: str = ""
    drop_after_s: float | None = None
    stall_after_s: float | None = None
    refuse_after_s: float | None = None
    has_reports: bool = True


class RtspServer:
    """Serves one file at ``url`` until the ``with`` block ends.

    Attributes:
        url: With the credentials that it wants, if it wants any.
        bare_url: The same without them.
        connections_total: TCP connections accepted so far.
        plays_total: PLAY requests granted so far.
    """

    def __init__(
        self,
        path: Path,
        *,
        user: str = "",
        password: str = "",
        auth: Literal["basic", "digest"] = "digest",
        speed: float = 1.0,
        is_looped: bool = True,
        first_timestamp: int = 1_000_000,
        habits: Habits | None = None,
    ) -> None:
        """Read the file. ``speed`` is a factor on real time; timestamps stay those of the file.

        Args:
            path: MP4, MPEG-TS or raw H.264.
            user, password: Wanted from clients if ``user`` is not empty.
            auth: How they are wanted.
            speed: 1 sends in real time, 10 ten times as fast.
            is_looped: Begin again at the end (timestamps go on); else say BYE and close.
            first_timestamp: RTP timestamp of the first picture; near 2**32 it wraps soon.
            habits: What it does wrong.
        """
        self.stream: ElementaryStream = read_h264(path)
        self.speed = speed
        self.is_looped = is_looped
        self.first_timestamp = first_timestamp
        self.habits = habits or Habits()
        self.credentials = Credentials(user=user, password=password, scheme=auth)
        self.connections_total = 0
        self.plays_total = 0
        self._lock = threading.Lock()
        self._connections: set[_Connection] = set()
        self._listener = socket.create_server((_HOST, 0))
        self._started_s = time.monotonic()
        self._is_refusing = threading.Event()
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="rtsp-accept", daemon=True)
        port = self._listener.getsockname()[1]
        self.bare_url = f"rtsp://{_HOST}:{port}/live"
        userinfo = f"{user}:{password}@" if user else ""
        self.url = f"rtsp://{userinfo}{_HOST}:{port}/live"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_stopped.set()
        # A close alone does not wake a thread that waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(_JOIN_S)
        self._listener.close()
        self.drop_connections()

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        with self._lock:
            return len(self._connections)

    def drop_connections(self) -> None:
        """Cut every open connection, as a camera that restarts does."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.close()

    def refuse_connections(self) -> None:
        """From now on end every new connection at once, until ``accept_connections``."""
        self._is_refusing.set()

    def accept_connections(self) -> None:
        """Take new connections again."""
        self._is_refusing.clear()

    def count_play(self) -> None:
        with self._lock:
            self.plays_total += 1

    def forget(self, connection: "_Connection") -> None:
        with self._lock:
            self._connections.discard(connection)

    def _accept(self) -> None:
        while not self._is_stopped.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            refuse_after_s = self.habits.refuse_after_s
            age_s = time.monotonic() - self._started_s
            is_late = refuse_after_s is not None and age_s >= refuse_after_s
            if is_late or self._is_refusing.is_set():
                client.close()
                continue
            connection = _Connection(client, self)
            with self._lock:
                self.connections_total += 1
                self._connections.add(connection)
            connection.start()


class _Carrier(Protocol):
    """Takes RTP and RTCP packets to a client."""

    def send(self, packet: bytes, *, is_rtcp: bool) -> None: ...

    def close(self) -> None: ...


class _Interleaved:
    """RTP within the RTSP connection (RFC 2326, 10.12)."""

    def __init__(self, connection: "_Connection", channels: tuple[int, int]) -> None:
        self._connection = connection
        self._channels = channels

    def send(self, packet: bytes, *, is_rtcp: bool) -> None:
        channel = self._channels[1 if is_rtcp else 0]
        head = b"$" + bytes([channel]) + len(packet).to_bytes(2, "big")
        self._connection.write(head + packet)

    def close(self) -> None:
        """Nothing is held apart from the connection."""


class _Datagrams:
    """RTP and RTCP from a pair of UDP ports of their own."""

    def __init__(self, client_ports: tuple[int, int]) -> None:
        self._sockets = tuple(socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for sender, client_port in zip(self._sockets, client_ports, strict=True):
            sender.bind((_HOST, 0))
            sender.connect((_HOST, client_port))
        self.ports = tuple(sender.getsockname()[1] for sender in self._sockets)

    def send(self, packet: bytes, *, is_rtcp: bool) -> None:
        # The client may have closed its port already; UDP does not mind.
        with suppress(ConnectionRefusedError):
            self._sockets[1 if is_rtcp else 0].send(packet)

    def close(self) -> None:
        for sender in self._sockets:
            sender.close()


class _Connection:
    """One client: a thread that answers requests and, once played, a thread that sends."""

    def __init__(self, client: socket.socket, server: RtspServer) -> None:
        self._client = client
        self._server = server
        self._nonce = secrets.token_hex(8)
        self._session = secrets.token_hex(4)
        self._write_lock = threading.Lock()
        self._is_ended = threading.Event()
        self._carrier: _Carrier | None = None
        self._sender: threading.Thread | None = None
        self._thread = threading.Thread(target=self._answer, name="rtsp-answer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Cut the connection and wait until its threads are gone."""
        self._end()
        for thread in (self._thread, self._sender):
            if thread is not None and thread is not threading.current_thread():
                thread.join(_JOIN_S)

    def _end(self) -> None:
        self._is_ended.set()
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    def write(self, payload: bytes) -> None:
        """Send whole, not mixed with what the other thread sends."""
        with self._write_lock:
            self._client.sendall(payload)

    def _answer(self) -> None:
        try:
            with self._client.makefile("rb") as reader:
                while request := read_request(reader):
                    if not self._server.habits.is_silent and not self._reply(*request):
                        break
        except OSError:
            pass  # the client is gone
        finally:
            self._end()
            if self._sender is not None:
                self._sender.join(_JOIN_S)
            if self._carrier is not None:
                self._carrier.close()
            self._client.close()
            self._server.forget(self)

    def _reply(self, method: str, url: str, headers: Mapping[str, str]) -> bool:
        """Answer one request; False ends the connection."""
        status, extra, body = self._decide(method, url, headers)
        lines = [f"RTSP/1.0 {status}", f"CSeq: {headers.get('cseq', '0')}", *extra]
        if body:
            lines += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        answer = ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
        if self._server.habits.is_dripping:
            for index in range(len(answer)):
                self.write(answer[index : index + 1])
                if self._is_ended.wait(_DRIP_EVERY_S):
                    return False
        else:
            self.write(answer)
        if method == "PLAY" and status.startswith("200"):
            self._server.count_play()
            self._sender = threading.Thread(target=self._send, name="rtsp-send", daemon=True)
            self._sender.start()
        return method != "TEARDOWN"

    def _decide(
        self, method: str, url: str, headers: Mapping[str, str]
    ) -> tuple[str, list[str], str]:
        """Return status, further header lines and body of the answer."""
        server = self._server
        if method == "OPTIONS":
            methods = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
            return "200 OK", [f"Public: {methods}"], ""
        given = headers.get("authorization", "")
        if not server.credentials.are_met(given, method=method, nonce=self._nonce):
            challenge = server.credentials.challenge(self._nonce)
            return "401 Unauthorized", [f"WWW-Authenticate: {challenge}"], ""
        session = f"Session: {self._session};timeout=60"
        if method == "DESCRIBE":
            return self._describe(url)
        if method == "SETUP":
            transport = self._set_up(headers.get("transport", ""))
            if not transport:
                return "461 Unsupported Transport", [], ""
            return "200 OK", [session, f"Transport: {transport}"], ""
        if method == "PLAY" and (self._carrier is None or self._sender is not None):
            return "455 Method Not Valid in This State", [], ""
        if method == "PLAY":
            begin = f"seq=0;rtptime={server.first_timestamp}"
            info = f"RTP-Info: url={server.bare_url}/track1;{begin}"
            return "200 OK", [session, "Range: npt=0.000-", info], ""
        if method in ("GET_PARAMETER", "TEARDOWN"):
            return "200 OK", [session], ""
        return "501 Not Implemented", [], ""

    def _describe(self, url: str) -> tuple[str, list[str], str]:
        server = self._server
        if server.habits.redirect_to:
            return "302 Moved Temporarily", [f"Location: {server.habits.redirect_to}"], ""
        if url.rstrip("/") != server.bare_url:
            return "404 Not Found", [], ""
        base = [f"Content-Base: {server.bare_url}/"]
        return "200 OK", base, describe(server.stream, host=_HOST)

    def _set_up(self, wanted: str) -> str:
        """Open the carrier that a ``Transport`` header asks for; its answer, or empty."""
        if channels := re.search(r"RTP/AVP/TCP.*interleaved=(\d+)-(\d+)", wanted):
            self._carrier = _Interleaved(self, (int(channels[1]), int(channels[2])))
            return f"RTP/AVP/TCP;unicast;interleaved={channels[1]}-{channels[2]}"
        ports = re.search(r"RTP/AVP(?:/UDP)?;unicast;client_port=(\d+)-(\d+)", wanted)
        if ports is None:
            return ""
        carrier = _Datagrams((int(ports[1]), int(ports[2])))
        self._carrier = carrier
        return (
            f"RTP/AVP/UDP;unicast;client_port={ports[1]}-{ports[2]};"
            f"server_port={carrier.ports[0]}-{carrier.ports[1]}"
        )

    def _send(self) -> None:
        with suppress(OSError):  # the client is gone
            self._play()
            if self._server.habits.stall_after_s is not None:
                self._is_ended.wait()
        self._end()

    def _play(self) -> None:
        """Send until the file, the connection or a habit's time ends."""
        server, stream, carrier = self._server, self._server.stream, self._carrier
        if carrier is None:
            return
        limits_s = (server.habits.drop_after_s, server.habits.stall_after_s)
        until_s = min((limit_s for limit_s in limits_s if limit_s is not None), default=math.inf)
        rtp = RtpSender(ssrc=secrets.randbits(32))
        began_s, began_at = time.monotonic(), datetime.now(UTC)
        reported_s, loop_s = -_REPORT_EVERY_S, 0.0
        while True:
            for unit in stream.units:
                sent_s = loop_s + unit.decode_s
                wait_s = began_s + sent_s / server.speed - time.monotonic()
                if sent_s >= until_s or self._is_ended.wait(max(0.0, wait_s)):
                    return
                shown_s = loop_s + unit.show_s
                timestamp = server.first_timestamp + round(shown_s * CLOCK_HZ)
                if server.habits.has_reports and sent_s - reported_s >= _REPORT_EVERY_S:
                    reported_s = sent_s
                    sent_at = began_at + timedelta(seconds=sent_s / server.speed)
                    report = rtp.report(sent_at=sent_at, timestamp=timestamp)
                    carrier.send(report, is_rtcp=True)
                for packet in rtp.packets(unit.nals, timestamp=timestamp):
                    carrier.send(packet, is_rtcp=False)
            loop_s += stream.duration_s
            if not server.is_looped:
                carrier.send(rtp.goodbye(), is_rtcp=True)
                return
