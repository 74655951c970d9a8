"""Where everybody was in a recording: a teacher's boxes, linked over time and smoothed.

A teacher's single box is no truth: it trembles and is missing now and then. Linked into tracks,
with short gaps filled and a polynomial through each second, it is good enough to measure another
detector's misses and jitter against.

Shape legend: N = objects of a frame, M = detections of a frame, T = frames of a track, 4 = x1, y1,
x2, y2.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from scipy.signal import savgol_filter

from contracts.detections import Detections, Detector
from contracts.errors import ConfigError
from contracts.frames import BgrImage, Frame, FrameHeader
from contracts.settings import IngestSettings
from contracts.tracks import Track, TrackState
from vision.association import areas, coverage
from vision.tracker import Tracker
from vision.training.sources import CLASSES, TRAINABLE, VIDEO_LIST, clips
from vision.training.teachers import SAME_IOU, Ensemble, iou
from vision.training.videos import pictures

Array = npt.NDArray[np.float64]

FPS: Final = 5.0
SURE: Final = 0.35
"""A teacher's find below this begins no track."""
LEAST_HITS: Final = 8
LEAST_RATIO: Final = 0.6
"""What the teacher sees less often than this, or for less than 1.6 s, is left out of the count."""
SMOOTHED: Final = 7
"""Frames that the polynomial of second order is laid through."""
LEAST_S: Final = 3.0
"""Shorter recordings give no track that can be smoothed."""
ALTERED_FOLDERS: Final = ("abandoned/", "audio_video/", "lowlight/", "tamper/")
"""Made from other clips of the collection, with something done to the picture."""
_STARTS_AT: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WatchedFrame:
    """One frame: what is true in it, and what the product made of it.

    Attributes:
        ids: Of the true objects.
        boxes_N4, labels: Their smoothed boxes and classes.
        hidden_N: Share (0..1) of each that objects nearer to the camera cover.
        doubtful_K4: Where the teacher sees something that became no truth: nobody is judged there.
        found: The product's detections.
        followed: The product's confirmed tracks that are seen in it: id and box.
    """

    at_s: float
    ids: tuple[str, ...]
    boxes_N4: Array
    labels: tuple[str, ...]
    hidden_N: Array
    doubtful_K4: Array
    found: Detections
    followed: tuple[tuple[str, tuple[float, float, float, float]], ...]


def watch(video: Path, teacher: Ensemble, detector: Detector) -> list[WatchedFrame]:
    """Return all frames of a recording at the analysis rate.

    Raises:
        ConfigError: It cannot be decoded.
    """
    linker, tracker = Tracker(confidence=SURE), Tracker()
    linked: list[list[Track]] = []
    looks: list[tuple[FrameHeader, Detections, Detections, list[Track]]] = []
    for frame in _frames(video):
        taught = _taught(teacher, frame.pixels_HW3)
        linked.append(linker.update(taught, frame.header))
        [found] = detector.detect([frame])
        looks.append((frame.header, taught, found, tracker.update(found, frame.header)))
    detector.forget("noise")
    truth = _smoothed([track for tracks in linked for track in tracks])
    return [_watched(truth, *look) for look in looks]


def hidden_shares(boxes_N4: Array) -> Array:
    """Return the share of each box that lies under boxes whose foot is lower: they are nearer.

    The largest single one counts, not the sum.
    """
    if len(boxes_N4) < 2:
        return np.zeros(len(boxes_N4))
    covered_NN = coverage(boxes_N4, boxes_N4)
    is_nearer_NN = boxes_N4[None, :, 3] > boxes_N4[:, None, 3]
    return np.asarray(np.where(is_nearer_NN, covered_NN, 0.0).max(axis=1))


def _frames(video: Path) -> Iterator[Frame]:
    """Yield frames through JPEG, as they travel."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, IngestSettings().jpeg_quality]
    for seq, (at_s, pixels) in enumerate(pictures(video, fps=FPS)):
        jpeg = cv2.imencode(".jpg", pixels, quality)[1]
        travelled = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
        header = FrameHeader(
            camera_id="noise",
            run_id=video.stem,
            seq=seq,
            captured_at=_STARTS_AT + timedelta(seconds=at_s),
            monotonic_s=at_s,
            width=pixels.shape[1],
            height=pixels.shape[0],
        )
        yield Frame(header=header, pixels_HW3=travelled)


def _taught(teacher: Ensemble, pixels_HW3: BgrImage) -> Detections:
    """Return what the teacher sees, of each thing only its surest name."""
    objects = teacher.judge(pixels_HW3)
    height, width = pixels_HW3.shape[:2]
    boxes_N4 = np.array([item.box for item in objects], np.float32).reshape(-1, 4)
    boxes_N4 /= np.array([width, height] * 2, np.float32)
    overlaps_NN = np.triu(iou(boxes_N4, boxes_N4), k=1)
    kept = np.flatnonzero((overlaps_NN < SAME_IOU).all(axis=0))
    return Detections(
        boxes_N4=boxes_N4[kept],
        confidences_N=np.array([objects[index].score for index in kept], np.float32),
        class_ids_N=np.array([objects[index].label for index in kept], np.int64),
        labels=CLASSES,
    )


def _smoothed(snapshots: Sequence[Track]) -> dict[int, list[tuple[str, str, Array]]]:
    """Return for each frame the true objects in it: id, label, box."""
    newest = {track.track_id: track for track in snapshots}
    by_frame: dict[int, list[tuple[str, str, Array]]] = {}
    for track in newest.values():
        if track.hits < LEAST_HITS or track.hit_ratio < LEAST_RATIO:
            continue
        last_seq = track.last_seen.seq
        points = [point for point in track.points if point.seq <= last_seq]
        seen = [point for point in points if point.is_observed]
        times_T = np.array([point.monotonic_s for point in points])
        seen_T = np.array([point.monotonic_s for point in seen])
        boxes_T4 = np.array([point.box for point in seen])
        filled_T4 = np.stack(
            [np.interp(times_T, seen_T, boxes_T4[:, side]) for side in range(4)], axis=1
        )
        smooth_T4 = savgol_filter(filled_T4, SMOOTHED, 2, axis=0, mode="interp")
        for point, box_4 in zip(points, smooth_T4, strict=True):
            by_frame.setdefault(point.seq, []).append((track.track_id, track.label, box_4))
    return by_frame


def _watched(
    truth: dict[int, list[tuple[str, str, Array]]],
    header: FrameHeader,
    taught: Detections,
    found: Detections,
    tracks: Sequence[Track],
) -> WatchedFrame:
    objects = truth.get(header.seq, [])
    boxes_N4 = np.clip(np.array([box for _, _, box in objects]).reshape(-1, 4), 0, 1)
    return WatchedFrame(
        at_s=header.monotonic_s,
        ids=tuple(name for name, _, _ in objects),
        boxes_N4=boxes_N4,
        labels=tuple(label for _, label, _ in objects),
        hidden_N=hidden_shares(boxes_N4),
        doubtful_K4=_untold(taught, boxes_N4),
        found=found,
        followed=tuple(
            (track.track_id, track.last.box)
            for track in tracks
            if track.state is TrackState.CONFIRMED and track.last.is_observed
        ),
    )


def _untold(taught: Detections, boxes_N4: Array) -> Array:
    """Return the teacher's boxes that no true object explains."""
    taught_K4 = taught.boxes_N4.astype(np.float64)
    if not len(boxes_N4) or not len(taught_K4):
        return taught_K4
    is_small_K = areas(taught_K4) <= 0
    told_K = coverage(taught_K4, boxes_N4).max(axis=1) > 0.5
    return np.asarray(taught_K4[~told_K & ~is_small_K])


def recordings_of(folder: Path) -> list[Path]:
    """Return the recordings of a labelled folder that may be learnt from and are long enough.

    Without a list of ground truth, all its videos: they are yours.

    Raises:
        ConfigError: There is none.
    """
    listed = folder / VIDEO_LIST
    if not listed.is_file():
        return [clip.path for clip in clips(folder)]
    records = json.loads(listed.read_text(encoding="utf-8"))["videos"]
    found = [
        folder / str(record["video"])
        for record in records
        if str(record["licence"]).startswith(TRAINABLE)
        and "MOTChallenge" not in str(record["licence"])
        and not str(record["video"]).startswith(ALTERED_FOLDERS)
        and float(record["duration"]) >= LEAST_S
    ]
    if not found:
        raise ConfigError(f"{listed}: no video of {LEAST_S:g} s that may be learnt from")
    return found
