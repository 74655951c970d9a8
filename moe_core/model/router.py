"""Which experts judge a token, and how much each counts.

Shape legend: T = tokens, D = width, E = experts, K = experts of a token.

Sources: Shazeer et al. 2017 (top-k); DeepSeek-V3 and V4 (sigmoid and sqrt-softplus scores, the bias
that chooses but does not weigh, routing of the first layer by a table); Wang et al. 2024,
"Auxiliary-loss-free load balancing strategy for mixture-of-experts" (how the bias moves).
"""

from typing import Final, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812  # its usual name
from torch import Tensor, nn

from contracts.errors import ModelError
from moe_core.model.shape import Gate

FAMILY_PUSH: Final = 2.5
"""What a family adds at first to the logits of its own experts: more than a token's own (about 1)
differ, so that most of a family's tokens begin there."""
FAMILY_SPREAD: Final = 0.5
"""Standard deviation of what it adds to the logits of all."""

_LITTLE: Final = 1e-6
"""Load of a type that is never met, so that those are shared out as well."""


class Routed(NamedTuple):
    """Experts of each token and their weights, both (T, K); scores of all experts (T, E)."""

    experts_TK: Tensor
    weights_TK: Tensor
    scores_TE: Tensor


def scores_of(logits_TE: Tensor, gate: Gate) -> Tensor:
    """Return scores, positive; their sum means something for ``softmax`` only."""
    logits_TE = logits_TE.float()
    if gate is Gate.SIGMOID:
        return logits_TE.sigmoid()
    if gate is Gate.SQRT_SOFTPLUS:
        return F.softplus(logits_TE).sqrt()
    return logits_TE.softmax(dim=-1)


class _Router(nn.Module):
    def __init__(self, width: int, experts: int, *, gate: Gate, scaling: float) -> None:
        super().__init__()
        self.gate, self.scaling = gate, scaling
        self.weight = nn.Parameter(torch.empty(experts, width))
        nn.init.normal_(self.weight, std=width**-0.5)

    def _routed(self, scores_TE: Tensor, experts_TK: Tensor) -> Routed:
        weights_TK = scores_TE.gather(1, experts_TK)
        weights_TK = weights_TK / (weights_TK.sum(dim=-1, keepdim=True) + 1e-20)
        return Routed(experts_TK, weights_TK * self.scaling, scores_TE)


class LearnedRouter(_Router):
    """Sends each token to the experts of highest score plus bias; the weights know no bias.

    With ``families``, what a stream is about counts beside the token: left alone, experts take up
    kinds of tokens and hardly anything of what is reasoned about.

    ``bias_E`` is no parameter: ``rebalance`` moves it after a step, by what its tokens chose.
    """

    bias_E: Tensor

    def __init__(
        self,
        width: int,
        experts: int,
        active: int,
        *,
        gate: Gate,
        scaling: float = 1.0,
        families: int = 0,
    ) -> None:
        super().__init__(width, experts, gate=gate, scaling=scaling)
        self.active = active
        self.register_buffer("bias_E", torch.zeros(experts))
        own_YE = family_table(families, experts, active)
        self.family_YE = nn.Parameter(
            FAMILY_PUSH * own_YE + FAMILY_SPREAD * torch.randn(families, experts)
        )

    def forward(self, x_TD: Tensor, families_T: Tensor | None = None) -> Routed:
        """Choose.

        Args:
            x_TD: The tokens.
            families_T: What each is about, below ``families``; None where nobody asks.
        """
        logits_TE = F.linear(x_TD, self.weight)
        if families_T is not None and len(self.family_YE):
            logits_TE = logits_TE + self.family_YE[families_T].to(logits_TE.dtype)
        scores_TE = scores_of(logits_TE, self.gate)
        chosen_TK = torch.topk(scores_TE + self.bias_E, self.active, dim=-1).indices
        return self._routed(scores_TE, chosen_TK)

    @torch.no_grad()
    def rebalance(self, load_E: Tensor, *, rate: float) -> None:
        """Make experts that were chosen less than the mean a little easier to choose.

        Args:
            load_E: How many tokens of the last step, or of several, chose each.
            rate: How far the bias moves.
        """
        load_E = load_E.float()
        self.bias_E += rate * torch.sign(load_E.mean() - load_E)
        self.bias_E -= self.bias_E.mean()


class TypeRouter(_Router):
    """Sends each token to the experts that a table names for its type; only weighs them."""

    table_YK: Tensor

    def __init__(
        self,
        width: int,
        experts: int,
        active: int,
        *,
        types: int,
        gate: Gate,
        scaling: float = 1.0,
    ) -> None:
        super().__init__(width, experts, gate=gate, scaling=scaling)
        self.register_buffer("table_YK", balanced_table(types, experts, active))

    @torch.no_grad()
    def share_out(self, counts_Y: Tensor) -> None:
        """Make the table anew for so many tokens of each type; what was learnt no longer fits."""
        experts, active = len(self.weight), self.table_YK.shape[1]
        self.table_YK.copy_(balanced_table(len(counts_Y), experts, active, counts_Y=counts_Y))

    def forward(self, x_TD: Tensor, types_T: Tensor) -> Routed:
        """Look up.

        Raises:
            ModelError: A type is not in the table.
        """
        if types_T.numel() and not 0 <= int(types_T.min()) <= int(types_T.max()) < len(
            self.table_YK
        ):
            raise ModelError(
                f"token types must be in 0..{len(self.table_YK) - 1}, got "
                f"{int(types_T.min())}..{int(types_T.max())}"
            )
        scores_TE = scores_of(F.linear(x_TD, self.weight), self.gate)
        return self._routed(scores_TE, self.table_YK[types_T])


def balanced_table(
    types: int, experts: int, active: int, *, counts_Y: Tensor | None = None
) -> Tensor:
    """Return the experts (types, active) of each type, so that all serve as many tokens.

    Args:
        types: How many there are.
        experts: How many there are.
        active: How many of them a token uses.
        counts_Y: Tokens of each type; None takes types to be equally frequent.
    """
    counts = [1.0] * types if counts_Y is None else counts_Y.tolist()
    loads = [0.0] * experts
    table = [[0] * active] * types
    for kind in sorted(range(types), key=lambda kind: -counts[kind]):
        table[kind] = sorted(range(experts), key=loads.__getitem__)[:active]
        for expert in table[kind]:
            loads[expert] += counts[kind] + _LITTLE
    return torch.tensor(table)


def family_table(families: int, experts: int, active: int) -> Tensor:
    """Return which experts are each family's own at first, 0 or 1, (families, experts).

    They are dealt out by chance, all as often as can be; no family has one twice.
    """
    own = [[0.0] * experts for _ in range(families)]
    for first in range(0, families, experts):
        order = torch.randperm(experts, device="cpu").tolist()
        for row in range(first, min(families, first + experts)):
            for shift in range(active):
                own[row][order[(row - first + shift) % experts]] = 1.0
    return torch.tensor(own).reshape(families, experts)


def load_of(routed: Routed) -> Tensor:
    """Return how many tokens chose each expert, (E)."""
    count = routed.scores_TE.shape[1]
    return torch.bincount(routed.experts_TK.flatten(), minlength=count)


def max_violation(load_E: Tensor) -> float:
    """Return by how much the busiest expert exceeds the mean, as a share of it (MaxVio)."""
    load_E = load_E.float()
    return float(load_E.max() / load_E.mean().clamp(min=1e-9) - 1)
