"""The track of an open MP4 into which sound is copied as it came."""

from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from ingest.clip_template import ClipTemplate
from ingest.sources.audio import AudioPacket

_RATE: Final = 48_000
"""Ticks a second where the stream does not say; exact for the frames of most codecs."""


class AudioTrack:
    """Holds sound back until the pictures of its time are written, as a file wants them.

    Args:
        container: To be written to; its header is not written yet.
        stream: Of the sound as it came.
        first_s: Stream time that becomes 0.
    """

    def __init__(self, container: OutputContainer, stream: AudioStream, *, first_s: float) -> None:
        self._container = container
        self._stream = container.add_stream_from_template(stream, opaque=True)
        self._tick = Fraction(1, stream.codec_context.sample_rate or _RATE)
        self._stream.time_base = self._tick
        self._first_s = first_s
        self._waiting: deque[AudioPacket] = deque()
        self._newest = -1

    def add(self, sounds: Sequence[AudioPacket]) -> None:
        """Take sound in the order in which it came."""
        self._waiting.extend(sounds)

    def write_until(self, seconds: float) -> None:
        """Write what belongs before a time of the file. Raises av.FFmpegError."""
        while self._waiting and self._waiting[0].stream_s - self._first_s <= seconds:
            sound = self._waiting.popleft()
            ticks = round((sound.stream_s - self._first_s) / self._tick)
            if ticks <= self._newest:
                continue  # from before the file begins, or there already
            self._newest = ticks
            packet: Packet[Stream] = Packet(sound.content)
            packet.time_base = self._tick
            packet.pts = packet.dts = ticks
            packet.duration = max(1, round(sound.duration_s / self._tick))
            packet.is_keyframe = True
            packet.stream = self._stream
            self._container.mux(packet)


def audio_track_of(
    container: OutputContainer,
    template: ClipTemplate,
    sounds: Sequence[AudioPacket],
    *,
    first_s: float,
) -> AudioTrack | None:
    """Return a track for sound; None where there is none: an empty track would hold all up."""
    if template.audio is None or not sounds:
        return None
    return AudioTrack(container, template.audio, first_s=first_s)
