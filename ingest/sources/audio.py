"""The sound of a camera as it was sent, for who keeps it; nothing here is decoded."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from av.audio.stream import AudioStream
from av.packet import Packet

from ingest.timeline import PtsUnwrapper

_FRAME_S: Final = 0.02
"""What most speech codecs put into a packet; for the last one of a stream that does not say."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AudioPacket:
    """Some milliseconds of sound; ``stream_s`` is on the same axis as that of the pictures."""

    content: bytes
    stream_s: float
    duration_s: float


class AudioReader:
    """Turns packets of one audio stream into what is kept of them.

    Args:
        stream: Of a container that is read.
    """

    def __init__(self, stream: AudioStream) -> None:
        self.stream = stream
        self._tick_s = float(stream.time_base or 0)
        self._unwrapper = PtsUnwrapper(stream.time_base) if stream.time_base else None
        self._ends_s: float | None = None

    def read(self, packet: "Packet[AudioStream]") -> AudioPacket | None:
        """Return what a packet holds; None for one without content or time."""
        stream_s = None if self._unwrapper is None else self._unwrapper.seconds(packet.pts)
        stream_s = self._ends_s if stream_s is None else stream_s
        if not packet.size or stream_s is None:
            return None
        duration_s = (packet.duration or 0) * self._tick_s or _FRAME_S
        self._ends_s = stream_s + duration_s
        return AudioPacket(content=bytes(packet), stream_s=stream_s, duration_s=duration_s)


class SideSound:
    """Sound that comes beside a container of pictures, not in it.

    Args:
        stream: Says its codec; nothing is read from it.

    Attributes:
        tell: Called with each packet, by the thread that reads the pictures, before the picture
            that it came with; None while nobody wants any.
    """

    def __init__(self, stream: AudioStream) -> None:
        self.stream = stream
        self.tell: Callable[[AudioPacket], None] | None = None
