from pathlib import Path

import numpy as np
import pytest

from contracts.errors import ModelError
from tests.fakes.clock import ManualClock
from tests.vision.detect.onnx_files import write_constant_model
from vision.detect.session import OnnxSession, median_ms

ANSWER = np.arange(12, dtype=np.float32).reshape(1, 2, 6)


def test_runs_a_model_and_knows_its_shapes_and_checksum(tmp_path: Path) -> None:
    session = OnnxSession(write_constant_model(tmp_path / "model.onnx", ANSWER))

    assert session.run(np.zeros((1, 3, 64, 64), np.float32)) == pytest.approx(ANSWER)
    assert session.input.dims == (1, 3, 64, 64)
    assert session.output.dims == (1, 2, 6)
    assert len(session.sha256) == 64
    assert session.provider.endswith("ExecutionProvider")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.onnx: cannot be read: No such file"):
        OnnxSession(tmp_path / "absent.onnx")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        OnnxSession(tmp_path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.onnx"
    path.touch()

    with pytest.raises(ModelError, match="is empty"):
        OnnxSession(path)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    path = write_constant_model(tmp_path / "model.onnx", ANSWER)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])

    with pytest.raises(ModelError, match="is the file complete"):
        OnnxSession(path)


def test_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.onnx"
    path.write_text("<html>404 not found</html>" * 50)

    with pytest.raises(ModelError, match="not a model that ONNX Runtime can load"):
        OnnxSession(path)


def test_a_model_for_whole_numbers_is_refused(tmp_path: Path) -> None:
    path = write_constant_model(tmp_path / "model.onnx", ANSWER, element_type=7)

    with pytest.raises(ModelError, match=r"needs one input of type tensor\(float\)"):
        OnnxSession(path)


def test_a_wrong_input_is_a_model_error(tmp_path: Path) -> None:
    session = OnnxSession(write_constant_model(tmp_path / "model.onnx", ANSWER))

    with pytest.raises(ModelError, match="inference failed"):
        session.run(np.zeros((1, 3, 32, 32), np.float32))


def test_measures_with_the_clock_it_is_given(tmp_path: Path) -> None:
    session = OnnxSession(write_constant_model(tmp_path / "model.onnx", ANSWER))

    assert median_ms(session, np.zeros((1, 3, 64, 64), np.float32), clock=ManualClock()) == 0.0
