from pathlib import Path

import pytest

from contracts.clock import SystemClock
from contracts.errors import ConfigError
from contracts.settings import VisionSettings
from vision.detect.inspection import EncoderReport, PathCost, inspect_encoder


def settings(folder: Path) -> VisionSettings:
    return VisionSettings(detector="encoder", weights=folder, backend="onnxruntime")


def test_it_says_what_runs_and_why_and_what_it_costs(encoder_folder: Path) -> None:
    report = inspect_encoder(settings(encoder_folder), clock=SystemClock())

    assert report.backend == "onnxruntime"
    assert report.reason == "vision.backend asks for onnxruntime"
    assert not report.is_shipped
    assert report.paths[0].ms_a_frame is not None
    assert report.paths[0].ms_a_frame > 0
    assert report.share_of_published is None


@pytest.mark.slow
def test_compiled_torch_is_measured_and_compared_where_it_is_wanted(encoder_folder: Path) -> None:
    report = inspect_encoder(settings(encoder_folder), clock=SystemClock(), is_compiling=True)

    [torch] = [path for path in report.paths if path.backend == "torch"]
    assert torch.agreed is not None
    assert torch.agreed.is_good


def test_torch_without_its_weights_is_no_reason_to_say_nothing_about_the_rest(
    encoder_folder: Path, tmp_path: Path
) -> None:
    for name in ("encoder.onnx", "objects.onnx"):
        (tmp_path / name).write_bytes((encoder_folder / name).read_bytes())

    report = inspect_encoder(settings(tmp_path), clock=SystemClock(), is_compiling=True)

    [torch] = [path for path in report.paths if path.backend == "torch"]
    assert torch.ms_a_frame is None
    assert "encoder.safetensors" in torch.problem


def test_without_weights_there_is_nothing_to_say(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not found"):
        inspect_encoder(settings(tmp_path), clock=SystemClock())


def test_the_share_is_that_of_the_backend_in_use() -> None:
    report = EncoderReport(
        backend="cuda",
        reason="",
        sha256="",
        is_shipped=True,
        paths=(
            PathCost(backend="onnxruntime", ms_a_frame=9.0),
            PathCost(backend="cuda", ms_a_frame=3.0),
        ),
        published_ms=12.0,
    )

    assert report.share_of_published == pytest.approx(0.25)
