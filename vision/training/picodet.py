"""PicoDet in ONNX form, as a teacher.

Source: Yu et al. 2021, "PP-PicoDet: A Better Real-Time Object Detector on Mobile Devices";
generalised focal loss heads: the distance to each side is the expectation of a distribution.
"""

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime  # type: ignore[import-untyped]  # the package has no types

from contracts.errors import ModelError
from contracts.frames import BgrImage

FloatArray = npt.NDArray[np.float32]

SIZE: Final = 416
STRIDES: Final = (8, 16, 32, 64)
MEAN: Final = np.array([103.53, 116.28, 123.675], np.float32)
SPREAD: Final = np.array([57.375, 57.12, 58.395], np.float32)
BINS: Final = 8


class PicoDet:
    """Boxes and class scores of one picture at a time, before suppression."""

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        """Load the model; raises ModelError if the file has not the eight outputs it should."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 4
        self._session: Any = onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        if len(self._session.get_outputs()) != 2 * len(STRIDES):
            raise ModelError(f"{path}: a PicoDet has {2 * len(STRIDES)} outputs")

    def __call__(self, pixels_HW3: BgrImage) -> tuple[FloatArray, FloatArray]:
        """Return boxes x1, y1, x2, y2 in the picture's pixels (A, 4), and scores (A, classes)."""
        height, width = pixels_HW3.shape[:2]
        fitted = cv2.resize(pixels_HW3, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
        batch = ((fitted - MEAN) / SPREAD).transpose(2, 0, 1)[None].astype(np.float32)
        name = self._session.get_inputs()[0].name
        outputs = self._session.run(None, {name: np.ascontiguousarray(batch)})
        count = len(STRIDES)
        boxes = [_boxes(outputs[count + level][0], stride) for level, stride in enumerate(STRIDES)]
        scale = np.array([width, height] * 2, np.float32) / SIZE
        scores_AC = np.concatenate([output[0] for output in outputs[:count]])
        return (np.concatenate(boxes) * scale).astype(np.float32), scores_AC


def _boxes(distances_AB: FloatArray, stride: int) -> FloatArray:
    bins = distances_AB.reshape(-1, 4, BINS)
    weights = np.exp(bins - bins.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    sides_A4 = (weights * np.arange(BINS)).sum(axis=2) * stride
    steps = -(-SIZE // stride)
    rows, columns = np.divmod(np.arange(len(sides_A4)), steps)
    centres = (np.stack([columns, rows], axis=1) + 0.5) * stride
    return np.hstack([centres - sides_A4[:, :2], centres + sides_A4[:, 2:]]).astype(np.float32)
