"""Encoded video of the last seconds, in memory, by key-frame group."""

import math
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from contracts.errors import EvidenceMissing
from contracts.geometry import Zone
from ingest.clip_template import ClipTemplate
from ingest.sources.audio import AudioPacket
from ingest.sources.stream import EncodedPacket

RING_BYTES_MAX: Final = 64 << 20
"""About 40 s at 13 Mbit/s; above it the ring covers less time rather than more memory."""


_HOLE_S: Final = 2.0
"""Pictures further apart are not a slow stream: something was lost between them."""
_AUDIO_APART_S: Final = 1.0
"""Sound comes this much before or after its picture, at most; else its times are others."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Footage:
    """Packets that make a clip, in decoding order; the first is a key frame.

    Attributes:
        starts_at: UTC of the first picture.
        masks: What may not be seen of it: all that was covered at some time since it began. The
            packets are as the camera sent them; whoever lets them out has to cover this.
        stream: ``main`` or ``sub`` of a camera that has both; else empty.
    """

    template: ClipTemplate
    packets: tuple[EncodedPacket, ...]
    starts_at: datetime
    masks: tuple[Zone, ...] = ()
    sounds: tuple[AudioPacket, ...] = ()
    stream: str = ""

    def shown_s(self, starts_at: datetime, ends_at: datetime) -> float:
        """Return how many seconds of a time it shows; where pictures stand still is not shown."""
        first_s = self.packets[0].stream_s
        from_s = (starts_at - self.starts_at).total_seconds() + first_s
        until_s = (ends_at - self.starts_at).total_seconds() + first_s
        times_s = sorted(packet.stream_s for packet in self.packets)
        return sum(
            max(0.0, min(after_s, until_s) - max(before_s, from_s))
            for before_s, after_s in pairwise(times_s)
            if after_s - before_s <= _HOLE_S
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stretch:
    """A key frame and all up to the next one, for who keeps everything that comes.

    Attributes:
        number: One more with each; one that is missing was dropped before anybody asked for it.
        begins_s, ends_s: Stream time of its key frame and of the next, or of its last picture
            where there is no next.
    """

    number: int
    run_id: str
    begins_s: float
    ends_s: float
    footage: Footage


@dataclass(slots=True, eq=False)
class _Group:
    """A key frame and what refers to it; ``masks`` is what was covered at any time of it."""

    number: int
    masks: frozenset[Zone]
    packets: list[EncodedPacket] = field(default_factory=list)
    sounds: list[AudioPacket] = field(default_factory=list)
    size_bytes: int = 0
    newest_s: float = 0.0


@dataclass(slots=True, eq=False)
class _Segment:
    """The groups of one run."""

    run_id: str
    template: ClipTemplate
    zero_at: datetime | None = None
    groups: deque[_Group] = field(default_factory=deque)
    is_over: bool = False
    is_waiting_for_key: bool = True

    def at(self, stream_s: float) -> datetime | None:
        return None if self.zero_at is None else self.zero_at + timedelta(seconds=stream_s)

    @property
    def newest_s(self) -> float | None:
        return max((group.newest_s for group in self.groups), default=None)


class ClipRing:
    """Keeps the newest ``keep_s`` of a camera, at least, and ``max_bytes`` at most.

    Oldest groups go first, whole: without its key frame a picture is worth nothing. Runs that have
    ended stay until their time is over. Safe to use from several threads.

    Args:
        keep_s: 0 keeps nothing.
        max_bytes: Goes before ``keep_s``.
    """

    def __init__(self, *, keep_s: float, max_bytes: int = RING_BYTES_MAX) -> None:
        self._keep_s = keep_s
        self._max_bytes = max_bytes
        self._segments: deque[_Segment] = deque()
        self._size_bytes = 0
        self._begun = 0
        self._masks: frozenset[Zone] = frozenset()
        self._lock = threading.Lock()

    @property
    def size_bytes(self) -> int:
        """Encoded bytes held now."""
        return self._size_bytes

    @property
    def masks(self) -> frozenset[Zone]:
        """What is covered now."""
        return self._masks

    def mask(self, zones: tuple[Zone, ...]) -> None:
        """Cover these zones from now on: in what comes, and in all that is kept already.

        What was covered when it came stays so, though a zone is not masked any more.
        """
        with self._lock:
            self._masks = frozenset(zones)
            if self._segments and self._segments[-1].groups:
                self._segments[-1].groups[-1].masks |= self._masks

    def begin_run(self, run_id: str, template: ClipTemplate) -> None:
        """Take packets of a new run from now on."""
        with self._lock:
            self._end_run()
            if self._keep_s > 0:
                self._segments.append(_Segment(run_id=run_id, template=template))

    def end_run(self) -> None:
        """Say that no more packets of the current run will come."""
        with self._lock:
            self._end_run()

    def anchor(self, zero_at: datetime) -> None:
        """Say what UTC stream second 0 of the current run is; may be corrected again."""
        with self._lock:
            if self._segments and not self._segments[-1].is_over:
                self._segments[-1].zero_at = zero_at

    def add(self, packet: EncodedPacket) -> None:
        """Keep a packet of the current run, in decoding order."""
        with self._lock:
            if not self._segments or self._segments[-1].is_over:
                return
            segment = self._segments[-1]
            if packet.is_key:
                self._begun += 1
                segment.groups.append(
                    _Group(number=self._begun, masks=self._masks, newest_s=packet.stream_s)
                )
                segment.is_waiting_for_key = False
            elif segment.is_waiting_for_key:
                return
            group = segment.groups[-1]
            group.packets.append(packet)
            group.newest_s = max(group.newest_s, packet.stream_s)
            group.size_bytes += len(packet.content)
            self._size_bytes += len(packet.content)
            if packet.is_key or self._size_bytes > self._max_bytes:  # else no group is over
                self._make_room(segment)

    def add_audio(self, sound: AudioPacket) -> None:
        """Keep sound of the current run, beside the pictures that come at the same time."""
        with self._lock:
            segment = self._segments[-1] if self._segments else None
            if segment is None or segment.is_over or segment.is_waiting_for_key:
                return
            segment.groups[-1].sounds.append(sound)
            segment.groups[-1].size_bytes += len(sound.content)
            self._size_bytes += len(sound.content)

    def reaches(self, run_id: str, at: datetime) -> bool:
        """Say whether waiting for footage of that run up to ``at`` is over."""
        with self._lock:
            segment = self._segment(run_id)
            if segment is None or segment.is_over:
                return True
            newest_at = None if segment.newest_s is None else segment.at(segment.newest_s)
            return newest_at is not None and newest_at >= at

    def cover(self, run_id: str, starts_at: datetime, ends_at: datetime) -> Footage:
        """Return what there is of ``starts_at`` to ``ends_at``.

        Begins with the last key frame at or before ``starts_at``, or, where the ring does not
        reach back so far, with the oldest.

        Raises:
            EvidenceMissing: Nothing of that time is here; the message says why.
        """
        with self._lock:
            segment = self._segment(run_id)
            if segment is None:
                raise EvidenceMissing(
                    f"no video of run {run_id} is kept (clip_ring_s = {self._keep_s:g}, or the "
                    "run ended too long ago, or its ingestor was restarted)"
                )
            if segment.template.problem:
                raise EvidenceMissing(segment.template.problem)
            return _cut(segment, starts_at, ends_at, masks=self._masks)

    def reaches_time(self, at: datetime) -> bool:
        """Say whether waiting for footage of any run up to ``at`` is over."""
        with self._lock:
            segment = self._segments[-1] if self._segments else None
            if segment is None or segment.is_over or segment.newest_s is None:
                return True
            newest_at = segment.at(segment.newest_s)
            return newest_at is not None and newest_at >= at

    def cover_time(self, starts_at: datetime, ends_at: datetime) -> Footage:
        """Return what the run that has most of that time has of it; see ``cover``.

        Raises:
            EvidenceMissing: No run has anything of it that can be made into a clip.
        """
        with self._lock:
            fit = [part for part in self._segments if part.groups and part.zero_at is not None]
            found = max(fit, key=lambda part: _shared_s(part, starts_at, ends_at), default=None)
            if found is None:
                raise EvidenceMissing("no video of that time is kept")
            if found.template.problem:
                raise EvidenceMissing(found.template.problem)
            return _cut(found, starts_at, ends_at, masks=self._masks)

    @property
    def current_run(self) -> str:
        """The run that packets come of; empty between two."""
        with self._lock:
            is_running = bool(self._segments) and not self._segments[-1].is_over
            return self._segments[-1].run_id if is_running else ""

    def stretches_after(self, number: int) -> tuple[Stretch, ...]:
        """Return what is complete, has a time and comes after that number, in order."""
        with self._lock:
            return tuple(
                stretch
                for segment in self._segments
                for stretch in _stretches(segment, number, masks=self._masks)
            )

    def _segment(self, run_id: str) -> _Segment | None:
        return next((part for part in self._segments if part.run_id == run_id), None)

    def _end_run(self) -> None:
        if self._segments:
            self._segments[-1].is_over = True
            if not self._segments[-1].groups:
                self._segments.pop()

    def _make_room(self, segment: _Segment) -> None:
        while self._size_bytes > self._max_bytes:
            self._drop_oldest_group()
        newest_s = segment.newest_s
        newest_at = None if newest_s is None else segment.at(newest_s)
        if newest_s is None or newest_at is None:
            return
        while len(segment.groups) > 1 and (
            segment.groups[1].packets[0].stream_s <= newest_s - self._keep_s
        ):
            self._drop_group(segment)
        oldest_at = newest_at - timedelta(seconds=self._keep_s)
        while self._segments[0] is not segment and _is_before(self._segments[0], oldest_at):
            self._drop_oldest_group()

    def _drop_oldest_group(self) -> None:
        oldest = self._segments[0]
        if oldest.groups:
            self._drop_group(oldest)
        if oldest.is_over and not oldest.groups:
            self._segments.popleft()

    def _drop_group(self, segment: _Segment) -> None:
        self._size_bytes -= segment.groups.popleft().size_bytes
        segment.is_waiting_for_key = not segment.groups


def _is_before(segment: _Segment, oldest_at: datetime) -> bool:
    """Whether the segment's oldest group ends before ``oldest_at``, or will never have a time."""
    ends_at = segment.at(segment.groups[0].newest_s) if segment.groups else None
    return ends_at is None or ends_at < oldest_at


def _shared_s(segment: _Segment, starts_at: datetime, ends_at: datetime) -> float:
    """Seconds that a segment with groups has in common with a time; negative if it has none."""
    first_at = segment.at(segment.groups[0].packets[0].stream_s)
    newest_at = segment.at(segment.newest_s or 0.0)
    if first_at is None or newest_at is None:
        return -math.inf
    return (min(newest_at, ends_at) - max(first_at, starts_at)).total_seconds()


def _stretches(segment: _Segment, number: int, *, masks: frozenset[Zone]) -> Iterator[Stretch]:
    """Yield the complete groups of a segment that come after a number."""
    for index, group in enumerate(segment.groups):
        is_last = index + 1 == len(segment.groups)
        begins_s = group.packets[0].stream_s
        starts_at = segment.at(begins_s)
        if group.number <= number or starts_at is None or (is_last and not segment.is_over):
            continue
        ends_s = group.newest_s if is_last else segment.groups[index + 1].packets[0].stream_s
        yield Stretch(
            number=group.number,
            run_id=segment.run_id,
            begins_s=begins_s,
            ends_s=ends_s,
            footage=Footage(
                template=segment.template,
                packets=tuple(group.packets),
                starts_at=starts_at,
                masks=tuple(sorted(masks | group.masks, key=lambda zone: zone.zone_id)),
                sounds=_heard([group], begins_s - _AUDIO_APART_S, ends_s + _AUDIO_APART_S),
            ),
        )


def _heard(groups: Iterable[_Group], start_s: float, end_s: float) -> tuple[AudioPacket, ...]:
    return tuple(
        sound for group in groups for sound in group.sounds if start_s <= sound.stream_s <= end_s
    )


def _cut(
    segment: _Segment, starts_at: datetime, ends_at: datetime, *, masks: frozenset[Zone]
) -> Footage:
    if segment.zero_at is None or not segment.groups:
        raise EvidenceMissing(f"no video of run {segment.run_id} has come yet")
    start_s = (starts_at - segment.zero_at).total_seconds()
    end_s = (ends_at - segment.zero_at).total_seconds()
    first_s = segment.groups[0].packets[0].stream_s
    newest_s = segment.newest_s or first_s
    if end_s < first_s or start_s > newest_s:
        raise EvidenceMissing(
            f"the video kept of run {segment.run_id} is of stream seconds {first_s:.1f} to "
            f"{newest_s:.1f}; asked for were {start_s:.1f} to {end_s:.1f}"
        )
    packets = tuple(_between(segment, start_s, end_s))
    of_groups = (group.masks for group in segment.groups if group.newest_s >= packets[0].stream_s)
    return Footage(
        template=segment.template,
        packets=packets,
        starts_at=segment.zero_at + timedelta(seconds=packets[0].stream_s),
        masks=tuple(sorted(masks.union(*of_groups), key=lambda zone: zone.zone_id)),
        sounds=_heard(
            segment.groups, packets[0].stream_s, max(packet.stream_s for packet in packets)
        ),
    )


def _between(segment: _Segment, start_s: float, end_s: float) -> Iterator[EncodedPacket]:
    begins = [group.packets[0].stream_s for group in segment.groups]
    first = max((index for index, at_s in enumerate(begins) if at_s <= start_s), default=0)
    packets = [packet for group in list(segment.groups)[first:] for packet in group.packets]
    key_s = packets[0].stream_s
    last = max(
        (index for index, packet in enumerate(packets) if packet.stream_s <= end_s), default=0
    )
    # Pictures shown before the key frame that they follow (open group) refer to what is not here.
    return (packet for packet in packets[: last + 1] if packet.stream_s >= key_s)
