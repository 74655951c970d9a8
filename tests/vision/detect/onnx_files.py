"""Writes tiny ONNX files by hand, field by field (onnx.proto, IR version 8)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


def write_constant_model(
    path: Path,
    output: Array,
    *,
    input_shape: tuple[int, ...] = (1, 3, 64, 64),
    element_type: int = 1,
) -> Path:
    """Write a model that answers any input with ``output``; element type 1 is float32."""
    initializer = (
        b"".join(_number(1, dim) for dim in output.shape)
        + _number(2, 1)
        + _text(8, "answer")
        + _bytes(9, output.astype("<f4").tobytes())
    )
    node = _text(1, "answer") + _text(2, "output") + _text(4, "Identity")
    graph = (
        _bytes(1, node)
        + _text(2, "constant")
        + _bytes(5, initializer)
        + _bytes(11, _value("images", input_shape, element_type))
        + _bytes(12, _value("output", output.shape, 1))
    )
    model = _number(1, 8) + _bytes(7, graph) + _bytes(8, _text(1, "") + _number(2, 13))
    path.write_bytes(model)
    return path


def _value(name: str, shape: tuple[int, ...], element_type: int) -> bytes:
    dims = b"".join(_bytes(1, _number(1, dim)) for dim in shape)
    tensor = _number(1, element_type) + _bytes(2, dims)
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _varint(value: int) -> bytes:
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, content: str) -> bytes:
    return _bytes(field, content.encode())
