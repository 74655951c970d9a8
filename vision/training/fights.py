"""Fits and judges how likely what stirs is a fight, source by source.

Clips of one source stay together: a scorer is judged only on places that it has never seen.

Shape legend: N = windows, V = what is weighed of each (``vision/cues/scuffle_score.py``).
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from contracts.errors import ConfigError
from contracts.frames import BgrImage, EncodedFrame, FrameHeader
from vision.cues.motion_field import Floats
from vision.cues.scuffle_score import (
    LEAST_STEPS,
    ScuffleScore,
    pooled,
    standardised,
    write_score,
)
from vision.cues.stir_reader import StirReader
from vision.motion_gate import gate_frame
from vision.training.forests import Tree, forest_of, grown
from vision.training.noise_truth import recordings_of
from vision.training.sources import TRAINABLE, VIDEO_LIST, group_of
from vision.training.videos import pictures

Doubles = npt.NDArray[np.float64]

FPS: Final = 5.0
NEARNESS: Final = 0.49
"""A frame this much of a frame's time before it is due is the nearest one."""
JPEG_QUALITY: Final = 85
"""As the product hands frames to vision."""
RIDGE: Final = 3.0
"""Weight of the squared weights against the loss of one clip each."""
MOST_WEIGHT: Final = 3.0
"""A long quiet clip counts at most as much as three clips of two seconds."""
FOLDS: Final = 5
QUIET_FOLDERS: Final = ("fall/", "intel/", "background/highway")
"""What else is trained on, as scenes without a fight; by licence it may."""
PIECE_S: Final = 20.0
_CLIP_S: Final = 2.0
_JOINED: Final = "joined from "


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """The most restless place over the two seconds before a moment of a clip."""

    at_s: float
    weighed_V: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FightClip:
    """A clip as the scorer sees it.

    Attributes:
        is_fight: Label of the whole clip.
        is_trainable: It is one of those that the scorer may be fitted to.
        begins_with: For what is joined from other clips, the first of them; else empty.
        moments: For each step with something in it, the windows of all places that stir.
    """

    video: str
    group: str
    is_fight: bool
    is_trainable: bool
    duration_s: float
    begins_with: str
    events: tuple[tuple[float, float], ...]
    moments: tuple[tuple[Window, ...], ...]

    @property
    def windows(self) -> list[Window]:
        """The most restless place of each moment."""
        return [moment[0] for moment in self.moments]


def read_clips(folder: Path) -> list[FightClip]:
    """Measure every clip of a folder with a list of ground truth.

    Raises:
        ConfigError: List or clip cannot be read.
    """
    listed = folder / VIDEO_LIST
    try:
        records: list[dict[str, Any]] = json.loads(listed.read_text())["videos"]
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{listed}: not a readable list of videos: {error}") from error
    return [_clip(folder, record) for record in records]


def _clip(folder: Path, record: dict[str, Any]) -> FightClip:
    name, licence = str(record["video"]), str(record["licence"])
    is_one_of_set = name.startswith("fight/clips/")
    is_quiet = name.startswith(QUIET_FOLDERS) and licence.startswith(TRAINABLE)
    return FightClip(
        video=name,
        group=group_of(name, str(record.get("note") or "")) if is_one_of_set else _place(name),
        is_fight=any(event["type"] == "fight" for event in record["events"]),
        is_trainable=is_one_of_set or is_quiet,
        duration_s=float(record["duration"]),
        begins_with=_first_part(str(record["origin"])),
        events=tuple(
            (float(event["start_s"]), float(event["end_s"]))
            for event in record["events"]
            if event["type"] == "fight"
        ),
        moments=tuple(_moments(folder / name)),
    )


def read_quiet(folder: Path) -> list[FightClip]:
    """Measure recordings in which nobody fights, in pieces of ``PIECE_S``; each is a source."""
    clips = []
    for path in recordings_of(folder):
        pieces: dict[int, list[tuple[Window, ...]]] = defaultdict(list)
        for moment in _moments(path):
            pieces[int(moment[0].at_s // PIECE_S)].append(moment)
        clips += [
            FightClip(
                video=f"{path.name} {number}",
                group=f"quiet:{path.name}",
                is_fight=False,
                is_trainable=True,
                duration_s=PIECE_S,
                begins_with="",
                events=(),
                moments=tuple(moments),
            )
            for number, moments in pieces.items()
        ]
    return clips


def _first_part(origin: str) -> str:
    parts = origin.removeprefix(_JOINED).split()
    return f"fight/clips/{parts[0]}.mp4" if origin.startswith(_JOINED) and parts else ""


def _place(name: str) -> str:
    """Return the place of a clip outside the set: all falls are in one room."""
    return "fall" if name.startswith("fall/") else name


def _moments(path: Path) -> Iterable[tuple[Window, ...]]:
    reader = StirReader()
    began = datetime(2000, 1, 1, tzinfo=UTC)
    for seq, (time_s, pixels_HW3) in enumerate(_sampled(path)):
        header = FrameHeader(
            camera_id="clip",
            run_id="run",
            seq=seq,
            captured_at=began + timedelta(seconds=time_s),
            monotonic_s=time_s,
            width=pixels_HW3.shape[1],
            height=pixels_HW3.shape[0],
        )
        _, jpeg = cv2.imencode(".jpg", pixels_HW3, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        small = gate_frame(EncodedFrame(header=header, jpeg=jpeg.tobytes()))
        stirs = None if small is None else reader.look(small, is_open=True)
        if not stirs:
            continue
        windows = [(reader.window(stir), stir) for stir in stirs]
        ranked = sorted(windows, key=lambda pair: -sum(one.energy for one in pair[1].past()))
        if len(ranked[0][0]) >= LEAST_STEPS:
            yield tuple(Window(at_s=time_s, weighed_V=pooled(window_TF)) for window_TF, _ in ranked)


def _sampled(path: Path) -> Iterable[tuple[float, BgrImage]]:
    """Yield the frames nearest to every fifth of a second, as the product takes them."""
    period_s = 1 / FPS
    step_s, last_s, due = 0.0, 0.0, 0
    for time_s, pixels_HW3 in pictures(path, fps=1000.0):
        step_s = time_s - last_s if time_s > last_s else step_s
        last_s = time_s
        if time_s >= due * period_s - NEARNESS * step_s:
            due = max(due, int(time_s / period_s + 1e-6)) + 1
            yield time_s, pixels_HW3


def fit(clips: Sequence[FightClip], *, ridge: float = RIDGE) -> ScuffleScore:
    """Return the line fitted to the clips, without members and trees."""
    weighed_NV, labels_N, shares_N = _windows(clips)
    middle_V = np.average(weighed_NV, axis=0, weights=shares_N)
    spread_V = np.sqrt(np.average((weighed_NV - middle_V) ** 2, axis=0, weights=shares_N))
    scale_V = np.maximum(spread_V, 1e-6)
    standard_NV = standardised(weighed_NV, middle_V, scale_V).astype(np.float64)
    weights_V, bias = _regressed(standard_NV, labels_N, shares_N, ridge=ridge)
    return ScuffleScore(
        middle_V=middle_V.astype(np.float32),
        scale_V=scale_V.astype(np.float32),
        weights_V=weights_V.astype(np.float32),
        bias=bias,
        members_MV=np.zeros((0, len(middle_V)), np.float32),
        biases_M=np.zeros(0, np.float32),
    )


def _windows(clips: Sequence[FightClip]) -> tuple[Floats, Doubles, Doubles]:
    """Return the windows of all clips (N, V), which are of a fight, and how much each counts."""
    weighed_NV = np.array([window.weighed_V for clip in clips for window in clip.windows])
    labels_N = np.array([float(clip.is_fight) for clip in clips for _ in clip.windows])
    shares_N = np.array(
        [
            min(MOST_WEIGHT, max(1.0, clip.duration_s / _CLIP_S)) / len(clip.windows)
            if not clip.is_fight
            else 1.0 / len(clip.windows)
            for clip in clips
            for _ in clip.windows
        ]
    )
    return weighed_NV, labels_N, shares_N


def _as_scaled(score: ScuffleScore, middle_V: Floats, scale_V: Floats) -> tuple[Floats, float]:
    """Return a score's weights for what is standardised otherwise."""
    ratio_V = scale_V / score.scale_V
    shift_V = (middle_V - score.middle_V) / score.scale_V
    return score.weights_V * ratio_V, score.bias + float(score.weights_V @ shift_V)


def _regressed(
    standard_NV: npt.NDArray[np.float64],
    labels_N: Doubles,
    shares_N: Doubles,
    *,
    ridge: float,
) -> tuple[npt.NDArray[np.float64], float]:
    """Fit a logistic regression with a ridge; the bias is free."""
    signs_N = 2 * labels_N - 1

    def lost(line: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        weights_V, bias = line[:-1], line[-1]
        margins_N = signs_N * (standard_NV @ weights_V + bias)
        loss = float(shares_N @ np.logaddexp(0, -margins_N)) + ridge / 2 * float(
            weights_V @ weights_V
        )
        pulls_N = -shares_N * signs_N / (1 + np.exp(margins_N))
        return loss, np.append(pulls_N @ standard_NV + ridge * weights_V, pulls_N.sum())

    found = minimize(lost, np.zeros(standard_NV.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return found[:-1], float(found[-1])


def folds(clips: Sequence[FightClip], *, seed: int) -> list[frozenset[str]]:
    """Return the sources of each fold: drawn by lot, fights and others kept about even."""
    draw = np.random.default_rng(seed)
    groups = sorted({clip.group for clip in clips})
    counts = {
        group: np.array(
            [
                sum(1 for clip in clips if clip.group == group and clip.is_fight is is_fight)
                for is_fight in (True, False)
            ],
            np.float64,
        )
        for group in groups
    }
    total = sum(counts.values(), np.zeros(2))
    order = sorted(draw.permutation(groups).tolist(), key=lambda name: -float(counts[name].std()))
    filled = [np.zeros(2) for _ in range(FOLDS)]
    chosen: list[set[str]] = [set() for _ in range(FOLDS)]
    for group in order:
        trials = [
            float(
                np.std(
                    [(filled[k] + counts[group] * (k == one)) / total for k in range(FOLDS)], axis=0
                ).sum()
            )
            for one in range(FOLDS)
        ]
        best = int(np.argmin(trials))
        filled[best] = filled[best] + counts[group]
        chosen[best].add(group)
    return [frozenset(names) for names in chosen]


def group_of_stream(clip: FightClip, clips: Sequence[FightClip]) -> str:
    """Return the source of a clip; of a stream, that of the clip that it begins with."""
    return next((one.group for one in clips if one.video == clip.begins_with), clip.group)


def fit_all(clips: Sequence[FightClip], *, seed: int = 0) -> ScuffleScore:
    """Return the score fitted to all that may be trained on, with a member for each fold.

    The line sees all; each member, of the line and of the trees, lacks the sources of its fold.
    """
    fitted = usable(clips)
    whole = fit(fitted)
    parts = [
        [clip for clip in fitted if clip.group not in held_out]
        for held_out in folds(fitted, seed=seed)
    ]
    lines = [_as_scaled(fit(part), whole.middle_V, whole.scale_V) for part in parts]
    return replace(
        whole,
        members_MV=np.array([weights_V for weights_V, _ in lines], np.float32),
        biases_M=np.array([bias for _, bias in lines], np.float32),
        forest=forest_of(
            [_trees(part, whole, seed=seed + number) for number, part in enumerate(parts)]
        ),
    )


def _trees(clips: Sequence[FightClip], whole: ScuffleScore, *, seed: int) -> list[Tree]:
    """Return trees grown on the clips, asking for what is standardised as the line has it."""
    weighed_NV, labels_N, shares_N = _windows(clips)
    standard_NV = standardised(weighed_NV, whole.middle_V, whole.scale_V)
    return grown(standard_NV, labels_N > 0, shares_N, seed=seed)


def usable(clips: Sequence[FightClip]) -> list[FightClip]:
    """Return the clips that a score is fitted to: trainable, and something stirs in them."""
    return [clip for clip in clips if clip.is_trainable and clip.moments]


def fit_fights(arguments: argparse.Namespace) -> str:
    """Fit how likely what stirs is a fight."""
    clips = [clip for folder in arguments.data for clip in read_clips(folder)]
    clips += [clip for folder in arguments.quiet for clip in read_quiet(folder)]
    fitted = usable(clips)
    if len({clip.is_fight for clip in fitted}) < len((True, False)):
        raise ConfigError("fight: needs clips with and without a fight that may be trained on")
    target: Path = arguments.out
    write_score(fit_all(clips), target)
    fights = sum(clip.is_fight for clip in fitted)
    return f"{target}: fitted to {fights} clips with a fight and {len(fitted) - fights} without"
