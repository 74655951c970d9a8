"""One part of a recording being muxed: stretches of a run in, an MP4 in fragments of 1 s out."""

from contextlib import suppress
from typing import BinaryIO, Final, cast

import av

from contracts.errors import EvidenceMissing
from ingest.clip_ring import Stretch
from ingest.clips import MP4_OPTIONS, FootageWriter
from ingest.recorder.open_part import OpenPart
from ingest.recorder.parts import Part

_OPTIONS: Final = {**MP4_OPTIONS, "flush_packets": "1"}
"""A fragment is in the file, not in our memory, once it is complete."""
_SLACK: Final = 2
"""Later pictures may be sent further before they are shown than those of the first stretch."""


class PartWriter:
    """Writes stretches that follow each other under the same masks.

    Packets are copied as they came; where masks cover anything, pictures are covered and encoded
    (ADR 0008).

    Args:
        file: Where the part goes; published or left by this object.
        first: Tells codec, masks and where time begins; to be added as the others are.

    Raises:
        EvidenceMissing: The codec cannot be kept in MP4.
    """

    def __init__(self, file: OpenPart, first: Stretch) -> None:
        self._file = file
        self._first = first
        self._newest = first
        # It has all that libav needs of a file that cannot be read and does not seek.
        self._container = av.open(
            cast(BinaryIO, file), "w", format="mp4", container_options=_OPTIONS
        )
        self._footage = FootageWriter(
            self._container, first.footage, first_s=first.begins_s, slack=_SLACK
        )

    @property
    def run_id(self) -> str:
        """The run that it is of."""
        return self._first.run_id

    @property
    def duration_s(self) -> float:
        """How long it is so far."""
        return self._newest.ends_s - self._first.begins_s

    def takes(self, stretch: Stretch, *, part_s: float) -> bool:
        """Whether a stretch continues this part, which is to last ``part_s`` at most."""
        return (
            stretch.number == self._newest.number + 1
            and stretch.run_id == self._first.run_id
            and stretch.footage.masks == self._first.footage.masks
            and bool(stretch.footage.sounds) <= bool(self._first.footage.sounds)
            and stretch.ends_s - self._first.begins_s <= part_s
        )

    def add(self, stretch: Stretch) -> None:
        """Write a stretch.

        Raises:
            OSError: The file cannot be written.
            av.FFmpegError: libav cannot write it.
        """
        packets = stretch.footage.packets
        if stretch is self._first:
            # Pictures shown before the key frame that they follow refer to what is not here.
            packets = tuple(p for p in packets if p.stream_s >= stretch.begins_s)
        self._footage.add(packets, stretch.footage.sounds)
        self._newest = stretch

    def hear(self, next_one: Stretch) -> None:
        """Write the sound that came with a later stretch and belongs to this part, if any does."""
        if next_one.number == self._newest.number + 1 and next_one.run_id == self.run_id:
            until_s = next_one.begins_s
            late = [one for one in next_one.footage.sounds if one.stream_s < until_s]
            self._footage.add((), late)

    def publish(self) -> Part:
        """Finish the part and make it durable.

        Raises:
            EvidenceMissing: There are masks and not one picture could be decoded.
            OSError: The file cannot be written.
            av.FFmpegError: libav cannot write it.
        """
        self._footage.finish()
        self._container.close()
        return self._file.publish(self.duration_s)

    def leave(self) -> None:
        """Give the part up; its whole fragments may be salvaged."""
        with suppress(OSError, ValueError, EvidenceMissing, av.FFmpegError):
            self._container.close()
        self._file.leave()
