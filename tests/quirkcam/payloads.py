"""RTP payloads of one picture, well formed or as cameras really send them.

Sources: RFC 6184 (H.264), RFC 7798 (H.265), RFC 2435 (JPEG).
"""

import random
import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from tests.quirkcam.media import Media, Unit
from tests.quirkcam.quirks import Quirks

MAX_BYTES: Final = 1400
_START_CODE: Final = b"\x00\x00\x00\x01"
_SEI: Final = {"h264": b"\x06\x05\x04quir\x80", "hevc": b"\x4e\x01\x05\x04quir\x80"}


def payloads_of(media: Media, unit: Unit, quirks: Quirks) -> list[tuple[bytes, bool]]:
    """Return the payloads of a picture, each with its marker bit."""
    if media.codec == "mjpeg":
        payloads = list(_jpeg_payloads(unit.nals[0]))
        return _marked(payloads)
    nals = [*_sets_for(unit, quirks), *unit.nals]
    if quirks.annex_b:
        nals = [_START_CODE + nal if len(nal) < MAX_BYTES - 4 else nal for nal in nals]
    payloads = [
        payload
        for nal in nals
        for payload in (
            _h265_payloads(nal) if media.codec == "hevc" else _h264_payloads(nal, quirks)
        )
    ]
    marked = _marked(payloads)
    return [(_SEI[media.codec], True), *marked] if quirks.marker_on_sei else marked


def _marked(payloads: Sequence[bytes]) -> list[tuple[bytes, bool]]:
    return [(payload, index == len(payloads) - 1) for index, payload in enumerate(payloads)]


def _sets_for(unit: Unit, quirks: Quirks) -> list[bytes]:
    if not (unit.is_key and quirks.has_sets_in_band):
        return []
    return [nal + bytes(quirks.sets_trailing) for nal in unit.sets]


def _h264_payloads(nal: bytes, quirks: Quirks) -> Iterator[bytes]:
    if len(nal) <= MAX_BYTES:
        yield nal
        return
    indicator, kind = nal[0] & 0xE0 | 28, nal[0] & 0x1F
    pieces = list(_pieces(nal[1:], MAX_BYTES - 2))
    for index, piece in enumerate(pieces):
        flags = (0x80 if index == 0 else 0) | (0x40 if index == len(pieces) - 1 else 0)
        # A middle fragment's type is told by its first one; some cameras write another into it.
        said = 1 if quirks.fu_type_changes and index and kind == 5 else kind
        yield bytes([indicator, flags | said]) + piece
        if quirks.empty_fragments and index < len(pieces) - 1:
            yield bytes([indicator, said])


def _h265_payloads(nal: bytes) -> Iterator[bytes]:
    if len(nal) <= MAX_BYTES:
        yield nal
        return
    head = bytes([nal[0] & 0x81 | 49 << 1, nal[1]])
    kind = nal[0] >> 1 & 0x3F
    pieces = list(_pieces(nal[2:], MAX_BYTES - 3))
    for index, piece in enumerate(pieces):
        flags = (0x80 if index == 0 else 0) | (0x40 if index == len(pieces) - 1 else 0)
        yield head + bytes([flags | kind]) + piece


def _pieces(content: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


def _jpeg_payloads(jpeg: bytes) -> Iterator[bytes]:
    """Cut a baseline JPEG into RFC 2435 payloads, its quantisers sent along (Q = 255)."""
    tables, width, height, kind, restart, scan = _read_jpeg(jpeg)
    quantisers = struct.pack(">BBH", 0, 0, len(tables)) + tables
    kind += 64 if restart else 0
    for at, piece in zip(range(0, len(scan), MAX_BYTES), _pieces(scan, MAX_BYTES), strict=True):
        head = struct.pack(">I", at) + bytes([kind, 255, width // 8, height // 8])
        if restart:
            head += struct.pack(">HH", restart, 0xFFFF)
        yield head + (quantisers if at == 0 else b"") + piece


def _read_jpeg(jpeg: bytes) -> tuple[bytes, int, int, int, int, bytes]:
    """Return quantisers, width, height, RFC 2435 type, restart interval and the scan."""
    at, tables, restart, width, height, kind = 2, b"", 0, 0, 0, 1
    while at < len(jpeg):
        marker, size = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        body = jpeg[at + 4 : at + 2 + size]
        if marker == 0xDB:
            tables += b"".join(body[n + 1 : n + 65] for n in range(0, len(body), 65))
        elif marker == 0xC0:
            height, width = struct.unpack(">HH", body[1:5])
            kind = 1 if body[7] == 0x22 else 0
        elif marker == 0xDD:
            restart = int.from_bytes(body[:2], "big")
        elif marker == 0xDA:
            return (
                tables,
                width,
                height,
                kind,
                restart,
                jpeg[at + 2 + size :].removesuffix(b"\xff\xd9"),
            )
        at += 2 + size
    raise ValueError("a JPEG without a scan")


def flip_bits(content: bytes, share: float, chance: random.Random) -> bytes:
    """Return the content with that share of its bits flipped, at least none."""
    bits = len(content) * 8
    flips = int(bits * share) + (chance.random() < bits * share % 1)
    flipped = bytearray(content)
    for at in (chance.randrange(bits) for _ in range(flips)):
        flipped[at >> 3] ^= 1 << (at & 7)
    return bytes(flipped)


def is_in_order(numbers: Sequence[int]) -> bool:
    """Say whether RTP sequence numbers follow each other, across their wrap."""
    return all((after - before) & 0xFFFF == 1 for before, after in pairwise(numbers))
