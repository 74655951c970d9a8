"""Cameras that publish to us by WebRTC, read like any other stream.

Pictures arrive encoded, each with its RTP time. They are put into a container in memory (NUT: any
codec, any time base, a picture is complete when it is written) that the shared decoding path reads.
Sound goes beside it: in one container the pictures would wait for it.
"""

from contextlib import suppress
from fractions import Fraction
from typing import Final, cast

import av
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from contracts.cameras import Camera
from contracts.settings import IngestSettings
from ingest.errors import SourceUnavailable
from ingest.sources.audio import SideSound
from ingest.sources.opened import OpenedStream
from ingest.sources.opus import opus_stream
from ingest.sources.stream import plain_reason
from ingest.webrtc.publication import TICKS_PER_S, Intake, Publication, PublishedPicture

_CONTAINER: Final = "nut"
_TIME_BASE: Final = Fraction(1, TICKS_PER_S)
_SLICE_S: Final = 0.5


class PublisherGone(SourceUnavailable):
    """Nobody publishes any more; a new connection begins with the next publisher, not with us."""


def open_webrtc(camera: Camera, settings: IngestSettings, intake: Intake) -> OpenedStream:
    """Begin to read what is published to the camera now, from a key frame on.

    Raises:
        PublisherGone: Nobody publishes, or no key frame came within ``open_timeout_s``.
        SourceUnavailable: What is published cannot be read.
    """
    publication = intake.current
    if publication is None:
        raise PublisherGone(camera.camera_id, "nobody publishes to this camera")
    publication.skip_to_key()
    sound = SideSound(opus_stream()) if publication.has_sound else None
    stream = _Remuxed(publication, camera.camera_id, silence_s=settings.read_timeout_s, sound=sound)
    try:
        stream.begin(within_s=settings.open_timeout_s)
        container = av.open(
            stream,
            mode="r",
            format=_CONTAINER,
            # The first picture says all: nothing is gained by waiting for more.
            container_options={"analyzeduration": "1", "probesize": "32", "fpsprobesize": "0"},
        )
    except av.FFmpegError as error:
        stream.close()
        raise SourceUnavailable(
            camera.camera_id, f"what is published cannot be read ({plain_reason(error)})"
        ) from None
    except SourceUnavailable:
        stream.close()
        raise
    for found in container.streams.video:  # WebRTC knows no pictures out of order
        found.codec_context.flags |= Flags.low_delay

    def close() -> None:
        container.close()
        stream.close()

    return OpenedStream(
        container=container,
        close=close,
        is_live=True,
        read_timeout_s=settings.read_timeout_s,
        sent_at=publication.sent_at,
        sound=sound,
    )


class _Remuxed:
    """A file to libav: what is published, in a container. For the reading thread alone."""

    def __init__(
        self,
        publication: Publication,
        camera_id: str,
        *,
        silence_s: float,
        sound: SideSound | None,
    ) -> None:
        self._sound = sound
        self._publication = publication
        self._camera_id = camera_id
        self._silence_s = silence_s
        self._written = bytearray()
        self._output: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._codec = ""
        self._last_dts = 0
        self._is_over = False

    def begin(self, *, within_s: float) -> None:
        """Wait for the first key frame. Raises PublisherGone."""
        first = self._next(within_s)
        width, height = _size_of(first, self._camera_id)
        self._codec = first.codec
        self._output = av.open(self, "w", format=_CONTAINER, options={"flush_packets": "1"})
        stream = self._output.add_mux_stream(first.codec, width=width, height=height)
        stream.time_base = _TIME_BASE
        self._stream = cast(VideoStream, stream)
        self._mux(first)

    def write(self, chunk: bytes) -> int:
        """Take what the container's writer has made; libav calls this."""
        self._written += chunk
        return len(chunk)

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, waiting for a picture; libav calls this.

        Raises:
            PublisherGone: Nothing more comes.
        """
        while not self._written:
            if self._is_over:  # libav asks once more; the error of the first time is on its way
                return b""
            try:
                self._mux(self._next(self._silence_s))
            except SourceUnavailable:
                self._is_over = True
                raise
        chunk = bytes(self._written[:size])
        del self._written[:size]
        return chunk

    def close(self) -> None:
        """Free the writer; calling it again does nothing."""
        output, self._output = self._output, None
        if output is not None:
            with suppress(av.FFmpegError):  # what it still wants to write, nobody reads
                output.close()

    def _next(self, within_s: float) -> PublishedPicture:
        for _ in range(max(1, round(within_s / _SLICE_S))):
            picture = self._publication.take(timeout_s=_SLICE_S)
            if picture is not None:
                return picture
            if self._publication.cause:
                raise PublisherGone(self._camera_id, self._publication.cause)
        cause = f"the publisher sent no picture for {within_s:g} s"
        self._publication.end(cause)
        raise PublisherGone(self._camera_id, cause)

    def _mux(self, picture: PublishedPicture) -> None:
        if picture.codec != self._codec:
            raise SourceUnavailable(
                self._camera_id, f"the publisher changed from {self._codec} to {picture.codec}"
            )
        if self._output is None or self._stream is None:
            raise SourceUnavailable(self._camera_id, "the stream is closed")
        if self._sound is not None and self._sound.tell is not None:
            for heard in picture.sounds:
                self._sound.tell(heard)
        # RTP has no decoding times. They must grow and be no later than what is shown.
        dts = max(self._last_dts + 1, picture.ticks)
        self._last_dts = dts
        packet = av.Packet(picture.content)
        packet.stream, packet.time_base = self._stream, _TIME_BASE
        packet.pts = packet.dts = dts
        packet.is_keyframe = picture.is_key
        self._output.mux(packet)


def _size_of(picture: PublishedPicture, camera_id: str) -> tuple[int, int]:
    """Return width and height of a key frame."""
    decoder = cast(VideoCodecContext, av.CodecContext.create(picture.codec, "r"))
    try:
        frames = [*decoder.decode(av.Packet(picture.content)), *decoder.decode(None)]
    except av.FFmpegError:
        frames = []
    for frame in frames:
        return frame.width, frame.height
    raise SourceUnavailable(camera_id, "the publisher's first picture cannot be decoded")
