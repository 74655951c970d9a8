"""Footage decoded, covered by its privacy masks and encoded again, picture by picture."""

from collections.abc import Sequence
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
from ingest.audio_track import AudioTrack
from ingest.clip_ring import Footage
from ingest.masks import PrivacyMask
from ingest.sources.stream import ALLOWED_CODECS, PIXELS_MAX, EncodedPacket

_TIME_BASE: Final = Fraction(1, 90_000)
_KEY_EVERY: Final = 50
_OPTIONS: Final = {"preset": "superfast", "crf": "23", "bf": "0"}
"""Without B-frames pictures are decoded in the order in which they are shown."""


class MaskedTrack:
    """The track of an open MP4 into which pictures are encoded, each covered; times begin at 0.

    Args:
        container: To be written to.
        footage: What comes first: its masks, codec and rate hold for all.

    Raises:
        EvidenceMissing: Its codec is not one that is decoded here.
    """

    def __init__(self, container: OutputContainer, footage: Footage) -> None:
        self._container = container
        self._mask = PrivacyMask(footage.masks)
        self._decoder = decoder_of(footage)
        self._interval = _interval(footage)
        self._reformatter = VideoReformatter()
        self._stream: VideoStream | None = None
        self._times: dict[int, float] = {}
        self._number = 0
        self._first_s, self._newest = 0.0, -1
        self.audio: AudioTrack | None = None

    def add(self, packets: Sequence[EncodedPacket]) -> None:
        """Encode packets that follow each other, from a key frame on. Raises av.FFmpegError."""
        for source in packets:
            packet: Packet[Stream] = av.Packet(source.content)
            packet.pts = packet.dts = self._number
            packet.is_keyframe = source.is_key
            self._times[self._number] = source.stream_s
            self._number += 1
            self._decode(packet)

    def finish(self) -> None:
        """Encode what the decoder still holds.

        Raises:
            EvidenceMissing: Not one picture could be decoded.
            av.FFmpegError: libav cannot write it.
        """
        self._decode(None)
        if self._stream is None:
            raise EvidenceMissing("no picture of it can be decoded, to be covered by privacy masks")
        self._write(self._stream.encode(None))

    def _decode(self, packet: "Packet[Stream] | None") -> None:
        """Encode the pictures that decode whole, each at its own time."""
        pictures: list[VideoFrame] = []
        with suppress(av.FFmpegError):
            pictures = self._decoder.decode(packet)
        for picture in pictures:
            stream_s = None if picture.pts is None else self._times.pop(picture.pts, None)
            if not picture.is_corrupt and stream_s is not None:
                self._encode(picture, stream_s)

    def _encode(self, picture: VideoFrame, stream_s: float) -> None:
        if self._stream is None:
            self._stream = _add_stream(self._container, picture)
            self._first_s = stream_s
        covered = self._reformatter.reformat(
            self._mask.cover(picture),
            width=self._stream.width,
            height=self._stream.height,
            format="yuv420p",
            threads=1,
        )
        self._newest = max(self._newest + 1, round((stream_s - self._first_s) / _TIME_BASE))
        covered.pts, covered.time_base = self._newest, _TIME_BASE
        covered.pict_type = PictureType.NONE
        self._write(self._stream.encode(covered))

    def _write(self, packets: "list[Packet[VideoStream]]") -> None:
        for packet in packets:
            packet.duration = self._interval  # of the last one nothing else says how long it shows
            if self.audio is not None and packet.pts is not None:
                self.audio.write_until(float(packet.pts * _TIME_BASE))
            self._container.mux(packet)


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


def decoder_of(footage: Footage) -> VideoCodecContext:
    """Return a decoder for its packets. Raises EvidenceMissing for a codec not decoded here."""
    template = footage.template.stream
    if template is None or footage.template.codec not in ALLOWED_CODECS:
        raise EvidenceMissing(footage.template.problem)
    decoder = cast(VideoCodecContext, av.CodecContext.create(footage.template.codec, "r"))
    decoder.extradata = template.codec_context.extradata
    decoder.options = {"max_pixels": str(PIXELS_MAX)}
    decoder.thread_type, decoder.thread_count = "NONE", 1
    return decoder
