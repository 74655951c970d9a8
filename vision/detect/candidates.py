"""From scores and a box at every anchor point to the objects of one picture.

Shape legend: A = anchor points, C = classes, K = objects, 4 = x1, y1, x2, y2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vision.detect.fitting import Fit
from vision.detect.yolox import suppress

FloatArray = npt.NDArray[np.float32]

ALIKE: Final = ({"car", "bus", "truck"}, {"bicycle", "motorcycle"}, {"dog", "cat"})
"""Classes of which one object is one: a van that looks half like a truck is not two vehicles."""
MOST_CANDIDATES: Final = 1000
"""Best boxes of a picture that go into non-maximum suppression; bounds its time on noise."""
MOST_OBJECTS: Final = 100
"""Best objects of a picture that are kept; each costs time to describe."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chosen:
    """The objects of one picture, best first.

    Attributes:
        boxes_K4: Normalised to the picture, inside 0..1, ``x1 < x2`` and ``y1 < y2``.
        confidences_K: In [0, 1].
        classes_K: Indices of the classes.
    """

    boxes_K4: FloatArray
    confidences_K: FloatArray
    classes_K: npt.NDArray[np.int64]


def alike(labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return a number for each class that is the same for classes taken for each other."""
    return np.array(
        [
            next((labels.index(other) for other in labels if _are_alike(label, other)), index)
            for index, label in enumerate(labels)
        ],
        np.int64,
    )


def choose(
    scores_AC: FloatArray,
    boxes_A4: FloatArray,
    fit: Fit,
    *,
    confidence: float,
    alike_C: npt.NDArray[np.int64],
) -> Chosen:
    """Return the objects that no better one of their class or one alike covers.

    Args:
        scores_AC: In [0, 1].
        boxes_A4: In pixels of the input; cut at the picture's edge here.
        fit: Where the picture lies in the input.
        confidence: Boxes below this are left out.
        alike_C: From ``alike``.
    """
    confidences_A = scores_AC.max(axis=1)
    likely = np.flatnonzero(confidences_A >= confidence)
    boxes_L4 = np.clip(boxes_A4[likely] / sides(fit), 0, 1)
    is_real_L = (boxes_L4[:, 2:] > boxes_L4[:, :2]).all(axis=1)
    order = np.argsort(-confidences_A[likely[is_real_L]], kind="stable")[:MOST_CANDIDATES]
    likely, boxes_L4 = likely[is_real_L][order], boxes_L4[is_real_L][order]
    classes_L = scores_AC[likely].argmax(axis=1)
    kept = suppress(boxes_L4, confidences_A[likely], alike_C[classes_L])[:MOST_OBJECTS]
    return Chosen(
        boxes_K4=boxes_L4[kept].astype(np.float32),
        confidences_K=confidences_A[likely[kept]].clip(0, 1).astype(np.float32),
        classes_K=classes_L[kept].astype(np.int64),
    )


def _are_alike(label: str, other: str) -> bool:
    return any(label in group and other in group for group in ALIKE)


def sides(fit: Fit) -> FloatArray:
    """Return width, height, width, height of the picture in its input, in pixels."""
    return np.array([*fit.fitted[::-1]] * 2, np.float32)
