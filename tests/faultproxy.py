"""A network between two ends that is as bad as told: a TCP proxy and a UDP proxy on loopback.

    with TcpProxy(camera.port) as proxy:
        av.open(camera.stand_behind(proxy.port))
        proxy.faults = Faults(delay_s=0.2)  # from the next chunk on

What the kernel's emulator (netem) would do below the sockets, this does between them: it needs
no privilege and runs anywhere. "Down" is the way from the server to the client.
"""

import heapq
import queue
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Final, Self

HOST: Final = "127.0.0.1"
_CHUNK: Final = 4096
_DATAGRAM: Final = 65_536
_POLL_S: Final = 0.1
_JOIN_S: Final = 5.0
_STEP_S: Final = 0.02
"""How often a limited rate sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What befalls the bytes on their way down; on the way up only delay and hanging.

    Attributes:
        delay_s: Of every chunk or datagram.
        jitter_s: Up to so much more, by chance; TCP keeps the order, UDP does not.
        rate_bps: No more than so many bits a second; 0 is no limit.
        drip_s: TCP: one byte at a time, so slowly.
        is_hanging: Takes nothing, sends nothing and keeps all connections: a cable cut.
        loss, duplicated: Shares of datagrams.
        reordered: Share of datagrams that the next ones overtake.
        bit_flips: Share of bits.
        skip_bytes: TCP: the first bytes of a connection are spared (its handshake).
        close_after_bytes: TCP: half-closes towards the client after so many; None never.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    rate_bps: float = 0.0
    drip_s: float = 0.0
    is_hanging: bool = False
    loss: float = 0.0
    duplicated: float = 0.0
    reordered: float = 0.0
    bit_flips: float = 0.0
    skip_bytes: int = 0
    close_after_bytes: int | None = None


SOUND: Final = Faults()


def flip(content: bytes, share: float, chance: random.Random) -> bytes:
    """Return the content with that share of its bits flipped."""
    bits = len(content) * 8
    flipped = bytearray(content)
    for _ in range(int(bits * share) + (chance.random() < bits * share % 1)):
        at = chance.randrange(bits)
        flipped[at >> 3] ^= 1 << (at & 7)
    return bytes(flipped)


class _Proxy:
    """What both have in common: a beginning, an end, and faults that may change in between."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self.faults = faults
        self.chance = random.Random(seed)  # noqa: S311  # the same faults every time
        self.is_stopped = threading.Event()
        self.threads: list[threading.Thread] = []

    def start(self, target: "object", *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name="faultproxy", daemon=True)  # type: ignore[arg-type]  # a bound method
        self.threads.append(thread)
        thread.start()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.is_stopped.set()
        self.shut()
        for thread in self.threads:
            thread.join(_JOIN_S)

    def open(self) -> None:
        raise NotImplementedError

    def shut(self) -> None:
        raise NotImplementedError


class TcpProxy(_Proxy):
    """Passes connections on to ``target_port``.

    Attributes:
        port: Where it listens.
        faults: Exchange it at any time.
        connections_total: Accepted so far.
    """

    def __init__(self, target_port: int, *, faults: Faults = SOUND, seed: int = 1) -> None:
        super().__init__(faults, seed)
        self._target_port = target_port
        self._listener = socket.create_server((HOST, 0))
        self._listener.settimeout(_POLL_S)
        self.port: int = self._listener.getsockname()[1]
        self.connections_total = 0
        self._pairs: list[tuple[socket.socket, socket.socket]] = []

    def open(self) -> None:
        self.start(self._accept)

    def shut(self) -> None:
        self.reset()
        self._listener.close()

    def reset(self) -> None:
        """Cut all connections with RST, as a router that forgot them does."""
        for pair in self._pairs:
            for end in pair:
                with suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    end.close()
        self._pairs.clear()

    def half_close(self) -> None:
        """End the way down in order (FIN); the way up stays open."""
        for client, _ in self._pairs:
            with suppress(OSError):
                client.shutdown(socket.SHUT_WR)

    def _accept(self) -> None:
        while not self.is_stopped.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.connections_total += 1
            try:
                server = socket.create_connection((HOST, self._target_port), timeout=_JOIN_S)
            except OSError:
                client.close()
                continue
            for end in (client, server):
                end.settimeout(_POLL_S)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs.append((client, server))
            self.start(self._pass_on, client, server, False)
            self.start(self._pass_on, server, client, True)

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_down: bool) -> None:
        """Take bytes from one end to the other until either is closed."""
        line: queue.Queue[tuple[float, bytes]] = queue.Queue()
        self.start(self._arrive, line, sink, is_down)
        due_s = 0.0
        with suppress(OSError):
            for chunk in self._chunks(source):
                faults = self.faults
                wait_s = faults.delay_s + self.chance.uniform(0.0, faults.jitter_s)
                due_s = max(due_s, time.monotonic() + wait_s)  # in order, however they jitter
                line.put((due_s, chunk))
        line.put((due_s, b""))

    def _arrive(
        self, line: "queue.Queue[tuple[float, bytes]]", sink: socket.socket, is_down: bool
    ) -> None:
        """Let chunks arrive when they are due; an empty one ends the way."""
        passed = 0
        with suppress(OSError):
            while not self.is_stopped.is_set():
                try:
                    due_s, chunk = line.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
                if self.is_stopped.wait(max(0.0, due_s - time.monotonic())):
                    return
                faults = self.faults if is_down else SOUND
                spoilt = chunk
                if faults.bit_flips and passed >= faults.skip_bytes:
                    spoilt = flip(chunk, faults.bit_flips, self.chance)
                self._write(sink, spoilt, faults)
                passed += len(chunk)
                limit = faults.close_after_bytes
                if not chunk or (limit is not None and passed >= limit):
                    sink.shutdown(socket.SHUT_WR)
                    return

    def _chunks(self, source: socket.socket) -> Iterator[bytes]:
        while not self.is_stopped.is_set():
            if self.faults.is_hanging:
                self.is_stopped.wait(_POLL_S)
                continue
            with suppress(TimeoutError):
                chunk = source.recv(_CHUNK)
                if not chunk:
                    return
                yield chunk

    def _write(self, sink: socket.socket, content: bytes, faults: Faults) -> None:
        if faults.drip_s:
            pieces, pause_s = [content[at : at + 1] for at in range(len(content))], faults.drip_s
        elif faults.rate_bps:
            size = max(1, int(faults.rate_bps * _STEP_S / 8))
            pieces = [content[at : at + size] for at in range(0, len(content), size)]
            pause_s = 0.0
        else:
            pieces, pause_s = [content], 0.0
        for piece in pieces:
            self._send_whole(sink, piece)
            if faults.rate_bps:
                pause_s = len(piece) * 8 / faults.rate_bps
            if pause_s and self.is_stopped.wait(pause_s):
                return

    def _send_whole(self, sink: socket.socket, content: bytes) -> None:
        """Send all, however slowly the other end reads; give up only when the proxy is stopped."""
        rest = memoryview(content)
        while rest and not self.is_stopped.is_set():
            with suppress(TimeoutError):
                rest = rest[sink.send(rest) :]


class UdpProxy(_Proxy):
    """Passes datagrams on to ``target``, and those that come back to whoever sent last.

    Attributes:
        port: Where it listens.
        faults: Exchange it at any time.
        passed_total, lost_total: Datagrams of the way to the target.
    """

    def __init__(
        self, target: tuple[str, int] | None = None, *, faults: Faults = SOUND, seed: int = 1
    ) -> None:
        super().__init__(faults, seed)
        self.target = target
        self.passed_total = 0
        self.lost_total = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._socket.settimeout(_POLL_S)
        self.port: int = self._socket.getsockname()[1]
        self._sender: tuple[str, int] | None = None
        self._order = count()
        self._waiting: list[tuple[float, int, bytes]] = []
        self._is_due = threading.Condition()

    def open(self) -> None:
        self.start(self._receive)
        self.start(self._deliver)

    def shut(self) -> None:
        with self._is_due:
            self._is_due.notify_all()
        for thread in self.threads:
            thread.join(_JOIN_S)
        self._socket.close()

    def _receive(self) -> None:
        while not self.is_stopped.is_set():
            try:
                datagram, sender = self._socket.recvfrom(_DATAGRAM)
            except TimeoutError:
                continue
            except OSError:
                return
            if sender == self.target:
                if self._sender is not None:
                    self._socket.sendto(datagram, self._sender)
                continue
            self._sender = sender
            self._take(datagram)

    def _take(self, datagram: bytes) -> None:
        faults, chance = self.faults, self.chance
        if faults.is_hanging or chance.random() < faults.loss:
            self.lost_total += 1
            return
        due_s = time.monotonic() + faults.delay_s + chance.uniform(0.0, faults.jitter_s)
        if chance.random() < faults.reordered:
            due_s += _STEP_S
        spoilt = flip(datagram, faults.bit_flips, chance) if faults.bit_flips else datagram
        copies = 2 if chance.random() < faults.duplicated else 1
        with self._is_due:
            for _ in range(copies):
                heapq.heappush(self._waiting, (due_s, next(self._order), spoilt))
            self._is_due.notify()

    def _deliver(self) -> None:
        while not self.is_stopped.is_set():
            with self._is_due:
                due_s = self._waiting[0][0] if self._waiting else None
                now_s = time.monotonic()
                if due_s is None or due_s > now_s:
                    self._is_due.wait(_POLL_S if due_s is None else min(_POLL_S, due_s - now_s))
                    continue
                _, _, datagram = heapq.heappop(self._waiting)
            if self.target is not None:
                with suppress(OSError):
                    self._socket.sendto(datagram, self.target)
                    self.passed_total += 1
