"""H.264 as RTP carries it: access units of a file, RTP packets, RTCP reports, the SDP.

Sources: RFC 6184 (H.264 payload, packetization mode 1), RFC 3550 (RTP, RTCP), RFC 8866 (SDP).
"""

import base64
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext
from av.video.stream import VideoStream

CLOCK_HZ = 90_000
PAYLOAD_TYPE = 96
MAX_PAYLOAD_BYTES = 1400
"""Of one RTP packet, so that it fits an Ethernet frame with its headers."""

_NTP_EPOCH_S = 2_208_988_800
"""Seconds from 1900 (NTP) to 1970 (Unix)."""
_START_CODE = re.compile(rb"\x00\x00\x01")
_KEY, _SPS, _PPS, _DELIMITER = 5, 7, 8, 9
_FU_A = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessUnit:
    """The NAL units of one picture, with its times from the beginning of the file."""

    nals: tuple[bytes, ...]
    decode_s: float
    show_s: float

    @property
    def is_key(self) -> bool:
        return any(nal[0] & 0x1F == _KEY for nal in self.nals)


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementaryStream:
    """The H.264 of a file, in decoding order; ``duration_s`` includes the last picture."""

    units: tuple[AccessUnit, ...]
    sps: bytes
    pps: bytes
    duration_s: float


def read_h264(path: Path) -> ElementaryStream:
    """Read the whole video track of an MP4, MPEG-TS, Matroska or raw Annex-B file.

    Raises:
        ValueError: It is not H.264, or has no picture or no parameter sets.
    """
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if stream.codec_context.name != "h264":
            raise ValueError(f"{path.name}: wants H.264, found {stream.codec_context.name}")
        # Raw H.264 has no times but the rate in its parameter sets; libav then makes up 25 fps.
        is_raw = container.format.name == "h264"
        rate = stream.codec_context.framerate if is_raw else stream.average_rate
        interval_s = float(1 / (rate or Fraction(25)))
        tick_s = float(stream.time_base or Fraction(1, CLOCK_HZ))
        extradata = stream.codec_context.extradata or b""
        units: list[AccessUnit] = []
        nals_seen = list(split_annex_b(extradata)) if extradata[:1] == b"\x00" else []
        for packet in _annex_b_packets(container, stream):
            nals = tuple(split_annex_b(bytes(packet)))
            nals_seen.extend(nals)
            kept = tuple(nal for nal in nals if nal[0] & 0x1F != _DELIMITER)
            decode_s = show_s = len(units) * interval_s
            if not is_raw and packet.dts is not None and packet.pts is not None:
                decode_s, show_s = packet.dts * tick_s, packet.pts * tick_s
            units.append(AccessUnit(nals=kept, decode_s=decode_s, show_s=show_s))
    sets = {nal[0] & 0x1F: nal for nal in reversed(nals_seen)}
    if not units or _SPS not in sets or _PPS not in sets:
        raise ValueError(f"{path.name}: has no picture or no parameter sets")
    origin_s = units[0].decode_s
    return ElementaryStream(
        units=tuple(
            AccessUnit(
                nals=unit.nals, decode_s=unit.decode_s - origin_s, show_s=unit.show_s - origin_s
            )
            for unit in units
        ),
        sps=sets[_SPS],
        pps=sets[_PPS],
        duration_s=units[-1].decode_s - origin_s + interval_s,
    )


def _annex_b_packets(
    container: av.container.InputContainer, stream: VideoStream
) -> Iterator["av.Packet[VideoStream]"]:
    is_length_prefixed = (stream.codec_context.extradata or b"")[:1] == b"\x01"
    converter = BitStreamFilterContext("h264_mp4toannexb", stream) if is_length_prefixed else None
    for packet in container.demux(stream):
        if packet.size == 0:
            continue
        yield from [packet] if converter is None else converter.filter(packet)


def split_annex_b(payload: bytes) -> Iterator[bytes]:
    """Yield the NAL units between start codes, without trailing zeros."""
    starts = [match.end() for match in _START_CODE.finditer(payload)]
    ends = [start - 3 for start in starts[1:]] + [len(payload)]
    for start, end in zip(starts, ends, strict=True):
        nal = payload[start:end].rstrip(b"\x00")
        if nal:
            yield nal


@dataclass(slots=True, kw_only=True)
class RtpSender:
    """Numbers the packets of one RTP stream and counts them for its reports."""

    ssrc: int
    sequence: int = 0
    packets_total: int = 0
    octets_total: int = 0

    def packets(self, nals: Sequence[bytes], *, timestamp: int) -> list[bytes]:
        """Return the RTP packets of one access unit; the last carries the marker bit."""
        payloads = [payload for nal in nals for payload in payloads_of(nal)]
        packets = []
        for index, payload in enumerate(payloads):
            marker = 0x80 if index == len(payloads) - 1 else 0
            head = struct.pack(
                ">BBHII",
                0x80,
                marker | PAYLOAD_TYPE,
                self.sequence,
                timestamp & 0xFFFFFFFF,
                self.ssrc,
            )
            self.sequence = (self.sequence + 1) & 0xFFFF
            self.packets_total += 1
            self.octets_total += len(payload)
            packets.append(head + payload)
        return packets

    def report(self, *, sent_at: datetime, timestamp: int) -> bytes:
        """Return an RTCP sender report: ``timestamp`` was (or will be) current at ``sent_at``."""
        unix_s = sent_at.timestamp()
        whole_s = int(unix_s)
        return struct.pack(
            ">BBHIIIIII",
            0x80,
            200,
            6,
            self.ssrc,
            (whole_s + _NTP_EPOCH_S) & 0xFFFFFFFF,
            int((unix_s - whole_s) * 2**32),
            timestamp & 0xFFFFFFFF,
            self.packets_total & 0xFFFFFFFF,
            self.octets_total & 0xFFFFFFFF,
        )

    def goodbye(self) -> bytes:
        """Return an RTCP BYE."""
        return struct.pack(">BBHI", 0x81, 203, 1, self.ssrc)


def payloads_of(nal: bytes) -> list[bytes]:
    """Return the NAL unit as one payload, or as FU-A fragments if it is too long for one."""
    if len(nal) <= MAX_PAYLOAD_BYTES:
        return [nal]
    indicator = (nal[0] & 0xE0) | _FU_A
    body = nal[1:]
    step = MAX_PAYLOAD_BYTES - 2
    pieces = [body[at : at + step] for at in range(0, len(body), step)]
    fragments = []
    for index, piece in enumerate(pieces):
        start = 0x80 if index == 0 else 0
        end = 0x40 if index == len(pieces) - 1 else 0
        fragments.append(bytes([indicator, start | end | (nal[0] & 0x1F)]) + piece)
    return fragments


def describe(stream: ElementaryStream, *, host: str) -> str:
    """Return the SDP of the stream; its one media track has the control ``track1``."""
    sets = ",".join(base64.b64encode(nal).decode() for nal in (stream.sps, stream.pps))
    lines = [
        "v=0",
        f"o=- 1 1 IN IP4 {host}",
        "s=test",
        f"c=IN IP4 {host}",
        "t=0 0",
        "a=control:*",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} H264/{CLOCK_HZ}",
        f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;"
        f"profile-level-id={stream.sps[1:4].hex()};sprop-parameter-sets={sets}",
        "a=control:track1",
    ]
    return "".join(f"{line}\r\n" for line in lines)
