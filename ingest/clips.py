"""Footage to an MP4 that browsers play.

By remuxing: no picture is decoded or encoded again. Only where privacy masks cover something of it
every picture is (ADR 0008), since packets as they came show what the masks hide.
"""

from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from typing import Final

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from contracts.errors import EvidenceMissing
from ingest.clip_ring import Footage
from ingest.masked_footage import encode_masked

_TICKS_PER_S: Final = 90_000
_TIME_BASE: Final = Fraction(1, _TICKS_PER_S)
_PART_US: Final = 1_000_000
_OPTIONS: Final = {
    # delay_moov: only so does libav write the edit list that makes time begin at 0.
    "movflags": "empty_moov+delay_moov+default_base_moof+frag_keyframe+skip_trailer",
    "frag_duration": str(_PART_US),
}
_TAGS: Final = {"hevc": "hvc1"}
"""Browsers refuse H.265 under libav's default, ``hev1``."""


def make_clip(footage: Footage) -> bytes:
    """Return the footage as an MP4 in parts of at most 1 s (fragmented, ISO 14496-12, 8.8).

    Playing can begin before all of it is loaded, and each part plays without those after it: of a
    file that was cut off, whatever was written is worth having.

    Raises:
        EvidenceMissing: libav cannot write it.
    """
    output = BytesIO()
    try:
        with av.open(output, "w", format="mp4", container_options=_OPTIONS) as container:
            if footage.masks:
                encode_masked(footage, container)
            else:
                _remux(footage, container)
    except (av.FFmpegError, ValueError) as error:
        raise EvidenceMissing(f"the clip cannot be written ({type(error).__name__})") from error
    return output.getvalue()


def _remux(footage: Footage, container: OutputContainer) -> None:
    template = footage.template.stream
    if template is None:
        raise EvidenceMissing(footage.template.problem)
    stream = container.add_stream_from_template(template, opaque=True)
    stream.time_base = _TIME_BASE
    if footage.template.codec in _TAGS:
        stream.codec_context.codec_tag = _TAGS[footage.template.codec]
    for packet in _timed(footage):
        packet.stream = stream
        container.mux(packet)


def _timed(footage: Footage) -> "list[Packet[Stream]]":
    """Return packets with timestamps from 0 on.

    Decoding times are made from the order of presentation rather than taken from the source, which
    over RTSP often has none: the n-th picture is decoded when the n-th in order of time is due,
    all of it shifted so that nothing is shown before it is decoded.
    """
    first_s = min(packet.stream_s for packet in footage.packets)
    shown = [round((packet.stream_s - first_s) * _TICKS_PER_S) for packet in footage.packets]
    due = _strictly_increasing(sorted(shown))
    shift = max(decode - show for decode, show in zip(due, shown, strict=True))
    steps = [after - before for before, after in pairwise(due)]
    steps.append(steps[-1] if steps else _TICKS_PER_S // 25)
    packets: list[Packet[Stream]] = []
    for index, source in enumerate(footage.packets):
        packet: Packet[Stream] = Packet(source.content)
        packet.time_base = _TIME_BASE
        packet.pts, packet.dts = shown[index], due[index] - shift
        packet.duration = steps[index]
        packet.is_keyframe = source.is_key
        packets.append(packet)
    return packets


def _strictly_increasing(ticks: list[int]) -> list[int]:
    """Return sorted ticks with doubles moved on by one each."""
    moved: list[int] = []
    for tick in ticks:
        moved.append(tick if not moved or tick > moved[-1] else moved[-1] + 1)
    return moved
