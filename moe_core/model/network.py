"""The trained core: reads an incident's tokens, then chooses claim after claim by pointing.

At every step the stream's last token asks, and each proposal answers with what it says, what
checking it gave and the token of the fact that it rests on; the softmax over proposals and the end
is the next claim. No number, name or id is ever generated, only pointed at.

Shape legend: B = incidents, L = tokens, D = width, C = proposals, T = steps, F = features.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor, nn

from moe_core.model.batch import Batch
from moe_core.model.decoder import Core, CoreState
from moe_core.model.experts import ExpertPath
from moe_core.model.router import Routed
from moe_core.model.shape import Attention, CoreShape, Routing
from moe_core.tokens.prompt import FEATURES
from moe_core.tokens.vocabulary import (
    FAMILIES,
    KINDS,
    NAMES,
    PREDICATE_NAMES,
    SLOTS,
    STATUS_IDS,
    WORDS,
)

SHIPPED_SHAPE: Final = CoreShape(
    width=128,
    heads=4,
    head_width=32,
    rotary_width=16,
    attention=(Attention.SLIDING, Attention.SPARSE, Attention.HEAVY, Attention.SLIDING),
    routing=(Routing.BY_TYPE, Routing.LEARNED, Routing.LEARNED, Routing.LEARNED),
    window=128,
    sparse_rate=4,
    heavy_rate=16,
    index_heads=2,
    index_width=16,
    index_top=32,
    experts=16,
    active=2,
    expert_width=64,
    shared_width=128,
    types=KINDS,
    families=len(FAMILIES),
)
"""Small enough to be trained and run on two cores of a CPU."""
WAVES: Final = 5
"""Lengths of waves that a number is read in: 2, 1, 1/2, 1/4 and 1/8 of what features span."""
DROPOUT: Final = 0.2
"""Of what is read and of what is asked with, in training."""
DENSE_SHAPE: Final = replace(
    SHIPPED_SHAPE,
    experts=1,
    active=1,
    expert_width=SHIPPED_SHAPE.active * SHIPPED_SHAPE.expert_width,
)
"""As many operations a token without a choice of experts: what the mixture is measured against."""
_TABLES: Final = (KINDS, len(NAMES), WORDS, SLOTS, SLOTS)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the core says of a batch.

    Attributes:
        next_BTC: Logits of each proposal being the next claim; the last column is the end.
        truth_BC: Logits that each proposal is true.
        real_B: Logits that what the rule looks for really happened, before anything is written:
            what is written is no evidence.
        routed: Who spoke, by layer.
    """

    next_BTC: Tensor
    truth_BC: Tensor
    real_B: Tensor
    routed: tuple[Routed, ...]


@dataclass(slots=True, eq=False)
class Stream:
    """A chain that is being written.

    Attributes:
        keys_BCD, inputs_BCD: What proposals answer with, and what they are when written down.
        hidden_BD: After the last token.
    """

    state: CoreState
    keys_BCD: Tensor
    inputs_BCD: Tensor
    is_proposal_BC: Tensor
    families_B: Tensor
    hidden_BD: Tensor
    truth_BC: Tensor
    real_B: Tensor
    tick_B: Tensor
    routed: list[tuple[Routed, ...]]


class Numbers(nn.Module):
    """Reads the numbers of a token, each in waves of several lengths, as its kind wants.

    Waves let a small network see where a number lies as finely as a tree's cuts do. Source:
    Gorishniy et al. 2022, "On embeddings for numerical features in tabular deep learning".
    """

    frequencies_W: Tensor

    def __init__(self, width: int, *, kinds: int) -> None:
        super().__init__()
        inner = 2 * width
        self.register_buffer("frequencies_W", math.pi * 2.0 ** torch.arange(WAVES))
        self.enter = nn.Linear(FEATURES * (1 + 2 * WAVES), inner)
        self.gains = nn.Embedding(kinds, inner)
        self.shifts = nn.Embedding(kinds, inner)
        self.leave = nn.Linear(inner, width)
        nn.init.normal_(self.gains.weight, std=0.3)
        nn.init.normal_(self.shifts.weight, std=0.3)

    def forward(self, features_BLF: Tensor, kinds_BL: Tensor) -> Tensor:
        """Return (B, L, D)."""
        waves = (features_BLF[..., None] * self.frequencies_W).flatten(-2)
        x = self.enter(torch.cat([features_BLF, waves.sin(), waves.cos()], dim=-1))
        x = x * (1 + self.gains(kinds_BL)) + self.shifts(kinds_BL)
        answer: Tensor = self.leave(nn.functional.silu(x))
        return answer


class ClaimNetwork(nn.Module):
    """Embeddings, the core and its heads."""

    def __init__(self, shape: CoreShape = SHIPPED_SHAPE) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width
        self.tables = nn.ModuleList(nn.Embedding(rows, width) for rows in _TABLES)
        self.numbers = Numbers(width, kinds=KINDS)
        self.predicates = nn.Embedding(len(PREDICATE_NAMES), width)
        self.statuses = nn.Embedding(len(STATUS_IDS), width)
        self.claim_numbers = Numbers(width, kinds=len(PREDICATE_NAMES))
        self.core = Core(shape)
        self.dropout = nn.Dropout(DROPOUT)
        self.query = nn.Linear(width, width)
        self.key = _mlp(2 * width, width)
        self.end = nn.Linear(width, 1)
        self.truth = _mlp(3 * width, 1, inner=width)
        self.real = _mlp(width, 1, inner=width)
        for table in (*self.tables, self.predicates, self.statuses):
            nn.init.normal_(table.weight, std=0.3)

    def forward(self, batch: Batch, *, path: ExpertPath | None = None) -> Answer:
        """Read prompts with the chains that were written after them."""
        read_BLD = self._tokens(batch)
        claims_BCD, inputs_BCD = self._claims(batch, read_BLD)
        is_written = batch.written_BL >= 0
        written = _rows(inputs_BCD, batch.written_BL.clamp(min=0))
        x_BLD = torch.where(is_written[..., None], read_BLD + written, read_BLD)
        said = self.core(
            self.dropout(x_BLD),
            batch.ticks_BL,
            batch.tables_BL5[..., 0],
            families_B=batch.families_B,
            path=path,
        )
        hidden_BLD = self.dropout(said.hidden_BSD)
        asks_BTD = _rows(hidden_BLD, batch.asks_BT)
        grounds_BCD = _rows(hidden_BLD, batch.proposals_BC4[..., 3])
        keys_BCD = self.key(torch.cat([claims_BCD, grounds_BCD], dim=-1))
        return Answer(
            next_BTC=self._next(asks_BTD, keys_BCD, batch.is_proposal_BC),
            truth_BC=self._truth(claims_BCD, grounds_BCD, asks_BTD[:, 0]),
            real_B=self.real(asks_BTD[:, 0]).squeeze(-1),
            routed=said.routed,
        )

    @torch.no_grad()
    def begin(self, batch: Batch) -> Stream:
        """Read prompts of which nothing was written yet, all of one length."""
        read_BLD = self._tokens(batch)
        claims_BCD, inputs_BCD = self._claims(batch, read_BLD)
        state = self.core.begin()
        said = self.core(
            read_BLD,
            batch.ticks_BL,
            batch.tables_BL5[..., 0],
            families_B=batch.families_B,
            state=state,
        )
        grounds_BCD = _rows(said.hidden_BSD, batch.proposals_BC4[..., 3])
        hidden_BD = said.hidden_BSD[:, -1]
        return Stream(
            state=state,
            keys_BCD=self.key(torch.cat([claims_BCD, grounds_BCD], dim=-1)),
            inputs_BCD=inputs_BCD,
            is_proposal_BC=batch.is_proposal_BC,
            families_B=batch.families_B,
            hidden_BD=hidden_BD,
            truth_BC=self._truth(claims_BCD, grounds_BCD, hidden_BD),
            real_B=self.real(hidden_BD).squeeze(-1),
            tick_B=batch.ticks_BL[:, -1],
            routed=[said.routed],
        )

    @torch.no_grad()
    def next_logits(self, stream: Stream) -> Tensor:
        """Return the logits of the next claim, (B, C + 1); the end is the last."""
        return self._next(stream.hidden_BD[:, None], stream.keys_BCD, stream.is_proposal_BC)[:, 0]

    @torch.no_grad()
    def write(self, stream: Stream, claims_B: Tensor, kinds_B: Tensor) -> None:
        """Write one claim of each incident down and read it again."""
        stream.tick_B = stream.tick_B + 1
        x_B1D = (self.tables[0](kinds_B) + self._blank(kinds_B))[:, None]
        x_B1D = x_B1D + _rows(stream.inputs_BCD, claims_B[:, None])
        said = self.core(
            x_B1D,
            stream.tick_B[:, None],
            kinds_B[:, None],
            families_B=stream.families_B,
            state=stream.state,
        )
        stream.hidden_BD = said.hidden_BSD[:, -1]
        stream.routed.append(said.routed)

    def _tokens(self, batch: Batch) -> Tensor:
        x_BLD: Tensor = self.numbers(batch.features_BLF, batch.tables_BL5[..., 0])
        for column, table in enumerate(self.tables):
            x_BLD = x_BLD + table(batch.tables_BL5[..., column])
        return x_BLD

    def _blank(self, kinds_B: Tensor) -> Tensor:
        """Return what tokens without name, word, track and number are, beside their kind."""
        blank_BD: Tensor = self.numbers(kinds_B.new_zeros(len(kinds_B), FEATURES).float(), kinds_B)
        for table in list(self.tables)[1:]:
            blank_BD = blank_BD + table(torch.zeros_like(kinds_B))
        return blank_BD

    def _claims(self, batch: Batch, read_BLD: Tensor) -> tuple[Tensor, Tensor]:
        """Return what proposals say, and what they are once written: with what they rest on."""
        predicates, statuses, slots, tokens = batch.proposals_BC4.unbind(dim=-1)
        claims_BCD = self.predicates(predicates) + self.statuses(statuses)
        claims_BCD = claims_BCD + self.tables[3](slots)
        claims_BCD = claims_BCD + self.claim_numbers(batch.claim_features_BCF, predicates)
        return claims_BCD, claims_BCD + _rows(read_BLD, tokens)

    def _next(self, asks_BTD: Tensor, keys_BCD: Tensor, is_proposal_BC: Tensor) -> Tensor:
        points = self.query(asks_BTD) @ keys_BCD.transpose(1, 2) * self.shape.width**-0.5
        points = points.masked_fill(~is_proposal_BC[:, None], float("-inf"))
        return torch.cat([points, self.end(asks_BTD)], dim=-1)

    def _truth(self, claims_BCD: Tensor, grounds_BCD: Tensor, asks_BD: Tensor) -> Tensor:
        asked = asks_BD[:, None].expand(-1, claims_BCD.shape[1], -1)
        answer: Tensor = self.truth(torch.cat([claims_BCD, grounds_BCD, asked], dim=-1))
        return answer.squeeze(-1)


def _mlp(wide: int, out: int, *, inner: int | None = None) -> nn.Sequential:
    inner = inner or 2 * out
    return nn.Sequential(nn.Linear(wide, inner), nn.SiLU(), nn.Linear(inner, out))


def _rows(x_BND: Tensor, index_BM: Tensor) -> Tensor:
    """Return (B, M, D): rows of ``x`` by index, for each incident."""
    return x_BND.gather(1, index_BM[..., None].expand(-1, -1, x_BND.shape[-1]))
