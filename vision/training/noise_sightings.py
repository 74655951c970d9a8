"""Compares what was found in recordings with the truth: sightings, false boxes, tracks.

Shape legend: N = true objects of a frame, M = detections of a frame, D = embedding size.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from contracts.geometry import Box, iou
from vision.association import Array, coverage, ious
from vision.training.noise_truth import WatchedFrame

SAME_IOU = 0.3
"""A detection that overlaps the truth by so much is of it."""
_SWAP_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sighting:
    """One true object in one frame, and what was found of it.

    Attributes:
        track: The object, by recording and id.
        size: Root of its box's area.
        hidden: Share (0..1) that others cover.
        confidence: None if it was not found; the rest then says nothing.
        off: Of the found box in ``vision.noise.PLACES``, shares of true width and height.
        look: Its embedding, None if the detector gave none.
    """

    track: tuple[int, str]
    at_s: float
    size: float
    hidden: float
    label: str
    confidence: float | None = None
    said: str = ""
    off: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    look: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseBox:
    """A box where nothing is; ``is_again``: there was one in the frame before."""

    size: float
    confidence: float
    is_again: bool


def sightings(recordings: Sequence[Sequence[WatchedFrame]]) -> Iterator[Sighting]:
    """Yield every true object in every frame."""
    for index, frames in enumerate(recordings):
        for frame in frames:
            pairs = matched(frame)
            for row, name in enumerate(frame.ids):
                yield _sighting(frame, row, pairs.get(row), track=(index, name))


def false_boxes(recordings: Sequence[Sequence[WatchedFrame]]) -> Iterator[FalseBox]:
    """Yield every detection that nothing true and nothing doubtful explains."""
    for frames in recordings:
        before_k4 = np.zeros((0, 4))
        for frame in frames:
            rows = _unexplained(frame)
            boxes_k4 = frame.found.boxes_N4[rows].astype(np.float64)
            again = ious(boxes_k4, before_k4).max(axis=1, initial=0.0) > SAME_IOU
            for row, box, is_again in zip(rows, boxes_k4, again, strict=True):
                yield FalseBox(
                    size=math.sqrt((box[2] - box[0]) * (box[3] - box[1])),
                    confidence=float(frame.found.confidences_N[row]),
                    is_again=bool(is_again),
                )
            before_k4 = boxes_k4


def matched(frame: WatchedFrame) -> dict[int, int]:
    """Return the detection of each true object that was found."""
    overlaps_NM = ious(frame.boxes_N4, frame.found.boxes_N4.astype(np.float64))
    rows, columns = linear_sum_assignment(overlaps_NM, maximize=True)
    return {
        int(row): int(column)
        for row, column in zip(rows, columns, strict=True)
        if overlaps_NM[row, column] >= SAME_IOU
    }


def following(recordings: Sequence[Sequence[WatchedFrame]]) -> dict[str, float]:
    """Return how late tracks begin, how often they break and how often two exchange ids."""
    delays: list[float] = []
    splits = swaps = 0
    followed_s = 0.0
    for frames in recordings:
        names: dict[str, str] = {}
        held: dict[str, tuple[str, float]] = {}
        for before, frame in zip([frames[0], *frames], frames, strict=False):
            for name, track_id in _followed(frame):
                owner, owned_s = held.get(track_id, (name, frame.at_s))
                if name not in names:
                    delays.append(frame.at_s - _first_s(frames, name))
                elif names[name] != track_id:
                    is_swap = owner != name and frame.at_s - owned_s <= _SWAP_S
                    swaps, splits = swaps + is_swap, splits + (not is_swap)
                names[name] = track_id
                held[track_id] = (name, frame.at_s)
                followed_s += frame.at_s - before.at_s
    minutes = max(followed_s / 60, 1e-9)
    return {
        "delay_s": float(np.median(delays)) if delays else 0.0,
        "delay_spread_s": float(np.std(np.minimum(delays, 5.0))) if delays else 0.0,
        "splits_per_minute": splits / minutes,
        "swaps_per_minute": swaps / minutes,
    }


def _first_s(frames: Sequence[WatchedFrame], name: str) -> float:
    return next(frame.at_s for frame in frames if name in frame.ids)


def _followed(frame: WatchedFrame) -> Iterator[tuple[str, str]]:
    """Yield each true object and the id of the track that is on it."""
    for name, box in zip(frame.ids, frame.boxes_N4.tolist(), strict=True):
        overlaps = [(iou(tuple(box), at), track_id) for track_id, at in frame.followed]
        overlap, track_id = max(overlaps, default=(0.0, ""))
        if overlap >= SAME_IOU:
            yield name, track_id


def _sighting(
    frame: WatchedFrame, row: int, column: int | None, *, track: tuple[int, str]
) -> Sighting:
    true: Box = tuple(frame.boxes_N4[row].tolist())
    wide, high = max(true[2] - true[0], 1e-6), max(true[3] - true[1], 1e-6)
    seen = Sighting(
        track=track,
        at_s=frame.at_s,
        size=math.sqrt(wide * high),
        hidden=float(frame.hidden_N[row]),
        label=frame.labels[row],
    )
    if column is None:
        return seen
    x1, y1, x2, y2 = frame.found.boxes_N4[column].tolist()
    embeddings = frame.found.embeddings_ND
    look = None if embeddings is None or not embeddings[column].any() else embeddings[column]
    return Sighting(
        track=track,
        at_s=frame.at_s,
        size=seen.size,
        hidden=seen.hidden,
        label=seen.label,
        confidence=float(frame.found.confidences_N[column]),
        said=frame.found.label(column),
        off=(
            ((x1 + x2) - (true[0] + true[2])) / (2 * wide),
            (y2 - true[3]) / high,
            math.log(max(x2 - x1, 1e-6) / wide),
            math.log(max(y2 - y1, 1e-6) / high),
        ),
        look=look,
    )


def _unexplained(frame: WatchedFrame) -> list[int]:
    boxes_M4 = frame.found.boxes_N4.astype(np.float64)
    told_K4: Array = np.vstack([frame.boxes_N4, frame.doubtful_K4])
    if not len(told_K4):
        return list(range(len(boxes_M4)))
    touched_M = np.maximum(
        coverage(boxes_M4, told_K4).max(axis=1), coverage(told_K4, boxes_M4).max(axis=0)
    )
    return [int(row) for row in np.flatnonzero(touched_M < 0.5)]
