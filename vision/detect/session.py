"""Sessions of ONNX Runtime: made one way, failing one way.

One thread by default and no spinning: cameras run in parallel, and two threads inside a frame
were slower than one on busy cores and burnt twice the time.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime  # type: ignore[import-untyped]  # the package has no types; wrapped here only
from onnxruntime.capi import (  # type: ignore[import-untyped]  # as above
    onnxruntime_pybind11_state as states,
)

from contracts.clock import Clock
from contracts.errors import ModelError

FloatArray = npt.NDArray[np.float32]

PROVIDERS: Final = ("CUDAExecutionProvider", "CPUExecutionProvider")
"""In order of preference; those that this build of the runtime lacks are left out."""
_FLOAT: Final = "tensor(float)"
_REFUSALS: Final = (
    states.EPFail,
    states.Fail,
    states.InvalidArgument,
    states.InvalidGraph,
    states.InvalidProtobuf,
    states.NoModel,
    states.NotImplemented,
    states.RuntimeException,
)
"""Everything the runtime raises; its classes have no common root but Exception."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorShape:
    """One input or output: its name, element type and dimensions, None where one is left open."""

    name: str
    element: str
    dims: tuple[int | None, ...]


class OnnxGraph:
    """A loaded model with any inputs and outputs.

    Attributes:
        sha256: Of the file, hexadecimal.
        provider: What it runs on.
        inputs, outputs: Their names and shapes, in the model's order.
        metadata: What its maker wrote into it.
    """

    def __init__(
        self, path: Path, *, threads: int = 1, providers: Sequence[str] = PROVIDERS
    ) -> None:
        """Load a model file.

        Args:
            path: The file.
            threads: Of one inference.
            providers: What to run it on, in order of preference; those that this build of the
                runtime lacks are left out.

        Raises:
            ModelError: The file is missing, unreadable or no ONNX model.
        """
        self._path = path
        content = _read(path)
        self.sha256 = hashlib.sha256(content).hexdigest()
        available = onnxruntime.get_available_providers()
        try:
            self._session: Any = onnxruntime.InferenceSession(
                content,
                sess_options=_options(threads),
                providers=[name for name in providers if name in available],
            )
        except _REFUSALS as error:
            raise ModelError(
                f"{path}: not a model that ONNX Runtime can load ({len(content)} bytes, "
                f"sha256 {self.sha256[:12]}): {_first_line(error)}; is the file complete?"
            ) from error
        self.provider = str(self._session.get_providers()[0])
        self.inputs = tuple(map(_shape, self._session.get_inputs()))
        self.outputs = tuple(map(_shape, self._session.get_outputs()))
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self._wanted = [item.name for item in self.outputs]

    def run(self, feeds: Mapping[str, npt.NDArray[Any]]) -> list[FloatArray]:
        """Return all outputs, in the model's order.

        Raises:
            ModelError: The runtime refuses the inputs or fails, or an output is not float32.
        """
        try:
            results = self._session.run(self._wanted, feeds)
        except _REFUSALS as error:
            raise ModelError(f"{self._path}: inference failed: {_first_line(error)}") from error
        for name, result in zip(self._wanted, results, strict=True):
            if not isinstance(result, np.ndarray) or result.dtype != np.float32:
                raise ModelError(f"{self._path}: output {name} is not float32")
        return list(results)


class OnnxSession:
    """A loaded model with one float32 input; its first output is the answer.

    Attributes:
        sha256: Of the file, hexadecimal.
        provider: What it runs on.
        input, output: Their names and shapes.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        """Load a model file.

        Raises:
            ModelError: The file is missing, unreadable, no ONNX model, or has another kind of
                input.
        """
        self._graph = OnnxGraph(path, threads=threads)
        self.sha256 = self._graph.sha256
        self.provider = self._graph.provider
        inputs, outputs = self._graph.inputs, self._graph.outputs
        if len(inputs) != 1 or inputs[0].element != _FLOAT or not outputs:
            raise ModelError(
                f"{path}: needs one input of type {_FLOAT} and an output, has inputs "
                f"{[(item.name, item.element) for item in inputs]} and {len(outputs)} output(s)"
            )
        self.input = inputs[0]
        self.output = outputs[0]

    def run(self, batch: FloatArray) -> FloatArray:
        """Return the first output for an input of the model's shape.

        Raises:
            ModelError: The runtime refuses the input or fails, or an output is not float32.
        """
        return self._graph.run({self.input.name: batch})[0]


def median_ms(session: OnnxSession, batch: FloatArray, *, clock: Clock, repeats: int = 20) -> float:
    """Return the median wall time of one run, after one run to warm up, in milliseconds."""
    session.run(batch)
    times_ms = []
    for _ in range(repeats):
        before_s = clock.monotonic_s()
        session.run(batch)
        times_ms.append(1000 * (clock.monotonic_s() - before_s))
    return median(times_ms)


def _options(threads: int) -> Any:  # noqa: ANN401  # the runtime has no types
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    if not content:
        raise ModelError(f"{path}: is empty")
    return content


def _shape(item: Any) -> TensorShape:  # noqa: ANN401  # the runtime has no types
    dims = tuple(dim if isinstance(dim, int) and dim > 0 else None for dim in item.shape)
    return TensorShape(name=str(item.name), element=str(item.type), dims=dims)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
