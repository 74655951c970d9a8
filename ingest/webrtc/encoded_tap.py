"""Encoded pictures and sender reports from an aiortc receiver, before it decodes anything.

aiortc gives decoded frames only. Vigil keeps what the publisher sent, for clips and for viewers,
and decodes on the same path as for any other camera. So the queue between aiortc's jitter buffer
and its decoding thread is replaced. Three attributes of aiortc that are private take part;
``tests/ingest/webrtc/test_encoded_tap.py`` fails if a version renames them.
"""

import queue
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final, Protocol

from aiortc import RTCRtpReceiver, clock
from aiortc.rtp import RtcpSrPacket

_QUEUE: Final = "_RTCRtpReceiver__decoder_queue"
_MAPPER: Final = "_RTCRtpReceiver__timestamp_mapper"
_LOST: Final = "_RTCRtpReceiver__decoder_error"
"""Setting this event makes the receiver ask for a key frame (PLI) with the next packet."""
_PRIVATE: Final = (_QUEUE, _MAPPER, _LOST)


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

    def ended(self) -> None:
        """Hear that nothing more comes (RTCP BYE, or the transport is gone)."""
        ...


class _Tap(queue.Queue[Any]):
    """Hands pictures over instead of queueing them, and ends the thread behind at once.

    A connection that is closed while it is being made starts that thread after its end, and it
    would wait, and keep the process alive, for ever.
    """

    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self._listener = listener

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ANN401, FBT001, FBT002  # as its parent's
        del block, timeout
        if item is None:
            self._listener.ended()
            return
        codec, frame = item
        self._listener.picture(codec.name.upper(), frame.data, frame.timestamp)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ANN401, FBT001, FBT002  # as its parent's
        del block, timeout
        return None


class _RawTicks:
    """Leaves RTP timestamps as they are: aiortc takes one that steps back for a wrap."""

    def map(self, timestamp: int) -> int:
        return timestamp


def tap(receiver: RTCRtpReceiver, listener: Listener) -> None:
    """Let ``listener`` hear what the receiver gets; before the connection is made.

    Raises:
        RuntimeError: This version of aiortc is built differently.
    """
    lacking = [name for name in _PRIVATE if not hasattr(receiver, name)]
    if lacking:
        raise RuntimeError(f"aiortc's receiver has no {lacking}; wanted: a version 1.16")
    setattr(receiver, _QUEUE, _Tap(listener))
    setattr(receiver, _MAPPER, _RawTicks())
    original: Callable[[Any], Awaitable[None]] = receiver._handle_rtcp_packet

    async def hear(packet: Any) -> None:  # noqa: ANN401  # one of aiortc's six kinds
        if isinstance(packet, RtcpSrPacket) and packet.sender_info.ntp_timestamp:
            info = packet.sender_info
            listener.report(clock.datetime_from_ntp(info.ntp_timestamp), info.rtp_timestamp)
        await original(packet)

    setattr(receiver, "_handle_rtcp_packet", hear)  # noqa: B010  # a method, for mypy


def ask_for_key_frame(receiver: RTCRtpReceiver) -> None:
    """Ask the publisher for a key frame; from any thread."""
    getattr(receiver, _LOST).set()
