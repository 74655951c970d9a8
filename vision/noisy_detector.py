"""Draws what a detector would have reported of a scene whose truth is known.

For simulators: rules, tracker and reasoning meet the misses, the jitter and the false boxes of the
detector at work (``vision/noise.py``) without a picture being drawn.

Shape legend: N = true objects in a frame, M = detections, 4 = x1, y1, x2, y2, D = embedding size.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtri

from contracts.detections import Detections
from vision.noise import CERTAIN, Array, NoiseModel, decay

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrueObjects:
    """What is really in one frame.

    Attributes:
        ids_N: A number for each object, the same in every frame, unique in a frame.
        boxes_N4: Normalised, of the whole object as far as it is in the picture.
        labels: The class of each.
        hidden_N: Share (0..1) that others hide; None if nobody is hidden.
        seen_N4: What is to be seen of it if that is less than the box; None if it is the box.
        looks_ND: Unit vectors of what each looks like; None if the detector makes no embeddings.
    """

    ids_N: Ints
    boxes_N4: Array
    labels: Sequence[str]
    hidden_N: Array | None = None
    seen_N4: Array | None = None
    looks_ND: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Simulated:
    """One frame as a detector would have reported it, and whom each detection is of.

    Attributes:
        source_M: Row of the true object; -1 where nothing is.
    """

    detections: Detections
    source_M: Ints


@dataclass(slots=True, kw_only=True, eq=False)
class _States:
    """The slow deviations of the objects of the last frame, rows sorted by id.

    Attributes:
        ids_N: Sorted.
        deviations_N6: Standard normal: being found, confidence, and the four places.
    """

    ids_N: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    deviations_N6: Array = field(default_factory=lambda: np.zeros((0, 6)))


class NoisyDetector:
    """Draws detections from the truth, frame by frame; keeps state for one camera.

    The same seed and the same truth give the same detections.

    Args:
        model: What to draw from.
        labels: The detector's classes; a class that is not among them is refused.
        seed: Of the random numbers.
    """

    def __init__(self, model: NoiseModel, *, labels: Sequence[str], seed: int) -> None:
        self._model = model
        self._labels = tuple(labels)
        self._rng = np.random.default_rng(seed)
        self._states = _States()
        self._false_N4: Array = np.zeros((0, 4))
        self._false_looks: Array | None = None

    def detect(self, truth: TrueObjects, *, step_s: float) -> Simulated:
        """Return what would be found in the next frame.

        Args:
            truth: What is in it.
            step_s: Time since the frame before, >= 0; of the first frame, anything.

        Raises:
            ValueError: A label is unknown, an id stands twice, or a box is no box.
        """
        _check_truth(truth, self._labels)
        deviations_N6 = self._moved_on(truth.ids_N, step_s)
        hidden_N = np.zeros(len(truth.ids_N)) if truth.hidden_N is None else truth.hidden_N
        sizes_N = _sizes(truth.boxes_N4)
        found_N = self._model.found.of(sizes_N, hidden_N)
        # The deviation is a standard normal, so its quantile at the chance of a miss decides.
        misses_N = np.clip(1 - expit(found_N), CERTAIN, 1 - CERTAIN)
        is_found_N = deviations_N6[:, 0] > ndtri(misses_N)
        rows = np.flatnonzero(is_found_N)
        own_M4 = self._jittered(truth, deviations_N6[:, 2:])[rows]
        self._step_false(step_s)
        boxes_M4, kept = _as_found(np.vstack([own_M4, self._false_N4]))
        source_M = np.concatenate([rows, np.full(len(self._false_N4), -1, np.int64)])[kept]
        confidence = self._model.confidence
        own_N = confidence.of(sizes_N, hidden_N) + confidence.spread * deviations_N6[:, 1]
        odd = self._model.false_boxes
        false_logits = self._rng.normal(odd.confidence, odd.confidence_spread, len(self._false_N4))
        logits_M = np.concatenate([own_N[rows], false_logits])[kept]
        detections = Detections(
            boxes_N4=boxes_M4.astype(np.float32),
            confidences_N=expit(logits_M).astype(np.float32),
            class_ids_N=self._named(truth.labels, source_M),
            labels=self._labels,
            embeddings_ND=self._looks(truth.looks_ND, source_M),
        )
        return Simulated(detections=detections, source_M=source_M)

    def _moved_on(self, ids_N: Ints, step_s: float) -> Array:
        """Return each object's deviations in this frame; those of new ones are drawn afresh."""
        fresh_N6 = self._rng.standard_normal((len(ids_N), 6))
        order = np.argsort(ids_N, kind="stable")
        before = self._states
        at = np.searchsorted(before.ids_N, ids_N)
        is_known = np.zeros(len(ids_N), np.bool_)
        inside = at < len(before.ids_N)
        is_known[inside] = before.ids_N[at[inside]] == ids_N[inside]
        times_s = [self._model.found.persistence_s, self._model.confidence.persistence_s]
        times_s += [self._model.jitter.persistence_s] * 4
        kept_6 = np.array([decay(step_s, time_s) for time_s in times_s])
        fresh_N6[is_known] = (
            kept_6 * before.deviations_N6[at[is_known]]
            + np.sqrt(1 - kept_6**2) * fresh_N6[is_known]
        )
        self._states = _States(ids_N=ids_N[order], deviations_N6=fresh_N6[order])
        return fresh_N6

    def _jittered(self, truth: TrueObjects, deviations_N4: Array) -> Array:
        jitter = self._model.jitter
        seen_N4 = truth.boxes_N4 if truth.seen_N4 is None else truth.seen_N4
        stretched_N4 = deviations_N4 * np.exp(jitter.tail / 2 * deviations_N4**2)
        sides_N2 = seen_N4[:, 2:] - seen_N4[:, :2]
        off_N4 = np.clip(np.array(jitter.shares_4) * stretched_N4, -1, 1)
        middle_N = (seen_N4[:, 0] + seen_N4[:, 2]) / 2 + off_N4[:, 0] * sides_N2[:, 0]
        foot_N = seen_N4[:, 3] + off_N4[:, 1] * sides_N2[:, 1]
        wide_N, high_N = (sides_N2 * np.exp(off_N4[:, 2:])).T
        return np.stack([middle_N - wide_N / 2, foot_N - high_N, middle_N + wide_N / 2, foot_N], 1)

    def _step_false(self, step_s: float) -> None:
        """Let false boxes vanish and appear; their mean number stays what the model says."""
        odd, rng = self._model.false_boxes, self._rng
        stays = decay(step_s, odd.persistence_s)
        self._false_N4 = self._false_N4[rng.random(len(self._false_N4)) < stays]
        count = int(rng.poisson(odd.per_frame * (1 - stays)))
        sizes = odd.median_size * 2 ** rng.normal(0, odd.size_spread, count)
        tall = 2 ** rng.normal(0.5, 0.5, count)
        wide, high = sizes / np.sqrt(tall), sizes * np.sqrt(tall)
        x, y = rng.uniform(0, 1, (2, count))
        new_N4 = np.stack([x - wide / 2, y - high / 2, x + wide / 2, y + high / 2], axis=1)
        self._false_N4 = np.vstack([self._false_N4, new_N4])

    def _named(self, labels: Sequence[str], source_M: Ints) -> Ints:
        """Return class indices: of objects by the table of confusion, of nothing at random."""
        drawn = self._rng.random(len(source_M))
        names = [labels[row] if row >= 0 else self._labels[0] for row in source_M]
        return np.array(
            [self._called(name, share) for name, share in zip(names, drawn, strict=True)], np.int64
        )

    def _called(self, label: str, share: float) -> int:
        for called, chance in self._model.confusion.get(label, {}).items():
            share -= chance
            if share < 0 and called in self._labels:
                return self._labels.index(called)
        return self._labels.index(label)

    def _looks(self, looks_ND: Array | None, source_M: Ints) -> npt.NDArray[np.float32] | None:
        if looks_ND is None:
            return None
        size = looks_ND.shape[1]
        spread = self._model.appearance.spread
        drawn_MD = self._rng.standard_normal((len(source_M), size)) / math.sqrt(size)
        drawn_MD *= np.where(source_M >= 0, spread, 1.0)[:, None]
        drawn_MD[source_M >= 0] += looks_ND[source_M[source_M >= 0]]
        lengths_M1 = np.linalg.norm(drawn_MD, axis=1, keepdims=True)
        return np.asarray(drawn_MD / np.maximum(lengths_M1, 1e-9), np.float32)


def _sizes(boxes_N4: Array) -> Array:
    sides_N2 = np.maximum(boxes_N4[:, 2:] - boxes_N4[:, :2], 0)
    return np.asarray(np.sqrt(sides_N2[:, 0] * sides_N2[:, 1]))


def _as_found(boxes_M4: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Return boxes cut at the picture's edge, without those of which nothing is left."""
    cut_M4 = np.clip(boxes_M4, 0, 1)
    kept = np.asarray(((cut_M4[:, 2:] - cut_M4[:, :2]) > 1e-4).all(axis=1), np.bool_)
    return cut_M4[kept], kept


def _check_truth(truth: TrueObjects, labels: Sequence[str]) -> None:
    unknown = sorted({*truth.labels} - {*labels})
    if unknown:
        raise ValueError(f"labels {unknown} are none of the detector's {list(labels)}")
    if len(np.unique(truth.ids_N)) != len(truth.ids_N):
        raise ValueError("ids of true objects must differ within a frame")
    boxes_N4 = truth.boxes_N4
    if not (np.isfinite(boxes_N4).all() and (boxes_N4[:, 2:] >= boxes_N4[:, :2]).all()):
        raise ValueError("true boxes must be finite, with x1 <= x2 and y1 <= y2")
