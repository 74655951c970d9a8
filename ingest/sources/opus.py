"""Opus as WebRTC sends it: packets without a container, of which the codec is all that is known."""

import struct
from io import BytesIO
from typing import Final

import av
from av.audio.stream import AudioStream

OPUS_TICKS_PER_S: Final = 48_000
"""Of RTP and of the decoder's output, whatever was recorded (RFC 7587, 4.1)."""
_CHANNELS: Final = 2
"""A packet of one channel is decoded into two (RFC 7587, 7.1)."""
_PACKET_MAX_S: Final = 0.12
_ELEMENT_MAX: Final = 126
"""Bytes: a length of one byte holds no more, and all its bits set say that it is unknown."""
_HEAD: Final = b"OpusHead" + struct.pack("<BBHIhB", 1, _CHANNELS, 0, OPUS_TICKS_PER_S, 0, 0)
"""RFC 7845, 5.1. Nothing is to be skipped: sound is joined in its midst."""


def opus_stream() -> AudioStream:
    """Return a stream of Opus to make others by; nothing can be read from it."""
    sound = _element("e1", _element("b5", struct.pack(">d", OPUS_TICKS_PER_S)), _channels())
    codec = (_element("86", b"A_OPUS"), _element("63a2", _HEAD))
    track = _element("ae", *map(_one, ("d7", "73c5")), _element("83", b"\x02"), *codec, sound)
    tracks = _element("1654ae6b", track)
    nothing = _element("1f43b675", _element("e7", b"\x00"))
    segment = _element("18538067", tracks, nothing)
    header = _element("1a45dfa3", _element("4282", b"matroska"))
    return av.open(BytesIO(header + segment), "r", format="matroska").streams.audio[0]


def opus_duration_s(packet: bytes) -> float:
    """Return how long the sound of a packet is; 0 for one that is none.

    Source: RFC 6716, 3.1 (the first byte: frame size and how many frames), 3.2.5 (code 3).
    """
    if not packet:
        return 0.0
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:
        frame_s = (0.01, 0.02, 0.04, 0.06)[config & 3]
    elif config < 16:
        frame_s = (0.01, 0.02)[config & 1]
    else:
        frame_s = (0.0025, 0.005, 0.01, 0.02)[config & 3]
    frames = (1, 2, 2, packet[1] & 0x3F if len(packet) > 1 else 0)[code]
    duration_s = frames * frame_s
    return duration_s if duration_s <= _PACKET_MAX_S else 0.0


def _element(name: str, *content: bytes) -> bytes:
    """Return an element of EBML (RFC 8794) with its id in hexadecimal. Raises ValueError."""
    whole = b"".join(content)
    if len(whole) > _ELEMENT_MAX:
        raise ValueError(f"element {name} has {len(whole)} bytes; wanted: {_ELEMENT_MAX} at most")
    return bytes.fromhex(name) + bytes([0x80 | len(whole)]) + whole


def _one(name: str) -> bytes:
    return _element(name, b"\x01")


def _channels() -> bytes:
    return _element("9f", bytes([_CHANNELS]))
