"""HLS playlists: which segments to read, in order, from one host.

Source: RFC 8216.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from contracts.clock import SystemClock
from ingest.sources.http_body import HttpBody, HttpCamera, HttpRefused

_PLAYLIST_MAX_BYTES: Final = 1_000_000
_FROM_END: Final = 2
"""Segments before the live end at which to begin: nearer, and any delay leaves nothing to play."""
_BANDWIDTH: Final = re.compile(r"BANDWIDTH=(\d+)")
_URI: Final = re.compile(r'URI="([^"]+)"')
_TARGET_S: Final = 6.0
_POLLS: Final = 2
"""In the time of one segment."""
_EMPTY_MAX: Final = 3
"""Target durations without a new segment: the stream has ended without saying so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of the stream; a discontinuity before it begins other timestamps."""

    number: int
    uri: str
    is_discontinuous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlist:
    """What one fetch of a playlist said.

    Attributes:
        variants: (bits per second, address) of a master playlist; empty in a media playlist.
        init_uri: Of the head of fragmented MP4; empty for MPEG-TS.
    """

    variants: tuple[tuple[int, str], ...] = ()
    segments: tuple[Segment, ...] = ()
    init_uri: str = ""
    target_s: float = _TARGET_S
    is_ended: bool = False


def parse_playlist(text: str) -> Playlist:
    """Return what a playlist says.

    Raises:
        HttpRefused: It is none, or needs what is not supported: encryption, byte ranges.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or lines[0] != "#EXTM3U":
        raise HttpRefused(0, "a playlist that is none")
    parts = [line.partition(":") for line in lines if line.startswith("#")]
    tags = [(name, value) for name, _, value in parts]
    for name, value in tags:
        if name == "#EXT-X-KEY" and "METHOD=NONE" not in value:
            raise HttpRefused(0, "an encrypted playlist, which is not supported")
        if name == "#EXT-X-BYTERANGE":
            raise HttpRefused(0, "a playlist of byte ranges, which is not supported")
    said = dict(tags)
    first, target = said.get("#EXT-X-MEDIA-SEQUENCE", ""), said.get("#EXT-X-TARGETDURATION", "")
    head = _URI.search(said.get("#EXT-X-MAP", ""))
    variants, segments = _addresses(lines, first=int(first) if first.isdigit() else 0)
    return Playlist(
        variants=variants,
        segments=segments,
        init_uri=head[1] if head else "",
        target_s=float(target) if target.isdigit() and int(target) else _TARGET_S,
        is_ended="#EXT-X-ENDLIST" in lines,
    )


def _addresses(
    lines: list[str], *, first: int
) -> tuple[tuple[tuple[int, str], ...], tuple[Segment, ...]]:
    variants: list[tuple[int, str]] = []
    segments: list[Segment] = []
    tags: list[str] = []
    for line in lines:
        if line.startswith("#"):
            tags.append(line)
            continue
        form = next((tag for tag in tags if tag.startswith("#EXT-X-STREAM-INF:")), None)
        if form is None:
            is_cut = "#EXT-X-DISCONTINUITY" in tags
            number = first + len(segments)
            segments.append(Segment(number=number, uri=line, is_discontinuous=is_cut))
        else:
            found = _BANDWIDTH.search(form)
            variants.append((int(found[1]) if found else 0, line))
        tags = []
    return tuple(variants), tuple(segments)


@dataclass(slots=True, kw_only=True, eq=False)
class HlsBody:
    """The segments of a live playlist as one stream of bytes, for libav to read from.

    Args:
        camera: What fetches.
        url: Of the playlist; of several variants the smallest is read.
        clock_s: For deadlines.
    """

    camera: HttpCamera
    url: str
    timeout_s: float
    clock_s: Callable[[], float] = SystemClock().monotonic_s
    is_fragmented: bool = False
    _playlist: Playlist = field(init=False)
    _next: int = -1
    _body: HttpBody | None = None
    _polled_s: float = 0.0
    _news_s: float = 0.0
    _has_read: bool = False
    _is_closed: threading.Event = field(default_factory=threading.Event)

    def open(self) -> None:
        """Fetch the playlist, and begin near its end (a recorded one from its beginning)."""
        self._playlist = self._fetch()
        if self._playlist.variants:
            _, uri = min(self._playlist.variants)
            self.url = self.camera.resolve(uri, base=self.url)
            self._playlist = self._fetch()
        found = self._playlist
        if not found.segments:
            raise HttpRefused(0, "a playlist without segments")
        begin = 0 if found.is_ended else max(0, len(found.segments) - _FROM_END)
        self._next = found.segments[begin].number
        self._news_s = self.clock_s()
        self.is_fragmented = bool(found.init_uri)
        if self.is_fragmented:
            self._body = self.camera.get(self.camera.resolve(found.init_uri, base=self.url))

    def arm(self) -> None:
        """Begin to count the time that the next picture may take."""
        if self._body is not None:
            self._body.arm()

    def read(self, size: int) -> bytes:
        """Return some bytes, none at the end of the stream. Raises OSError, HttpRefused."""
        try:
            return self._read(size)
        except (OSError, HttpRefused):
            self._is_closed.set()  # libav asks again: what failed once is over
            raise

    def _read(self, size: int) -> bytes:
        while not self._is_closed.is_set():
            if self._body is not None:
                chunk = self._body.read(size)
                if chunk:
                    return chunk
                self._body.close()
                self._body = None
            segment = self._due()
            # After a discontinuity other timestamps follow: a new connection begins with them.
            if segment is None or (segment.is_discontinuous and self._has_read):
                break
            self._next = segment.number + 1
            self._has_read = True
            self._body = self.camera.get(self.camera.resolve(segment.uri, base=self.url))
        return b""

    def close(self) -> None:
        """End it. Safe to call twice."""
        self._is_closed.set()
        if self._body is not None:
            self._body.close()

    def _due(self) -> Segment | None:
        """Wait for the next segment; None at the end."""
        while not self._is_closed.is_set():
            coming = [part for part in self._playlist.segments if part.number >= self._next]
            if coming:
                self._news_s = self.clock_s()
                return coming[0]
            target_s = self._playlist.target_s
            if self._playlist.is_ended or self.clock_s() - self._news_s > _EMPTY_MAX * target_s:
                return None
            self._is_closed.wait(min(target_s, self.timeout_s) / _POLLS)
            self._playlist = self._fetch()
        return None

    def _fetch(self) -> Playlist:
        content = self.camera.get(self.url).read_all(most_bytes=_PLAYLIST_MAX_BYTES)
        return parse_playlist(content.decode("utf-8", "replace"))
