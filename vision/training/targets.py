"""What the student should answer at each anchor point: the dense teacher, corrected by labels.

Shape legend: A = anchor points, C = classes, N = objects, 4 = x1, y1, x2, y2 in pixels.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from vision.training.dense_teacher import DenseAnswer
from vision.training.teachers import iou
from vision.training.views import Objects

FloatArray = npt.NDArray[np.float32]

LEVELS: Final = {8: (0.0, 72.0), 16: (44.0, 160.0), 32: (110.0, float("inf"))}
"""Longer sides of objects, in pixels, that a stride answers for; neighbours overlap."""
REACH: Final = 1.5
"""Anchor points within so many strides of an object's centre answer for it."""
EDGE_SHARE: Final = 0.55
"""Score at the end of the reach, relative to the centre's."""
SAME_IOU: Final = 0.5
LEAST_TAUGHT: Final = 0.1
"""A teacher's box counts where its score is at least this."""


def targets(
    points_A3: FloatArray, answer: DenseAnswer, objects: Objects
) -> tuple[FloatArray, FloatArray]:
    """Return scores (A, C) and boxes (A, 4); where all scores are small the box means nothing.

    Args:
        points_A3: x, y in pixels and stride of each anchor point.
        answer: Of the dense teacher for the same view.
        objects: The view's labels; the surest has the last word.
    """
    scores_AC = answer.scores_AC.clip(0, 1).copy()
    scores_AC[scores_AC < 0.01] = 0
    boxes_A4 = answer.boxes_A4.copy()
    for index in np.argsort(objects.scores_N):
        box_4 = objects.boxes_N4[index]
        label, score = int(objects.labels_N[index]), float(objects.scores_N[index])
        _correct(points_A3, scores_AC, boxes_A4, box_4, label, score)
    return scores_AC, boxes_A4


def _correct(
    points_A3: FloatArray,
    scores_AC: FloatArray,
    boxes_A4: FloatArray,
    box_4: FloatArray,
    label: int,
    score: float,
) -> None:
    """Write one object into the targets, in place."""
    own_A = responsibility(points_A3, box_4) * score
    # Where the teacher means the same object, its box is replaced by the better one.
    taught_A = scores_AC[:, label] >= LEAST_TAUGHT
    taught_A[taught_A] = iou(box_4[None], boxes_A4[taught_A])[0] >= SAME_IOU
    raised_A = (own_A > scores_AC[:, label]) & (own_A > scores_AC.max(axis=1) * 0.8)
    boxes_A4[taught_A | raised_A] = box_4
    scores_AC[:, label] = np.where(raised_A, own_A, scores_AC[:, label])


def responsibility(points_A3: FloatArray, box_4: FloatArray) -> FloatArray:
    """Return 0 to 1 for each anchor point: 1 at the object's centre at a stride of its size."""
    x1, y1, x2, y2 = box_4.tolist()
    longer = max(x2 - x1, y2 - y1)
    x, y, stride = points_A3.T
    is_of_size = np.zeros(len(points_A3), bool)
    for step, (least, most) in LEVELS.items():
        if least <= longer < most:
            is_of_size |= stride == step
    is_inside = (x > x1) & (x < x2) & (y > y1) & (y < y2)
    distance = np.hypot(x - (x1 + x2) / 2, y - (y1 + y2) / 2) / stride
    near = distance < REACH
    if not (is_of_size & is_inside & near).any():
        # Thin objects may lie between the points: the nearest one answers.
        nearest = np.where(is_of_size, distance, np.inf).argmin()
        is_inside[nearest] = near[nearest] = True
    value = 1 - (1 - EDGE_SHARE) * np.minimum(distance / REACH, 1)
    return np.asarray(np.where(is_of_size & is_inside & near, value, 0), np.float32)
