"""Sizes of the core; stored with its weights, so that a file says what network it is for."""

from dataclasses import dataclass
from enum import StrEnum

from contracts.errors import ModelError


class Attention(StrEnum):
    """What a layer sees beside the last tokens. Source: DeepSeek-V4, sections 2.3.1 and 2.3.2."""

    SLIDING = "sliding"
    """Nothing else."""
    SPARSE = "sparse"
    """The best few of many lightly compressed entries (CSA)."""
    HEAVY = "heavy"
    """All of few heavily compressed entries (HCA)."""


class Gate(StrEnum):
    """How a router's logits become scores."""

    SIGMOID = "sigmoid"
    SQRT_SOFTPLUS = "sqrt_softplus"
    SOFTMAX = "softmax"


class Routing(StrEnum):
    """How a layer's tokens find their experts."""

    LEARNED = "learned"
    BY_TYPE = "by_type"
    """By a fixed table from a token's type: balanced by its making, and free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreShape:
    """Sizes of the network.

    Attributes:
        width: Of the residual stream.
        heads, head_width: Of the queries; keys and values are one shared head.
        rotary_width: Trailing part of a head that is rotated by position; even.
        attention: For each layer.
        routing: For each layer.
        window: Tokens, its own included, that a token sees uncompressed.
        sparse_rate, heavy_rate: Tokens that become one entry.
        index_heads, index_width, index_top: Of what chooses the sparse entries.
        experts, active: How many there are, and how many each token uses.
        expert_width, shared_width: Inside an expert, and inside the one that all tokens use.
        gate, scaling: How scores become weights; ``scaling`` multiplies them.
        limit: Bound of what goes into an expert's product (clamped SwiGLU).
        types: Token types that the first table routes by.
        families: What a stream may be about, for the routers that learn; 0 if they are not told.
        theta, compressed_theta: Bases of the rotation, of tokens and of entries.
    """

    width: int = 256
    heads: int = 4
    head_width: int = 64
    rotary_width: int = 32
    attention: tuple[Attention, ...] = (
        Attention.SLIDING, Attention.SLIDING, Attention.SPARSE, Attention.HEAVY,
        Attention.SPARSE, Attention.HEAVY,
    )  # fmt: skip
    routing: tuple[Routing, ...] = (Routing.BY_TYPE, *(Routing.LEARNED,) * 5)
    window: int = 128
    sparse_rate: int = 4
    heavy_rate: int = 128
    index_heads: int = 4
    index_width: int = 32
    index_top: int = 64
    experts: int = 16
    active: int = 2
    expert_width: int = 192
    shared_width: int = 384
    gate: Gate = Gate.SQRT_SOFTPLUS
    scaling: float = 1.0
    limit: float = 10.0
    types: int = 64
    families: int = 0
    theta: float = 10_000.0
    compressed_theta: float = 160_000.0

    def __post_init__(self) -> None:
        if len(self.attention) != len(self.routing):
            raise ModelError(
                f"attention names {len(self.attention)} layers, routing {len(self.routing)}"
            )
        if not 1 <= self.active <= self.experts:
            raise ModelError(f"active must be in 1..{self.experts} (experts), got {self.active}")
        if self.rotary_width % 2 or not 0 < self.rotary_width <= self.head_width:
            raise ModelError(
                f"rotary_width must be even and in 2..{self.head_width}, got {self.rotary_width}"
            )
        if self.index_width < self.rotary_width:
            raise ModelError(
                f"index_width must be at least rotary_width ({self.rotary_width}), "
                f"got {self.index_width}"
            )
