"""Any published YOLOX in ONNX form.

Shape legend: H, W = picture in pixels, 3 = blue, green, red, A = anchor points of all strides,
C = classes, K = boxes, 4 = x1, y1, x2, y2.

Source: Ge et al. 2021, "YOLOX: Exceeding YOLO Series in 2021"; letterbox and decoding as in its
published demo for ONNX Runtime (Apache-2.0), written anew.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contracts.detections import Detections, ModelIdentity
from contracts.errors import ModelError
from contracts.frames import BgrImage, Frame
from vision.detect.entrance import require_picture
from vision.detect.labels import default_labels, read_labels
from vision.detect.model_card import require_recorded
from vision.detect.results import MOST_BOXES, require_finite
from vision.detect.session import OnnxSession

FloatArray = npt.NDArray[np.float32]

STRIDES: Final = ((8, 16, 32), (8, 16, 32, 64))
"""Of the usual models and of those for large pictures."""
PADDING: Final = 114
"""Grey that fills the letterbox at the bottom and right, as in training."""
NMS_IOU: Final = 0.45
MOST_CANDIDATES: Final = 1000
"""Best boxes that go into non-maximum suppression; bounds its time on noise."""


class YoloxDetector:
    """Finds what a YOLOX was trained on, one frame at a time; keeps no state.

    Size of the input, number of classes and whether the file decodes its boxes itself are read
    from the model.
    """

    def __init__(
        self,
        weights: Path,
        *,
        confidence: float = 0.1,
        threads: int = 1,
        names: Path | None = None,
    ) -> None:
        """Load a model.

        Args:
            weights: ONNX file with input (1, 3, height, width), BGR 0 to 255, and output
                (1, A, 5 + C): box, objectness, classes, the latter two after their sigmoids.
            confidence: Boxes below this are left out.
            threads: Of one inference.
            names: Class names, one a line; COCO for 80 classes and ``person`` for one without.

        Raises:
            ModelError: The file is no such model, or not the one that was fetched.
            ConfigError: The names do not fit the model.
        """
        self._session = OnnxSession(weights, threads=threads)
        require_recorded(weights, self._session.sha256)
        self._where = str(weights)
        self._confidence = confidence
        self._size = _input_size(self._session, where=self._where)
        self._grid_A3 = anchor_grid(self._size, self._anchors())
        probe = self._session.run(np.full((1, 3, *self._size), PADDING, np.float32))
        count = self._check(probe).shape[1] - 5
        self._is_decoded = looks_decoded(probe[0], self._grid_A3)
        self._labels = (
            default_labels(count, where=self._where)
            if names is None
            else read_labels(names, count=count)
        )

    @property
    def identity(self) -> ModelIdentity:
        """The file's name without its suffix, and its checksum."""
        return ModelIdentity(name=f"yolox:{Path(self._where).stem}", sha256=self._session.sha256)

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes that the model knows."""
        return self._labels

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return what is in each frame.

        Raises:
            ModelError: The output is not a YOLOX's.
            ValueError: A frame is no BGR picture.
        """
        return [self._detect_one(require_picture(frame)) for frame in frames]

    def forget(self, camera_id: str) -> None:
        """Nothing is kept."""

    def _detect_one(self, pixels_HW3: BgrImage) -> Detections:
        batch, scale = letterbox(pixels_HW3, self._size)
        output_AC = self._check(self._session.run(batch))
        boxes_A4 = output_AC[:, :4] if self._is_decoded else decode(output_AC, self._grid_A3)
        height, width = pixels_HW3.shape[:2]
        boxes_A4 = to_corners(boxes_A4) / (scale * np.array([width, height] * 2, np.float32))
        scores_AC = output_AC[:, 4:5] * output_AC[:, 5:]
        classes_A = scores_AC.argmax(axis=1)
        confidences_A = scores_AC.max(axis=1)
        boxes_A4 = boxes_A4.clip(0, 1)
        real_A = (boxes_A4[:, 2:] > boxes_A4[:, :2]).all(axis=1)
        candidates = np.flatnonzero(real_A & (confidences_A >= self._confidence))
        candidates = candidates[np.argsort(-confidences_A[candidates])][:MOST_CANDIDATES]
        kept = candidates[
            suppress(boxes_A4[candidates], confidences_A[candidates], classes_A[candidates])
        ][:MOST_BOXES]
        return Detections(
            boxes_N4=boxes_A4[kept].astype(np.float32),
            confidences_N=confidences_A[kept].clip(0, 1).astype(np.float32),
            class_ids_N=classes_A[kept].astype(np.int64),
            labels=self._labels,
        )

    def _anchors(self) -> int | None:
        """Return the number of anchors that the model states, None if it leaves it open."""
        dims = self._session.output.dims
        if len(dims) != 3:
            raise ModelError(
                f"{self._where}: not a YOLOX: output must have shape (1, anchors, 5 + classes), "
                f"got {dims}"
            )
        return dims[1]

    def _check(self, output: FloatArray) -> FloatArray:
        """Return the output without its batch dimension, if it is one that can be read."""
        anchors = self._grid_A3.shape[0]
        if output.ndim != 3 or output.shape[:2] != (1, anchors) or output.shape[2] < 6:
            raise ModelError(
                f"{self._where}: not a YOLOX for {self._size[1]}x{self._size[0]} pixels: output "
                f"must have shape (1, {anchors}, 5 + classes), got {output.shape}"
            )
        require_finite(output, what="outputs", where=self._where)
        scores = output[0, :, 4:]
        if scores.min() < -1e-3 or scores.max() > 1 + 1e-3:
            raise ModelError(
                f"{self._where}: objectness and classes must lie in 0..1 (after their sigmoids), "
                f"got {scores.min():.3g}..{scores.max():.3g}"
            )
        return np.asarray(output[0])


def _input_size(session: OnnxSession, *, where: str) -> tuple[int, int]:
    dims = session.input.dims
    if len(dims) != 4 or dims[1] != 3 or dims[2] is None or dims[3] is None:
        raise ModelError(
            f"{where}: not a YOLOX of fixed size: input must have shape (1, 3, height, width), "
            f"got {dims}"
        )
    if dims[2] % 32 or dims[3] % 32:
        raise ModelError(f"{where}: input sides must be multiples of 32, got {dims[2:]}")
    return (dims[2], dims[3])


def anchor_grid(size: tuple[int, int], anchors: int | None) -> FloatArray:
    """Return column, row and stride of each anchor point, shape (A, 3), in the model's order.

    Args:
        size: Height and width of the input.
        anchors: How many there must be; None takes the usual strides.

    Raises:
        ModelError: No known set of strides has so many.
    """
    counts = []
    for strides in STRIDES:
        parts = [
            np.stack(
                [*np.meshgrid(np.arange(size[1] // step), np.arange(size[0] // step))], axis=-1
            ).reshape(-1, 2)
            for step in strides
        ]
        counts.append(sum(len(part) for part in parts))
        if anchors in (None, counts[-1]):
            return np.vstack(
                [
                    np.hstack([part, np.full((len(part), 1), step)])
                    for part, step in zip(parts, strides, strict=True)
                ]
            ).astype(np.float32)
    raise ModelError(
        f"not a YOLOX: an input of {size[1]}x{size[0]} pixels has {counts} anchors with strides "
        f"{STRIDES}, the model has {anchors}"
    )


def letterbox(pixels_HW3: BgrImage, size: tuple[int, int]) -> tuple[FloatArray, float]:
    """Fit a picture into ``size`` (height, width) at the top left.

    Returns:
        The batch of one, shape (1, 3, height, width), 0 to 255, and the scale: pixels of the
        model for one of the picture.
    """
    height, width = pixels_HW3.shape[:2]
    scale = min(size[0] / height, size[1] / width)
    fitted = (max(1, round(width * scale)), max(1, round(height * scale)))
    canvas = np.full((*size, 3), PADDING, np.uint8)
    canvas[: fitted[1], : fitted[0]] = cv2.resize(
        pixels_HW3, fitted, interpolation=cv2.INTER_LINEAR
    )
    batch = np.ascontiguousarray(canvas.transpose(2, 0, 1), np.float32)
    return batch[None], scale


def decode(output_AC: FloatArray, grid_A3: FloatArray) -> FloatArray:
    """Return centre x, y, width, height in the model's pixels, shape (A, 4)."""
    stride_A1 = grid_A3[:, 2:]
    centres_A2 = (output_AC[:, :2] + grid_A3[:, :2]) * stride_A1
    # exp(12) strides is far out of any picture; a wild output must not become infinite.
    sides_A2 = np.exp(np.minimum(output_AC[:, 2:4], 12.0)) * stride_A1
    return np.hstack([centres_A2, sides_A2])


def looks_decoded(output_AC: FloatArray, grid_A3: FloatArray) -> bool:
    """Say whether the model has decoded its boxes itself.

    Offsets are a few units around each anchor point; decoded centres lie on the grid itself.
    """
    points_A2 = (grid_A3[:, :2] + 0.5) * grid_A3[:, 2:]
    off_grid = np.median(np.abs(output_AC[:, :2] - points_A2) / grid_A3[:, 2:])
    off_zero = np.median(np.abs(output_AC[:, :2] - 0.5))
    return bool(off_grid < off_zero)


def to_corners(boxes_K4: FloatArray) -> FloatArray:
    """Return x1, y1, x2, y2 of boxes given by centre and sides."""
    half_K2 = boxes_K4[:, 2:4] / 2
    return np.hstack([boxes_K4[:, :2] - half_K2, boxes_K4[:, :2] + half_K2])


def suppress(
    boxes_K4: FloatArray, confidences_K: FloatArray, classes_K: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the indices of boxes that no better box of their class overlaps, best first."""
    if not len(boxes_K4):
        return np.zeros(0, np.int64)
    # Moved apart by class, boxes of different classes cannot overlap.
    x1, y1, x2, y2 = (boxes_K4 + 2.0 * classes_K[:, None]).T.astype(np.float64)
    areas_K = (x2 - x1) * (y2 - y1)
    order = np.argsort(-confidences_K, kind="stable")
    kept = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(best)
        width = np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest])
        height = np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest])
        both = np.maximum(width, 0) * np.maximum(height, 0)
        order = rest[both <= NMS_IOU * (areas_K[best] + areas_K[rest] - both)]
    return np.array(kept, np.int64)
