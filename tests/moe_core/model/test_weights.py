"""Weights on disk: what is written comes back, what is damaged says so and what to do."""

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import msgspec
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from contracts.errors import ModelError
from moe_core.decoding import Floors, decode
from moe_core.model.weights import (
    LARGEST_FILE,
    Calibration,
    Header,
    names_hash,
    read_core,
    read_weights,
    write_core,
)
from moe_core.shipped import beside
from moe_core.trust import write_trust
from tests.moe_core.cores import INCIDENTS, network_of, prompt
from tests.moe_core.model.shapes import TINY
from tests.moe_core.trusts import trust_of

Tensors = dict[str, torch.Tensor]
FLOORS = Floors(claim=0.3, hypothesis=0.6, context=0.8)
CALIBRATION = Calibration(scale=1.5, shift=-0.25)
KINDS = ("intrusion", "loiter")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "deeper" / "core.safetensors"
    write_core(path, network_of(4), floors=FLOORS, calibration=CALIBRATION, kinds=KINDS)
    return path


def content(path: Path) -> tuple[Tensors, Header]:
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        return tensors, msgspec.json.decode(file.metadata()["core"], type=Header)


def rewrite(path: Path, tensors: Tensors, header: Header | str) -> None:
    text = header if isinstance(header, str) else msgspec.json.encode(asdict(header)).decode()
    save_file(tensors, path, {"core": text})


def assert_is_refused(path: Path, found: str) -> None:
    with pytest.raises(ModelError, match=found) as caught:
        read_core(path)
    message = str(caught.value)
    assert str(path) in message
    assert "python -m moe_core.training" in message


def test_what_was_written_comes_back(path: Path) -> None:
    core = read_core(path)

    assert (core.floors, core.calibration) == (FLOORS, CALIBRATION)
    assert core.kinds == set(KINDS)
    assert core.network.shape == TINY
    assert not core.network.training
    assert len(core.sha256) == 64
    assert core.sha256 == read_core(path).sha256


@pytest.mark.parametrize("name", ["zone", "fall", "dim"])
def test_weights_that_came_back_give_the_same_answers(path: Path, name: str) -> None:
    found = prompt(INCIDENTS[name])
    before, after = (
        decode(network, found, floors=FLOORS)
        for network in (network_of(4), read_core(path).network)
    )

    assert before.chain == after.chain
    assert before.real_logit == after.real_logit
    assert (before.truth_C == after.truth_C).all()


def test_other_weights_have_another_checksum(path: Path) -> None:
    before = read_core(path).sha256
    write_core(path, network_of(5), floors=FLOORS, calibration=CALIBRATION, kinds=KINDS)

    assert read_core(path).sha256 != before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_trust_is_read_where_it_lies_beside_the_weights(path: Path) -> None:
    assert read_core(path).trust is None
    write_trust(beside(path), trust_of(), weights=read_core(path).sha256)
    found = read_core(path)

    assert found.trust is not None
    assert found.trust.floors == trust_of().floors
    assert found.floors == FLOORS
    assert read_weights(path).trust is None


def test_trust_in_other_weights_is_refused(path: Path) -> None:
    write_trust(beside(path), trust_of(), weights="0" * 64)

    with pytest.raises(ModelError, match="fitted for other weights"):
        read_core(path)


def test_a_file_holds_tensors_and_text_only(path: Path) -> None:
    """No pickle: nothing in it is ever run."""
    size = int.from_bytes(path.read_bytes()[:8], "little")
    header = msgspec.json.decode(path.read_bytes()[8 : 8 + size])

    assert set(header) == {"__metadata__", *network_of(4).state_dict()}


def test_weights_that_are_not_there(tmp_path: Path) -> None:
    assert_is_refused(tmp_path / "none.safetensors", "not readable")


def test_a_folder_is_no_file_of_weights(tmp_path: Path) -> None:
    assert_is_refused(tmp_path, "not readable")


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.5, 0.999])
def test_a_file_that_was_cut(path: Path, kept: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])

    assert_is_refused(path, "not readable")


def test_another_models_weights(path: Path) -> None:
    save_file({"layer.weight": torch.zeros(3)}, path)

    assert_is_refused(path, "some other model")


@pytest.mark.parametrize("text", ["{}", "[1]", "no json", '{"format": "one"}'])
def test_a_header_that_is_none(path: Path, text: str) -> None:
    tensors, _ = content(path)
    rewrite(path, tensors, text)

    assert_is_refused(path, "header cannot be read")


def test_a_header_of_a_later_format(path: Path) -> None:
    tensors, header = content(path)
    rewrite(path, tensors, replace(header, format=2))

    assert_is_refused(path, "format 2, this program reads 1")


def test_weights_that_mean_other_names(path: Path) -> None:
    tensors, header = content(path)
    rewrite(path, tensors, replace(header, names="0" * 64))

    assert_is_refused(path, "other names")


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_weights_that_are_no_numbers(path: Path, bad: float) -> None:
    tensors, header = content(path)
    tensors["query.weight"][1, 2] = bad
    rewrite(path, tensors, header)

    assert_is_refused(path, r"query\.weight holds what is no number")


def _cut(tensors: Tensors) -> None:
    tensors["query.weight"] = tensors["query.weight"][:3].clone()


def _lose(tensors: Tensors) -> None:
    del tensors["query.weight"]


def _add(tensors: Tensors) -> None:
    tensors["extra"] = torch.zeros(2)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param(_cut, r"query\.weight has shape \(3, 16\).*\(16, 16\)", id="cut"),
        pytest.param(_lose, r"query\.weight has shape none.*\(16, 16\)", id="missing"),
        pytest.param(_add, r"extra has shape \(2,\).*none", id="one too many"),
    ],
)
def test_weights_of_another_shape(
    path: Path, change: Callable[[Tensors], None], found: str
) -> None:
    tensors, header = content(path)
    change(tensors)
    rewrite(path, tensors, header)

    assert_is_refused(path, found)


def test_a_header_of_a_giant_is_refused_before_memory_is_taken(path: Path) -> None:
    """Its tables alone would take terabytes."""
    tensors, header = content(path)
    rewrite(path, tensors, replace(header, shape=replace(TINY, width=10**6)))

    assert_is_refused(path, r"by the header it is .*2000000")


def test_a_header_of_a_shape_that_cannot_be(path: Path) -> None:
    tensors, header = content(path)
    text = msgspec.json.encode(asdict(header)).decode()
    rewrite(path, tensors, text.replace('"width":16', '"width":-16'))
    assert_is_refused(path, "no network has the header's shape")

    rewrite(path, tensors, text.replace('"active":2', '"active":9'))
    assert_is_refused(path, r"active must be in 1\.\.4")


def test_a_file_that_is_too_large_is_not_even_read(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(LARGEST_FILE + 1)

    assert_is_refused(path, f"{LARGEST_FILE + 1} bytes are too many")


def test_the_hash_of_names_is_of_this_program() -> None:
    assert names_hash() == names_hash()
    assert len(names_hash()) == 64
