"""Reads and writes the core's weights: safetensors, with all that they mean in the header.

The header holds the network's shape, the names that its tables' rows stand for, the floors and the
calibration that were fitted after training, and the kinds it was trained on. A file whose names
are not this program's is refused: its rows would mean something else.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from contracts.errors import ModelError
from moe_core.decoding import Floors
from moe_core.model.expert_use import ExpertUse
from moe_core.model.network import ClaimNetwork
from moe_core.model.shape import CoreShape
from moe_core.shipped import SHIPPED, beside
from moe_core.tokens.prompt import FEATURES
from moe_core.tokens.vocabulary import FAMILIES, NAMES, PREDICATE_NAMES, SLOTS, WORDS
from moe_core.trust import Trust, read_trust

FORMAT: Final = 1
LARGEST_FILE: Final = 256 * 2**20
"""Bytes; a larger file is none of ours."""
_REMEDY: Final = "fetch it again or write it anew with `python -m moe_core.training export`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """From the core's logit to a confidence: ``sigmoid(scale * logit + shift)``."""

    scale: float = 1.0
    shift: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What stands beside the weights."""

    format: int
    shape: CoreShape
    names: str
    """Hash of all names that rows stand for."""
    floors: Floors
    calibration: Calibration
    kinds: tuple[str, ...]
    """Rule kinds that it was trained on; about others it has nothing to say."""
    experts: tuple[ExpertUse, ...] = ()
    """How its experts were used after training, by layer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainedCore:
    """A network that can be asked, with what was fitted after its training.

    Attributes:
        floors, calibration: For its beliefs as they are.
        trust: Judges its beliefs, by floors of its own; None where none lies beside the weights.
    """

    network: ClaimNetwork
    floors: Floors
    calibration: Calibration
    kinds: frozenset[str]
    sha256: str
    trust: Trust | None = None


def names_hash() -> str:
    """Return the hash of the names that rows of the tables stand for."""
    text = msgspec.json.encode(
        [list(map(str, NAMES)), PREDICATE_NAMES, list(map(str, FAMILIES)), WORDS, SLOTS, FEATURES]
    )
    return hashlib.sha256(text).hexdigest()


def write_core(
    path: Path,
    network: ClaimNetwork,
    *,
    floors: Floors,
    calibration: Calibration,
    kinds: tuple[str, ...],
    experts: tuple[ExpertUse, ...] = (),
) -> None:
    """Write the weights; a reader sees the old file or the new one."""
    header = Header(
        format=FORMAT,
        shape=network.shape,
        names=names_hash(),
        floors=floors,
        calibration=calibration,
        kinds=kinds,
        experts=experts,
    )
    tensors = {
        name: tensor.detach().clone().contiguous() for name, tensor in network.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    save_file(tensors, part, {"core": msgspec.json.encode(asdict(header)).decode()})
    part.replace(path)


def read_core(path: Path = SHIPPED) -> TrainedCore:
    """Read the weights, and their trust where it lies beside them.

    Raises:
        ModelError: As ``read_weights``; or the trust is damaged or fitted for other weights.
    """
    core, trusts = read_weights(path), beside(path)
    if not trusts.exists():
        return core
    return replace(core, trust=read_trust(trusts, weights=core.sha256))


def read_weights(path: Path = SHIPPED) -> TrainedCore:
    """Read the weights without their trust.

    Raises:
        ModelError: There is no such file, it is damaged, of another format or other names, or its
            weights are no numbers or do not fit its shape.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ModelError(
                f"{path}: {path.stat().st_size} bytes are too many for a core (at most "
                f"{LARGEST_FILE}); {_REMEDY}"
            )
        content = path.read_bytes()
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get("core", "")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{path}: not readable as weights of the core: {error}; {_REMEDY}"
        ) from error
    header = _header(path, text)
    _check_fit(path, header.shape, tensors)
    network = ClaimNetwork(header.shape)
    network.load_state_dict(tensors)
    return TrainedCore(
        network=network.eval().requires_grad_(requires_grad=False),
        floors=header.floors,
        calibration=header.calibration,
        kinds=frozenset(header.kinds),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _check_fit(path: Path, shape: CoreShape, tensors: Mapping[str, Tensor]) -> None:
    """Refuse weights that are not those of the shape, before anything of its size is made."""
    try:
        with torch.device("meta"):
            wanted = ClaimNetwork(shape).state_dict()
    except (RuntimeError, ValueError, ArithmeticError) as error:
        raise ModelError(
            f"{path}: no network has the header's shape: {error}; {_REMEDY}"
        ) from error
    for name in sorted({*wanted, *tensors}):
        sizes = [tuple(of[name].shape) if name in of else "none" for of in (tensors, wanted)]
        if sizes[0] != sizes[1]:
            raise ModelError(
                f"{path}: {name} has shape {sizes[0]}, by the header it is {sizes[1]}; {_REMEDY}"
            )
        if tensors[name].is_floating_point() and not bool(torch.isfinite(tensors[name]).all()):
            raise ModelError(f"{path}: {name} holds what is no number; {_REMEDY}")


def _header(path: Path, text: str) -> Header:
    if not text:
        raise ModelError(f"{path}: no header of a core in it, it is some other model; {_REMEDY}")
    try:
        header = msgspec.json.decode(text, type=Header)
    except (msgspec.DecodeError, ModelError) as error:
        raise ModelError(f"{path}: the header cannot be read: {error}; {_REMEDY}") from error
    if header.format != FORMAT:
        raise ModelError(f"{path}: format {header.format}, this program reads {FORMAT}; {_REMEDY}")
    if header.names != names_hash():
        raise ModelError(
            f"{path}: trained with other names of facts, claims or rules than this program has; "
            "train it anew with `python -m moe_core.training train`"
        )
    return header
