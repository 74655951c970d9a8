"""Our tracker and the published ones on the same detections, in one process.

Runs in the evaluation environment that ``tests.bench.trackers`` makes; prints JSON. Quality by
TrackEval's own code (HOTA, IDF1, switches of identity). Time is processor time of the one thread,
``update`` alone, over a whole scene: every round runs all of them over it in turn, and the median
over scenes and rounds counts.
"""

import argparse
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, Final

import numpy as np

from contracts.detections import Detections
from contracts.frames import FrameHeader
from contracts.tracks import Track, TrackState
from tests.bench.track_scenes import FPS, VIEW, Array, Ints, TrackFrame, detectors, scene
from vision.association import ious
from vision.noise import NoiseModel
from vision.tracker import Tracker

PIXELS: Final = np.array([VIEW.width, VIEW.height] * 2)
STARTS_AT: Final = datetime(2000, 1, 1, tzinfo=UTC)
TUNED_ON: Final = 900
"""Seed of the scenes that the published trackers' settings are chosen on."""
JUDGED_FROM: Final = 101
"""First seed of the scenes that count; those from 1 on were looked at while ours was made."""
BUFFER: Final = 60
"""Two seconds, in the frames of 30 a second that ``trackers`` counts in: as long as ours waits."""
HITS: Final = 3
"""A track counts from its third hit on, for everybody."""
GRIDS: Final[dict[str, dict[str, Sequence[float]]]] = {
    "ByteTrackTracker": {
        "track_activation_threshold": (0.35, 0.7),
        "high_conf_det_threshold": (0.35, 0.6),
        "minimum_iou_threshold": (0.1, 0.2),
    },
    "OCSORTTracker": {
        "high_conf_det_threshold": (0.35, 0.6),
        "minimum_iou_threshold": (0.1, 0.3),
    },
}

Answer = tuple[Ints, Array]
"""Numbers of the tracks in a frame, and their boxes."""
Run = Callable[[Sequence[TrackFrame]], tuple[list[Answer], float]]
"""What a tracker says of each frame, and the seconds of processor time that a frame costs."""


def ours(*, with_looks: bool) -> Run:
    def run(frames: Sequence[TrackFrame]) -> tuple[list[Answer], float]:
        given = [
            (
                frame.detections if with_looks else _without_looks(frame.detections),
                _header(seq, frame.at_s),
            )
            for seq, frame in enumerate(frames)
        ]
        tracker = Tracker()
        answers = [_answer(tracker.update(found, header)) for found, header in given]
        # Once more for the clock, and nothing is kept: a growing heap would be measured as well.
        tracker = Tracker()
        began = time.thread_time()
        for found, header in given:
            tracker.update(found, header)
        return answers, (time.thread_time() - began) / len(frames)

    return run


def _answer(tracks: Sequence[Track]) -> Answer:
    seen = [
        track for track in tracks if track.state is TrackState.CONFIRMED and track.last.is_observed
    ]
    numbers = np.array([int(track.track_id[1:]) for track in seen], np.int64)
    return numbers, np.array([track.last.box for track in seen]).reshape(-1, 4)


def published(name: str, chosen: dict[str, float]) -> Run:
    maker = getattr(import_module("trackers"), name)
    detections_of = import_module("supervision").Detections

    def made() -> Any:  # noqa: ANN401  # the package is not in this environment
        return maker(
            lost_track_buffer=BUFFER,
            frame_rate=FPS,
            minimum_consecutive_frames=HITS,
            **chosen,
        )

    def answer(result: Any) -> Answer:  # noqa: ANN401  # as above
        ids = np.asarray(result.tracker_id, np.int64).reshape(-1)
        kept = ids >= 0
        return ids[kept], np.asarray(result.xyxy, np.float64)[kept] / PIXELS

    def run(frames: Sequence[TrackFrame]) -> tuple[list[Answer], float]:
        given = [
            detections_of(
                xyxy=(frame.detections.boxes_N4 * PIXELS).astype(np.float32),
                confidence=frame.detections.confidences_N,
                class_id=frame.detections.class_ids_N,
            )
            for frame in frames
        ]
        tracker = made()
        answers = [answer(tracker.update(found)) for found in given]
        tracker = made()
        began = time.thread_time()
        for found in given:
            tracker.update(found)
        return answers, (time.thread_time() - began) / len(frames)

    return run


def _without_looks(found: Detections) -> Detections:
    return replace(found, embeddings_ND=None)


def _header(seq: int, at_s: float) -> FrameHeader:
    return FrameHeader(
        camera_id="bench",
        run_id="run1",
        seq=seq,
        captured_at=STARTS_AT + timedelta(seconds=at_s),
        monotonic_s=at_s,
        width=VIEW.width,
        height=VIEW.height,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    hota: float
    idf1: float
    switches: int


def judged(scenes: Sequence[Sequence[TrackFrame]], answers: Sequence[list[Answer]]) -> Quality:
    """Return TrackEval's figures over all scenes together."""
    metrics = import_module("trackeval").metrics
    parts = [_as_trackeval(*pair) for pair in zip(scenes, answers, strict=True)]
    sums = []
    for metric in (metrics.HOTA(), metrics.Identity({"PRINT_CONFIG": False}),
                   metrics.CLEAR({"PRINT_CONFIG": False})):  # fmt: skip
        found = {str(index): metric.eval_sequence(part) for index, part in enumerate(parts)}
        sums.append(metric.combine_sequences(found))
    return Quality(
        hota=100 * float(np.mean(sums[0]["HOTA"])),
        idf1=100 * float(sums[1]["IDF1"]),
        switches=int(sums[2]["IDSW"]),
    )


def _as_trackeval(frames: Sequence[TrackFrame], answers: list[Answer]) -> dict[str, Any]:
    true_ids = np.unique(np.concatenate([frame.ids_N for frame in frames]))
    said_ids = np.unique(np.concatenate([numbers for numbers, _ in answers]))
    return {
        "num_timesteps": len(frames),
        "num_gt_ids": len(true_ids),
        "num_tracker_ids": len(said_ids),
        "num_gt_dets": sum(len(frame.ids_N) for frame in frames),
        "num_tracker_dets": sum(len(numbers) for numbers, _ in answers),
        "gt_ids": [np.searchsorted(true_ids, frame.ids_N) for frame in frames],
        "tracker_ids": [np.searchsorted(said_ids, numbers) for numbers, _ in answers],
        "similarity_scores": [
            ious(frame.boxes_N4, boxes) for frame, (_, boxes) in zip(frames, answers, strict=True)
        ],
    }


def tuned(name: str, count: int, seconds: float, noise: NoiseModel) -> dict[str, float]:
    """Return the settings of a published tracker that give the best HOTA on another scene."""
    frames = list(scene(count, seconds=seconds, seed=TUNED_ON, noise=noise))
    grid = GRIDS[name]
    best: tuple[float, dict[str, float]] = (-1.0, {})
    for values in itertools.product(*grid.values()):
        chosen = dict(zip(grid, values, strict=True))
        answers, _ = published(name, chosen)(frames)
        best = max(best, (judged([frames], [answers]).hota, chosen), key=lambda one: one[0])
    return best[1]


def contest(
    count: int, noise: NoiseModel, *, seconds: float, scenes: int, rounds: int
) -> dict[str, Any]:
    """Return what everybody reached with ``count`` objects in the picture."""
    footage = [
        list(scene(count, seconds=seconds, seed=seed, noise=noise))
        for seed in range(JUDGED_FROM, JUDGED_FROM + scenes)
    ]
    settings = {name: tuned(name, count, seconds, noise) for name in GRIDS}
    runs: dict[str, Run] = {
        "ours": ours(with_looks=False),
        "ours, with embeddings": ours(with_looks=True),
        "ByteTrack": published("ByteTrackTracker", settings["ByteTrackTracker"]),
        "OC-SORT": published("OCSORTTracker", settings["OCSORTTracker"]),
    }
    said: dict[str, list[list[Answer]]] = {name: [] for name in runs}
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for frames in footage:
        for turn in range(rounds):
            for name in sorted(runs, key=lambda one: (list(runs).index(one) + turn) % len(runs)):
                answers, seconds_a_frame = runs[name](frames)
                spent[name].append(seconds_a_frame)
                if turn == 0:
                    said[name].append(answers)
    rows = {}
    for name in runs:
        quality = judged(footage, said[name])
        rows[name] = {
            "hota": quality.hota,
            "idf1": quality.idf1,
            "switches": quality.switches,
            "ms": 1000 * statistics.median(spent[name]),
        }
    objects = statistics.mean(len(frame.ids_N) for frames in footage for frame in frames)
    return {
        "detector": noise.detector,
        "count": count,
        "visible": objects,
        "settings": settings,
        "rows": rows,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[5, 20, 100])
    parser.add_argument("--detectors", nargs="+", default=["good", "fitted"])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--scenes", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parsed = parser.parse_args(arguments)
    found = [
        contest(count, noise, seconds=parsed.seconds, scenes=parsed.scenes, rounds=parsed.rounds)
        for name, noise in detectors().items()
        if name in parsed.detectors
        for count in parsed.counts
    ]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
