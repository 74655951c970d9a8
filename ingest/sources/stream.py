"""The one decoding path: from an opened container to packets and pictures, for every source.

Shape legend: H = height, W = width in pixels, 3 = blue, green, red.
"""

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from contracts.clock import SystemClock
from ingest.errors import SourceEnded, SourceError, SourceRejected, SourceUnavailable
from ingest.sources.audio import AudioPacket, AudioReader
from ingest.sources.http_body import HttpRefused
from ingest.sources.opened import OpenedStream
from ingest.sources.soundness import Judge, Soundness
from ingest.timeline import PtsUnwrapper

ALLOWED_CODECS: Final = frozenset({"h264", "hevc", "mpeg4", "mjpeg", "vp8", "vp9", "av1"})
"""What cameras send. libav knows hundreds more, most of them seldom tested against bad input
(MagicYUV: CVE-2026-8461), and a file chooses its own."""
CODEC_WHITELIST: Final = ",".join(sorted(ALLOWED_CODECS | {"libdav1d"}))
"""The same as decoder names: libav's option guards its probing only, ``StreamReader`` the rest."""
PIXELS_MAX: Final = 36_000_000
"""8K; a header may claim more than any memory holds."""
_SENDER_TIME: Final = "prft"
"""libav's name for a packet's time by the sender's clock (``AVProducerReferenceTime``)."""
_WALL_US_MAX: Final = 4_102_444_800_000_000
"""The year 2100: beyond it a camera's clock says nothing."""
_CLOCK: Final = SystemClock()
_DEFAULT_INTERVAL_S: Final = 0.04
_FPS_RANGE: Final = (0.1, 240.0)
_OFFLINE_THREADS: Final = 2
_WAITING_S: Final = 5.0
"""Time constant of the share of time that is spent waiting."""

# PyAV prints nothing of libav's own log unless told to. Say so explicitly: libav names the URL,
# credentials included, in many of its lines.
av.logging.set_level(None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EncodedPacket:
    """One encoded picture as the camera sent it.

    Attributes:
        stream_s: Presentation time in seconds of unwrapped stream time. Guessed from the one before
            where the stream gives none (over RTSP, the first has none).
    """

    content: bytes
    stream_s: float
    is_key: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecodedFrame:
    """One picture at the source's size and in its pixel format.

    Attributes:
        stream_s: Unwrapped stream time; None if the stream gave none.
        sent_at: When it was taken by the camera's own clock, from RTCP sender reports.
        is_patched: See ``FrameHeader``.
    """

    picture: VideoFrame
    stream_s: float | None
    sent_at: datetime | None = None
    is_patched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreamUnit:
    """What one packet brought.

    Attributes:
        packet: None at the end, when the decoder gives what it still held.
        frames: In order of presentation; none while a decoder waits for a key frame.
        corrupt: Pictures left out because they arrived damaged, or rest on what did, and do not
            show the view any more.
    """

    packet: EncodedPacket | None
    frames: tuple[DecodedFrame, ...]
    corrupt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _SenderTime:
    """What the camera's clock said at one moment of stream time."""

    stream_s: float
    wall_us: int

    def at(self, stream_s: float) -> datetime:
        seconds = self.wall_us / 1e6 + stream_s - self.stream_s
        return datetime.fromtimestamp(seconds, UTC)


class StreamReader:
    """Reads one opened container to its end.

    Args:
        opened: Closed by whoever opened it, after the last call here.
        camera_id: For errors.
        is_offline: Decode with several threads. They delay frames, so that a live stream has one.
        has_audio: Read its sound as well, if it has any.

    Attributes:
        on_audio: Hears of each packet of sound.
        takes: Says of each picture, by whether it is a key picture and its time, if it is decoded.

    Raises:
        SourceRejected: It has no video, or video in a codec that is not allowed.
    """

    def __init__(
        self,
        opened: OpenedStream,
        *,
        camera_id: str,
        is_offline: bool = False,
        has_audio: bool = False,
    ) -> None:
        self._camera_id = camera_id
        self._is_live = opened.is_live
        self._has_clock = opened.has_clock
        self._before_packet = opened.before_packet
        self._sent_at = opened.sent_at
        self._read_timeout_s = opened.read_timeout_s
        self._container = opened.container
        self.stream = _choose_stream(opened.container, camera_id=camera_id)
        context = self.stream.codec_context
        context.options = {"max_pixels": str(PIXELS_MAX)}
        context.thread_type = "AUTO" if is_offline else "NONE"
        context.thread_count = _OFFLINE_THREADS if is_offline else 1
        self._audio = _audio_of(opened.container) if has_audio and opened.has_clock else None
        self._side = opened.sound if has_audio else None
        if self._side is not None:
            self._side.tell = self._tell
        self.on_audio: Callable[[AudioPacket], None] | None = None
        self.takes: Callable[[bool, float], bool] = lambda is_key, stream_s: True
        self._lost = opened.lost
        self._judge = Judge(opened.lost)
        self._last_wait_s = 0.0
        self._unwrapper = PtsUnwrapper(self.stream.time_base or context.time_base)
        self._sender: _SenderTime | None = None
        self._packet_s: float | None = None
        self._arrived_s: float | None = None
        self._packets = 0
        self._decoded = 0
        self._waited_s = self._watched_s = 0.0
        self._given_s = _CLOCK.monotonic_s()

    @property
    def waiting(self) -> float:
        """Share (0..1) of the last seconds in which nothing was there to be read.

        1 at first: what a server kept comes at once, and says nothing.
        """
        is_known = self._watched_s >= _WAITING_S / 2
        return self._waited_s / self._watched_s if is_known else 1.0

    @property
    def lost(self) -> int:
        """Packets lost on the way so far; 0 where nobody knows."""
        return 0 if self._lost is None else self._lost()

    @property
    def audio(self) -> AudioStream | None:
        """The stream of its sound, where that is read."""
        source = self._side or self._audio
        return None if source is None else source.stream

    @property
    def codec(self) -> str:
        """Name of the codec, for instance ``h264``."""
        return self.stream.codec_context.codec.canonical_name

    @property
    def frame_interval_s(self) -> float:
        """Seconds between frames as the stream states them; a guess where it does not."""
        rate = float(self.stream.average_rate or self.stream.guessed_rate or 0)
        return 1.0 / rate if _FPS_RANGE[0] <= rate <= _FPS_RANGE[1] else _DEFAULT_INTERVAL_S

    @property
    def duration_s(self) -> float | None:
        """Length of a recording, if it states one."""
        duration = self._container.duration
        return duration / av.time_base if duration and duration > 0 else None

    def units(self) -> Iterator[StreamUnit]:
        """Yield what each packet brings; never ends but by an error.

        Raises:
            SourceEnded: A recording is at its end, or cannot be read further.
            SourceUnavailable: A live stream broke off or fell silent.
            SourceRejected: A recording is at its end and not one picture could be decoded.
        """
        for packet in self._demux():
            yield self._decode(packet)

    def packets(self) -> Iterator[EncodedPacket]:
        """Yield what comes without decoding it; ends as ``units`` does."""
        for packet in self._demux():
            self._arrived_s = None if self._has_clock else _CLOCK.monotonic_s()
            encoded = self._encoded(packet)
            if encoded is not None:
                self._decoded += 1
                yield encoded

    def sent_at(self, stream_s: float) -> datetime | None:
        """Return when a packet was sent by the camera's own clock, if it says."""
        if self._sent_at is not None:
            return self._sent_at(stream_s)
        return None if self._sender is None else self._sender.at(stream_s)

    def _demux(self) -> "Iterator[Packet[VideoStream]]":
        wanted = [self.stream] if self._audio is None else [self.stream, self._audio.stream]
        packets = self._container.demux(*wanted)
        asked_s = _CLOCK.monotonic_s()
        while True:
            try:
                if self._before_packet is not None:
                    self._before_packet()
                packet = next(packets)
            except StopIteration:
                raise self._end("ended") from None
            except av.FFmpegError as error:
                raise self._end(f"broke off: {plain_reason(error)}") from None
            except TimeoutError:
                raise self._end("broke off: no data within the time-out") from None
            except (OSError, HttpRefused) as error:  # what a body of ours said; it names no URL
                raise self._end(f"broke off: {type(error).__name__}") from None
            waited_s = self._note_wait(asked_s)
            if waited_s >= self._read_timeout_s:
                # libav ran into its deadline and gave out what its parser held instead of saying
                # so; the next call would wait for another whole time-out.
                raise self._end("broke off: no data within the time-out")
            if isinstance(packet.stream, VideoStream):
                yield cast("Packet[VideoStream]", packet)
                asked_s = _CLOCK.monotonic_s()  # sound alone is no sign of life
            else:
                self._hear(cast("Packet[AudioStream]", packet))

    def _hear(self, packet: "Packet[AudioStream]") -> None:
        heard = None if self._audio is None else self._audio.read(packet)
        if heard is not None:
            self._tell(heard)

    def _tell(self, heard: AudioPacket) -> None:
        if self.on_audio is not None:
            self.on_audio(heard)

    def _note_wait(self, asked_s: float) -> float:
        """Return for how long the packet that is there now was waited for."""
        now_s = _CLOCK.monotonic_s()
        left = math.exp((self._given_s - now_s) / _WAITING_S)
        self._waited_s = left * self._waited_s + now_s - asked_s
        self._watched_s = left * self._watched_s + now_s - self._given_s
        self._given_s = now_s
        self._last_wait_s = now_s - asked_s
        return self._last_wait_s

    def _decode(self, packet: "Packet[VideoStream]") -> StreamUnit:
        corrupt = 0
        pictures: list[VideoFrame] = []
        self._arrived_s = None if self._has_clock else _CLOCK.monotonic_s()
        encoded = self._encoded(packet)
        self._judge.next_packet(waited_s=self._last_wait_s)
        if encoded is not None and not self.takes(encoded.is_key, encoded.stream_s):
            return StreamUnit(packet=encoded, frames=(), corrupt=0)
        try:
            pictures = packet.decode()
        except av.FFmpegError:
            corrupt += 1
            self._judge.failed(is_key=packet.is_keyframe)
        frames: list[DecodedFrame] = []
        for picture in pictures:
            stream_s = self._arrived_s
            if stream_s is None:
                stream_s = self._unwrapper.seconds(picture.pts)
            soundness = self._judge.look(picture, stream_s=stream_s)
            if soundness is Soundness.SPOILT:
                corrupt += 1
                continue
            frames.append(
                DecodedFrame(
                    picture=picture,
                    stream_s=stream_s,
                    sent_at=None if stream_s is None else self.sent_at(stream_s),
                    is_patched=soundness is Soundness.PATCHED,
                )
            )
        self._packets += 1
        self._decoded += len(frames)
        return StreamUnit(packet=encoded, frames=tuple(frames), corrupt=corrupt)

    def _encoded(self, packet: "Packet[VideoStream]") -> EncodedPacket | None:
        if not packet.size:
            return None
        stream_s = self._arrived_s
        if stream_s is None:
            stream_s = self._unwrapper.seconds(packet.dts if packet.pts is None else packet.pts)
        if stream_s is None:
            stream_s = 0.0 if self._packet_s is None else self._packet_s + self.frame_interval_s
        self._packet_s = stream_s
        self._hear_sender(packet, stream_s)
        return EncodedPacket(content=bytes(packet), stream_s=stream_s, is_key=packet.is_keyframe)

    def _hear_sender(self, packet: "Packet[VideoStream]", stream_s: float) -> None:
        if packet.pts is None or not packet.has_sidedata(_SENDER_TIME):
            return
        wall_us = int.from_bytes(bytes(packet.get_sidedata(_SENDER_TIME))[:8], sys.byteorder)
        if 0 < wall_us < _WALL_US_MAX:
            self._sender = _SenderTime(stream_s=stream_s, wall_us=wall_us)

    def _end(self, what: str) -> SourceError:
        if self._is_live:
            return SourceUnavailable(self._camera_id, f"the stream {what}")
        if self._decoded == 0:
            return SourceRejected(
                self._camera_id,
                f"not one picture could be decoded from {self._packets} packets of "
                f"{self.codec} video; is the file damaged?",
            )
        return SourceEnded(self._camera_id, f"the recording {what} after {self._decoded} pictures")


def plain_reason(error: av.FFmpegError) -> str:
    """Return libav's words for an error without the address, which may hold a password."""
    if isinstance(error, av.error.ExitError):
        return "no data within the time-out"
    return error.strerror or type(error).__name__


def _audio_of(container: InputContainer) -> AudioReader | None:
    found = container.streams.audio
    return AudioReader(found[0]) if found else None


def _choose_stream(container: InputContainer, *, camera_id: str) -> VideoStream:
    found = [
        stream
        for stream in container.streams.video
        if Disposition.attached_pic not in Disposition(stream.disposition)
    ]
    if not found:
        kinds = ", ".join(sorted({str(stream.type) for stream in container.streams}))
        raise SourceRejected(camera_id, f"has no video stream, only {kinds or 'nothing'}")
    best = container.streams.best("video")
    stream = best if isinstance(best, VideoStream) and best in found else found[0]
    # PyAV's annotation does not say so: libav may know no decoder at all for a stream.
    context = cast("VideoCodecContext | None", stream.codec_context)
    codec = "unknown" if context is None else context.codec.canonical_name
    if codec not in ALLOWED_CODECS:
        wanted = ", ".join(sorted(ALLOWED_CODECS))
        raise SourceRejected(
            camera_id,
            f"video codec {codec} is not accepted; wanted: {wanted} (set the camera to H.264)",
        )
    return stream
