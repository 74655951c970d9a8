"""The core's stack of layers: attention, then a mixture of experts, each beside the residual.

Shape legend: B = sequences, S = tokens, D = width.
"""

from dataclasses import dataclass, field

from torch import Tensor, nn

from moe_core.model.attention import Attention, AttentionState
from moe_core.model.experts import ExpertPath
from moe_core.model.mixture import Mixture
from moe_core.model.rotary import RmsNorm
from moe_core.model.router import LearnedRouter, Routed, load_of
from moe_core.model.shape import Attention as Kind
from moe_core.model.shape import CoreShape, Routing


@dataclass(slots=True)
class CoreState:
    """What is kept of a stream of tokens, layer by layer."""

    layers: list[AttentionState]

    @property
    def seen(self) -> int:
        """Tokens read so far."""
        return self.layers[0].seen if self.layers else 0


@dataclass(frozen=True, slots=True)
class CoreAnswer:
    """The stream after the last layer, normed, and who spoke in each layer."""

    hidden_BSD: Tensor
    routed: tuple[Routed, ...] = field(default=())


class Layer(nn.Module):
    """One layer."""

    def __init__(self, shape: CoreShape, attention: Kind, routing: Routing) -> None:
        super().__init__()
        self.attention_norm = RmsNorm(shape.width)
        self.attention = Attention(shape, attention)
        self.mixture_norm = RmsNorm(shape.width)
        self.mixture = Mixture(shape, routing)

    def forward(
        self,
        x_BSD: Tensor,
        positions_BS: Tensor,
        types_BS: Tensor,
        *,
        families_B: Tensor | None,
        state: AttentionState,
        path: ExpertPath | None,
    ) -> tuple[Tensor, Routed]:
        """Carry the stream on."""
        x_BSD = x_BSD + self.attention(self.attention_norm(x_BSD), positions_BS, state)
        said, routed = self.mixture(
            self.mixture_norm(x_BSD), types_BS, families_B=families_B, path=path
        )
        return x_BSD + said, routed


class Core(nn.Module):
    """Reads embedded tokens; what they mean and what is predicted from them is not its business."""

    def __init__(self, shape: CoreShape) -> None:
        super().__init__()
        self.shape = shape
        self.layers = nn.ModuleList(
            Layer(shape, *kinds) for kinds in zip(shape.attention, shape.routing, strict=True)
        )
        self.norm = RmsNorm(shape.width)

    def begin(self) -> CoreState:
        """Return the state of a stream of which nothing was read."""
        return CoreState([AttentionState() for _ in self.layers])

    def forward(
        self,
        x_BSD: Tensor,
        positions_BS: Tensor,
        types_BS: Tensor,
        *,
        families_B: Tensor | None = None,
        state: CoreState | None = None,
        path: ExpertPath | None = None,
    ) -> CoreAnswer:
        """Read tokens.

        Args:
            x_BSD: Embedded tokens.
            positions_BS: When each is, in ticks of event time; never smaller than those before.
            types_BS: What each is, below ``shape.types``.
            families_B: What each stream is about, below ``shape.families``.
            state: To go on with a stream; None reads one from its beginning.
            path: How experts are computed; None takes the faster.
        """
        state = state or self.begin()
        routed = []
        for layer, layer_state in zip(self.layers, state.layers, strict=True):
            x_BSD, who = layer(
                x_BSD, positions_BS, types_BS, families_B=families_B, state=layer_state, path=path
            )
            routed.append(who)
        return CoreAnswer(self.norm(x_BSD), tuple(routed))

    def rebalance(self, routed: tuple[Routed, ...], *, rate: float) -> None:
        """Move the biases of all learned routers after a training step."""
        for layer, who in zip(self.layers, routed, strict=True):
            if isinstance(layer.mixture.router, LearnedRouter):  # type: ignore[union-attr]  # a ModuleList of Layers
                layer.mixture.router.rebalance(load_of(who), rate=rate)  # type: ignore[union-attr]  # the same
