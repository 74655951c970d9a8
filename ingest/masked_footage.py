"""Footage decoded, covered by its privacy masks and encoded again, picture by picture."""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Final, cast

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from contracts.errors import EvidenceMissing
from ingest.clip_ring import Footage
from ingest.masks import PrivacyMask
from ingest.sources.stream import ALLOWED_CODECS, PIXELS_MAX

_TIME_BASE: Final = Fraction(1, 90_000)
_KEY_EVERY: Final = 50
_OPTIONS: Final = {"preset": "superfast", "crf": "23", "bf": "0"}
"""Without B-frames pictures are decoded in the order in which they are shown."""


def encode_masked(footage: Footage, container: OutputContainer) -> None:
    """Write the footage into an open MP4 as H.264, every picture covered; times begin at 0.

    Raises:
        EvidenceMissing: Not one picture of it decodes. Nothing goes out uncovered in its place.
        av.FFmpegError: libav cannot write it.
    """
    mask = PrivacyMask(footage.masks)
    reformatter = VideoReformatter()
    interval = _interval(footage)
    stream: VideoStream | None = None
    first_s, last_ticks = 0.0, -1
    for picture, stream_s in _decoded(footage):
        if stream is None:
            stream = _add_stream(container, picture)
            first_s = stream_s
        covered = reformatter.reformat(
            mask.cover(picture),
            width=stream.width,
            height=stream.height,
            format="yuv420p",
            threads=1,
        )
        last_ticks = max(last_ticks + 1, round((stream_s - first_s) / _TIME_BASE))
        covered.pts, covered.time_base = last_ticks, _TIME_BASE
        covered.pict_type = PictureType.NONE
        _write(stream.encode(covered), container, interval)
    if stream is None:
        raise EvidenceMissing("no picture of it can be decoded, to be covered by privacy masks")
    _write(stream.encode(None), container, interval)


def _write(packets: "list[Packet[VideoStream]]", container: OutputContainer, interval: int) -> None:
    for packet in packets:
        packet.duration = interval  # of the last picture nothing else says how long it is shown
        container.mux(packet)


def _interval(footage: Footage) -> int:
    """Return ticks between two pictures, on average."""
    times = [packet.stream_s for packet in footage.packets]
    return round((max(times) - min(times)) / max(1, len(times) - 1) / _TIME_BASE) or 3600


def _add_stream(container: OutputContainer, picture: VideoFrame) -> VideoStream:
    stream: VideoStream = container.add_stream("libx264", options=_OPTIONS)
    stream.width = max(2, picture.width - picture.width % 2)
    stream.height = max(2, picture.height - picture.height % 2)
    stream.pix_fmt = "yuv420p"
    stream.time_base = stream.codec_context.time_base = _TIME_BASE
    stream.codec_context.gop_size = _KEY_EVERY
    stream.codec_context.thread_count = 1
    return stream


def _decoded(footage: Footage) -> Iterator[tuple[VideoFrame, float]]:
    """Yield the pictures that decode whole, in order of time, each with its stream time."""
    decoder = _decoder(footage)
    times: dict[int, float] = {}
    for number, source in enumerate([*footage.packets, None]):
        packet: Packet[Stream] | None = None
        if source is not None:
            packet = av.Packet(source.content)
            packet.pts = packet.dts = number
            packet.is_keyframe = source.is_key
            times[number] = source.stream_s
        with suppress(av.FFmpegError):
            for picture in decoder.decode(packet):
                if not picture.is_corrupt and picture.pts is not None:
                    yield picture, times[picture.pts]


def _decoder(footage: Footage) -> VideoCodecContext:
    template = footage.template.stream
    if template is None or footage.template.codec not in ALLOWED_CODECS:
        raise EvidenceMissing(footage.template.problem)
    decoder = cast(VideoCodecContext, av.CodecContext.create(footage.template.codec, "r"))
    decoder.extradata = template.codec_context.extradata
    decoder.options = {"max_pixels": str(PIXELS_MAX)}
    decoder.thread_type, decoder.thread_count = "NONE", 1
    return decoder
