"""Attention to the last tokens, and to compressed entries of what lies before them.

One head of keys serves all queries and is its own value; a learned sink takes the attention that
nothing deserves. What comes out is rotated back, so that it depends on distances only.

Shape legend: B = sequences, S = tokens, D = width, H = heads, C = channels of a head, W = window,
L = keys seen, T = entries.

Sources: DeepSeek-V4, section 2.3; Shazeer 2019 (one head of keys); Xiao et al. 2023 (sinks).
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from moe_core.model.compressor import Compressor, Indexer, WindowState, closed
from moe_core.model.rotary import RmsNorm, rotate, rotation_of, unit_rms
from moe_core.model.shape import Attention as Kind
from moe_core.model.shape import CoreShape


@dataclass(slots=True)
class AttentionState:
    """What a layer keeps of a stream: bounded but for the entries.

    Attributes:
        recent: Keys of the last tokens, (B, at most W - 1, C).
        seen: Tokens read so far.
        entries, index: Of the layer's compressor, and of its indexer's.
    """

    recent: Tensor | None = None
    seen: int = 0
    entries: WindowState = field(default_factory=WindowState)
    index: WindowState = field(default_factory=WindowState)


class Attention(nn.Module):
    """One layer's attention."""

    def __init__(self, shape: CoreShape, kind: Kind) -> None:
        super().__init__()
        self.shape, self.kind = shape, kind
        wide = shape.heads * shape.head_width
        self.queries = nn.Linear(shape.width, wide, bias=False)
        self.keys = nn.Linear(shape.width, shape.head_width, bias=False)
        self.key_norm = RmsNorm(shape.head_width)
        self.out = nn.Linear(wide, shape.width, bias=False)
        self.sinks_H = nn.Parameter(torch.zeros(shape.heads))
        self.compressor: Compressor | None = None
        self.indexer: Indexer | None = None
        if kind is not Kind.SLIDING:
            is_sparse = kind is Kind.SPARSE
            self.compressor = Compressor(
                shape,
                shape.head_width,
                rate=shape.sparse_rate if is_sparse else shape.heavy_rate,
                overlaps=is_sparse,
            )
            self.indexer = Indexer(shape) if is_sparse else None

    def forward(self, x_BSD: Tensor, positions_BS: Tensor, state: AttentionState) -> Tensor:
        """Read the next tokens of a stream; return (B, S, D).

        Args:
            x_BSD: The tokens, normed.
            positions_BS: Their positions; never smaller than those before.
            state: Of the stream; it is carried on in place.
        """
        shape = self.shape
        batch, tokens = positions_BS.shape
        theta = shape.theta if self.kind is Kind.SLIDING else shape.compressed_theta
        rotation = rotation_of(positions_BS, width=shape.rotary_width, theta=theta)
        queries = self.queries(x_BSD).view(batch, tokens, shape.heads, shape.head_width)
        queries = rotate(unit_rms(queries), rotation)
        own = rotate(self.key_norm(self.keys(x_BSD)).unsqueeze(2), rotation).squeeze(2)
        keys_BLC = own if state.recent is None else torch.cat([state.recent, own], dim=1)
        bias_BSL = _window_bias(tokens, keys_BLC.shape[1], window=shape.window)
        bias_BSL = bias_BSL.to(x_BSD).expand(batch, -1, -1)
        if self.compressor is not None:
            entries_BTC = self.compressor(x_BSD, positions_BS, state.entries)
            if self.indexer is not None:
                entry_bias = self.indexer(
                    x_BSD, positions_BS, rotation, state=state.index, first=state.seen
                )
            else:
                may_see_ST = closed(
                    tokens, entries_BTC.shape[1], rate=self.compressor.rate, first=state.seen
                ).to(x_BSD.device)
                hidden = torch.full(may_see_ST.shape, float("-inf")).to(x_BSD)
                entry_bias = hidden.masked_fill(may_see_ST, 0.0).expand(batch, -1, -1)
            keys = torch.cat([keys_BLC, entries_BTC.to(keys_BLC.dtype)], dim=1)
            bias = torch.cat([bias_BSL, entry_bias], dim=2)
        else:
            keys, bias = keys_BLC, bias_BSL
        state.recent = keys_BLC[:, max(0, keys_BLC.shape[1] - shape.window + 1) :]
        state.seen += tokens
        said = self._attend(queries, keys, bias)
        said = rotate(said, rotation.back())
        answer: Tensor = self.out(said.flatten(2))
        return answer

    def _attend(self, queries: Tensor, keys: Tensor, bias: Tensor) -> Tensor:
        """Return (B, S, H, C)."""
        logits = torch.einsum("bshc,blc->bhsl", queries, keys) * self.shape.head_width**-0.5
        logits = logits + bias[:, None]
        sinks = self.sinks_H.view(1, -1, 1, 1).expand(*logits.shape[:3], 1).to(logits.dtype)
        shares = torch.cat([logits, sinks], dim=-1).softmax(dim=-1, dtype=torch.float32)
        return torch.einsum("bhsl,blc->bshc", shares[..., :-1].to(keys.dtype), keys)


def _window_bias(tokens: int, keys: int, *, window: int) -> Tensor:
    """Return (1, S, L): 0 for the last ``window`` keys up to each token's own, else -inf."""
    own_S1 = torch.arange(keys - tokens, keys)[:, None]
    at_L = torch.arange(keys)[None]
    is_seen = (at_L <= own_S1) & (at_L > own_S1 - window)
    return torch.zeros(tokens, keys).masked_fill(~is_seen, float("-inf"))[None]
