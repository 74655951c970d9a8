"""Tracks of one sitting as columns: what the rules were told, without objects.

A sitting is what one worker followed of one run without a break: rules and track numbers have one
life in it. Boxes are whole multiples of ``1 / GRID`` of the picture, as the tracker gives them.

Shape legend: F = frames, K = tracks, N = points, 2 = width and height, 3 = hits, misses and misses
since the last hit, 4 = x1, y1, x2, y2 or the postures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contracts.tracks import TrackState
from vision.grid import GRID

IntArray = npt.NDArray[np.int64]
IndexArray = npt.NDArray[np.int32]
SmallArray = npt.NDArray[np.int16]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

STATES: Final = tuple(TrackState)
"""``states_N`` are indices into it."""
CONFIRMED: Final = STATES.index(TrackState.CONFIRMED)
TENTATIVE: Final = STATES.index(TrackState.TENTATIVE)
HUNDREDTHS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredTracks:
    """All frames of a part of a sitting, also the empty ones, and all points of its tracks.

    Points are in the order of their tracks and, within a track, of time. A track has at most one
    point in a frame.

    Attributes:
        camera_id, run_id: Whose.
        sitting: ``captured_at`` of its first frame, microseconds since 1970; with the run it
            names the sitting.
        seqs_F, stream_F, captured_F, sizes_F2: Of each frame: number, stream time in seconds,
            ``captured_at`` in microseconds since 1970, pixels.
        names: Ids of the tracks, in the order in which they appeared.
        labels: What ``labels_N`` are indices into.
        first_captured_K, first_stream_K: Of the first hit, also where that lies before the part.
        base_K3: Counts as of the track's first point here.
        ended_K: Frame in which the track ended, -1 where it goes on.
        frames_N, tracks_N: Indices.
        boxes_N4: In units of ``1 / GRID``.
        confidences_N, postures_N4: In hundredths; postures one more, 0 where none is known.
        states_N, labels_N, is_observed_N: As of the point.
    """

    camera_id: str
    run_id: str
    sitting: int
    seqs_F: IntArray
    stream_F: FloatArray
    captured_F: IntArray
    sizes_F2: IntArray
    names: tuple[str, ...]
    labels: tuple[str, ...]
    first_captured_K: IntArray
    first_stream_K: FloatArray
    base_K3: IntArray
    ended_K: IntArray
    frames_N: IndexArray
    tracks_N: IndexArray
    boxes_N4: SmallArray
    confidences_N: SmallArray
    states_N: SmallArray
    labels_N: SmallArray
    is_observed_N: BoolArray
    postures_N4: SmallArray

    @property
    def frames(self) -> int:
        """How many frames."""
        return len(self.seqs_F)

    @property
    def points(self) -> int:
        """How many points."""
        return len(self.frames_N)

    def edges_N4(self, rows: slice | npt.NDArray[Any] = slice(None)) -> FloatArray:
        """Return the boxes of rows in shares of the picture, as the rules were told of them."""
        return np.asarray(self.boxes_N4[rows].astype(np.float64) / GRID, np.float64)

    @property
    def started(self) -> int:
        """``captured_at`` of the first frame here, microseconds since 1970."""
        return int(self.captured_F[0])


def merged(parts: Sequence[StoredTracks]) -> StoredTracks:
    """Return parts of one sitting, given in order of time, as one."""
    if len(parts) == 1:
        return parts[0]
    names = _joined([part.names for part in parts])
    labels = _joined([part.labels for part in parts])
    first_frames = np.cumsum([0, *(part.frames for part in parts)])
    of_tracks = [_indices(part.names, names) for part in parts]
    facts = _track_facts(parts, of_tracks, first_frames, tracks=len(names))
    of_labels = [_indices(part.labels, labels) for part in parts]
    tracks_N = np.concatenate(
        [of[part.tracks_N].astype(np.int32) for of, part in zip(of_tracks, parts, strict=True)]
    )
    order_N = np.argsort(tracks_N, kind="stable")
    frames_N = np.concatenate(
        [
            (first + part.frames_N).astype(np.int32)
            for first, part in zip(first_frames, parts, strict=False)
        ]
    )
    labels_N = np.concatenate(
        [of[part.labels_N].astype(np.int16) for of, part in zip(of_labels, parts, strict=True)]
    )
    first = parts[0]
    return StoredTracks(
        camera_id=first.camera_id,
        run_id=first.run_id,
        sitting=first.sitting,
        seqs_F=np.concatenate([part.seqs_F for part in parts]),
        stream_F=np.concatenate([part.stream_F for part in parts]),
        captured_F=np.concatenate([part.captured_F for part in parts]),
        sizes_F2=np.concatenate([part.sizes_F2 for part in parts]),
        names=names,
        labels=labels,
        frames_N=frames_N[order_N],
        tracks_N=tracks_N[order_N],
        labels_N=labels_N[order_N],
        boxes_N4=np.concatenate([part.boxes_N4 for part in parts])[order_N],
        confidences_N=np.concatenate([part.confidences_N for part in parts])[order_N],
        states_N=np.concatenate([part.states_N for part in parts])[order_N],
        is_observed_N=np.concatenate([part.is_observed_N for part in parts])[order_N],
        postures_N4=np.concatenate([part.postures_N4 for part in parts])[order_N],
        **facts,
    )


def _track_facts(
    parts: Sequence[StoredTracks],
    of_tracks: Sequence[IntArray],
    first_frames: IntArray,
    *,
    tracks: int,
) -> dict[str, Any]:
    """Return what is known of each track: from its first part with points, its end from any."""
    first_captured_K = np.zeros(tracks, np.int64)
    first_stream_K = np.zeros(tracks, np.float64)
    base_K3 = np.zeros((tracks, 3), np.int64)
    ended_K = np.full(tracks, -1, np.int64)
    for part, of, offset in reversed([*zip(parts, of_tracks, first_frames, strict=False)]):
        has_points = np.zeros(len(of), np.bool_)
        has_points[part.tracks_N] = True
        first_captured_K[of] = part.first_captured_K
        first_stream_K[of] = part.first_stream_K
        base_K3[of[has_points]] = part.base_K3[has_points]
        has_ended = part.ended_K >= 0
        ended_K[of[has_ended]] = part.ended_K[has_ended] + offset
    return {
        "first_captured_K": first_captured_K,
        "first_stream_K": first_stream_K,
        "base_K3": base_K3,
        "ended_K": ended_K,
    }


def _joined(lists: Sequence[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in lists for name in names))


def _indices(own: Sequence[str], joined: Sequence[str]) -> IntArray:
    places = {name: index for index, name in enumerate(joined)}
    return np.array([places[name] for name in own], np.int64)
