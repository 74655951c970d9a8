"""Experts: gated networks side by side, of which each token uses a few.

Shape legend: T = tokens, D = width, E = experts, K = experts of a token, H = inside an expert.

Sources: Shazeer 2020, "GLU variants improve transformer"; the clamp: DeepSeek-V4.
"""

from enum import StrEnum

import torch
import torch.nn.functional as F  # noqa: N812  # its usual name
from torch import Tensor, nn


class ExpertPath(StrEnum):
    """How the experts' products are computed; all give the same."""

    LOOP = "loop"
    """Expert by expert: easy to read, what the other is held against."""
    GROUPED = "grouped"
    """One ``grouped_mm`` over tokens sorted by expert: faster for any number of tokens."""


def gated(gate_up: Tensor, *, limit: float) -> Tensor:
    """Return silu(gate) * up of a last axis that holds both, clamped to ``limit``."""
    gate, up = gate_up.chunk(2, dim=-1)
    return F.silu(gate.clamp(max=limit)) * up.clamp(min=-limit, max=limit)


class Shared(nn.Module):
    """The expert that every token uses."""

    def __init__(self, width: int, inner: int, *, limit: float) -> None:
        super().__init__()
        self.limit = limit
        self.gate_up = nn.Linear(width, 2 * inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        answer: Tensor = self.down(gated(self.gate_up(x), limit=self.limit))
        return answer


class Experts(nn.Module):
    """The routed experts."""

    def __init__(self, width: int, experts: int, inner: int, *, limit: float) -> None:
        super().__init__()
        self.limit = limit
        self.gate_up_EHD = nn.Parameter(torch.empty(experts, 2 * inner, width))
        self.down_EDH = nn.Parameter(torch.empty(experts, width, inner))
        nn.init.normal_(self.gate_up_EHD, std=width**-0.5)
        nn.init.normal_(self.down_EDH, std=inner**-0.5)

    def forward(
        self,
        x_TD: Tensor,
        experts_TK: Tensor,
        weights_TK: Tensor,
        *,
        path: ExpertPath | None = None,
    ) -> Tensor:
        """Return the weighted sum of what each token's experts say, (T, D).

        Args:
            x_TD: The tokens.
            experts_TK: Whom each asks.
            weights_TK: How much each counts.
            path: How; None takes the faster.
        """
        run = self._loop if path is ExpertPath.LOOP else self._grouped
        return run(x_TD, experts_TK, weights_TK)

    def _loop(self, x_TD: Tensor, experts_TK: Tensor, weights_TK: Tensor) -> Tensor:
        out_TD = torch.zeros_like(x_TD)
        for expert in torch.unique(experts_TK).tolist():
            tokens, place = torch.where(experts_TK == expert)
            inner = gated(F.linear(x_TD[tokens], self.gate_up_EHD[expert]), limit=self.limit)
            said = F.linear(inner, self.down_EDH[expert]) * weights_TK[tokens, place, None]
            out_TD = out_TD.index_add(0, tokens, said.to(x_TD.dtype))
        return out_TD

    def _grouped(self, x_TD: Tensor, experts_TK: Tensor, weights_TK: Tensor) -> Tensor:
        """Sort the tokens by expert, multiply each group at once, and put them back."""
        count, active = experts_TK.shape
        chosen_N = experts_TK.flatten()
        order_N = torch.argsort(chosen_N, stable=True)
        load_E = torch.bincount(chosen_N, minlength=len(self.gate_up_EHD))
        ends_E = load_E.cumsum(0).to(torch.int32)
        sorted_ND = x_TD[order_N // active].contiguous()
        inner = F.grouped_mm(sorted_ND, self.gate_up_EHD.transpose(1, 2), offs=ends_E)
        said_ND = F.grouped_mm(
            gated(inner, limit=self.limit), self.down_EDH.transpose(1, 2), offs=ends_E
        )
        back_N = torch.argsort(order_N)
        said_TKD = said_ND[back_N].view(count, active, -1)
        return (said_TKD * weights_TK[..., None].to(x_TD.dtype)).sum(dim=1)
