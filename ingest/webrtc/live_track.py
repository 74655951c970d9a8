"""What one viewer is sent: encoded pictures with RTP times that only grow, from a key frame on."""

import asyncio
from collections.abc import Callable
from fractions import Fraction
from typing import Final

import av
from aiortc import MediaStreamTrack
from av.stream import Stream

from contracts.clock import Clock
from ingest.webrtc.live_feed import LivePacket
from ingest.webrtc.publication import TICKS_PER_S

_TIME_BASE: Final = Fraction(1, TICKS_PER_S)
_WAITING_MAX: Final = 400
"""Packets; a viewer whose network takes no more begins again with a key frame."""
_JUMP_MAX_S: Final = 10.0


class Stamper:
    """Turns stream time, which begins anew with each connection, into RTP time. Pure."""

    def __init__(self) -> None:
        self._run: int | None = None
        self._offset_s = 0.0
        self._last_ticks = -1
        self._last_now_s = 0.0

    def ticks(self, packet: LivePacket, *, now_s: float) -> int:
        """Return the packet's RTP time, 90 kHz; after a break it goes on as the clock went on."""
        ticks = round((packet.stream_s + self._offset_s) * TICKS_PER_S)
        if packet.run != self._run or ticks > self._last_ticks + _JUMP_MAX_S * TICKS_PER_S:
            elapsed_s = 0.0 if self._run is None else now_s - self._last_now_s
            ticks = self._last_ticks + max(1, round(elapsed_s * TICKS_PER_S))
            self._offset_s = ticks / TICKS_PER_S - packet.stream_s
        self._run = packet.run
        self._last_ticks = max(self._last_ticks + 1, ticks)
        self._last_now_s = now_s
        return self._last_ticks


class LiveTrack(MediaStreamTrack):
    """A video track whose pictures are encoded already. For one event loop.

    Args:
        want_key: Called where the viewer cannot go on without a key frame.
        clock: For breaks in stream time.
    """

    kind = "video"

    def __init__(self, want_key: Callable[[], None], *, clock: Clock) -> None:
        super().__init__()
        self._want_key = want_key
        self._clock = clock
        self._packets: asyncio.Queue[LivePacket] = asyncio.Queue()
        self._stamper = Stamper()
        self._is_waiting_for_key = True
        self._run: int | None = None

    def deliver(self, packet: LivePacket) -> None:
        """Take a packet in, on the event loop.

        With a new run nothing of the one before is sent any more: it may be of before a privacy
        mask, and nothing that is not a key frame can follow it.
        """
        is_new_run = self._run not in (None, packet.run)
        self._run = packet.run
        if is_new_run or self._packets.qsize() >= _WAITING_MAX:
            while not self._packets.empty():
                self._packets.get_nowait()
            self._is_waiting_for_key = True
            if not packet.is_key:
                self._want_key()
        if packet.is_key:
            self._is_waiting_for_key = False
        if not self._is_waiting_for_key:
            self._packets.put_nowait(packet)

    async def recv(self) -> "av.Packet[Stream]":
        """Return the next encoded picture; aiortc calls this."""
        live = await self._packets.get()
        packet: av.Packet[Stream] = av.Packet(live.content)
        packet.pts = self._stamper.ticks(live, now_s=self._clock.monotonic_s())
        packet.time_base = _TIME_BASE
        packet.is_keyframe = live.is_key
        return packet
