"""Footage to an MP4 that browsers play.

By remuxing: no picture is decoded or encoded again. Only where privacy masks cover something of it
every picture is (ADR 0008), since packets as they came show what the masks hide.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from typing import Final

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from contracts.errors import EvidenceMissing
from ingest.audio_track import AudioTrack, audio_track_of
from ingest.clip_ring import Footage
from ingest.clip_template import ClipTemplate
from ingest.masked_footage import MaskedTrack
from ingest.sources.audio import AudioPacket
from ingest.sources.stream import EncodedPacket

TICKS_PER_S: Final = 90_000
_TIME_BASE: Final = Fraction(1, TICKS_PER_S)
_PART_US: Final = 1_000_000
MP4_OPTIONS: Final = {
    # delay_moov: only so does libav write the edit list that makes time begin at 0.
    "movflags": "empty_moov+delay_moov+default_base_moof+frag_keyframe+skip_trailer",
    "frag_duration": str(_PART_US),
}
_TAGS: Final = {"hevc": "hvc1"}
"""Browsers refuse H.265 under libav's default, ``hev1``."""


def make_clip(footage: Footage) -> bytes:
    """Return the footage as an MP4 in parts of at most 1 s (fragmented, ISO 14496-12, 8.8).

    Playing can begin before all of it is loaded, and each part plays without those after it: of a
    file that was cut off, whatever was written is worth having.

    Raises:
        EvidenceMissing: libav cannot write it.
    """
    output = BytesIO()
    try:
        with av.open(output, "w", format="mp4", container_options=MP4_OPTIONS) as container:
            first_s = min(packet.stream_s for packet in footage.packets)
            writer = FootageWriter(container, footage, first_s=first_s)
            writer.add(footage.packets, footage.sounds)
            writer.finish()
    except (av.FFmpegError, ValueError) as error:
        raise EvidenceMissing(f"the clip cannot be written ({type(error).__name__})") from error
    return output.getvalue()


class FootageWriter:
    """Writes pictures, and sound where there is any, into an open MP4; times begin at 0.

    Packets are copied as they came. Where masks cover anything, pictures are covered and encoded
    (ADR 0008); sound is copied all the same (ADR 0010).

    Args:
        container: To be written to.
        first: What comes first: its codecs and masks, and whether there is sound, hold for all.
        first_s: Stream time that becomes 0.
        slack: See ``PacketTrack``.

    Raises:
        EvidenceMissing: An MP4 cannot hold such video.
    """

    def __init__(
        self, container: OutputContainer, first: Footage, *, first_s: float, slack: int = 1
    ) -> None:
        self._video: MaskedTrack | PacketTrack
        if first.masks:
            self._video = MaskedTrack(container, first)
        else:
            self._video = PacketTrack(container, first.template, first_s=first_s, slack=slack)
        self._audio = audio_track_of(container, first.template, first.sounds, first_s=first_s)
        self._video.audio = self._audio

    def add(self, packets: Sequence[EncodedPacket], sounds: Sequence[AudioPacket]) -> None:
        """Write what follows, from a key frame on; sound may come alone. Raises av.FFmpegError."""
        if self._audio is not None:
            self._audio.add(sounds)
        if packets:
            self._video.add(packets)

    def finish(self) -> None:
        """Write what is held back.

        Raises:
            EvidenceMissing: There are masks and not one picture could be decoded.
            av.FFmpegError: libav cannot write it.
        """
        if isinstance(self._video, MaskedTrack):
            self._video.finish()
        if self._audio is not None:
            self._audio.write_until(math.inf)


class PacketTrack:
    """The track of an open MP4 that packets are copied into as they came; times begin at 0.

    Decoding times are made from the order of presentation rather than taken from the source, which
    over RTSP often has none: the n-th picture is decoded when the n-th in order of time is due,
    all of it shifted so that nothing is shown before it is decoded.

    Args:
        container: To be written to.
        template: Of the packets.
        first_s: Stream time that becomes 0.
        slack: How many times the shift that the first packets need; more than 1 where others
            follow, which may need more.

    Raises:
        EvidenceMissing: An MP4 cannot hold such packets.
    """

    def __init__(
        self,
        container: OutputContainer,
        template: ClipTemplate,
        *,
        first_s: float,
        slack: int = 1,
    ) -> None:
        if template.stream is None:
            raise EvidenceMissing(template.problem)
        self._container = container
        self._stream = container.add_stream_from_template(template.stream, opaque=True)
        self._stream.time_base = _TIME_BASE
        if template.codec in _TAGS:
            self._stream.codec_context.codec_tag = _TAGS[template.codec]
        self._first_s = first_s
        self._slack = slack
        self._shift: int | None = None
        self._newest: int | None = None
        self.audio: AudioTrack | None = None

    def add(self, packets: Sequence[EncodedPacket]) -> None:
        """Write packets that follow each other, from a key frame on. Raises av.FFmpegError."""
        shown = [round((packet.stream_s - self._first_s) * TICKS_PER_S) for packet in packets]
        due = _strictly_increasing(sorted(shown), after=self._newest)
        if self._shift is None:
            needed = max(decode - show for decode, show in zip(due, shown, strict=True))
            self._shift = needed * self._slack
        self._newest = due[-1]
        steps = [after - before for before, after in pairwise(due)]
        steps.append(steps[-1] if steps else TICKS_PER_S // 25)
        for index, source in enumerate(packets):
            packet: Packet[Stream] = Packet(source.content)
            packet.time_base = _TIME_BASE
            packet.dts = due[index] - self._shift
            packet.pts = max(shown[index], packet.dts)
            packet.duration = steps[index]
            packet.is_keyframe = source.is_key
            packet.stream = self._stream
            if self.audio is not None:
                self.audio.write_until(packet.dts / TICKS_PER_S)
            self._container.mux(packet)


def _strictly_increasing(ticks: list[int], *, after: int | None) -> list[int]:
    """Return sorted ticks with doubles, and what is not after ``after``, moved on by one each."""
    moved: list[int] = []
    for tick in ticks:
        newest = moved[-1] if moved else after
        moved.append(tick if newest is None or tick > newest else newest + 1)
    return moved
