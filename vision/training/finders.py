"""Detectors as the evaluation calls them: pixels in, objects in the picture's pixels out.

Shape legend: A = anchor points, C = classes, 4 = x1, y1, x2, y2.
"""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from contracts.frames import BgrImage
from vision.detect.fitting import fit_of, stack
from vision.detect.yolox import suppress
from vision.encoder import Encoder
from vision.training.corpus import Object
from vision.training.sources import of_ours
from vision.training.teachers import Yolox

FloatArray = npt.NDArray[np.float32]

LEAST_SCORE: Final = 0.02


class EncoderFinder:
    """The encoder in torch."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder.eval()

    @torch.no_grad()
    def __call__(self, pixels_HW3: BgrImage) -> list[Object]:
        """Return objects, the surest first."""
        fit = fit_of(*pixels_HW3.shape[:2])
        inputs = stack([pixels_HW3], fit).transpose(0, 3, 1, 2)
        maps = self._encoder(torch.from_numpy(inputs.copy()).float())
        scores_AC = maps.logits_NAC[0].sigmoid().numpy()
        return _objects(
            maps.boxes_NA4[0].numpy() * (pixels_HW3.shape[1] / fit.fitted[1]),
            scores_AC,
            pixels_HW3.shape[:2],
        )


class YoloxFinder:
    """A published YOLOX for COCO, with its classes named as ours."""

    def __init__(self, path: Path) -> None:
        self._model = Yolox(path)

    def __call__(self, pixels_HW3: BgrImage) -> list[Object]:
        """Return objects, the surest first."""
        boxes_A4, coco_AC = self._model(pixels_HW3)
        return _objects(boxes_A4, of_ours(coco_AC), pixels_HW3.shape[:2])


def _objects(boxes_A4: FloatArray, scores_AC: FloatArray, size: tuple[int, ...]) -> list[Object]:
    boxes_A4 = boxes_A4.clip(0, np.array([size[1], size[0]] * 2, np.float32))
    best_A, labels_A = scores_AC.max(axis=1), scores_AC.argmax(axis=1)
    near = np.flatnonzero(best_A >= LEAST_SCORE)
    kept = near[
        suppress((boxes_A4[near] / max(size)).astype(np.float32), best_A[near], labels_A[near])
    ]
    return [
        Object(box=tuple(boxes_A4[k].tolist()), label=int(labels_A[k]), score=float(best_A[k]))
        for k in kept
    ]
