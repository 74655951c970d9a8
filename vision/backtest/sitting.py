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
    CONFIRMED,
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
    def last_seen(self) -> "memoryview[Any]":
        """The same, to be read one by one."""
        return _view(self.last_seen_N)

    @cached_property
    def hits(self) -> "memoryview[Any]":
        """``hits_N``, to be read one by one."""
        return _view(self.hits_N)

    @cached_property
    def followed_N(self) -> IntArray:
        """For each row the next one in which a track, any, is confirmed and seen; else one past."""
        stored = self.stored
        is_followed_N = stored.is_observed_N & (stored.states_N == CONFIRMED)
        next_N = np.where(is_followed_N, np.arange(stored.points), stored.points)
        return np.asarray(np.minimum.accumulate(next_N[::-1])[::-1], np.int64)

    def followed_from(self, place: int, frame: int) -> int | None:
        """Return the next frame, from one on, in which a track is confirmed and seen."""
        start, end = self.rows_of(place)
        row = bisect.bisect_left(self.columns.frames, frame, start, end)
        later = int(self.followed_N[row]) if row < end else end
        return self.columns.frames[later] if later < end else None

    @cached_property
    def hits_N(self) -> IntArray:
        """How many points up to each row are hits, of whatever track."""
        return np.asarray(np.cumsum(self.stored.is_observed_N), np.int64)

    def last_seen_us(self, row: int) -> int:
        """Return when a track was last seen as of a row, in microseconds since 1970."""
        return self.columns.captured(self.last_seen[row])

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

    def place_of(self, row: int) -> int:
        """Return whose a row is."""
        return cast("int", self.columns.places[row])

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
        seq, captured_us, stream_s, width, height = self.columns.frame(frame)
        return FrameHeader(
            camera_id=stored.camera_id,
            run_id=stored.run_id,
            seq=seq,
            captured_at=moment(captured_us),
            monotonic_s=stream_s,
            width=width,
            height=height,
        )

    def snapshot(self, place: int, row: int, *, has_ended: bool = False) -> Track:
        """Return a track as of one of its points, with all that was remembered of it then."""
        way = self._way(place)
        return self._track(way, row, way.points(self._history(row, way.start), row), has_ended)

    def glance(self, place: int, row: int, *, has_ended: bool = False) -> Track:
        """Return the same with that point only."""
        return self._track(self._way(place), row, (self.columns.point(row),), has_ended)

    def outline(self, place: int, row: int, *, has_ended: bool = False) -> Track:
        """Return the same with its first point and the last second before it was last seen."""
        way = self._way(place)
        seen = self.last_seen[row]
        first = start = self._history(row, way.start)
        is_observed, stream = self.columns.is_observed, self.columns.stream
        for early in range(start, min(start + 64, row + 1)):
            if is_observed[early]:
                first = early
                break
        since_s = stream[seen] - _OUTLINE_S
        tail = max(first + 1, bisect.bisect_left(stream, since_s, start, row))
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
        stream = self.columns.stream
        now_s = stream[row]
        if now_s - stream[start] > HISTORY_S:
            start = bisect.bisect_left(stream, now_s - HISTORY_S, start, row + 1)
            first = self._starts[self.columns.places[row]]
            while start > first and now_s - stream[start - 1] <= HISTORY_S:
                start -= 1
            while now_s - stream[start] > HISTORY_S:
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
            label=stored.labels[self.columns.labels[row]],
            state=TrackState.ENDED if has_ended else STATES[self.columns.states[row]],
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
        found = sitting.hits[row] - sitting.hits[self.start]
        if found:
            # All between the first point and the last hit that are no hits were misses.
            misses += pending + sitting.last_seen[row] - self.start - found
        return hits + found, misses


class _Columns:
    """The columns, read one by one: views give plain numbers in a fraction of the time."""

    def __init__(self, stored: StoredTracks) -> None:
        self.frames = _view(stored.frames_N)
        self.places = _view(stored.tracks_N)
        self.labels = _view(stored.labels_N)
        self.states = _view(stored.states_N)
        self._seqs = _view(stored.seqs_F)
        self._stream = _view(stored.stream_F)
        self.stream = _view(stored.stream_F[stored.frames_N])
        self._captured = _view(stored.captured_F)
        self._widths, self._heights = (_view(side) for side in stored.sizes_F2.T)
        self._x1, self._y1, self._x2, self._y2 = (_view(edge) for edge in stored.boxes_N4.T)
        self._confidences = _view(stored.confidences_N)
        self.is_observed = _view(stored.is_observed_N)
        self._postures = stored.postures_N4
        self._has_posture = _view(np.asarray(stored.postures_N4.any(axis=1)))

    def frame(self, frame: int) -> tuple[int, int, float, int, int]:
        """Return of a frame its number, when it was captured, stream time, width and height."""
        sizes = self._widths[frame], self._heights[frame]
        return (self._seqs[frame], self._captured[frame], self._stream[frame], *sizes)

    def points(self, first: int, end: int) -> list[StoredPoint]:
        """Return the points of rows."""
        seqs, stream, captured = self._seqs, self._stream, self._captured
        columns = (
            self.frames, self._x1, self._y1, self._x2, self._y2, self._confidences,
            self.is_observed, self._has_posture,
        )  # fmt: skip
        # As the class itself makes them, without a call by name for each.
        make = tuple.__new__
        return [
            make(
                StoredPoint,
                (
                    seqs[frame],
                    stream[frame],
                    captured[frame],
                    (x1 / GRID, y1 / GRID, x2 / GRID, y2 / GRID),
                    confidence / HUNDREDTHS,
                    is_observed,
                    self._posture(row) if has_posture else (),
                ),
            )
            for row, frame, x1, y1, x2, y2, confidence, is_observed, has_posture in zip(
                range(first, end), *(column[first:end] for column in columns), strict=True
            )
        ]

    def point(self, row: int) -> StoredPoint:
        """Return the point of a row."""
        frame = self.frames[row]
        edges = (self._x1[row], self._y1[row], self._x2[row], self._y2[row])
        fields = (
            self._seqs[frame],
            self._stream[frame],
            self._captured[frame],
            (edges[0] / GRID, edges[1] / GRID, edges[2] / GRID, edges[3] / GRID),
            self._confidences[row] / HUNDREDTHS,
            self.is_observed[row],
            self._posture(row) if self._has_posture[row] else (),
        )
        return tuple.__new__(StoredPoint, fields)

    def captured(self, row: int) -> int:
        """Return when the frame of a row was captured, in microseconds."""
        return cast("int", self._captured[self.frames[row]])

    def _posture(self, row: int) -> tuple[float, ...]:
        shares = self._postures[row].tolist()
        return tuple((share - 1) / HUNDREDTHS for share in shares) if shares[0] > 0 else ()


def _view(column: npt.NDArray[Any]) -> "memoryview[Any]":
    return memoryview(np.ascontiguousarray(column).data)
