"""Weights come back as they were written; a file that is damaged says what is wrong with it."""

import hashlib
import json
import pickle
import struct
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from contracts.errors import ModelError
from tests.vision.detect.encoders import SHAPE
from vision.detect.model_card import sha256_of
from vision.encoder import Encoder, EncoderShape, ObjectHead
from vision.encoder_weights import load, save


def written(path: Path, shape: EncoderShape = SHAPE) -> tuple[Encoder, ObjectHead]:
    """Networks with batch statistics that are not those of the start, and their file."""
    torch.manual_seed(4)
    encoder, objects = Encoder(shape), ObjectHead(shape)
    with torch.no_grad():
        maps = encoder.train()(torch.rand(2, 3, 64, 64) * 255)
        objects.train()(maps.fine, maps.deep, torch.tensor([[0.0, 8, 8, 40, 56], [1, 0, 0, 9, 9]]))
    save(path, encoder, objects)
    return encoder.eval(), objects.eval()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "encoder.safetensors"


def header_of(path: Path) -> tuple[dict[str, dict[str, str]], bytes]:
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def with_header(path: Path, header: dict[str, dict[str, str]], tensors: bytes) -> None:
    encoded = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + tensors)


def test_networks_come_back_within_half_precision(path: Path) -> None:
    encoder, objects = written(path)

    again, objects_again = load(path)

    assert again.shape == SHAPE
    for before, after in ((encoder, again), (objects, objects_again)):
        wanted = before.state_dict()
        found = after.state_dict()
        assert list(found) == list(wanted)
        for name, tensor in found.items():
            assert tensor.dtype == wanted[name].dtype
            assert torch.allclose(tensor, wanted[name], rtol=1e-3, atol=1e-6), name


def test_loaded_networks_infer_and_do_not_learn(path: Path) -> None:
    written(path)

    encoder, objects = load(path)

    assert not encoder.training
    assert not objects.training


def test_writing_again_what_was_loaded_loses_nothing_more(path: Path, tmp_path: Path) -> None:
    written(path)
    once = load(path)
    again = tmp_path / "again.safetensors"

    save(again, *once)

    for before, after in zip(once, load(again), strict=True):
        found = after.state_dict()
        assert all(torch.equal(found[name], item) for name, item in before.state_dict().items())


def test_nothing_but_the_file_is_left_behind(path: Path) -> None:
    written(path)
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_the_checksum_is_the_files(path: Path) -> None:
    path.write_bytes(b"weights")
    assert sha256_of(path) == hashlib.sha256(b"weights").hexdigest()


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(ModelError, match=r"encoder\.safetensors: .*No such file"):
        load(path)


@pytest.mark.parametrize("left", [0, 5, 200, 0.5, -1], ids=lambda value: f"{value}")
def test_a_file_that_is_cut_off_asks_whether_it_is_complete(path: Path, left: float) -> None:
    written(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(left * len(content)) if left == 0.5 else int(left)])

    with pytest.raises(ModelError, match=r"encoder\.safetensors: .*is it complete\?"):
        load(path)


def test_a_folder_is_no_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a readable safetensors file"):
        load(tmp_path)


def test_a_foreign_safetensors_file_is_named_as_such(path: Path) -> None:
    save_file({"weight": torch.zeros(2)}, path)

    with pytest.raises(ModelError, match=r"not an encoder of Vigil's.*wanted 'vigil-encoder-1'"):
        load(path)


def test_a_pickle_is_refused_and_not_run(path: Path, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    path.write_bytes(pickle.dumps(_Trap(str(trap))))

    with pytest.raises(ModelError, match="not a readable safetensors file"):
        load(path)

    assert not trap.exists()


class _Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self._path, "w")


def test_a_header_without_a_shape_is_refused(path: Path) -> None:
    written(path)
    header, tensors = header_of(path)
    del header["__metadata__"]["encoder"]
    with_header(path, header, tensors)

    with pytest.raises(ModelError, match="encoder"):
        load(path)


def test_a_header_whose_shape_is_no_shape_is_refused(path: Path) -> None:
    written(path)
    header, tensors = header_of(path)
    header["__metadata__"]["encoder"] = json.dumps({"classes": 7})
    with_header(path, header, tensors)

    with pytest.raises(ModelError, match="Expected `array`"):
        load(path)


@pytest.mark.parametrize(
    "shape",
    [
        replace(SHAPE, pyramid=24),
        replace(SHAPE, depths=(2, 1, 1, 1)),
        replace(SHAPE, classes=("person",)),
        replace(SHAPE, embedding=9),
    ],
    ids=["wider", "deeper", "fewer classes", "other embedding"],
)
def test_weights_of_another_shape_than_the_header_says_are_refused(
    path: Path, tmp_path: Path, shape: EncoderShape
) -> None:
    written(path)
    other = tmp_path / "other.safetensors"
    written(other, shape)
    header, tensors = header_of(path)
    header["__metadata__"] = header_of(other)[0]["__metadata__"]
    with_header(path, header, tensors)

    with pytest.raises(ModelError, match="do not fit the shape in the file's header: "):
        load(path)


@pytest.mark.parametrize("widths", [[0, 0, 0, 0, 0], [-4, 8, 8, 16, 16]], ids=["zero", "negative"])
def test_a_shape_that_no_network_can_have_is_refused(path: Path, widths: list[int]) -> None:
    written(path)
    header, tensors = header_of(path)
    shape = json.loads(header["__metadata__"]["encoder"]) | {"widths": widths}
    header["__metadata__"]["encoder"] = json.dumps(shape)
    with_header(path, header, tensors)

    with pytest.raises(ModelError, match="sizes of a network must be at least 1"):
        load(path)
