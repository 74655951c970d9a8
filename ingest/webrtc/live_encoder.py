"""One encoding of a camera's pictures for all viewers, where they cannot have the original."""

from fractions import Fraction
from typing import Final

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import Interpolation

from ingest.sources.scaling import OneThreadReformatter, analysis_size
from ingest.sources.stream import EncodedPacket

_WIDTH_MAX: Final = 960
_FPS_MAX: Final = 15.0
_BIT_RATE: Final = 1_500_000
_KEY_EVERY: Final = 30
_TIME_BASE: Final = Fraction(1, 90_000)


class LiveEncoder:
    """Encodes pictures as H.264 (constrained baseline) of at most 960 pixels and 15 per second."""

    def __init__(self) -> None:
        self._reformatter = OneThreadReformatter()
        self._context: VideoCodecContext | None = None
        self._last_s = -1.0
        self._is_key_wanted = True

    def want_key(self) -> None:
        """Make the next picture a key frame."""
        self._is_key_wanted = True

    def encode(self, picture: VideoFrame, stream_s: float) -> EncodedPacket | None:
        """Return the picture encoded; None where it is left out to keep the rate."""
        if 0 <= stream_s - self._last_s < 0.9 / _FPS_MAX:
            return None
        self._last_s = stream_s
        width, height = analysis_size(picture.width, picture.height, width=_WIDTH_MAX)
        width -= width % 2
        context = self._context
        if context is None or (context.width, context.height) != (width, height):
            context = self._context = _open(width, height)
        scaled = self._reformatter.scaled(
            picture,
            width=width,
            height=height,
            as_format="yuv420p",
            how=Interpolation.FAST_BILINEAR,
        )
        scaled.pts, scaled.time_base = round(stream_s / _TIME_BASE), _TIME_BASE
        scaled.pict_type = PictureType.I if self._is_key_wanted else PictureType.NONE
        packets = context.encode(scaled)
        if not packets:
            return None
        self._is_key_wanted = False
        return EncodedPacket(
            content=b"".join(bytes(packet) for packet in packets),
            stream_s=stream_s,
            is_key=packets[0].is_keyframe,
        )


def _open(width: int, height: int) -> VideoCodecContext:
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = _TIME_BASE, Fraction(round(_FPS_MAX))
    context.bit_rate = _BIT_RATE
    context.gop_size = _KEY_EVERY
    context.thread_count = 1
    context.profile = "Baseline"
    context.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "forced-idr": "1",
        "maxrate": str(_BIT_RATE),
        "bufsize": str(_BIT_RATE // 2),
    }
    return context
