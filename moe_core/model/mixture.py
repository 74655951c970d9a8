"""A mixture of experts in place of a feed-forward layer: routed ones and one that all share.

Shape legend: B = sequences, S = tokens, D = width, T = B * S, E = experts.

Source: Dai et al. 2024, "DeepSeekMoE".
"""

from torch import Tensor, nn

from contracts.errors import ModelError
from moe_core.model.experts import ExpertPath, Experts, Shared
from moe_core.model.router import LearnedRouter, Routed, TypeRouter
from moe_core.model.shape import CoreShape, Routing


class Mixture(nn.Module):
    """Routed experts and a shared one."""

    def __init__(self, shape: CoreShape, routing: Routing) -> None:
        super().__init__()
        self.router: LearnedRouter | TypeRouter
        if routing is Routing.BY_TYPE:
            self.router = TypeRouter(
                shape.width, shape.experts, shape.active, types=shape.types, gate=shape.gate,
                scaling=shape.scaling,
            )  # fmt: skip
        else:
            self.router = LearnedRouter(
                shape.width, shape.experts, shape.active, gate=shape.gate, scaling=shape.scaling,
                families=shape.families,
            )  # fmt: skip
        self.experts = Experts(shape.width, shape.experts, shape.expert_width, limit=shape.limit)
        self.shared = Shared(shape.width, shape.shared_width, limit=shape.limit)

    def forward(
        self,
        x_BSD: Tensor,
        types_BS: Tensor | None = None,
        *,
        families_B: Tensor | None = None,
        path: ExpertPath | None = None,
    ) -> tuple[Tensor, Routed]:
        """Return what the experts say, (B, S, D), and who spoke.

        Args:
            x_BSD: The tokens, normed.
            types_BS: What each is, for a layer that routes by that.
            families_B: What each stream is about; None where nobody asks.
            path: How experts are computed; None takes the faster.

        Raises:
            ModelError: The router goes by types and there are none.
        """
        x_TD = x_BSD.flatten(0, 1)
        if isinstance(self.router, TypeRouter):
            if types_BS is None:
                raise ModelError("this layer routes by token type; types are missing")
            routed = self.router(x_TD, types_BS.flatten())
        else:
            families_T = None
            if families_B is not None:
                families_T = families_B[:, None].expand(x_BSD.shape[:2]).flatten()
            routed = self.router(x_TD, families_T)
        said_TD = self.experts(x_TD, routed.experts_TK, routed.weights_TK, path=path)
        return said_TD.view_as(x_BSD) + self.shared(x_BSD), routed
