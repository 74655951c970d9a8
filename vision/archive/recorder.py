"""Collects what the rules are told of one camera, and gives it away in parts of a few seconds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from contracts.frames import FrameHeader
from contracts.tracks import Track, TrackState
from vision.archive.columns import HUNDREDTHS, STATES, StoredTracks
from vision.archive.port import TrackArchive
from vision.grid import GRID

PART_S: Final = 5.0
"""A killed worker loses at most so much."""
IDLE_PART_S: Final = 60.0
"""... and where nothing is followed there is less to lose."""
PART_POINTS: Final = 20_000
"""Bound of a part, however many are followed."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_STATE_NUMBERS: Final = {state: number for number, state in enumerate(STATES)}
_NO_POSTURE: Final = (0, 0, 0, 0)


@dataclass(slots=True)
class _Followed:
    """One track's part: its place among the tracks, and what the part begins with."""

    index: int
    first_captured: int
    first_stream_s: float
    base: tuple[int, int, int] = (0, 0, 0)
    has_points: bool = False
    ended: int = -1


@dataclass(slots=True)
class _Part:
    """What is collected since the last part was given away."""

    frames: list[tuple[int, float, int, int, int]] = field(default_factory=list)
    points: list[tuple[int, ...]] = field(default_factory=list)
    tracks: dict[str, _Followed] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)


class TrackRecorder:
    """Records one camera, a sitting for each run that it sees.

    Args:
        archive: Takes the parts.
    """

    def __init__(self, archive: TrackArchive) -> None:
        self._archive = archive
        self._part = _Part()
        self._camera_id = ""
        self._run_id = ""
        self._sitting = 0

    def look(self, header: FrameHeader, tracks: Sequence[Track]) -> None:
        """Take one frame, as the rules were told of it."""
        captured = micros(header.captured_at)
        if header.run_id != self._run_id:
            self.flush()
            self._camera_id, self._run_id = header.camera_id, header.run_id
            self._sitting = captured
        part = self._part
        index = len(part.frames)
        part.frames.append((header.seq, header.monotonic_s, captured, header.width, header.height))
        for track in tracks:
            self._record(part, index, header, track)
        lasted_s = header.monotonic_s - part.frames[0][1]
        is_due = lasted_s >= (PART_S if part.tracks else IDLE_PART_S)
        if is_due or len(part.points) >= PART_POINTS:
            self.flush()

    def flush(self) -> None:
        """Give away what there is."""
        part, self._part = self._part, _Part()
        if part.frames:
            self._archive.append(self._stored(part))

    def _record(self, part: _Part, index: int, header: FrameHeader, track: Track) -> None:
        followed = part.tracks.get(track.track_id)
        if followed is None:
            followed = part.tracks[track.track_id] = _Followed(
                len(part.tracks), micros(track.first_seen_at), track.first_seen_s
            )
        if track.state is TrackState.ENDED:
            followed.ended = index
        point = track.last
        if point.seq != header.seq or not all(map(math.isfinite, (*point.box, point.confidence))):
            return
        if not followed.has_points:
            followed.has_points = True
            followed.base = (track.hits, track.misses, _unseen_lately(track))
        label = part.labels.setdefault(track.label, len(part.labels))
        postures = point.postures
        part.points.append(
            (
                followed.index,
                index,
                *[round(value * GRID) for value in point.box],
                round(point.confidence * HUNDREDTHS),
                _STATE_NUMBERS[track.state],
                label,
                point.is_observed,
                *(
                    [round(share * HUNDREDTHS) + 1 for share in postures]
                    if len(postures) == len(_NO_POSTURE)
                    else _NO_POSTURE
                ),
            )
        )

    def _stored(self, part: _Part) -> StoredTracks:
        frames = part.frames
        tracks = part.tracks.values()
        points_NX = np.array(part.points, np.int64).reshape(-1, 14)
        points_NX = points_NX[np.argsort(points_NX[:, 0], kind="stable")]
        small_NX = points_NX.astype(np.int16)
        return StoredTracks(
            camera_id=self._camera_id,
            run_id=self._run_id,
            sitting=self._sitting,
            seqs_F=np.array([frame[0] for frame in frames], np.int64),
            stream_F=np.array([frame[1] for frame in frames], np.float64),
            captured_F=np.array([frame[2] for frame in frames], np.int64),
            sizes_F2=np.array([frame[3:] for frame in frames], np.int64),
            names=tuple(part.tracks),
            labels=tuple(part.labels),
            first_captured_K=np.array([one.first_captured for one in tracks], np.int64),
            first_stream_K=np.array([one.first_stream_s for one in tracks], np.float64),
            base_K3=np.array([one.base for one in tracks], np.int64).reshape(-1, 3),
            ended_K=np.array([one.ended for one in tracks], np.int64),
            tracks_N=points_NX[:, 0].astype(np.int32),
            frames_N=points_NX[:, 1].astype(np.int32),
            boxes_N4=small_NX[:, 2:6],
            confidences_N=small_NX[:, 6],
            states_N=small_NX[:, 7],
            labels_N=small_NX[:, 8],
            is_observed_N=points_NX[:, 9].astype(np.bool_),
            postures_N4=small_NX[:, 10:],
        )


class TrackRecorders:
    """A recorder for each camera that a worker holds."""

    def __init__(self, archive: TrackArchive) -> None:
        self._archive = archive
        self._recorders: dict[str, TrackRecorder] = {}

    def look(self, header: FrameHeader, tracks: Sequence[Track]) -> None:
        """Take one frame of any camera."""
        recorder = self._recorders.get(header.camera_id)
        if recorder is None:
            recorder = self._recorders[header.camera_id] = TrackRecorder(self._archive)
        recorder.look(header, tracks)

    def leave(self, camera_id: str) -> None:
        """Give away what there is of a camera; what comes after begins another sitting."""
        recorder = self._recorders.pop(camera_id, None)
        if recorder is not None:
            recorder.flush()


def micros(at: datetime) -> int:
    """Return microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def moment(at_micros: int) -> datetime:
    """Return the time of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=at_micros)


def _unseen_lately(track: Track) -> int:
    """Return in how many frames, up to the newest point, it has not been seen."""
    count = 0
    for point in reversed(track.points):
        if point.is_observed:
            break
        count += 1
    return count
