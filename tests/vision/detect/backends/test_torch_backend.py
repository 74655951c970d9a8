"""The encoder in torch: the same answers as in ONNX Runtime, whatever batch, precision, device."""

from pathlib import Path

import numpy as np
import pytest
import torch

from contracts.clock import SystemClock
from contracts.errors import ConfigError, ModelError
from tests.fakes.clock import ManualClock
from tests.vision.detect.encoders import backend_of
from tests.vision.detect.fake_backend import CLASSES
from vision.detect.backends.measure import agreement, ms_a_frame, sample_picture
from vision.detect.backends.port import DeviceFull, DeviceLost, EncoderBackend
from vision.detect.backends.torch_backend import (
    BUDGETS,
    TorchBackend,
    budget_for,
    device_error,
    open_on_cpu,
    open_on_cuda,
)


def on_cpu(folder: Path, *, dtype: torch.dtype = torch.float32) -> TorchBackend:
    return TorchBackend(
        folder / "encoder.safetensors",
        name="torch",
        device="cpu",
        dtype=dtype,
        budgets=(1, 2, 4),
    )


@pytest.fixture(scope="module")
def ours(encoder_folder: Path) -> TorchBackend:
    """In single precision, for tests that only look."""
    return on_cpu(encoder_folder)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["single", "half"])
def test_it_agrees_with_onnx_runtime(encoder_folder: Path, dtype: torch.dtype) -> None:
    agreed = agreement(backend_of(encoder_folder), on_cpu(encoder_folder, dtype=dtype))

    assert agreed.cosine >= 0.999
    assert agreed.box_px <= 1.0
    assert agreed.is_good


def test_a_batch_that_is_filled_up_answers_each_picture_as_alone(ours: TorchBackend) -> None:
    pictures = np.stack([sample_picture(), sample_picture()[::-1], sample_picture()[:, ::-1]])

    together = ours.look(pictures)

    assert together.scores_NAC.shape[0] == 3
    for index in range(3):
        alone = ours.look(pictures[index : index + 1])
        assert together.scores_NAC[index] == pytest.approx(alone.scores_NAC[0], abs=1e-4)
        assert together.boxes_NA4[index] == pytest.approx(alone.boxes_NA4[0], abs=1e-2)


def test_regions_of_any_picture_of_a_batch_are_described(
    encoder_folder: Path, ours: TorchBackend
) -> None:
    pictures = np.stack([np.zeros_like(sample_picture()), sample_picture()])
    regions = np.array([[1, 20, 10, 90, 190]], np.float32)

    embedding, _ = ours.look(pictures).describe(regions)
    expected, _ = backend_of(encoder_folder).look(pictures).describe(regions)

    assert (embedding * expected).sum() == pytest.approx(1.0, abs=1e-4)


def test_the_weights_say_what_they_name(ours: TorchBackend) -> None:
    assert ours.names.classes == CLASSES
    assert ours.batch_frames == 4
    assert len(ours.sha256) == 64


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.99])
def test_weights_that_were_cut_off_are_refused(
    encoder_folder: Path, tmp_path: Path, share: float
) -> None:
    content = (encoder_folder / "encoder.safetensors").read_bytes()
    (tmp_path / "encoder.safetensors").write_bytes(content[: int(share * len(content))])

    with pytest.raises(ModelError, match=r"encoder\.safetensors"):
        on_cpu(tmp_path)


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"encoder\.safetensors"):
        on_cpu(tmp_path)


def test_a_batch_larger_than_any_budget_is_a_mistake_of_the_caller(ours: TorchBackend) -> None:
    with pytest.raises(ValueError, match="5 pictures at once, the largest batch is 4"):
        ours.look(np.stack([sample_picture()] * 5))


@pytest.mark.parametrize(("count", "budget"), [(1, 1), (2, 2), (3, 4), (17, 32), (32, 32)])
def test_a_batch_gets_the_smallest_budget_that_holds_it(count: int, budget: int) -> None:
    assert budget_for(count, BUDGETS) == budget


@pytest.mark.parametrize(
    ("error", "meant"),
    [
        pytest.param(torch.OutOfMemoryError("CUDA out of memory."), DeviceFull, id="torch"),
        pytest.param(RuntimeError("cuBLAS: CUBLAS_STATUS_ALLOC_FAILED"), DeviceFull, id="cuBLAS"),
        pytest.param(RuntimeError("CUDA error: device-side assert"), DeviceLost, id="device"),
        pytest.param(RuntimeError("cuDNN error: INTERNAL_ERROR"), DeviceLost, id="cuDNN"),
        pytest.param(RuntimeError("shape mismatch"), None, id="our own mistake"),
    ],
)
def test_what_a_failure_means(error: RuntimeError, meant: type[ModelError] | None) -> None:
    found = device_error(error, where="encoder.safetensors")

    assert (None if found is None else type(found)) is meant


def test_backends_are_measured_in_turn_by_the_clock_they_are_given(
    encoder_folder: Path, ours: TorchBackend
) -> None:
    backends: list[EncoderBackend] = [backend_of(encoder_folder), ours]

    assert ms_a_frame(backends, clock=ManualClock(), rounds=1) == [0.0, 0.0]


def test_without_a_compiler_torch_runs_as_it_is(
    encoder_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    backend = open_on_cpu(encoder_folder / "encoder.safetensors", threads=1)

    assert agreement(backend_of(encoder_folder), backend).is_good


@pytest.mark.no_gpu
def test_cuda_that_is_not_there_is_said_with_what_to_do(encoder_folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"torch finds no CUDA device .*backend to auto"):
        open_on_cuda(encoder_folder / "encoder.safetensors")


@pytest.mark.gpu
def test_cuda_agrees_with_the_cpu_at_every_batch_size(encoder_folder: Path) -> None:
    backend = open_on_cuda(encoder_folder / "encoder.safetensors")
    reference = backend_of(encoder_folder)

    assert agreement(reference, backend).is_good
    for budget in BUDGETS:
        look = backend.look(np.stack([sample_picture()] * budget))
        expected = reference.look(sample_picture()[None])
        assert look.scores_NAC[-1] == pytest.approx(expected.scores_NAC[0], abs=0.05)


@pytest.mark.gpu
def test_an_input_of_another_size_is_recorded_when_it_comes(encoder_folder: Path) -> None:
    backend = open_on_cuda(encoder_folder / "encoder.safetensors")
    picture = sample_picture()[:, :320][None].repeat(2, axis=0)

    first, again = backend.look(picture), backend.look(picture)

    assert first.scores_NAC == pytest.approx(again.scores_NAC)


@pytest.mark.gpu
def test_on_cuda_a_frame_of_a_batch_is_cheaper_than_on_the_cpu(encoder_folder: Path) -> None:
    backends: list[EncoderBackend] = [
        backend_of(encoder_folder),
        open_on_cuda(encoder_folder / "encoder.safetensors"),
    ]

    cpu_ms, cuda_ms = ms_a_frame(backends, clock=SystemClock())

    assert cuda_ms < cpu_ms
