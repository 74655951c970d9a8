"""What a camera plays: access units of an H.264, H.265 or Motion JPEG file.

Source: ITU-T H.264 7.4.1, H.265 7.4.2 (types of NAL units).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal, cast

import av
from av.bitstream import BitStreamFilterContext
from av.video.stream import VideoStream

from tests.rtp_packets import split_annex_b

Codec = Literal["h264", "hevc", "mjpeg"]
_FILTERS: Final = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
_KEYS: Final = {"h264": frozenset({5}), "hevc": frozenset(range(16, 22))}
_SETS: Final = {"h264": (7, 8), "hevc": (32, 33, 34)}
_DELIMITER: Final = {"h264": 9, "hevc": 35}


def nal_type(nal: bytes, codec: str) -> int:
    """Return the type in a NAL unit's header."""
    return nal[0] >> 1 & 0x3F if codec == "hevc" else nal[0] & 0x1F


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One picture as encoded: its NAL units, or one JPEG.

    Attributes:
        nals: Without parameter sets and delimiters.
        sets: The parameter sets that hold from here on.
        decode_s, show_s: From the beginning of the media.
        is_key: Decoding may begin here.
    """

    nals: tuple[bytes, ...]
    sets: tuple[bytes, ...]
    decode_s: float
    show_s: float
    is_key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A stream of units in decoding order; ``duration_s`` includes the last picture."""

    codec: Codec
    units: tuple[Unit, ...]
    duration_s: float

    @property
    def sets(self) -> tuple[bytes, ...]:
        """The parameter sets of its beginning."""
        return self.units[0].sets

    def __add__(self, other: "Media") -> "Media":
        """Play one after the other, as a camera that changes its profile."""
        later = [
            replace(
                unit,
                decode_s=unit.decode_s + self.duration_s,
                show_s=unit.show_s + self.duration_s,
            )
            for unit in other.units
        ]
        return Media(
            codec=self.codec,
            units=(*self.units, *later),
            duration_s=self.duration_s + other.duration_s,
        )


def read_media(path: Path) -> Media:
    """Read the whole video track of a file.

    Raises:
        ValueError: It is none of the three codecs, or has no picture.
    """
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec = cast("Codec", stream.codec_context.name)
        if codec not in ("h264", "hevc", "mjpeg"):
            raise ValueError(f"{path.name}: wants H.264, H.265 or Motion JPEG, found {codec}")
        interval_s = float(1 / (stream.average_rate or Fraction(25)))
        tick_s = float(stream.time_base or Fraction(1, 90_000))
        sets: tuple[bytes, ...] = ()
        extradata = stream.codec_context.extradata or b""
        if codec != "mjpeg" and extradata[:1] == b"\x00":
            sets = _sets(split_annex_b(extradata), codec)
        units: list[Unit] = []
        for packet in _packets(container, stream):
            unit, sets = _unit(packet, codec=codec, sets=sets, tick_s=tick_s)
            units.append(unit)
    if not units:
        raise ValueError(f"{path.name}: has no picture")
    origin_s = units[0].decode_s
    return Media(
        codec=codec,
        units=tuple(
            replace(unit, decode_s=unit.decode_s - origin_s, show_s=unit.show_s - origin_s)
            for unit in units
        ),
        duration_s=units[-1].decode_s - origin_s + interval_s,
    )


def _unit(
    packet: "av.Packet[VideoStream]", *, codec: str, sets: tuple[bytes, ...], tick_s: float
) -> tuple[Unit, tuple[bytes, ...]]:
    """Return the unit of a packet, and the parameter sets that hold after it."""
    decode_s, show_s = (packet.dts or 0) * tick_s, (packet.pts or 0) * tick_s
    if codec == "mjpeg":
        jpeg = (bytes(packet),)
        unit = Unit(nals=jpeg, sets=(), decode_s=decode_s, show_s=show_s, is_key=True)
        return unit, ()
    nals = list(split_annex_b(bytes(packet)))
    sets = _sets(nals, codec) or sets
    left_out = {*_SETS[codec], _DELIMITER[codec]}
    kept = tuple(nal for nal in nals if nal_type(nal, codec) not in left_out)
    is_key = any(nal_type(nal, codec) in _KEYS[codec] for nal in kept)
    return Unit(nals=kept, sets=sets, decode_s=decode_s, show_s=show_s, is_key=is_key), sets


def _sets(nals: "Iterator[bytes] | list[bytes]", codec: str) -> tuple[bytes, ...]:
    found = {nal_type(nal, codec): nal for nal in nals}
    return tuple(found[kind] for kind in _SETS[codec] if kind in found)


def _packets(
    container: av.container.InputContainer, stream: VideoStream
) -> Iterator["av.Packet[VideoStream]"]:
    name = _FILTERS.get(stream.codec_context.name)
    is_length_prefixed = (stream.codec_context.extradata or b"")[:1] == b"\x01"
    converter = BitStreamFilterContext(name, stream) if name and is_length_prefixed else None
    for packet in container.demux(stream):
        if packet.size:
            yield from [packet] if converter is None else converter.filter(packet)
