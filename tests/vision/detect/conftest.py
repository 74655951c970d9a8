"""The tiny encoder, written once for the session: exporting it takes seconds."""

from pathlib import Path

import pytest

from tests.vision.detect.encoders import write_encoder


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with ``encoder.safetensors``, ``encoder.onnx`` and ``objects.onnx``; leave it be."""
    return write_encoder(tmp_path_factory.mktemp("encoder"))
