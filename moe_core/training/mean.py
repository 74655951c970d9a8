"""The running mean of a network's weights: what is exported, since it says less by heart.

Source: Polyak and Juditsky 1992; the short memory at first: Kingma and Ba 2015.
"""

import copy
from typing import Final

import torch

from moe_core.model.network import ClaimNetwork

MEMORY: Final = 0.998
"""Share of the mean that is kept at a step, once it has seen enough of them."""


class Mean:
    """A second network whose weights are the mean of the first one's over its last steps."""

    def __init__(self, network: ClaimNetwork) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)

    @torch.no_grad()
    def take(self, network: ClaimNetwork, step: int) -> None:
        """Let a step's weights count; biases of routers, which move in steps, are copied."""
        kept = min(MEMORY, (1 + step) / (10 + step))
        pairs = zip(self.network.parameters(), network.parameters(), strict=True)
        for own, other in pairs:
            own.lerp_(other, 1 - kept)
        for own_buffer, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            own_buffer.copy_(buffer)
