"""Turns windows of tokens into entries: what a layer remembers of what lies far back.

An entry is a mean of its window's tokens, weighed channel by channel. Windows close as tokens come,
so that a stream gives the same entries whether it is read at once or token by token.

Shape legend: B = sequences, S = tokens, D = width, N = windows that close now, R = tokens of a
window, T = entries so far, C = channels of an entry, H = index heads, K = entries that are chosen.

Source: DeepSeek-V4, sections 2.3.1 (two series that overlap, the indexer that chooses) and 2.3.2.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  # its usual name
from torch import Tensor, nn

from moe_core.model.rotary import RmsNorm, Rotation, rotate, rotation_of
from moe_core.model.shape import CoreShape


@dataclass(slots=True)
class WindowState:
    """What a compressor keeps between calls.

    Attributes:
        values, gates, positions: Of the tokens in the window that is not full yet.
        entries: All that was emitted, (B, T, C).
        before: Values and gates of the last closed window that the next one overlaps with.
    """

    values: Tensor | None = None
    gates: Tensor | None = None
    positions: Tensor | None = None
    entries: Tensor | None = None
    before: tuple[Tensor, Tensor] | None = None


class Compressor(nn.Module):
    """Makes entries of ``rate`` tokens; with ``overlaps``, each also looks at the window before."""

    def __init__(self, shape: CoreShape, channels: int, *, rate: int, overlaps: bool) -> None:
        super().__init__()
        self.rate, self.channels, self.overlaps = rate, channels, overlaps
        self.rotary_width, self.theta = shape.rotary_width, shape.compressed_theta
        wide = channels * (2 if overlaps else 1)
        self.values = nn.Linear(shape.width, wide, bias=False)
        self.gates = nn.Linear(shape.width, wide, bias=False)
        self.place_bias = nn.Parameter(torch.zeros(rate, wide))
        self.norm = RmsNorm(channels)

    def forward(self, x_BSD: Tensor, positions_BS: Tensor, state: WindowState) -> Tensor:
        """Take tokens in; return all entries so far, (B, T, C)."""
        values, gates, positions = self._waiting(x_BSD, positions_BS, state)
        full = values.shape[1] // self.rate * self.rate
        state.values, state.gates = values[:, full:], gates[:, full:]
        state.positions = positions[:, full:]
        if full:
            fresh = self._entries(values[:, :full], gates[:, :full], positions[:, :full], state)
            state.entries = (
                fresh if state.entries is None else torch.cat([state.entries, fresh], dim=1)
            )
        if state.entries is None:
            return x_BSD.new_zeros((x_BSD.shape[0], 0, self.channels))
        return state.entries

    def _waiting(
        self, x_BSD: Tensor, positions_BS: Tensor, state: WindowState
    ) -> tuple[Tensor, Tensor, Tensor]:
        values, gates = self.values(x_BSD), self.gates(x_BSD)
        if state.values is None or state.gates is None or state.positions is None:
            return values, gates, positions_BS
        return (
            torch.cat([state.values, values], dim=1),
            torch.cat([state.gates, gates], dim=1),
            torch.cat([state.positions, positions_BS], dim=1),
        )

    def _entries(
        self, values: Tensor, gates: Tensor, positions: Tensor, state: WindowState
    ) -> Tensor:
        shape_BNR = (values.shape[0], -1, self.rate)
        values = values.view(*shape_BNR, values.shape[-1])
        gates = gates.view(*shape_BNR, gates.shape[-1]) + self.place_bias
        if self.overlaps:
            values, gates = self._with_the_one_before(values, gates, state)
        shares = gates.softmax(dim=2, dtype=torch.float32).to(values.dtype)
        mixed = self.norm((values * shares).sum(dim=2))
        first = rotation_of(
            positions.view(shape_BNR)[:, :, 0], width=self.rotary_width, theta=self.theta
        )
        return rotate(mixed.unsqueeze(2), first).squeeze(2)

    def _with_the_one_before(
        self, values: Tensor, gates: Tensor, state: WindowState
    ) -> tuple[Tensor, Tensor]:
        """Return each window's own series behind the other series of the window before it."""
        other_values, own_values = values.chunk(2, dim=-1)
        other_gates, own_gates = gates.chunk(2, dim=-1)
        if state.before is None:
            first_values = torch.zeros_like(other_values[:, :1])
            first_gates = torch.full_like(other_gates[:, :1], float("-inf"))
        else:
            first_values, first_gates = (part.unsqueeze(1) for part in state.before)
        state.before = (other_values[:, -1], other_gates[:, -1])
        return (
            torch.cat([torch.cat([first_values, other_values[:, :-1]], 1), own_values], dim=2),
            torch.cat([torch.cat([first_gates, other_gates[:, :-1]], 1), own_gates], dim=2),
        )


class Indexer(nn.Module):
    """Chooses for each token the few entries that it attends to, by small keys of its own."""

    def __init__(self, shape: CoreShape) -> None:
        super().__init__()
        self.heads, self.channels, self.top = shape.index_heads, shape.index_width, shape.index_top
        self.rate = shape.sparse_rate
        self.compressor = Compressor(shape, self.channels, rate=shape.sparse_rate, overlaps=True)
        self.queries = nn.Linear(shape.width, self.heads * self.channels, bias=False)
        self.head_weights = nn.Linear(shape.width, self.heads, bias=False)

    def forward(
        self,
        x_BSD: Tensor,
        positions_BS: Tensor,
        rotation: Rotation,
        *,
        state: WindowState,
        first: int,
    ) -> Tensor:
        """Return what is added to the logits of entries, (B, S, T): 0 where chosen, else -inf.

        Args:
            x_BSD: The tokens.
            positions_BS: Their positions.
            rotation: Of these positions, with the base of the entries.
            state: Of the keys.
            first: Index of the first of these tokens in the stream.
        """
        keys_BTC = self.compressor(x_BSD, positions_BS, state)
        batch, tokens = positions_BS.shape
        queries = self.queries(x_BSD).view(batch, tokens, self.heads, self.channels)
        queries = rotate(queries, rotation)
        scores = F.relu(torch.einsum("bshc,btc->bsht", queries.float(), keys_BTC.float()))
        weights_BSH = self.head_weights(x_BSD).float() * self.heads**-0.5
        scores_BST = (scores * weights_BSH[..., None]).sum(dim=2) * self.channels**-0.5
        closed_ST = closed(tokens, keys_BTC.shape[1], rate=self.rate, first=first).to(x_BSD.device)
        scores_BST = scores_BST.masked_fill(~closed_ST, float("-inf"))
        # Stable, so that of entries with one score (many have none) the same are taken however much
        # of the stream is read at once.
        order_BST = scores_BST.sort(dim=-1, descending=True, stable=True).indices
        chosen_BSK = order_BST[..., : self.top]
        bias_BST = torch.full_like(scores_BST, float("-inf")).scatter(-1, chosen_BSK, 0.0)
        return bias_BST.masked_fill(~closed_ST, float("-inf")).to(x_BSD.dtype)


def closed(tokens: int, entries: int, *, rate: int, first: int) -> Tensor:
    """Say for each token (rows) which entries (columns) are of windows that are full by then."""
    full_S = (torch.arange(first, first + tokens) + 1) // rate
    return torch.arange(entries)[None] < full_S[:, None]
