"""Holds detectors against each other on pictures of places that were not trained on.

Truth is labels by hand where there are some, else what a third detector sees in several views of
the picture: a better one than those compared, and neither of them. Objects of which it is not
sure count neither way.

Shape legend: N = found, M = true objects, 4 = x1, y1, x2, y2 in pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from contracts.frames import BgrImage
from vision.training.corpus import Corpus, Object, Sample
from vision.training.sources import CLASSES, PERSON
from vision.training.teachers import iou

FloatArray = npt.NDArray[np.float32]
Find = Callable[[BgrImage], list[Object]]

TRUE_SCORE: Final = 0.4
"""Teachers are sure of an object from here on."""
UNSURE_SCORE: Final = 0.15
MATCH_IOU: Final = 0.5
LEAST_HEIGHT: Final = 16.0
"""Objects lower than this in a picture of at most 640 pixels count neither way."""
VEHICLES: Final = tuple(CLASSES.index(name) for name in ("car", "bus", "truck"))
PEOPLE: Final = (PERSON,)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Every box that a detector found: its score and whether it is right; and what there was.

    Attributes:
        scores_N, is_right_N: Of found boxes, the unsure ones left out.
        truths: How many objects there were.
    """

    scores_N: FloatArray
    is_right_N: npt.NDArray[np.bool_]
    truths: int

    def at(self, threshold: float) -> tuple[float, float]:
        """Return precision and recall of the boxes at or above a score."""
        chosen = self.scores_N >= threshold
        right = int(self.is_right_N[chosen].sum())
        return right / max(1, int(chosen.sum())), right / max(1, self.truths)

    def recall_at_precision(self, least: float) -> tuple[float, float]:
        """Return the best recall whose precision is at least this, and its threshold."""
        order = np.argsort(-self.scores_N, kind="stable")
        right = np.cumsum(self.is_right_N[order])
        precision = right / np.arange(1, len(order) + 1)
        good = np.flatnonzero(precision >= least)
        if not len(good):
            return 0.0, 1.0
        return float(right[good[-1]] / max(1, self.truths)), float(self.scores_N[order[good[-1]]])


def judge(corpus: Corpus, samples: Sequence[Sample], find: Find, labels: Sequence[int]) -> Verdicts:
    """Run a detector over samples and hold it against the truth for a group of classes.

    Within the group the class does not matter: a truck that is called a bus was seen.
    """
    scores: list[float] = []
    right: list[bool] = []
    truths = 0
    for sample in tqdm(samples, desc="looking", leave=False):
        found = [item for item in find(corpus.pixels(sample)) if item.label in labels]
        sure, unsure = truth_of(sample, labels)
        truths += len(sure)
        for item, verdict in match(found, sure, unsure):
            if verdict is not None:
                scores.append(item.score)
                right.append(verdict)
    return Verdicts(np.array(scores, np.float32), np.array(right, bool), truths)


def truth_of(sample: Sample, labels: Sequence[int]) -> tuple[list[Object], list[Object]]:
    """Return the objects that are certainly there, and those that count neither way."""
    sure: list[Object] = []
    unsure: list[Object] = []
    for item in sample.objects:
        if item.label not in labels or item.score < UNSURE_SCORE:
            continue
        is_large = item.box[3] - item.box[1] >= LEAST_HEIGHT
        (sure if item.score >= TRUE_SCORE and is_large else unsure).append(item)
    return sure, unsure


def match(
    found: Sequence[Object], sure: Sequence[Object], unsure: Sequence[Object]
) -> list[tuple[Object, bool | None]]:
    """Say of each found box whether it is right; None where it counts neither way."""
    boxes_M4 = np.array([item.box for item in (*sure, *unsure)], np.float32).reshape(-1, 4)
    is_free = [True] * len(boxes_M4)
    verdicts: list[tuple[Object, bool | None]] = []
    for item in sorted(found, key=lambda one: -one.score):
        overlaps_M = iou(np.array([item.box], np.float32), boxes_M4)[0]
        order = [int(m) for m in np.argsort(-overlaps_M) if overlaps_M[m] >= MATCH_IOU]
        free = [m for m in order if is_free[m] and m < len(sure)]
        if free:
            is_free[free[0]] = False
            verdicts.append((item, True))
        elif any(m >= len(sure) for m in order) or item.box[3] - item.box[1] < LEAST_HEIGHT:
            verdicts.append((item, None))
        else:
            verdicts.append((item, False))
    return verdicts
