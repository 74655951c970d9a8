"""Saves a training run of the core so that it goes on where it was cut; safetensors, no pickle."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from contracts.errors import ConfigError
from moe_core.model.network import ClaimNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run has come.

    Attributes:
        step: Batches.
        tokens: That were read.
        elapsed_s: Of training.
        best: Least that was watched on cameras that are not trained on.
    """

    step: int = 0
    tokens: int = 0
    elapsed_s: float = 0.0
    best: float = math.inf


def save(
    path: Path,
    network: ClaimNetwork,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    *,
    mean: ClaimNetwork | None = None,
) -> None:
    """Write everything; a reader sees the old checkpoint or the new one."""
    tensors = {f"network/{name}": tensor for name, tensor in network.state_dict().items()}
    if mean is not None:
        tensors |= {f"mean/{name}": tensor for name, tensor in mean.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {
            f"optimizer/{index}/{name}": torch.as_tensor(value) for name, value in state.items()
        }
    part = path.with_suffix(".part")
    save_file(
        {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()},
        part,
        {"progress": json.dumps(asdict(progress))},
    )
    part.replace(path)


def restore(
    path: Path,
    network: ClaimNetwork,
    optimizer: torch.optim.Optimizer,
    *,
    mean: ClaimNetwork | None = None,
) -> Progress:
    """Fill networks and optimizer from a checkpoint; return how far it had come.

    Raises:
        ConfigError: The file is damaged, or of another network.
    """
    progress, tensors = _read(path)
    try:
        network.load_state_dict(_below(tensors, "network/"))
        if mean is not None:
            mean.load_state_dict(_below(tensors, "mean/"))
    except RuntimeError as error:
        raise ConfigError(f"{path} is of another network; begin in another folder") from error
    content = optimizer.state_dict()
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer/"):
            _, index, part = name.split("/")
            state.setdefault(int(index), {})[part] = tensor
    optimizer.load_state_dict({**content, "state": state})
    return progress


def progress_of(path: Path) -> Progress:
    """Return how far a checkpoint had come.

    Raises:
        ConfigError: The file is damaged.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[Progress, dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
            return Progress(**json.loads((file.metadata() or {})["progress"])), tensors
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: not a readable checkpoint: {error}") from error


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
