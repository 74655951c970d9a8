"""Saves a training run so that it goes on where it was cut; safetensors, never pickle."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from contracts.errors import ConfigError
from vision.training.optimizer import Optimizer


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run has come: steps, views seen, seconds of training."""

    step: int = 0
    views: int = 0
    elapsed_s: float = 0.0


def save(
    path: Path,
    networks: Mapping[str, nn.Module],
    optimizer: Optimizer,
    progress: Progress,
) -> None:
    """Write everything; a reader sees the old checkpoint or the new one."""
    tensors = {
        f"{part}/{name}": tensor
        for part, network in networks.items()
        for name, tensor in network.state_dict().items()
    }
    tensors |= {f"optimizer/{name}": tensor for name, tensor in optimizer.state()}
    part = path.with_suffix(".part")
    save_file(
        {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()},
        part,
        {"progress": json.dumps(asdict(progress))},
    )
    part.replace(path)


def restore(path: Path, networks: Mapping[str, nn.Module], optimizer: Optimizer) -> Progress:
    """Fill networks and optimizer from a checkpoint; return how far it had come.

    Raises:
        ConfigError: The file is damaged, or of other networks.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
            progress = Progress(**json.loads((file.metadata() or {})["progress"]))
    except (OSError, SafetensorError, KeyError) as error:
        raise ConfigError(f"{path}: not a readable checkpoint: {error}") from error
    try:
        for part, network in networks.items():
            network.load_state_dict(_below(tensors, f"{part}/"))
    except RuntimeError as error:
        raise ConfigError(f"{path} is of another network; begin in another folder") from error
    optimizer.restore(_below(tensors, "optimizer/"))
    return progress


def parts_of(path: Path, part: str) -> dict[str, Tensor]:
    """Return one network's weights from a checkpoint.

    Raises:
        ConfigError: The file is damaged or has no such network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            names = [name for name in file.keys() if name.startswith(f"{part}/")]  # noqa: SIM118  # no mapping
            tensors = {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{path}: not a readable checkpoint: {error}") from error
    if not tensors:
        raise ConfigError(f"{path}: no network {part!r} in it")
    return _below(tensors, f"{part}/")


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
