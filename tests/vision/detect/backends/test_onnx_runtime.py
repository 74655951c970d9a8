"""The files of an encoder: whole, damaged, foreign."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from contracts.errors import ModelError
from tests.vision.detect.encoders import with_metadata
from tests.vision.detect.fake_backend import CLASSES, POSTURES
from vision.detect.backends.onnx_runtime import OnnxBackend

NAMES = '{"classes":["person","car","dog"],"postures":["upright","bent","lying"],'
SIZES = '"embedding":12,"pyramid":16}'


@pytest.fixture
def folder(encoder_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return shutil.copytree(encoder_folder, tmp_path / "weights")


def opened(folder: Path) -> OnnxBackend:
    return OnnxBackend(folder / "encoder.onnx", folder / "objects.onnx")


def test_whole_files_say_what_they_name(encoder_folder: Path) -> None:
    backend = opened(encoder_folder)

    assert backend.names.classes == CLASSES
    assert backend.names.postures == POSTURES
    assert len(backend.sha256) == 64


@pytest.mark.parametrize("name", ["encoder.onnx", "objects.onnx"])
@pytest.mark.parametrize("share", [0.1, 0.6, 0.97])
def test_a_file_that_was_cut_off_is_refused_by_name(folder: Path, name: str, share: float) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(share * len(content))])

    with pytest.raises(ModelError, match=name):
        opened(folder)


def test_a_file_that_is_not_there_is_named(folder: Path) -> None:
    (folder / "objects.onnx").unlink()

    with pytest.raises(ModelError, match=r"objects\.onnx: cannot be read"):
        opened(folder)


def test_files_that_changed_places_are_no_encoder(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"objects\.onnx: no part of an encoder of Vigil's"):
        OnnxBackend(folder / "objects.onnx", folder / "encoder.onnx")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(None, "its metadata has no property 'encoder'", id="missing"),
        pytest.param("{", "metadata 'encoder' cannot be read", id="no JSON"),
        pytest.param('{"classes":["person"]}', "cannot be read", id="incomplete"),
        pytest.param(
            '{"classes":[],"postures":["up"],"embedding":12,"pyramid":16}',
            "names nothing",
            id="empty",
        ),
        pytest.param(
            '{"classes":["person","car"],"postures":["upright","bent","lying"],' + SIZES,
            "belongs to another encoder",
            id="other classes than the head for objects",
        ),
    ],
)
def test_metadata_that_does_not_fit_is_refused(
    folder: Path, text: str | None, message: str
) -> None:
    with_metadata(folder / "encoder.onnx", text, into=folder / "encoder.onnx")

    with pytest.raises(ModelError, match=message):
        opened(folder)


def test_metadata_of_fewer_classes_than_the_network_scores_is_refused(folder: Path) -> None:
    text = '{"classes":["person","car"],"postures":["upright","bent","lying"],' + SIZES
    for name in ("encoder.onnx", "objects.onnx"):
        with_metadata(folder / name, text, into=folder / name)

    with pytest.raises(ModelError, match=r"output scores must have shape \(1, 42, 2\), got"):
        opened(folder)


def test_an_embedding_of_another_length_is_refused(folder: Path) -> None:
    for name in ("encoder.onnx", "objects.onnx"):
        with_metadata(folder / name, NAMES + '"embedding":99,"pyramid":16}', into=folder / name)

    with pytest.raises(ModelError, match=r"embeddings must have shape \(1, 99\), got \(1, 12\)"):
        opened(folder)


def test_the_head_of_another_encoder_is_refused(folder: Path) -> None:
    text = '{"classes":["person","bear","dog"],"postures":["upright","bent","lying"],' + SIZES
    with_metadata(folder / "objects.onnx", text, into=folder / "objects.onnx")

    with pytest.raises(ModelError, match=r"objects\.onnx: belongs to another encoder"):
        opened(folder)


def _spoil(model: onnx.ModelProto) -> None:
    """Make the largest constant, the weights of some convolution, no numbers."""
    tensor = max(model.graph.initializer, key=lambda one: len(one.raw_data))
    tensor.raw_data = np.full(len(tensor.raw_data) // 4, np.nan, "<f4").tobytes()


@pytest.mark.parametrize("name", ["encoder.onnx", "objects.onnx"])
def test_weights_that_are_not_numbers_are_refused_on_loading(folder: Path, name: str) -> None:
    model = onnx.load(folder / name)
    _spoil(model)
    onnx.save(model, folder / name)

    with pytest.raises(ModelError, match=r"values are NaN or infinite"):
        opened(folder)
