"""UDP towards the camera, though libav talks RTSP with all media in one connection.

A camera is asked for UDP where libav asked for interleaved data; what then comes is put in order,
freed of doubles, and handed on interleaved.

Source: RFC 2326, 10.4 and 12.39 (SETUP, Transport); RFC 3550, 11 (RTP on an even port, RTCP on the
next).
"""

import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from ingest.sources.rtp_order import RtpOrder
from ingest.sources.rtsp_messages import Message

_BUFFER_BYTES: Final = 1 << 20
_DATAGRAM_BYTES: Final = 65_535
_DATAGRAMS_MAX: Final = 256
"""At once, so that one track does not keep the others waiting."""
_PAIRS_TRIED: Final = 50
_DOLLAR: Final = 0x24
_INTERLEAVED: Final = re.compile(r"interleaved=(\d+)-(\d+)")
_SERVER_PORTS: Final = re.compile(r"server_port=(\d+)(?:-(\d+))?")
_PUNCHES: Final = (
    b"\x80\x00\x00\x00" + bytes(8),  # RTP without content
    b"\x80\xc9\x00\x01" + bytes(4),  # an empty receiver report
)
_RTCP_TYPES: Final = range(200, 205)


@dataclass(slots=True, kw_only=True, eq=False)
class _Track:
    """One media section: a pair of ports, and the pair of channels that stands for it."""

    channels: tuple[int, int]
    rtp: socket.socket
    rtcp: socket.socket
    order: RtpOrder = field(default_factory=RtpOrder)
    camera_rtcp: tuple[str, int] | None = None


class UdpTracks:
    """The ports of one session.

    Args:
        local_host, camera_host: Ends of the RTSP connection. Datagrams of others are dropped.
        family: Of both.

    Attributes:
        is_playing: Whether libav takes media. What comes before waits in the sockets.
    """

    def __init__(self, local_host: str, camera_host: str, family: socket.AddressFamily) -> None:
        self._local_host = local_host
        self._camera_host = camera_host
        self._family = family
        self._tracks: dict[tuple[int, int], _Track] = {}
        self.is_playing = False

    @property
    def sockets(self) -> list[socket.socket]:
        """All that may become readable."""
        return [end for track in self._tracks.values() for end in (track.rtp, track.rtcp)]

    @property
    def due_s(self) -> float | None:
        """When to call ``receive`` at the latest: something need not be waited for any more."""
        dues = [track.order.due_s for track in self._tracks.values()]
        return min((due_s for due_s in dues if due_s is not None), default=None)

    @property
    def lost(self) -> int:
        """Packets of media that never came, of those that libav has been told of by their gaps."""
        return sum(track.order.lost for track in self._tracks.values())

    def ask(self, request: Message) -> tuple[int, int] | None:
        """Turn a SETUP for interleaved data into one for UDP; return its channels. Raises OSError.

        Asked again for the same channels, the same ports are named.
        """
        found = _INTERLEAVED.search(request.value("Transport"))
        if found is None:
            return None
        channels = (int(found[1]), int(found[2]))
        if channels not in self._tracks:
            rtp, rtcp = self._pair()
            self._tracks[channels] = _Track(channels=channels, rtp=rtp, rtcp=rtcp)
        port = self._tracks[channels].rtp.getsockname()[1]
        request.set("Transport", f"RTP/AVP/UDP;unicast;client_port={port}-{port + 1}")
        return channels

    def agree(self, answer: Message, channels: tuple[int, int]) -> None:
        """Turn the camera's answer into one for interleaved data, and open the way to its ports."""
        said = answer.value("Transport")
        track = self._tracks.get(channels)
        if track is None or not said or "interleaved=" in said:
            return  # it does as it likes, and libav asked for no other
        ports = _SERVER_PORTS.search(said)
        if ports is not None:
            rtp_port = int(ports[1])
            rtcp_port = int(ports[2] or rtp_port + 1)
            track.camera_rtcp = (self._camera_host, rtcp_port)
            # A firewall on the way lets in what answers us.
            for end, port, punch in zip(
                (track.rtp, track.rtcp), (rtp_port, rtcp_port), _PUNCHES, strict=True
            ):
                with suppress(OSError):
                    end.sendto(punch, (self._camera_host, port))
        answer.set("Transport", f"RTP/AVP/TCP;unicast;interleaved={channels[0]}-{channels[1]}")

    def send(self, packets: bytes) -> None:
        """Send what libav reports (RTCP) to the camera; what is no report goes nowhere."""
        at = 0
        while at + 4 <= len(packets):
            if packets[at] != _DOLLAR:
                at += 1
                continue
            channel, length = packets[at + 1], int.from_bytes(packets[at + 2 : at + 4], "big")
            content = packets[at + 4 : at + 4 + length]
            at += 4 + length
            for track in self._tracks.values():
                if channel == track.channels[1] and track.camera_rtcp is not None:
                    with suppress(OSError):
                        track.rtcp.sendto(content, track.camera_rtcp)

    def receive(self, ready: Sequence[socket.socket], *, now_s: float) -> bytes:
        """Return, interleaved, what libav is to get now of what has come; may be nothing."""
        found: list[bytes] = []
        for track in self._tracks.values():
            if track.rtcp in ready:
                found += [_framed(track.channels[1], came) for came in self._datagrams(track.rtcp)]
            if track.rtp in ready:
                for came in self._datagrams(track.rtp):
                    found += self._turn(track, came, now_s=now_s)
            due = track.order.release(now_s=now_s)
            found += [_framed(track.channels[0], packet) for packet in due]
        return b"".join(found)

    def close(self) -> None:
        """Give the ports back."""
        for end in self.sockets:
            end.close()

    def _turn(self, track: _Track, came: bytes, *, now_s: float) -> list[bytes]:
        if len(came) > 1 and came[1] in _RTCP_TYPES:  # both on one port (RFC 5761)
            return [_framed(track.channels[1], came)]
        ready = track.order.add(came, now_s=now_s)
        return [_framed(track.channels[0], packet) for packet in ready]

    def _datagrams(self, end: socket.socket) -> Iterator[bytes]:
        """Yield what is there, of the camera alone."""
        for _ in range(_DATAGRAMS_MAX):
            try:
                content, sender = end.recvfrom(_DATAGRAM_BYTES)
            except OSError:  # nothing more; or an earlier one was refused, which says nothing
                return
            if sender[0] == self._camera_host and content:
                yield content

    def _pair(self) -> tuple[socket.socket, socket.socket]:
        """Bind an even port and the next."""
        for _ in range(_PAIRS_TRIED):
            rtp = self._bound(0)
            port = rtp.getsockname()[1]
            if port % 2 == 0:
                with suppress(OSError):
                    return rtp, self._bound(port + 1)
            rtp.close()
        raise OSError("no pair of UDP ports is free")

    def _bound(self, port: int) -> socket.socket:
        end = socket.socket(self._family, socket.SOCK_DGRAM)
        try:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            end.settimeout(0.0)
            end.bind((self._local_host, port))
        except OSError:
            end.close()
            raise
        return end


def _framed(channel: int, content: bytes) -> bytes:
    return b"$" + bytes([channel]) + len(content).to_bytes(2, "big") + content
