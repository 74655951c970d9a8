"""Scripted scenes for the tracker: boxes by frame, five frames a second."""

from collections.abc import Iterable, Sequence

import numpy as np

from contracts.detections import Detections
from contracts.geometry import Box
from contracts.tracks import Track, TrackState
from tests.fakes.builders import header
from vision.tracker import Tracker

LABELS = ("person", "car", "object")


def detections(
    *boxes: Box, confidence: float | Sequence[float] = 0.9, label: str | Sequence[str] = "person"
) -> Detections:
    """Detections of one frame; confidence and label for all or for each."""
    count = len(boxes)
    confidences = [confidence] * count if isinstance(confidence, float) else list(confidence)
    labels = [label] * count if isinstance(label, str) else list(label)
    return Detections(
        boxes_N4=np.array(boxes, np.float32).reshape(-1, 4),
        confidences_N=np.array(confidences, np.float32),
        class_ids_N=np.array([LABELS.index(name) for name in labels], np.int64),
        labels=LABELS,
    )


def walker(
    start: tuple[float, float], end: tuple[float, float], frames: int, *, seed: int = 0
) -> list[Box]:
    """A standing box whose centre goes from start to end, measured with some jitter."""
    jitter = np.random.default_rng(seed).normal(0, 0.003, (frames, 4))
    boxes = []
    for index in range(frames):
        share = index / max(1, frames - 1)
        x = start[0] + share * (end[0] - start[0])
        y = start[1] + share * (end[1] - start[1])
        x1, y1, x2, y2 = np.clip(
            np.array([x - 0.03, y - 0.12, x + 0.03, y + 0.12]) + jitter[index], 0, 1
        ).tolist()
        boxes.append((x1, y1, x2, y2))
    return boxes


class Watch:
    """Feeds a tracker frame by frame and remembers all it says."""

    def __init__(self, tracker: Tracker | None = None, *, fps: float = 5.0) -> None:
        self.tracker = tracker or Tracker()
        self.seen: list[list[Track]] = []
        self._fps = fps
        self._seq = 0

    def frame(self, found: Detections, *, skip_s: float = 0.0) -> list[Track]:
        self._seq += round(skip_s * self._fps)
        tracks = self.tracker.update(found, header(self._seq, at_s=self._seq / self._fps))
        self._seq += 1
        self.seen.append(tracks)
        return tracks

    def frames(self, boxes: Iterable[Sequence[Box]]) -> list[Track]:
        tracks: list[Track] = []
        for frame in boxes:
            tracks = self.frame(detections(*frame))
        return tracks

    def confirmed_ids(self) -> set[str]:
        return {
            track.track_id
            for tracks in self.seen
            for track in tracks
            if track.state is TrackState.CONFIRMED
        }
