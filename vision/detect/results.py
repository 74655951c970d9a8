"""From what a model answers to ``Detections``: checked, inside the picture, bounded in number.

Shape legend: K = boxes of one picture, 4 = x1, y1, x2, y2 in shares of the picture.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.detections import Detections, FloatArray, IntArray
from contracts.errors import ModelError

MOST_BOXES: Final = 300
"""Best boxes kept of one picture; bounds what tracking has to compare."""


def require_finite(values: npt.NDArray[np.floating], *, what: str, where: str) -> None:
    """Raise ModelError if a value is NaN or infinite.

    Args:
        values: What the model answered.
        what: Its name for the message, for instance ``class scores``.
        where: The model's file or folder.
    """
    finite = np.count_nonzero(np.isfinite(values))
    if finite != values.size:
        raise ModelError(
            f"{where}: {values.size - finite} of {values.size} {what} are NaN or infinite, wanted "
            "finite numbers; the file is damaged or overflows, fetch it again"
        )


def select(
    boxes_K4: FloatArray,
    confidences_K: FloatArray,
    class_ids_K: IntArray,
    *,
    labels: tuple[str, ...],
    confidence: float,
    where: str,
) -> Detections:
    """Return the best boxes that are sure enough, cut at the picture's edges.

    What lies outside the picture or has no area is left out.

    Args:
        boxes_K4: In shares of the picture; may reach beyond it.
        confidences_K: In [0, 1].
        class_ids_K: Indices into ``labels``.
        labels: The model's classes.
        confidence: Least confidence.
        where: The model's file or folder, for messages.

    Returns:
        At most ``MOST_BOXES`` detections, best first.

    Raises:
        ModelError: Shapes do not fit each other, a number is not finite, a confidence is out of
            range, or a class is not known.
    """
    _require_shapes(boxes_K4, confidences_K, class_ids_K, where=where)
    require_finite(boxes_K4, what="coordinates of boxes", where=where)
    require_finite(confidences_K, what="confidences", where=where)
    _require_ranges(confidences_K, class_ids_K, classes=len(labels), where=where)
    inside_K4 = boxes_K4.clip(0, 1)
    real_K = (inside_K4[:, 2:] > inside_K4[:, :2]).all(axis=1)
    candidates = np.flatnonzero(real_K & (confidences_K >= confidence))
    order = np.argsort(-confidences_K[candidates], kind="stable")
    kept = candidates[order][:MOST_BOXES]
    return Detections(
        boxes_N4=inside_K4[kept].astype(np.float32),
        confidences_N=confidences_K[kept].clip(0, 1).astype(np.float32),
        class_ids_N=class_ids_K[kept].astype(np.int64),
        labels=labels,
    )


def _require_shapes(
    boxes_K4: FloatArray, confidences_K: FloatArray, class_ids_K: IntArray, *, where: str
) -> None:
    count = boxes_K4.shape[0] if boxes_K4.ndim else 0
    if (
        boxes_K4.shape != (count, 4)
        or confidences_K.shape != (count,)
        or class_ids_K.shape != (count,)
    ):
        raise ModelError(
            f"{where}: boxes, confidences and classes of one picture must have shapes (K, 4), "
            f"(K,) and (K,), got {boxes_K4.shape}, {confidences_K.shape} and {class_ids_K.shape}"
        )


def _require_ranges(
    confidences_K: FloatArray, class_ids_K: IntArray, *, classes: int, where: str
) -> None:
    if not confidences_K.size:
        return
    low, high = float(confidences_K.min()), float(confidences_K.max())
    if low < -1e-3 or high > 1 + 1e-3:
        raise ModelError(f"{where}: confidences must lie in 0..1, got {low:.3g}..{high:.3g}")
    first, last = int(class_ids_K.min()), int(class_ids_K.max())
    if first < 0 or last >= classes:
        raise ModelError(
            f"{where}: classes must lie in 0..{classes - 1} (the model names {classes}), got "
            f"{first}..{last}"
        )
