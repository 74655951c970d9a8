"""The weights that come with the product: whole, small, and the same in all three files."""

import pytest
import torch

from contracts.settings import VisionSettings
from vision.detect.backends.measure import agreement
from vision.detect.backends.onnx_runtime import OnnxBackend
from vision.detect.backends.torch_backend import TorchBackend
from vision.detect.weights import SHIPPED, encoder_files

MOST_BYTES = 12_000_000
WANTED = {"person", "bicycle", "motorcycle", "car", "bus", "truck", "dog", "cat", "bag"}

pytestmark = pytest.mark.skipif(
    not (SHIPPED / "encoder.onnx").is_file(), reason="no weights are in this checkout"
)


@pytest.fixture(scope="module")
def onnx() -> OnnxBackend:
    files = encoder_files(VisionSettings(detector="encoder"))
    assert files.is_shipped
    return OnnxBackend(files.encoder, files.objects)


def test_they_are_small_enough_for_the_repository() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= MOST_BYTES


def test_they_name_what_cameras_see(onnx: OnnxBackend) -> None:
    assert set(onnx.names.classes) >= WANTED


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["single", "half"])
def test_torch_and_onnx_runtime_answer_the_same(onnx: OnnxBackend, dtype: torch.dtype) -> None:
    ours = TorchBackend(
        SHIPPED / "encoder.safetensors",
        name="torch",
        device="cpu",
        dtype=dtype,
    )

    agreed = agreement(onnx, ours)

    assert agreed.cosine >= 0.999
    assert agreed.box_px <= 1.0
