"""What takes RTP and RTCP to a client: the RTSP connection itself, or UDP."""

import random
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from tests.quirkcam.quirks import Quirks

HOST: Final = "127.0.0.1"
_GARBAGE: Final = bytes(range(1, 36)) * 3
"""No ``$`` (36) among it: what follows can be found again."""
_NOBODYS_CHANNEL: Final = 9


class Carrier(Protocol):
    """Takes packets to a client; one thread sends."""

    def send(self, packet: bytes, *, is_rtcp: bool) -> None: ...

    def spoil(self) -> None:
        """Send what no client can understand."""
        ...

    def close(self) -> None: ...


class Interleaved:
    """RTP within the RTSP connection (RFC 2326, 10.12)."""

    def __init__(
        self, write: Callable[[bytes], None], channels: tuple[int, int], quirks: Quirks
    ) -> None:
        self._write = write
        self._channels = channels
        self._every = quirks.unassigned_every
        self._sent = 0

    def send(self, packet: bytes, *, is_rtcp: bool) -> None:
        self._sent += 1
        if self._every and self._sent % self._every == 0:
            self._write(_framed(_NOBODYS_CHANNEL, packet))
        self._write(_framed(self._channels[1 if is_rtcp else 0], packet))

    def spoil(self) -> None:
        """Send the half of a packet and then something else."""
        packet = _framed(self._channels[0], bytes(1200))
        self._write(packet[:600] + _GARBAGE)

    def close(self) -> None:
        """Nothing is held apart from the connection."""


def _framed(channel: int, packet: bytes) -> bytes:
    return b"$" + bytes([channel]) + len(packet).to_bytes(2, "big") + packet


class Datagrams:
    """RTP and RTCP from a pair of UDP ports, over a network as bad as the switches say."""

    def __init__(
        self, targets: Sequence[tuple[str, int]], quirks: Quirks, chance: random.Random
    ) -> None:
        self._quirks = quirks
        self._chance = chance
        self._held: bytes | None = None
        self._sockets = tuple(socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self._targets = tuple(targets)
        for sender in self._sockets:
            sender.bind((HOST, 0))
        ports = tuple(sender.getsockname()[1] for sender in self._sockets)
        self.said_ports = tuple(port - 2 for port in ports) if quirks.wrong_port else ports

    def send(self, packet: bytes, *, is_rtcp: bool) -> None:
        if is_rtcp:
            self._send(packet, 1)
            return
        quirks, chance = self._quirks, self._chance
        if chance.random() < quirks.loss:
            return
        if self._held is None and chance.random() < quirks.reordered:
            self._held = packet
            return
        self._send(packet, 0)
        if chance.random() < quirks.duplicated:
            self._send(packet, 0)
        if self._held is not None:
            held, self._held = self._held, None
            self._send(held, 0)

    def spoil(self) -> None:
        self._send(_GARBAGE, 0)

    def close(self) -> None:
        for sender in self._sockets:
            sender.close()

    def _send(self, packet: bytes, index: int) -> None:
        if self._quirks.is_udp_blocked:
            return
        # The client may have closed its port already; UDP does not mind.
        with suppress(ConnectionRefusedError):
            self._sockets[index].sendto(packet, self._targets[index])
