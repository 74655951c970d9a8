"""A run is saved whole: networks, optimizer and how far it had come."""

from pathlib import Path

import pytest
import torch
from torch import nn

from contracts.errors import ConfigError
from vision.training.checkpoints import Progress, parts_of, restore, save
from vision.training.optimizer import Optimizer

PROGRESS = Progress(step=7, views=112, elapsed_s=33.5)


def networks(seed: int) -> dict[str, nn.Module]:
    torch.manual_seed(seed)
    trained = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    return {"encoder": trained, "mean": nn.Linear(2, 2)}


def optimizer_of(parts: dict[str, nn.Module]) -> Optimizer:
    return Optimizer(parts["encoder"], parts["mean"], rate=0.05)


def trained(parts: dict[str, nn.Module], optimizer: Optimizer, *, steps: int) -> None:
    for step in range(steps):
        inputs = torch.randn(8, 3, generator=torch.Generator().manual_seed(step))
        parts["encoder"].zero_grad()
        (parts["encoder"](inputs) - inputs.sum(dim=1, keepdim=True)).square().mean().backward()
        optimizer.step(1.0)


def saved(path: Path, *, steps: int = 3) -> tuple[dict[str, nn.Module], Optimizer]:
    parts = networks(1)
    optimizer = optimizer_of(parts)
    trained(parts, optimizer, steps=steps)
    save(path, parts, optimizer, PROGRESS)
    return parts, optimizer


def weights(parts: dict[str, nn.Module]) -> dict[str, torch.Tensor]:
    return {
        f"{part}.{name}": tensor.clone()
        for part, network in parts.items()
        for name, tensor in network.state_dict().items()
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.safetensors"


def test_everything_comes_back_to_the_bit(path: Path) -> None:
    before, _ = saved(path)
    parts = networks(2)

    progress = restore(path, parts, optimizer_of(parts))

    assert progress == PROGRESS
    wanted, found = weights(before), weights(parts)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_steps_after_a_restart_are_those_that_would_have_been(path: Path) -> None:
    """The optimizer's memory is a part of the run: without it the next step is another."""
    before, optimizer = saved(path)
    parts = networks(2)
    again = optimizer_of(parts)
    restore(path, parts, again)

    trained(before, optimizer, steps=4)
    trained(parts, again, steps=4)

    wanted, found = weights(before), weights(parts)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_a_run_that_has_made_no_step_can_be_saved(path: Path) -> None:
    saved(path, steps=0)
    parts = networks(2)
    assert restore(path, parts, optimizer_of(parts)) == PROGRESS


def test_saving_again_replaces_the_file_and_leaves_no_other(path: Path) -> None:
    saved(path)
    saved(path, steps=4)
    assert list(path.parent.iterdir()) == [path]


def test_one_network_can_be_taken_out(path: Path) -> None:
    before, _ = saved(path)

    mean = parts_of(path, "mean")

    assert set(mean) == {"weight", "bias"}
    assert torch.equal(mean["weight"], before["mean"].state_dict()["weight"])


def test_a_network_that_is_not_there_is_named(path: Path) -> None:
    saved(path)
    with pytest.raises(ConfigError, match=r"checkpoint\.safetensors: no network 'objects' in it"):
        parts_of(path, "objects")


def damaged(path: Path, share: float) -> None:
    saved(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


@pytest.mark.parametrize("share", [0, 0.01, 0.9])
def test_a_checkpoint_that_is_cut_off_is_named(path: Path, share: float) -> None:
    damaged(path, share)
    parts = networks(2)

    with pytest.raises(ConfigError, match=r"checkpoint\.safetensors: not a readable checkpoint"):
        parts_of(path, "mean")
    with pytest.raises(ConfigError, match=r"checkpoint\.safetensors: not a readable checkpoint"):
        restore(path, parts, optimizer_of(parts))


def test_a_checkpoint_of_another_network_is_named(path: Path) -> None:
    saved(path)
    parts: dict[str, nn.Module] = {"encoder": nn.Linear(3, 4), "mean": nn.Linear(2, 2)}

    with pytest.raises(ConfigError, match="is of another network; begin in another folder"):
        restore(path, parts, optimizer_of(parts))
