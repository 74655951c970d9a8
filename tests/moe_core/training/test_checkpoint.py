"""A checkpoint: all of a run comes back; what is damaged or of another network is refused."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from contracts.errors import ConfigError
from moe_core.model.network import ClaimNetwork
from moe_core.training.checkpoint import Progress, restore, save
from moe_core.training.loop import optimizer_of
from tests.moe_core.cores import network_of
from tests.moe_core.model.shapes import TINY

PROGRESS = Progress(step=7, tokens=1234, elapsed_s=56.5)


def stepped(seed: int) -> tuple[ClaimNetwork, torch.optim.AdamW]:
    """A network that has learnt one step of nothing in particular."""
    network = network_of(seed).requires_grad_(requires_grad=True)
    optimizer = optimizer_of(network, rate=1e-2)
    torch.stack([one.square().sum() for one in network.parameters()]).sum().backward()  # type: ignore[no-untyped-call]  # torch has no types for it
    optimizer.step()
    optimizer.zero_grad()
    return network, optimizer


def once_more(network: ClaimNetwork, optimizer: torch.optim.AdamW) -> dict[str, torch.Tensor]:
    torch.stack([one.sum() for one in network.parameters()]).sum().backward()  # type: ignore[no-untyped-call]  # torch has no types for it
    optimizer.step()
    return network.state_dict()


def test_a_run_goes_on_exactly_as_if_it_had_not_been_cut(tmp_path: Path) -> None:
    """The optimizer's moments come back as well as the weights."""
    path = tmp_path / "run.safetensors"
    network, optimizer = stepped(1)
    save(path, network, optimizer, PROGRESS)
    other, other_optimizer = stepped(2)

    assert restore(path, other, other_optimizer) == PROGRESS
    expected, found = once_more(network, optimizer), once_more(other, other_optimizer)

    assert all(torch.equal(tensor, found[name]) for name, tensor in expected.items())
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.99])
def test_a_checkpoint_that_was_cut_is_refused(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "run.safetensors"
    network, optimizer = stepped(1)
    save(path, network, optimizer, PROGRESS)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])

    with pytest.raises(ConfigError, match="not a readable checkpoint"):
        restore(path, network, optimizer)


@pytest.mark.parametrize("progress", [None, "none", "[]", '{"steps": 3}', "3"])
def test_a_file_without_progress_is_no_checkpoint(tmp_path: Path, progress: str | None) -> None:
    path = tmp_path / "run.safetensors"
    save_file({"a": torch.zeros(1)}, path, None if progress is None else {"progress": progress})
    network, optimizer = stepped(1)

    with pytest.raises(ConfigError, match="not a readable checkpoint"):
        restore(path, network, optimizer)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    network, optimizer = stepped(1)
    save(path, network, optimizer, PROGRESS)
    other = ClaimNetwork()

    assert other.shape != TINY
    with pytest.raises(ConfigError, match="another network"):
        restore(path, other, optimizer_of(other, rate=1e-3))
