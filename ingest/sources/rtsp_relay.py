"""Stands between libav and a camera, on loopback, so that libav reaches that camera and no other.

libav follows an RTSP redirect to any host, and repeats the URL with its password in its messages.
So it is given a loopback address instead. The relay connects to the one address that was looked
up, answers challenges itself, refuses redirects, and passes on everything else as it is.
"""

import secrets
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import structlog

from contracts.clock import SystemClock
from ingest.sources.challenges import Login, choose
from ingest.sources.rtp_strangers import Strangers
from ingest.sources.rtsp_messages import Message, MessageTooLong, Splitter
from ingest.sources.rtsp_udp import UdpTracks

log = structlog.get_logger()

_PORTS: Final = {"rtsp": 554, "rtsps": 322}
_CHUNK_BYTES: Final = 65_536
_POLL_S: Final = 0.5
_ACCEPT_S: Final = 10.0
_JOIN_S: Final = 2.0
_UNAUTHORIZED: Final = 401
_REDIRECTS: Final = range(300, 400)
_FAILURES: Final = 400
_KEEP_ALIVE: Final = "GET_PARAMETER"
_SURE_KEEP_ALIVE: Final = "OPTIONS"
"""Every camera knows it (RFC 2326, 10.1)."""
_NOT_VITAL: Final = (_KEEP_ALIVE, "SET_PARAMETER", "TEARDOWN")
"""A stream plays on if these are refused."""
_CLOCK: Final = SystemClock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What the camera answered instead of playing.

    Attributes:
        status: RTSP status; 0 for what was no RTSP.
        detail: Host of a redirect, or what was wrong; without secrets.
    """

    status: int
    detail: str = ""


@dataclass(slots=True, kw_only=True)
class _Pending:
    """A request whose answer is awaited.

    Attributes:
        channels: Those that a SETUP for UDP stands for.
        was_answered: Whether it carries what the camera's challenge wanted.
        is_vital: Whether nothing plays if this is refused.
    """

    request: Message
    was_answered: bool
    is_vital: bool
    channels: tuple[int, int] | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class RtspRelay:
    """One connection to one camera; ``url`` is what libav opens.

    Args:
        camera_url: With credentials, if it needs them.
        timeout_s: For connecting, and for sending while nobody reads.
        is_udp: Whether media comes by UDP; libav gets it within its connection all the same.
        on_answer: Called when the camera's first answer is there.

    Attributes:
        url: Loopback address, without credentials.
        refusal: Why the camera does not play, once that is known.
        is_verified: Whether its certificate is one that this machine trusts; True without TLS.
    """

    camera_url: str = field(repr=False)
    timeout_s: float
    is_udp: bool = False
    on_answer: Callable[[], None] | None = None
    url: str = ""
    refusal: Refusal | None = None
    is_verified: bool = True
    _login: Login | None = field(default=None, repr=False)
    _camera: socket.socket | None = None
    _listener: socket.socket | None = None
    _thread: threading.Thread | None = None
    _true_base: str = ""
    _local_base: str = ""
    _pending: dict[str, _Pending] = field(default_factory=dict)
    _is_libav: bool = False
    _has_parameters: bool = True
    _udp: UdpTracks | None = None
    _strangers: Strangers = field(default_factory=Strangers)
    _is_closed: threading.Event = field(default_factory=threading.Event)

    @property
    def lost(self) -> int:
        """Packets that UDP has lost so far."""
        return 0 if self._udp is None else self._udp.lost

    def open(self) -> None:
        """Connect to the camera and wait for libav. Raises OSError."""
        parts = urlsplit(self.camera_url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        if parts.username:
            user, password = unquote(parts.username), unquote(parts.password or "")
            self._login = Login(user=user, password=password)
        self._camera = self._connect(host, port, is_secret=parts.scheme == "rtsps")
        self._camera.settimeout(self.timeout_s)
        if self.is_udp:
            here, there = self._camera.getsockname()[0], self._camera.getpeername()[0]
            self._udp = UdpTracks(here, there, self._camera.family)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._listener.settimeout(_ACCEPT_S)
        shown_host = f"[{host}]" if ":" in host else host
        netloc = f"{shown_host}:{parts.port}" if parts.port else shown_host
        self._true_base = f"{parts.scheme}://{netloc}"
        # The path is part of what libav asks for; the key keeps other users of this machine out.
        key = secrets.token_hex(16)
        self._local_base = f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/{key}"
        path = urlunsplit(SplitResult("", "", parts.path, parts.query, ""))
        self.url = f"{self._local_base}{path}"
        self._thread = threading.Thread(target=self._run, name="rtsp-relay", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End both connections. Safe to call twice."""
        self._is_closed.set()
        for end in (self._camera, self._listener):
            if end is not None:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_S)
        for end in (self._camera, self._listener):
            if end is not None:
                end.close()
        if self._udp is not None:
            self._udp.close()

    def _connect(self, host: str, port: int, *, is_secret: bool) -> socket.socket:
        """Return a connection to the first address of the host that takes one."""
        deadline_s = _CLOCK.monotonic_s() + self.timeout_s
        failure: OSError = TimeoutError("no answer")
        for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            left_s = deadline_s - _CLOCK.monotonic_s()
            if left_s <= 0:
                break
            plain = socket.socket(family, socket.SOCK_STREAM)
            plain.settimeout(left_s)
            try:
                plain.connect(address)
                return self._secured(plain, host, address) if is_secret else plain
            except OSError as error:
                plain.close()
                failure = error
        raise failure

    def _secured(self, plain: socket.socket, host: str, address: object) -> socket.socket:
        """Return TLS over a connection; cameras mostly sign their certificates themselves."""
        context = ssl.create_default_context()
        try:
            return context.wrap_socket(plain, server_hostname=host)
        except ssl.SSLCertVerificationError:
            self.is_verified = False
        again = socket.create_connection(address[:2], self.timeout_s)  # type: ignore[index]
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(again, server_hostname=host)

    def _run(self) -> None:
        """Take libav's connection and pass on what comes, until one end is gone."""
        camera, listener = self._camera, self._listener
        if camera is None or listener is None:
            return
        try:
            client, _ = listener.accept()
        except OSError:
            return
        listener.close()
        client.settimeout(self.timeout_s)
        try:
            with client:
                self._pass_on(client, camera)
        except MessageTooLong as error:
            self._refuse(0, str(error))
        except OSError:
            pass  # either end is gone; libav notices
        finally:
            with suppress(OSError):
                camera.shutdown(socket.SHUT_RDWR)

    def _pass_on(self, client: socket.socket, camera: socket.socket) -> None:
        from_client, from_camera = Splitter(), Splitter()
        while not self._is_closed.is_set():
            waiting = isinstance(camera, ssl.SSLSocket) and camera.pending() > 0
            ends, patience_s = self._awaited(client, camera)
            ready, _, _ = select.select(ends, [], [], 0.0 if waiting else patience_s)
            if client in ready:
                chunk = client.recv(_CHUNK_BYTES)
                if not chunk or not self._to_camera(from_client.feed(chunk), camera):
                    return
            if camera in ready or waiting:
                got = self._receive(camera)
                if got is None:
                    continue
                if not got or not self._to_client(from_camera.feed(got), client, camera):
                    return
            if self._udp is not None:
                client.sendall(self._udp.receive(ready, now_s=_CLOCK.monotonic_s()))

    def _awaited(
        self, client: socket.socket, camera: socket.socket
    ) -> tuple[list[socket.socket], float]:
        """Return what may become readable, and for how long to wait for it."""
        if self._udp is None or not self._udp.is_playing:
            return [client, camera], _POLL_S
        due_s = self._udp.due_s
        left_s = _POLL_S if due_s is None else max(0.0, due_s - _CLOCK.monotonic_s())
        return [client, camera, *self._udp.sockets], min(_POLL_S, left_s)

    def _receive(self, camera: socket.socket) -> bytes | None:
        """Return what is there; None if it is no media, but TLS talking to itself."""
        camera.settimeout(0.0)
        try:
            return camera.recv(_CHUNK_BYTES)
        except (ssl.SSLWantReadError, BlockingIOError):
            return None
        finally:
            camera.settimeout(self.timeout_s)

    def _to_camera(self, parts: Iterable[Message | bytes], camera: socket.socket) -> bool:
        for part in parts:
            if not isinstance(part, Message) and self._udp is not None:
                self._udp.send(part)
                continue
            sent = self._request(part) if isinstance(part, Message) else part
            if sent is None:
                return False
            camera.sendall(sent)
        return True

    def _to_client(
        self, parts: Iterable[Message | bytes], client: socket.socket, camera: socket.socket
    ) -> bool:
        for part in parts:
            if not isinstance(part, Message):
                client.sendall(self._strangers.without(part))
                continue
            to_client, to_camera = self._answer(part)
            if to_camera:
                camera.sendall(to_camera)
            if to_client:
                client.sendall(to_client)
            if self.refusal is not None and self.refusal.status in (0, *_REDIRECTS):
                return False
        return True

    def _request(self, request: Message) -> bytes | None:
        """Return a request of libav as the camera shall see it; None if it is not libav's."""
        if request.status:
            return request.encode()
        method, _, rest = request.start.partition(" ")
        uri, _, protocol = rest.rpartition(" ")
        if uri.startswith(self._local_base):
            uri = self._true_base + uri.removeprefix(self._local_base)
            self._is_libav = True
        elif not self._is_libav:
            log.warning("somebody else than libav came to the relay, turned away")
            return None
        is_vital = method not in _NOT_VITAL
        if method == _KEEP_ALIVE and not self._has_parameters:
            method = _SURE_KEEP_ALIVE
        request.start = f"{method} {uri} {protocol}"
        channels = None
        if self._udp is not None and method == "SETUP":
            channels = self._udp.ask(request)
        known = self._authorize(request)
        self._pending[request.value("CSeq")] = _Pending(
            request=request, was_answered=known, is_vital=is_vital, channels=channels
        )
        return request.encode()

    def _answer(self, answer: Message) -> tuple[bytes, bytes]:
        """Return what libav, and what the camera, is to get after a message of the camera."""
        status = answer.status
        if not status:
            is_move = answer.start.startswith("REDIRECT ")
            if is_move:
                self._refuse(302, _host_of(answer.value("Location")))
            return (b"" if is_move else answer.encode()), b""
        if self.on_answer is not None:
            self.on_answer()
            self.on_answer = None
        pending = self._pending.get(answer.value("CSeq"))
        if status in _REDIRECTS:
            self._refuse(status, _host_of(answer.value("Location")))
            return b"", b""
        if status == _UNAUTHORIZED and pending is not None and self._may_try(answer, pending):
            self._authorize(pending.request)
            return b"", pending.request.encode()
        if status >= _FAILURES and pending is not None and self._falls_back(pending.request):
            return b"", pending.request.encode()
        if status >= _FAILURES and (pending is None or pending.is_vital):
            self._refuse(status, "")
        elif status < _FAILURES:
            self.refusal = None
        self._pending.pop(answer.value("CSeq"), None)
        self._agree(answer, pending)
        return answer.encode(), b""

    def _agree(self, answer: Message, pending: _Pending | None) -> None:
        """Say of an agreed way for media what libav shall know of it."""
        if self._udp is not None and pending is not None:
            if pending.channels is not None:
                self._udp.agree(answer, pending.channels)
            self._udp.is_playing |= pending.request.start.startswith("PLAY ")
        if transport := answer.value("Transport"):
            # Else the camera could name another host for libav to send packets to.
            kept = [
                part
                for part in transport.split(";")
                if not part.strip().lower().startswith(("source=", "destination="))
            ]
            answer.set("Transport", ";".join(kept))

    def _may_try(self, answer: Message, pending: _Pending) -> bool:
        """Whether a challenge can be answered: the first, or one whose predecessor was stale."""
        challenge = choose(answer.values("WWW-Authenticate"))
        if self._login is None or challenge is None:
            return False
        before = self._login.challenge
        is_stale = any("stale=true" in v.lower() for v in answer.values("WWW-Authenticate"))
        if before is not None and pending.was_answered and not is_stale:
            return False
        if challenge.scheme == "basic" and not self.is_verified:
            self._refuse(0, "its certificate is not trusted, so the password is not sent openly")
            return False
        if pending.was_answered and before is not None and before.nonce == challenge.nonce:
            return False
        pending.was_answered = True
        self._login.take(challenge)
        return True

    def _falls_back(self, request: Message) -> bool:
        """Whether a refused sign of life is to be given in another way, from now on.

        libav goes on with GET_PARAMETER for ever where a camera says that it knows it; some answer
        454 and cut the session when its time is over.
        """
        method, _, rest = request.start.partition(" ")
        if method != _KEEP_ALIVE:
            return False
        self._has_parameters = False
        request.start = f"{_SURE_KEEP_ALIVE} {rest}"
        self._authorize(request)
        return True

    def _authorize(self, request: Message) -> bool:
        """Add what the last challenge wants; say whether there was one."""
        if self._login is None or self._login.challenge is None:
            return False
        method, uri, _ = request.start.split(" ", 2)
        request.set("Authorization", self._login.header(method=method, uri=uri))
        return True

    def _refuse(self, status: int, detail: str) -> None:
        if self.refusal is None:
            self.refusal = Refusal(status=status, detail=detail)


def _host_of(location: str) -> str:
    with suppress(ValueError):
        return urlsplit(location).hostname or "nowhere"
    return "a place that cannot be read"
