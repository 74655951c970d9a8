"""A published YOLOX as a dense teacher: an answer at every anchor point of any view.

Student and teacher share strides 8, 16 and 32, so that the teacher's scores, boxes and features
stand point by point against the student's; no matching is needed. The teacher sees the same view
as the student (Beyer et al. 2022, "Knowledge distillation: a good teacher is patient and
consistent"), but before dirt and darkness are put on it.

Shape legend: N = views, H, W = view in pixels, A = anchor points, C = our classes, D = 64.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime  # type: ignore[import-untyped]  # the package has no types

from contracts.errors import ModelError
from contracts.frames import BgrImage
from vision.detect.yolox import anchor_grid, decode, to_corners
from vision.training.sources import of_ours

FloatArray = npt.NDArray[np.float32]

HEAD_TAPS: Final = 3


@dataclass(frozen=True, slots=True)
class DenseAnswer:
    """What the teacher says of one view: scores (A, C), boxes (A, 4), features (A, D)."""

    scores_AC: FloatArray
    boxes_A4: FloatArray
    features_AD: npt.NDArray[np.float16]


class DenseTeacher:
    """Any YOLOX for COCO in ONNX form, opened for inputs of any size."""

    def __init__(self, path: Path) -> None:
        """Load it; raises ModelError if its graph is not a YOLOX's."""
        model = onnx.load(path)
        dims = model.graph.input[0].type.tensor_type.shape.dim
        for axis, name in ((0, "pictures"), (2, "height"), (3, "width")):
            dims[axis].dim_param = name
        del model.graph.value_info[:]
        for index, dim in enumerate(model.graph.output[0].type.tensor_type.shape.dim):
            dim.dim_param = f"out{index}"
        taps = _head_inputs(model, where=str(path))
        model.graph.output.extend(
            onnx.helper.make_tensor_value_info(tap, onnx.TensorProto.FLOAT, None) for tap in taps
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self._session: Any = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._input = model.graph.input[0].name

    def __call__(self, pixels_HW3: BgrImage) -> DenseAnswer:
        """Look at a view whose sides are multiples of 32."""
        batch = np.ascontiguousarray(pixels_HW3.transpose(2, 0, 1)[None], np.float32)
        output, *taps = self._session.run(None, {self._input: batch})
        raw_AC = output[0]
        grid_A3 = anchor_grid((pixels_HW3.shape[0], pixels_HW3.shape[1]), len(raw_AC))
        scores_AC = raw_AC[:, 4:5] * raw_AC[:, 5:]
        features = [tap[0].reshape(tap.shape[1], -1).T for tap in taps]
        return DenseAnswer(
            of_ours(scores_AC),
            to_corners(decode(raw_AC, grid_A3)).astype(np.float32),
            np.concatenate(features).astype(np.float16),
        )


def _head_inputs(model: onnx.ModelProto, *, where: str) -> list[str]:
    """Return the maps where the head splits into classes and boxes, finest first."""
    users: dict[str, int] = {}
    for node in model.graph.node:
        for name in node.input:
            users[name] = users.get(name, 0) + (node.op_type == "Conv")
    forks = [
        node.output[0]
        for node in model.graph.node
        if node.op_type == "Mul" and users.get(node.output[0]) == 2
    ]
    if len(forks) < 2 * HEAD_TAPS:
        raise ModelError(f"{where}: not a YOLOX: its head does not fork at three strides")
    # At each stride: the fork into classes and boxes, then the one into box and objectness.
    return forks[-2 * HEAD_TAPS :: 2]
