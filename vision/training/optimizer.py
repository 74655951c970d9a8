"""What turns gradients into steps: Muon for convolutions inside the network, AdamW for the rest.

Muon makes the step of a whole weight matrix orthogonal, so that all directions of it are learnt
equally fast. Whether that beats AdamW on this network has not been measured over a whole run yet.
First and last convolutions, biases and normalisations stay with AdamW, as its author advises.

Sources: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"; the scale
that lets both use rates of one kind: Liu et al. 2025, "Muon is scalable for LLM training".
"""

from collections.abc import Iterator
from typing import Any, Final

import torch
from torch import nn

DECAY: Final = 0.05
MUON_SHARE: Final = 2.0
"""Muon's rate relative to AdamW's."""
_AT_THE_ENDS: Final = ("stem", "outputs")


class Optimizer:
    """Steps for an encoder and its adapters; its state fits one checkpoint.

    The weights must be contiguous: Muon's matrices are views of them.
    """

    def __init__(self, encoder: nn.Module, adapters: nn.Module, *, rate: float) -> None:
        self._rate = rate
        self._inner = [
            parameter
            for name, parameter in encoder.named_parameters()
            if parameter.ndim > 1 and not name.startswith(_AT_THE_ENDS)
        ]
        inner = {id(parameter) for parameter in self._inner}
        rest = [
            parameter
            for network in (encoder, adapters)
            for parameter in network.parameters()
            if id(parameter) not in inner
        ]
        self._matrices = [
            nn.Parameter(parameter.detach().view(parameter.shape[0], -1))
            for parameter in self._inner
        ]
        self._muon = torch.optim.Muon(
            self._matrices, lr=rate, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw"
        )
        self._adam = torch.optim.AdamW(
            [
                {"params": [one for one in rest if one.ndim > 1], "weight_decay": DECAY},
                {"params": [one for one in rest if one.ndim <= 1], "weight_decay": 0.0},
            ],
            lr=rate,
            foreach=True,
        )

    def step(self, share: float) -> None:
        """Make a step with the gradients that are there, at a share of the highest rate."""
        for group in self._adam.param_groups:
            group["lr"] = self._rate * share
        for group in self._muon.param_groups:
            group["lr"] = self._rate * MUON_SHARE * share
        for parameter, matrix in zip(self._inner, self._matrices, strict=True):
            matrix.grad = None if parameter.grad is None else parameter.grad.reshape(matrix.shape)
        self._muon.step()  # type: ignore[no-untyped-call]  # torch has no types for it
        self._adam.step()

    def state(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield everything that a later ``restore`` needs, by name."""
        for part, optimizer in self._parts():
            for index, state in optimizer.state_dict()["state"].items():
                for name, value in state.items():
                    yield f"{part}/{index}/{name}", torch.as_tensor(value)

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take up what ``state`` gave."""
        for part, optimizer in self._parts():
            content: dict[str, Any] = optimizer.state_dict()
            states: dict[int, dict[str, torch.Tensor]] = {}
            for key, tensor in tensors.items():
                owner, index, name = key.split("/")
                if owner == part:
                    states.setdefault(int(index), {})[name] = tensor
            optimizer.load_state_dict(content | {"state": states})

    def _parts(self) -> tuple[tuple[str, torch.optim.Optimizer], ...]:
        return (("muon", self._muon), ("adam", self._adam))
