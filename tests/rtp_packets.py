"""RTP and RTCP as a sender makes them, and the NAL units of a byte stream.

Sources: RFC 3550 (RTP, RTCP), ITU-T H.264 annex B.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

_NTP_EPOCH_S = 2_208_988_800
"""Seconds from 1900 (NTP) to 1970 (Unix)."""
_START_CODE = re.compile(rb"\x00\x00\x01")


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

    def packet(
        self, payload: bytes, *, payload_type: int, timestamp: int, has_marker: bool
    ) -> bytes:
        """Return the next packet; the last one of a picture carries the marker bit."""
        marker = 0x80 if has_marker else 0
        stamp = timestamp & 0xFFFFFFFF
        head = struct.pack(">BBHII", 0x80, marker | payload_type, self.sequence, stamp, self.ssrc)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.packets_total += 1
        self.octets_total += len(payload)
        return head + payload

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
