"""A camera's encoded pictures for whoever watches live: the camera's own where browsers can."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import av
from av.bitstream import BitStreamFilterContext
from av.video.stream import VideoStream

from ingest.sources.stream import EncodedPacket, StreamUnit
from ingest.webrtc.live_encoder import LiveEncoder
from ingest.webrtc.publication import Intake, nal_types

_GROUP_BYTES_MAX: Final = 4 << 20
_GROUP_MAX_S: Final = 12.0
"""A viewer begins with the group of pictures under way; where that is longer, with the next."""
_CATCH_UP_S: Final = 0.001
"""Pictures that are over follow each other that fast, so that a viewer is at once where we are."""
_SPS: Final = 7
_NAMES: Final = {"h264": "H264", "vp8": "VP8"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LivePacket:
    """One encoded picture on its way to a viewer.

    Attributes:
        content: H.264 in Annex B form with its parameter sets at key frames, or VP8.
        stream_s: When it is to be shown, in stream time of ``run``.
        run: Changes when stream time begins anew.
    """

    content: bytes
    stream_s: float
    is_key: bool
    run: int


Deliver = Callable[[LivePacket], None]


class LiveFeed:
    """Takes in one camera's units and hands each picture to all viewers.

    The camera's own packets are passed on where they are H.264 without reordering, or VP8. Others
    are decoded (the camera's loop does that anyway) and encoded once for all, and only while
    somebody watches. So are those of a camera with privacy masks: what it sends shows what they
    cover. Safe to use from several threads; ``deliver`` is called by the camera's.

    Args:
        intake: Its publisher, if it has one, is asked for key frames.
    """

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._lock = threading.Lock()
        self._viewers: dict[int, Deliver] = {}
        self._tickets = 0
        self._run = 0
        self._name = ""
        self._codec = ""
        self._can_pass_on = False
        self._is_masked = False
        self._headers = b""
        self._to_annex_b: BitStreamFilterContext | None = None
        self._encoder = LiveEncoder()
        self._group: list[LivePacket] = []
        self._group_bytes = 0
        self._last_s = 0.0

    @property
    def codec(self) -> str:
        """``H264`` or ``VP8``; empty while no picture comes."""
        return self._codec

    @property
    def is_original(self) -> bool:
        """Whether viewers get the camera's own packets."""
        return self._can_pass_on and not self._is_masked

    def mask(self, *, is_masked: bool) -> None:
        """Say whether there are privacy masks: from then on no packet of the camera's goes out."""
        with self._lock:
            if is_masked == self._is_masked:
                return
            self._is_masked = is_masked
            if self._codec:
                self._codec = _NAMES[self._name] if self.is_original else "H264"
            self._begin_run()
        self._ask_publisher()

    def begin(self, stream: VideoStream) -> None:
        """Take units of a new connection from now on."""
        name = stream.codec_context.codec.canonical_name
        with self._lock:
            self._begin_run()
            # What a publisher sends is in order, whatever its headers allow.
            is_ordered = self._intake.current is not None or not stream.codec_context.has_b_frames
            self._can_pass_on = name in _NAMES and is_ordered
            self._codec = ""
            self._name, self._headers, self._to_annex_b = name, b"", None
            extra = stream.codec_context.extradata or b""
            if name == "h264" and extra[:1] == b"\x01":  # avcC: lengths in place of start codes
                self._to_annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
            elif name == "h264":
                self._headers = extra

    def add(self, unit: StreamUnit) -> None:
        """Pass on what one packet brought; what cannot be, viewers miss and nobody else."""
        with self._lock, suppress(av.FFmpegError):
            if self.is_original and unit.packet is not None:
                self._pass_on(unit.packet)
            if not self.is_original and unit.frames:
                self._codec = "H264"
                if self._viewers:
                    self._encode(unit)

    def end(self) -> None:
        """Say that the connection is over; viewers stay and wait for the next."""
        with self._lock:
            self._codec = ""
            self._begin_run()

    def watch(self, deliver: Deliver) -> int:
        """Hand every picture to ``deliver`` from now on, beginning with a key frame; a ticket."""
        with self._lock:
            self._tickets += 1
            ticket = self._tickets
            self._viewers[ticket] = deliver
            self._give_key(deliver)
        self._ask_publisher()
        return ticket

    def leave(self, ticket: int) -> None:
        """Hand nothing more over; calling it again does nothing."""
        with self._lock:
            self._viewers.pop(ticket, None)

    def want_key(self, ticket: int) -> None:
        """Give one viewer a picture to begin with, as soon as there is one."""
        with self._lock:
            deliver = self._viewers.get(ticket)
            if deliver is not None:
                self._give_key(deliver)
        self._ask_publisher()

    def _give_key(self, deliver: Deliver) -> None:
        if not self.is_original:
            self._encoder.want_key()
        for packet in self._caught_up():
            deliver(packet)

    def _ask_publisher(self) -> None:
        publication = self._intake.current
        if publication is not None and self.is_original:
            publication.ask_for_key_frame()

    def _pass_on(self, packet: EncodedPacket) -> None:
        content = self._annex_b(packet)
        if not content:
            return
        if packet.stream_s < self._last_s and self._group:
            # Shown in another order than sent (B-frames), which browsers' decoders do not expect.
            self._can_pass_on = False
            self._begin_run()
            return
        self._codec = _NAMES[self._name]
        self._last_s = packet.stream_s
        live = LivePacket(
            content=content, stream_s=packet.stream_s, is_key=packet.is_key, run=self._run
        )
        self._keep(live)
        self._hand_out(live)

    def _annex_b(self, packet: EncodedPacket) -> bytes:
        if self._to_annex_b is not None:
            raw = av.Packet(packet.content)
            raw.is_keyframe = packet.is_key
            return b"".join(bytes(part) for part in self._to_annex_b.filter(raw))
        if packet.is_key and self._headers and _SPS not in nal_types(packet.content):
            return self._headers + packet.content
        return packet.content

    def _encode(self, unit: StreamUnit) -> None:
        for decoded in unit.frames:
            if decoded.stream_s is None:
                continue
            packet = self._encoder.encode(decoded.picture, decoded.stream_s)
            if packet is not None:
                self._hand_out(
                    LivePacket(
                        content=packet.content,
                        stream_s=packet.stream_s,
                        is_key=packet.is_key,
                        run=self._run,
                    )
                )

    def _keep(self, packet: LivePacket) -> None:
        """Keep the group under way, as long as it is short enough to be of use to who joins."""
        if packet.is_key:
            self._group, self._group_bytes = [], 0
        elif not self._group:
            return
        self._group.append(packet)
        self._group_bytes += len(packet.content)
        length_s = packet.stream_s - self._group[0].stream_s
        if self._group_bytes > _GROUP_BYTES_MAX or not 0 <= length_s <= _GROUP_MAX_S:
            self._group, self._group_bytes = [], 0

    def _caught_up(self) -> list[LivePacket]:
        last = len(self._group) - 1
        return [
            LivePacket(
                content=packet.content,
                stream_s=self._last_s - (last - at) * _CATCH_UP_S,
                is_key=packet.is_key,
                run=packet.run,
            )
            for at, packet in enumerate(self._group)
        ]

    def _hand_out(self, packet: LivePacket) -> None:
        for deliver in self._viewers.values():
            deliver(packet)

    def _begin_run(self) -> None:
        self._run += 1
        self._group, self._group_bytes = [], 0
        self._last_s = 0.0
        self._encoder.want_key()
