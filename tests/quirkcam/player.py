"""Sends the media of one session in time, or as badly timed as the switches say."""

import math
import random
import secrets
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

from tests.quirkcam.carriers import Carrier
from tests.quirkcam.description import CLOCK_HZ, audio_type, video_type
from tests.quirkcam.media import Media, Unit
from tests.quirkcam.payloads import flip_bits, payloads_of
from tests.quirkcam.quirks import Quirks
from tests.rtp_packets import RtpSender

_REPORT_EVERY_S: Final = 1.0
_AUDIO_EVERY_S: Final = 0.02
_AUDIO: Final = {
    "pcmu": b"\xff" * 160,
    "pcma": b"\xd5" * 160,
    "aac": b"\x00\x10\x00\x20\x01\x18\x20\x07",
}
_AUDIO_TICKS: Final = {"pcmu": 160, "pcma": 160, "aac": 1024}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A picture that left the camera: its number in the media, and when it was before the lens."""

    number: int
    at: datetime
    shown_s: float


@dataclass(slots=True, kw_only=True)
class Player:
    """Plays to one session until it ends; ``run`` is its thread.

    Attributes:
        told: Hears of each picture as it leaves.
        is_ended: Set from outside, or by the player at the end of the media.
    """

    media: Media
    quirks: Quirks
    speed: float
    is_looped: bool
    carrier: Carrier
    audio: Carrier | None
    is_ended: threading.Event
    told: Callable[[Sent], None]
    ssrc: int = field(default_factory=lambda: secrets.randbits(32))
    _sender: RtpSender = field(init=False)
    _ghost: RtpSender = field(init=False)
    _sound: RtpSender = field(init=False)
    _chance: random.Random = field(init=False)
    _packets: int = 0

    def __post_init__(self) -> None:
        self._sender = RtpSender(ssrc=self.ssrc, sequence=self.quirks.first_sequence)
        self._ghost = RtpSender(ssrc=self.ssrc ^ 0xFFFF, sequence=9_000)
        self._sound = RtpSender(ssrc=self.ssrc ^ 1)
        self._chance = random.Random(7)  # noqa: S311  # the same faults every time

    def send_early(self) -> None:
        """Send the first packets of the media before PLAY is answered."""
        unit = self.media.units[self.quirks.join_at]
        for packet in self._packets_of(unit, 0.0)[: self.quirks.early_rtp]:
            self.carrier.send(packet, is_rtcp=False)

    def run(self) -> None:
        """Send until the media, the connection or a switch's time ends."""
        with suppress(OSError):  # the client is gone
            self._play()
            if self.quirks.stall_after_s is not None:
                self.is_ended.wait()

    def _play(self) -> None:
        quirks = self.quirks
        limits_s = (quirks.drop_after_s, quirks.stall_after_s)
        until_s = min((limit_s for limit_s in limits_s if limit_s is not None), default=math.inf)
        began_s, began_at = time.monotonic(), datetime.now(UTC)
        reported_s, spoilt_s, sounds = -math.inf, 0.0, 0
        interval_s = self.media.duration_s / len(self.media.units)
        for unit, loop_s in self._units():
            decode_s, shown_s = loop_s + unit.decode_s, loop_s + unit.show_s
            due_s = began_s + self._held_until(decode_s) / self.speed
            if decode_s >= until_s or self.is_ended.wait(max(0.0, due_s - time.monotonic())):
                return
            lens_at = began_at + timedelta(seconds=shown_s / self.speed)
            if quirks.has_reports and decode_s - reported_s >= _REPORT_EVERY_S:
                reported_s = decode_s
                self._report(lens_at, shown_s)
            if quirks.garbage_every_s and decode_s - spoilt_s >= quirks.garbage_every_s:
                spoilt_s = decode_s
                self.carrier.spoil()
            for packet in self._packets_of(unit, shown_s):
                self._send(packet)
            sounds = self._send_sound(sounds, decode_s)
            number = round(unit.show_s / interval_s)
            self.told(Sent(number=number, at=lens_at, shown_s=shown_s))
        self.carrier.send(self._sender.goodbye(), is_rtcp=True)

    def _units(self) -> Iterator[tuple[Unit, float]]:
        """Yield units and the time of their loop's beginning, so that the first is at 0."""
        units, first = self.media.units, self.quirks.join_at
        offset_s = -units[first].decode_s
        for turn in count():
            for unit in units[first if turn == 0 else 0 :]:
                yield unit, offset_s + turn * self.media.duration_s
            if not self.is_looped:
                return

    def _held_until(self, decode_s: float) -> float:
        """Return when a picture leaves: in time, or at the end of the pause that it falls into."""
        quirks = self.quirks
        if not quirks.burst_s or decode_s < quirks.burst_after_s:
            return decode_s
        pauses = math.floor((decode_s - quirks.burst_after_s) / quirks.burst_s) + 1
        return quirks.burst_after_s + pauses * quirks.burst_s

    def _timestamp(self, shown_s: float) -> int:
        quirks = self.quirks
        stream_s = shown_s * (1.0 + quirks.ppm * 1e-6)
        if quirks.jump_at_s is not None and shown_s >= quirks.jump_at_s:
            stream_s += quirks.jump_s
        return quirks.first_timestamp + round(stream_s * CLOCK_HZ)

    def _packets_of(self, unit: Unit, shown_s: float) -> list[bytes]:
        timestamp = self._timestamp(shown_s)
        packets = []
        for payload, has_marker in payloads_of(self.media, unit, self.quirks):
            content = payload
            if self.quirks.bit_flips:
                content = flip_bits(payload, self.quirks.bit_flips, self._chance)
            packets.append(
                self._sender.packet(
                    content,
                    payload_type=video_type(self.media),
                    timestamp=timestamp,
                    has_marker=has_marker,
                )
            )
        return packets

    def _send(self, packet: bytes) -> None:
        quirks = self.quirks
        self._packets += 1
        if quirks.ghost_every and self._packets % quirks.ghost_every == 0:
            stale = self._ghost.packet(
                packet[12:], payload_type=video_type(self.media), timestamp=77, has_marker=False
            )
            self.carrier.send(stale, is_rtcp=False)
        self.carrier.send(packet, is_rtcp=False)
        if quirks.drip_stream_bps:
            self.is_ended.wait(len(packet) * 8 / quirks.drip_stream_bps)

    def _report(self, sent_at: datetime, shown_s: float) -> None:
        quirks = self.quirks
        if quirks.clock_step_at_s is not None and shown_s >= quirks.clock_step_at_s:
            sent_at += timedelta(seconds=quirks.clock_step_s)
        report = self._sender.report(sent_at=sent_at, timestamp=self._timestamp(shown_s))
        if quirks.reports_unknown_ssrc:
            report = report[:4] + struct.pack(">I", self.ssrc ^ 0x55) + report[8:]
        self.carrier.send(report, is_rtcp=True)

    def _send_sound(self, sent: int, decode_s: float) -> int:
        """Send what is due of the sound; return how many packets have left so far."""
        quirks = self.quirks
        if self.audio is None or quirks.audio == "none":
            return sent
        ticks = _AUDIO_TICKS[quirks.audio]
        while sent * _AUDIO_EVERY_S <= decode_s:
            stalls_s = quirks.audio_stalls_after_s
            if stalls_s is None or sent * _AUDIO_EVERY_S < stalls_s:
                packet = self._sound.packet(
                    _AUDIO[quirks.audio],
                    payload_type=audio_type(quirks),
                    timestamp=sent * ticks,
                    has_marker=sent == 0,
                )
                self.audio.send(packet, is_rtcp=False)
            sent += 1
        return sent
