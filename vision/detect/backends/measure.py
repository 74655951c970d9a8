"""Measures backends against each other on this machine: how fast, and whether they agree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Final

import cv2
import numpy as np

from contracts.clock import Clock
from contracts.frames import BgrImage
from vision.detect.backends.port import EncoderBackend, FloatArray

ROUNDS: Final = 5
"""Each backend runs once a round, in turn, so that a machine that slows down does so for all."""
LEAST_COSINE: Final = 0.999
MOST_BOX_PX: Final = 1.0
_INPUT: Final = (224, 384)
_REGIONS: Final = ((20, 10, 90, 190), (150, 60, 260, 140), (300, 100, 340, 210))
_LIKELY: Final = 0.05
"""Boxes of lower scores say nothing to anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far two backends are from each other on the same picture.

    Attributes:
        cosine: Least over embeddings and scene tokens.
        box_px: Farthest corner of a box that has some score, in pixels of the input.
        score: Largest difference of a score.
    """

    cosine: float
    box_px: float
    score: float

    @property
    def is_good(self) -> bool:
        """Whether one may stand in for the other."""
        return self.cosine >= LEAST_COSINE and self.box_px <= MOST_BOX_PX


def ms_a_frame(
    backends: Sequence[EncoderBackend], *, clock: Clock, rounds: int = ROUNDS
) -> list[float]:
    """Return the median milliseconds that each backend looks at a frame, at its batch size."""
    batches = [np.stack([sample_picture()] * backend.batch_frames) for backend in backends]
    works = [partial(backend.look, batch) for backend, batch in zip(backends, batches, strict=True)]
    spent_ms = in_turn_ms(works, clock=clock, rounds=rounds)
    return [spent / len(batch) for spent, batch in zip(spent_ms, batches, strict=True)]


def in_turn_ms(
    works: Sequence[Callable[[], object]], *, clock: Clock, rounds: int = ROUNDS
) -> list[float]:
    """Return the median wall time of each, in milliseconds, after one run each to warm up."""
    times_ms: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        for work, times in zip(works, times_ms, strict=True):
            began_s = clock.monotonic_s()
            work()
            if number:
                times.append(1000 * (clock.monotonic_s() - began_s))
    return [median(times) for times in times_ms]


def agreement(one: EncoderBackend, other: EncoderBackend) -> Agreement:
    """Let both look at the sample picture and describe the same regions."""
    batch_NHW3 = sample_picture()[None]
    regions_K5 = np.array([(0, *region) for region in _REGIONS], np.float32)
    first, second = one.look(batch_NHW3), other.look(batch_NHW3)
    likely = first.scores_NAC.max(axis=2) >= min(_LIKELY, float(first.scores_NAC.max()))
    pairs = (
        (first.describe(regions_K5)[0], second.describe(regions_K5)[0]),
        (first.scene_NSD[0], second.scene_NSD[0]),
    )
    return Agreement(
        cosine=min(float(_cosines(ours, theirs).min()) for ours, theirs in pairs),
        box_px=float(np.abs(first.boxes_NA4 - second.boxes_NA4)[likely].max()),
        score=float(np.abs(first.scores_NAC - second.scores_NAC).max()),
    )


def sample_picture() -> BgrImage:
    """Return a picture (224, 384, 3) with edges, tones and noise of all scales."""
    rng = np.random.default_rng(11)
    picture_HW3 = np.zeros((*_INPUT, 3), np.float32)
    for cells in (3, 9, 28, 112):
        coarse = rng.uniform(0, 255, (cells, 2 * cells, 3)).astype(np.float32)
        picture_HW3 += cv2.resize(coarse, _INPUT[::-1]) / 4
    for left, top, right, bottom in _REGIONS:
        picture_HW3[top:bottom, left:right] = 0.5 * picture_HW3[top:bottom, left:right] + 20
    return picture_HW3.clip(0, 255).astype(np.uint8)


def _cosines(first_KD: FloatArray, second_KD: FloatArray) -> FloatArray:
    lengths_K = np.linalg.norm(first_KD, axis=1) * np.linalg.norm(second_KD, axis=1)
    return np.asarray((first_KD * second_KD).sum(axis=1) / np.maximum(lengths_K, 1e-12))
