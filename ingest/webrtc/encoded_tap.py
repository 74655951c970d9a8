"""Encoded pictures, sound and sender reports of an aiortc receiver, before it decodes anything.

aiortc gives decoded frames only. Vigil keeps what the publisher sent, for clips and for viewers,
and decodes on the same path as for any other camera. So the queue between aiortc's jitter buffer
and its decoding thread is replaced. Five attributes of aiortc that are private take part;
``tests/ingest/webrtc/test_encoded_tap.py`` fails if a version renames them.
"""

import queue
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final, Protocol

from aiortc import RTCRtpReceiver, clock
from aiortc.rtp import RtcpSrPacket, RtpPacket

_QUEUE: Final = "_RTCRtpReceiver__decoder_queue"
_MAPPER: Final = "_RTCRtpReceiver__timestamp_mapper"
_LOST: Final = "_RTCRtpReceiver__decoder_error"
"""Setting this event makes the receiver ask for a key frame (PLI) with the next packet."""
_CONTROL: Final = "_handle_rtcp_packet"
_MEDIA: Final = "_handle_rtp_packet"
_PRIVATE: Final = (_QUEUE, _MAPPER, _LOST, _CONTROL, _MEDIA)


class Listener(Protocol):
    """Hears what arrives, on aiortc's event loop."""

    def picture(self, codec: str, content: bytes, ticks: int) -> None:
        """Take one encoded picture.

        Args:
            codec: ``H264`` (Annex B) or ``VP8``.
            content: The whole picture.
            ticks: Its RTP timestamp, 32 bits, 90 kHz.
        """
        ...

    def report(self, at: datetime, ticks: int) -> None:
        """Take a sender report: RTP time ``ticks`` is ``at`` by the publisher's clock."""
        ...

    def arrived(self, ticks: int) -> None:
        """Take note that a packet of that RTP time has just come, maybe out of order."""
        ...

    def ended(self) -> None:
        """Hear that nothing more comes (RTCP BYE, or the transport is gone)."""
        ...


class SoundListener(Protocol):
    """Hears the sound beside the pictures; its end is none of the publication's."""

    def sound(self, content: bytes, ticks: int) -> None:
        """Take one packet of Opus; ``ticks`` is its RTP timestamp, 32 bits, 48 kHz."""
        ...

    def sound_report(self, at: datetime, ticks: int) -> None:
        """Take a sender report, as ``Listener.report``."""
        ...

    def sound_arrived(self, ticks: int) -> None:
        """Take note of a packet, as ``Listener.arrived``."""
        ...


class _Tap(queue.Queue[Any]):
    """Hands what is encoded over instead of queueing them, and ends the thread behind at once.

    A connection that is closed while it is being made starts that thread after its end, and it
    would wait, and keep the process alive, for ever.
    """

    def __init__(self, take: Callable[[str, bytes, int], None], ended: Callable[[], None]) -> None:
        super().__init__()
        self._take = take
        self._ended = ended

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ANN401, FBT001, FBT002  # as its parent's
        del block, timeout
        if item is None:
            self._ended()
            return
        codec, frame = item
        self._take(codec.name.upper(), frame.data, frame.timestamp)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ANN401, FBT001, FBT002  # as its parent's
        del block, timeout
        return None


class _RawTicks:
    """Leaves RTP timestamps as they are: aiortc takes one that steps back for a wrap."""

    def map(self, timestamp: int) -> int:
        return timestamp


def tap(receiver: RTCRtpReceiver, listener: Listener) -> None:
    """Let ``listener`` hear what the receiver of video gets; before the connection is made.

    Raises:
        RuntimeError: This version of aiortc is built differently.
    """
    _tap(receiver, _Tap(listener.picture, listener.ended), listener.report, listener.arrived)


def tap_sound(receiver: RTCRtpReceiver, listener: SoundListener) -> None:
    """Let ``listener`` hear what the receiver of sound gets, as ``tap`` does.

    Raises:
        RuntimeError: This version of aiortc is built differently.
    """

    def take(codec: str, content: bytes, ticks: int) -> None:
        if codec == "OPUS":
            listener.sound(content, ticks)

    _tap(receiver, _Tap(take, _nothing), listener.sound_report, listener.sound_arrived)


def _tap(
    receiver: RTCRtpReceiver,
    queue_of: _Tap,
    report: Callable[[datetime, int], None],
    arrived: Callable[[int], None],
) -> None:
    lacking = [name for name in _PRIVATE if not hasattr(receiver, name)]
    if lacking:
        raise RuntimeError(f"aiortc's receiver has no {lacking}; wanted: a version 1.16")
    setattr(receiver, _QUEUE, queue_of)
    setattr(receiver, _MAPPER, _RawTicks())
    control: Callable[[Any], Awaitable[None]] = getattr(receiver, _CONTROL)
    media: Callable[[RtpPacket, int], Awaitable[None]] = getattr(receiver, _MEDIA)

    async def hear(packet: Any) -> None:  # noqa: ANN401  # one of aiortc's six kinds
        if isinstance(packet, RtcpSrPacket) and packet.sender_info.ntp_timestamp:
            info = packet.sender_info
            report(clock.datetime_from_ntp(info.ntp_timestamp), info.rtp_timestamp)
        await control(packet)

    async def note(packet: RtpPacket, arrival_time_ms: int) -> None:
        if packet.payload:  # without one it is padding, which some send to find out their room
            arrived(packet.timestamp)
        await media(packet, arrival_time_ms)

    setattr(receiver, _CONTROL, hear)
    setattr(receiver, _MEDIA, note)


def _nothing() -> None:
    """Sound may end by itself."""


def ask_for_key_frame(receiver: RTCRtpReceiver) -> None:
    """Ask the publisher for a key frame; from any thread."""
    getattr(receiver, _LOST).set()
