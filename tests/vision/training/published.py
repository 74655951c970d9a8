"""Stand-ins for published detectors, written as ONNX files in a moment.

Both take red for a person and blue for a car, and know nothing else. They are built as the
published ones are: a head that forks at three strides, or distances as distributions.
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from vision.detect.labels import COCO

WIDE = 64
SURE = 8.0
"""Of a unit of redness, as a logit."""
_FloatArray = npt.NDArray[np.float32]


def write_teachers(folder: Path, *, size: tuple[int, int] = (160, 160)) -> Path:
    """Write both into a folder laid out as the training wants it; return the folder."""
    for name, model in (("yolox_nano_coco", _yolox(size)), ("picodet_s_416", _picodet())):
        (folder / name).mkdir(parents=True)
        onnx.checker.check_model(model)
        onnx.save(model, folder / name / "model.onnx")
    return folder


def yolox_of(teachers: Path) -> Path:
    return teachers / "yolox_nano_coco" / "model.onnx"


def with_blind_yolox(teachers: Path, folder: Path) -> Path:
    """Copy the teachers, with a YOLOX that names nothing; return the folder."""
    shutil.copytree(teachers, folder)
    model = onnx.load(yolox_of(folder))
    for weight in model.graph.initializer:
        if weight.name.startswith("o") and weight.name.endswith(".b"):
            weight.CopyFrom(numpy_helper.from_array(np.array([-30.0], np.float32), weight.name))
    onnx.save(model, yolox_of(folder))
    return folder


def _yolox(size: tuple[int, int]) -> onnx.ModelProto:
    graph = _Graph()
    levels = []
    for stride in (8, 16, 32):
        stem = graph.swish(graph.conv(graph.pool("images", stride), _colours(255.0), f"s{stride}"))
        through: _FloatArray = np.eye(WIDE, dtype=np.float32)
        classes = graph.swish(graph.conv(stem, through, f"c{stride}"))
        boxes = graph.swish(graph.conv(stem, through, f"r{stride}"))
        named = graph.node("Sigmoid", graph.conv(classes, _naming(), f"n{stride}", bias=-4.0))
        # A box's centre is that of its cell; its sides are two strides.
        sides = graph.conv(boxes, np.zeros((4, WIDE)), f"b{stride}", bias=(0.5, 0.5, 0.69, 0.69))
        objectness = graph.conv(boxes, _naming().sum(axis=0)[None], f"o{stride}", bias=-4.0)
        whole = graph.node("Concat", sides, graph.node("Sigmoid", objectness), named, axis=1)
        levels.append(graph.flat(whole, 85))
    output = graph.node("Concat", *levels, axis=1)
    return graph.model((1, 3, *size), [output])


def _picodet() -> onnx.ModelProto:
    graph = _Graph()
    scores, distances = [], []
    for stride in (8, 16, 32, 64):
        # Pixels come in as (pixel - mean) / spread.
        seen = graph.conv(graph.pool("images", stride), _colours(4.5), f"s{stride}")
        named = graph.conv(seen, _naming(), f"n{stride}", bias=-5.0)
        scores.append(graph.flat(graph.node("Sigmoid", named), 80))
        peak = np.tile(np.array([0, 20.0, 0, 0, 0, 0, 0, 0]), 4)
        spread = graph.conv(seen, np.zeros((32, WIDE)), f"d{stride}", bias=peak)
        distances.append(graph.flat(spread, 32))
    return graph.model((1, 3, 416, 416), [*scores, *distances])


def _colours(full: float) -> _FloatArray:
    """Redness and blueness, 0 to 1 for colours that differ by ``full``; then mixtures."""
    weights = np.random.default_rng(2).normal(0, 0.3 / full, (WIDE, 3))
    weights[0] = np.array([-0.5, -0.5, 1.0]) / full
    weights[1] = np.array([1.0, -0.5, -0.5]) / full
    return weights.astype(np.float32)


def _naming() -> _FloatArray:
    weights = np.zeros((80, WIDE), np.float32)
    weights[COCO.index("person"), 0] = SURE * 1.5
    weights[COCO.index("car"), 1] = SURE * 1.5
    return weights


class _Graph:
    """Strings nodes together; each step returns the name of its output."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401  # of onnx nodes
        name = f"v{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def pool(self, source: str, stride: int) -> str:
        kernel = [stride, stride]
        return self.node("AveragePool", source, kernel_shape=kernel, strides=kernel, ceil_mode=1)

    def conv(
        self, source: str, weights: npt.NDArray[np.floating], name: str, *, bias: object = 0.0
    ) -> str:
        biases = np.broadcast_to(np.asarray(bias, np.float32), len(weights)).copy()
        kernels = weights[:, :, None, None].astype(np.float32)
        self._weights.append(numpy_helper.from_array(kernels, f"{name}.w"))
        self._weights.append(numpy_helper.from_array(biases, f"{name}.b"))
        return self.node("Conv", source, f"{name}.w", f"{name}.b")

    def swish(self, source: str) -> str:
        return self.node("Mul", source, self.node("Sigmoid", source))

    def flat(self, source: str, channels: int) -> str:
        name = f"shape{len(self._weights)}"
        shape = np.array([0, channels, -1], np.int64)
        self._weights.append(numpy_helper.from_array(shape, name))
        return self.node("Transpose", self.node("Reshape", source, name), perm=[0, 2, 1])

    def model(self, shape: tuple[int, ...], outputs: list[str]) -> onnx.ModelProto:
        graph = helper.make_graph(
            self._nodes,
            "published",
            [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, None, None])
             for name in outputs],
            self._weights,
        )  # fmt: skip
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
