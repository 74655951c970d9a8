"""Stored tracks of a span of time, in pieces that memory holds.

A piece is a sitting, or so much of a long one as ends while nobody is followed and every rule has
forgotten whom it knew: replayed one by one, pieces say what the whole would have said. Only where
nobody leaves for days is a sitting cut regardless; that is counted.

Shape legend: F = frames, K = tracks, N = points.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from contracts.rules import RuleSettings
from vision.archive.columns import IntArray, StoredTracks, merged
from vision.archive.port import DamagedFile, TrackShelf

LEAD: Final = timedelta(minutes=30)
"""Read before a span, so that rules know who had been there when it begins."""
PIECE_POINTS: Final = 1_000_000
"""From here on a sitting is cut where nobody is there."""
MOST_POINTS: Final = 4_000_000
"""... and here wherever it is: about 400 MB."""
PIECE_FRAMES: Final = 2_000_000
QUIET_S: Final = 120.0
"""Longer than any rule remembers by itself."""


@dataclass(slots=True)
class Pieces:
    """Reads one camera's pieces; what was met on the way is counted.

    Attributes:
        quiet_s: So long nobody is there where a sitting is cut (``memory_s``).
        tick: Called for each file; may raise to give up.
        damaged: Files that were passed over, or not read to their end.
        forced_cuts: How often a sitting was cut while somebody was there.
    """

    shelf: TrackShelf
    camera_id: str
    quiet_s: float = QUIET_S
    piece_points: int = PIECE_POINTS
    most_points: int = MOST_POINTS
    tick: Callable[[], None] = lambda: None
    damaged: list[DamagedFile] = field(default_factory=list)
    forced_cuts: int = 0

    def read(self, *, start: datetime, end: datetime) -> Iterator[StoredTracks]:
        """Yield what is stored of a span of time and of a while before it."""
        parts: list[StoredTracks] = []
        tried = 0
        for part in self.shelf.read(self.camera_id, start=start - LEAD, end=end):
            self.tick()
            if isinstance(part, DamagedFile):
                self.damaged.append(part)
                continue
            if parts and (part.run_id, part.sitting) != (parts[0].run_id, parts[0].sitting):
                yield merged(parts)
                parts, tried = [], 0
            parts.append(part)
            size = self._size(parts)
            if size < max(1, 2 * tried):
                continue
            piece, parts = self._cut(parts, size=size)
            tried = size if piece is None else 0
            if piece is not None:
                yield piece
        if parts:
            yield merged(parts)

    def _size(self, parts: Sequence[StoredTracks]) -> int:
        """Return how many pieces' worth there is."""
        points = sum(part.points for part in parts) // self.piece_points
        return max(points, sum(part.frames for part in parts) // PIECE_FRAMES)

    def _cut(
        self, parts: list[StoredTracks], *, size: int
    ) -> tuple[StoredTracks | None, list[StoredTracks]]:
        """Return a piece and what is left; None where it may not be cut yet."""
        whole = merged(parts)
        frame = quiet_frame(whole, quiet_s=self.quiet_s)
        if frame is not None:
            head, tail = split(whole, frame)
            return head, [tail]
        if size * self.piece_points < self.most_points:
            return None, [whole]
        self.forced_cuts += 1
        return whole, []


def memory_s(rules: Sequence[RuleSettings], *, close_after_s: float) -> float:
    """Return for how long rules and incidents may remember somebody who is gone."""
    waits = [
        float(value)
        for rule in rules
        for name, value in rule.params.items()
        if name.endswith("_s") and not isinstance(value, str)
    ]
    return max([QUIET_S, 2 * close_after_s, *(2 * wait for wait in waits)])


def quiet_frame(tracks: StoredTracks, *, quiet_s: float) -> int | None:
    """Return the last frame with nobody for ``quiet_s`` before it, and nobody in it."""
    starts_K, ends_K = _lives(tracks)
    steps_F = np.zeros(tracks.frames + 1, np.int64)
    np.add.at(steps_F, starts_K, 1)
    np.add.at(steps_F, ends_K + 1, -1)
    is_empty_F = np.cumsum(steps_F)[:-1] == 0
    frames_F = np.arange(tracks.frames)
    since_F = np.maximum.accumulate(np.where(is_empty_F, -1, frames_F)) + 1
    since_F = np.minimum(since_F, tracks.frames - 1)
    found = np.flatnonzero(
        is_empty_F & (tracks.stream_F - tracks.stream_F[since_F] >= quiet_s) & (frames_F > 0)
    )
    return int(found[-1]) if len(found) else None


def split(tracks: StoredTracks, frame: int) -> tuple[StoredTracks, StoredTracks]:
    """Return what lies before a frame in which nobody is there, and the rest."""
    starts_K, _ = _lives(tracks)
    return (
        _cropped(tracks, 0, frame, np.flatnonzero(starts_K < frame)),
        _cropped(tracks, frame, tracks.frames, np.flatnonzero(starts_K >= frame)),
    )


def _lives(tracks: StoredTracks) -> tuple[IntArray, IntArray]:
    """Return first and last frame of each track; one without a point was there from the start."""
    count = len(tracks.names)
    starts_K = np.zeros(count, np.int64)
    places, index = np.unique(tracks.tracks_N, return_index=True)
    starts_K[places] = tracks.frames_N[index]
    ends_K = np.where(tracks.ended_K >= 0, tracks.ended_K, tracks.frames - 1)
    return starts_K, np.maximum(ends_K, starts_K)


def _cropped(tracks: StoredTracks, first: int, end: int, places: IntArray) -> StoredTracks:
    numbers_K = np.full(len(tracks.names), -1, np.int32)
    numbers_K[places] = np.arange(len(places))
    is_kept_N = numbers_K[tracks.tracks_N] >= 0
    ended_K = tracks.ended_K[places]
    return replace(
        tracks,
        seqs_F=tracks.seqs_F[first:end],
        stream_F=tracks.stream_F[first:end],
        captured_F=tracks.captured_F[first:end],
        sizes_F2=tracks.sizes_F2[first:end],
        names=tuple(tracks.names[place] for place in places.tolist()),
        first_captured_K=tracks.first_captured_K[places],
        first_stream_K=tracks.first_stream_K[places],
        base_K3=tracks.base_K3[places],
        ended_K=np.where(ended_K >= 0, ended_K - first, ended_K),
        frames_N=tracks.frames_N[is_kept_N] - np.int32(first),
        tracks_N=numbers_K[tracks.tracks_N[is_kept_N]],
        boxes_N4=tracks.boxes_N4[is_kept_N],
        confidences_N=tracks.confidences_N[is_kept_N],
        states_N=tracks.states_N[is_kept_N],
        labels_N=tracks.labels_N[is_kept_N],
        is_observed_N=tracks.is_observed_N[is_kept_N],
        postures_N4=tracks.postures_N4[is_kept_N],
    )
