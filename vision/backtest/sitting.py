"""One sitting as rules read it: frames and snapshots of tracks, made of columns when asked for.

Shape legend: F = frames, K = tracks, N = points, 2 = x and y.
"""

import bisect
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from contracts.frames import FrameHeader
from contracts.geometry import PICTURE_MARGIN, Box
from contracts.tracks import Track, TrackPoint, TrackState
from vision.archive.columns import (
    HUNDREDTHS,
    STATES,
    TENTATIVE,
    BoolArray,
    FloatArray,
    IntArray,
    StoredTracks,
)
from vision.archive.recorder import moment
from vision.grid import GRID
from vision.track_life import HISTORY_POINTS, HISTORY_S

_OUTLINE_S: Final = 1.2


class _PointFields(NamedTuple):
    seq: int
    monotonic_s: float
    captured_micros: int
    box: Box
    confidence: float
    is_observed: bool
    postures: tuple[float, ...] = ()


class StoredPoint(_PointFields):
    """What ``TrackPoint`` is, made in a tenth of the time; its date only when it is asked for."""

    __slots__ = ()

    @property
    def captured_at(self) -> datetime:
        """As ``TrackPoint`` has it."""
        return moment(self.captured_micros)

    posture = TrackPoint.posture


class _TrackFields(NamedTuple):
    track_id: str
    camera_id: str
    run_id: str
    label: str
    state: TrackState
    points: tuple[TrackPoint, ...]
    hits: int
    misses: int
    first_seen_micros: int
    first_seen_s: float
    label_confidence: float = 1.0
    is_region: bool = False


class StoredTrack(_TrackFields):
    """What ``Track`` is, made as fast."""

    __slots__ = ()

    @property
    def first_seen_at(self) -> datetime:
        """As ``Track`` has it."""
        return moment(self.first_seen_micros)

    last = Track.last
    last_seen = Track.last_seen
    age_s = Track.age_s
    hit_ratio = Track.hit_ratio


class Sitting:
    """The frames and tracks of one sitting.

    A *row* is the index of a point, a *place* that of a track, a *frame* that of a frame.
    """

    def __init__(self, stored: StoredTracks) -> None:
        self.stored = stored
        self.tracks = len(stored.names)
        self.starts_K1: IntArray = np.searchsorted(stored.tracks_N, np.arange(self.tracks + 1))
        self._starts: list[int] = self.starts_K1.tolist()
        self.columns = _Columns(stored)
        self.stream_N: FloatArray = stored.stream_F[stored.frames_N]
        self._ways: dict[int, _Way] = {}

    @cached_property
    def feet_N2(self) -> FloatArray:
        """``contracts.geometry.standing_point`` of every point, to the last bit."""
        boxes_N4 = self.stored.edges_N4()
        low, high = PICTURE_MARGIN, 1.0 - PICTURE_MARGIN
        feet_N2 = np.stack([(boxes_N4[:, 0] + boxes_N4[:, 2]) / 2, boxes_N4[:, 3]], axis=1)
        return np.asarray(np.minimum(high, np.maximum(low, feet_N2)), np.float64)

    @cached_property
    def confirmed_K(self) -> IntArray:
        """First row of each track in which it was confirmed; beyond its rows if it never was."""
        return self.first_row(self.stored.states_N != TENTATIVE)

    @cached_property
    def last_seen_N(self) -> IntArray:
        """For each row the newest one up to it in which its track was seen, else the row itself."""
        rows_N = np.arange(self.stored.points)
        starts_N = self.starts_K1[self.stored.tracks_N]
        seen_N = np.maximum.accumulate(np.where(self.stored.is_observed_N, rows_N, -1))
        return np.where(seen_N >= starts_N, seen_N, rows_N)

    @cached_property
    def hits_N(self) -> IntArray:
        """How many points up to each row are hits, of whatever track."""
        return np.asarray(np.cumsum(self.stored.is_observed_N), np.int64)

    def last_seen_us(self, row: int) -> int:
        """Return when a track was last seen as of a row, in microseconds since 1970."""
        return self.columns.captured(int(self.last_seen_N[row]))

    def first_row(self, is_wanted_N: BoolArray) -> IntArray:
        """Return each track's first row that is wanted; one past all rows if none is."""
        first_K = np.full(self.tracks, self.stored.points, np.int64)
        rows = np.flatnonzero(is_wanted_N)
        places, index = np.unique(self.stored.tracks_N[rows], return_index=True)
        first_K[places] = rows[index]
        return first_K

    def rows_of(self, place: int) -> tuple[int, int]:
        """Return the first row of a track and the one after its last."""
        return self._starts[place], self._starts[place + 1]

    def row_at(self, place: int, frame: int) -> int | None:
        """Return the row of a track's newest point at a frame; None before its first."""
        start, end = self.rows_of(place)
        row = bisect.bisect_right(self.columns.frames, frame, start, end) - 1
        return row if row >= start else None

    def is_told_of(self, place: int, frame: int) -> bool:
        """Say whether rules are told of a track in a frame: it is alive, or ended in it."""
        start, end = self.rows_of(place)
        if start == end or self.stored.frames_N[start] > frame:
            return False
        ended = int(self.stored.ended_K[place])
        return frame <= (ended if ended >= 0 else int(self.stored.frames_N[end - 1]))

    def header(self, frame: int) -> FrameHeader:
        """Return the header of a frame."""
        stored = self.stored
        width, height = stored.sizes_F2[frame].tolist()
        return FrameHeader(
            camera_id=stored.camera_id,
            run_id=stored.run_id,
            seq=int(stored.seqs_F[frame]),
            captured_at=moment(int(stored.captured_F[frame])),
            monotonic_s=float(stored.stream_F[frame]),
            width=width,
            height=height,
        )

    def snapshot(self, place: int, row: int, *, has_ended: bool = False) -> Track:
        """Return a track as of one of its points, with all that was remembered of it then."""
        way = self._way(place)
        return self._track(way, row, way.points(self._history(row, way.start), row), has_ended)

    def glance(self, place: int, row: int, *, has_ended: bool = False) -> Track:
        """Return the same with that point only."""
        way = self._way(place)
        return self._track(way, row, way.fresh(row, row), has_ended)

    def outline(self, place: int, row: int, *, has_ended: bool = False) -> Track:
        """Return the same with its first point and the last second before it was last seen."""
        way = self._way(place)
        seen = int(self.last_seen_N[row])
        start = self._history(row, way.start)
        seen_rows = np.flatnonzero(self.stored.is_observed_N[start : row + 1][:64])
        first = start + (int(seen_rows[0]) if len(seen_rows) else 0)
        since_s = float(self.stream_N[seen]) - _OUTLINE_S
        tail = max(first + 1, start + int(np.searchsorted(self.stream_N[start:row], since_s)))
        points = (*way.fresh(first, first), *(way.fresh(tail, row) if tail <= row else ()))
        return self._track(way, row, points, has_ended)

    def forget(self, keep: Iterable[int] = ()) -> None:
        """Drop what was made of tracks, other than these."""
        self._ways = {place: self._ways[place] for place in keep if place in self._ways}

    def window_start(self, row: int) -> int:
        """Return the oldest row that is remembered at a row."""
        return self._history(row, int(self.starts_K1[self.stored.tracks_N[row]]))

    def _way(self, place: int) -> "_Way":
        way = self._ways.get(place)
        if way is None:
            way = self._ways[place] = _Way(self, place)
        return way

    def _history(self, row: int, start: int) -> int:
        """Return the first row within the history that a track keeps, as ``TrackLife`` has it."""
        now_s = float(self.stream_N[row])
        if now_s - self.stream_N[start] > HISTORY_S:
            oldest_s = now_s - HISTORY_S
            start += int(np.searchsorted(self.stream_N[start : row + 1], oldest_s))
            while start > self.starts_K1[self.stored.tracks_N[row]] and (
                now_s - self.stream_N[start - 1] <= HISTORY_S
            ):
                start -= 1
            while now_s - self.stream_N[start] > HISTORY_S:
                start += 1
        return max(start, row + 1 - HISTORY_POINTS)

    def _track(
        self,
        way: "_Way",
        row: int,
        points: tuple[StoredPoint, ...],
        has_ended: bool,  # noqa: FBT001
    ) -> Track:
        stored = self.stored
        hits, misses = way.counts(row)
        track = StoredTrack(
            track_id=way.name,
            camera_id=stored.camera_id,
            run_id=stored.run_id,
            label=stored.labels[stored.labels_N[row]],
            state=TrackState.ENDED if has_ended else STATES[stored.states_N[row]],
            points=cast("tuple[TrackPoint, ...]", points),
            hits=hits,
            misses=misses,
            first_seen_micros=way.first_seen_micros,
            first_seen_s=way.first_seen_s,
        )
        return cast("Track", track)


class _Way:
    """What has been made of one track: points in one piece, and counts."""

    def __init__(self, sitting: Sitting, place: int) -> None:
        stored = sitting.stored
        self.start, self.end = sitting.rows_of(place)
        self.name = stored.names[place]
        self.first_seen_micros = int(stored.first_captured_K[place])
        self.first_seen_s = float(stored.first_stream_K[place])
        self._sitting = sitting
        self._base = stored.base_K3[place].tolist()
        self._first = self.start
        self._made: list[StoredPoint] = []

    def points(self, first: int, last: int) -> tuple[StoredPoint, ...]:
        """Return the points of rows ``first`` to ``last``; what was made before is used again."""
        made_to = self._first + len(self._made)
        if first < self._first or first > made_to:
            self._first, self._made, made_to = first, [], first
        if last >= made_to:
            self._made += self._sitting.columns.points(made_to, last + 1)
        return tuple(self._made[first - self._first : last + 1 - self._first])

    def fresh(self, first: int, last: int) -> tuple[StoredPoint, ...]:
        """Return the same, made anew."""
        return tuple(self._sitting.columns.points(first, last + 1))

    def counts(self, row: int) -> tuple[int, int]:
        """Return hits and misses as of a row."""
        hits, misses, pending = self._base
        sitting = self._sitting
        found = int(sitting.hits_N[row] - sitting.hits_N[self.start])
        if found:
            # All between the first point and the last hit that are no hits were misses.
            misses += pending + int(sitting.last_seen_N[row]) - self.start - found
        return hits + found, misses


class _Columns:
    """The columns, read one by one: views give plain numbers in a fraction of the time."""

    def __init__(self, stored: StoredTracks) -> None:
        self.frames = _view(stored.frames_N)
        self._seqs = _view(stored.seqs_F)
        self._stream = _view(stored.stream_F)
        self._captured = _view(stored.captured_F)
        self._x1, self._y1, self._x2, self._y2 = (_view(edge) for edge in stored.boxes_N4.T)
        self._confidences = _view(stored.confidences_N)
        self._is_observed = _view(stored.is_observed_N)
        self._postures = stored.postures_N4
        self._has_posture = _view(np.asarray(stored.postures_N4.any(axis=1)))

    def points(self, first: int, end: int) -> list[StoredPoint]:
        """Return the points of rows."""
        return [self.point(row) for row in range(first, end)]

    def point(self, row: int) -> StoredPoint:
        """Return the point of a row."""
        frame = self.frames[row]
        return StoredPoint(
            self._seqs[frame],
            self._stream[frame],
            self._captured[frame],
            (
                self._x1[row] / GRID,
                self._y1[row] / GRID,
                self._x2[row] / GRID,
                self._y2[row] / GRID,
            ),
            self._confidences[row] / HUNDREDTHS,
            self._is_observed[row],
            self._posture(row) if self._has_posture[row] else (),
        )

    def captured(self, row: int) -> int:
        """Return when the frame of a row was captured, in microseconds."""
        return cast("int", self._captured[self.frames[row]])

    def _posture(self, row: int) -> tuple[float, ...]:
        shares = self._postures[row].tolist()
        return tuple((share - 1) / HUNDREDTHS for share in shares) if shares[0] > 0 else ()


def _view(column: npt.NDArray[Any]) -> "memoryview[Any]":
    return memoryview(np.ascontiguousarray(column).data)
