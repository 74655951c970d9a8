from pathlib import Path

import pytest

from contracts.errors import ConfigError
from contracts.settings import VisionSettings
from vision.detect.weights import check_weights, encoder_files


def settings(weights: Path | None) -> VisionSettings:
    return VisionSettings(detector="encoder", weights=weights)


@pytest.mark.parametrize("name", ["", "encoder.onnx", "encoder.safetensors", "objects.onnx"])
def test_an_encoder_is_named_by_its_folder_or_any_of_its_files(
    encoder_folder: Path, name: str
) -> None:
    files = encoder_files(settings(encoder_folder / name))

    assert files.encoder == encoder_folder / "encoder.onnx"
    assert files.weights == encoder_folder / "encoder.safetensors"
    assert not files.is_shipped


def test_what_is_missing_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "encoder.onnx").touch()

    with pytest.raises(ConfigError, match=r"objects\.onnx not found in .*; leave vision\.weights"):
        check_weights(settings(tmp_path))


def test_motion_needs_none() -> None:
    check_weights(VisionSettings(detector="motion"))
