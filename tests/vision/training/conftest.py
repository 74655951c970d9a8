"""The stand-ins for published detectors, written once for the session."""

from pathlib import Path

import pytest

from tests.vision.training.published import write_teachers


@pytest.fixture(scope="session")
def teachers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with ``yolox_nano_coco`` and ``picodet_s_416``; leave it be."""
    return write_teachers(tmp_path_factory.mktemp("teachers"))
