"""Prompts and the chains that are written after them, padded to one size.

Shape legend: B = incidents, L = tokens (read, one that ends the reading, written), F = features of
a token, C = proposals, T = steps at which the next claim is chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from moe_core.tokens.prompt import FEATURES, Prompt
from moe_core.tokens.vocabulary import ROLE_KINDS, Kind

NOBODY = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Tensors of several incidents.

    Attributes:
        tables_BL5: Rows of the tables: kind, name, word, slot, target.
        features_BLF: float32.
        ticks_BL: Event time, tenths of a second.
        written_BL: Which proposal each token writes down again; -1 where it writes none.
        asks_BT: Tokens after which the next claim is chosen; padded by repeating the last.
        families_B: What each is about.
        lengths_B: Tokens that are no padding.
        proposals_BC4: Of each proposal: predicate, status, slot, token it rests on.
        claim_features_BCF: float32.
        is_proposal_BC: Which are no padding.
    """

    tables_BL5: Tensor
    features_BLF: Tensor
    ticks_BL: Tensor
    written_BL: Tensor
    asks_BT: Tensor
    families_B: Tensor
    lengths_B: Tensor
    proposals_BC4: Tensor
    claim_features_BCF: Tensor
    is_proposal_BC: Tensor

    def to(self, device: str | torch.device) -> "Batch":
        """Return the batch on another device."""
        return Batch(
            **{name: getattr(self, name).to(device) for name in Batch.__dataclass_fields__}
        )


def collate(prompts: Sequence[Prompt], chains: Sequence[Sequence[int]]) -> Batch:
    """Lay prompts and chains side by side.

    Args:
        prompts: At least one.
        chains: For each, the indices of the proposals that were written, in order.
    """
    lengths = [
        len(one.kinds_S) + 1 + len(chain) for one, chain in zip(prompts, chains, strict=True)
    ]
    rows, longest = len(prompts), max(lengths)
    steps = max(len(chain) for chain in chains) + 1
    widest = max(1, *(len(one.proposals) for one in prompts))
    tables = np.zeros((rows, longest, 5), np.int64)
    features = np.zeros((rows, longest, FEATURES), np.float32)
    ticks = np.zeros((rows, longest), np.int64)
    written = np.full((rows, longest), NOBODY, np.int64)
    asks = np.zeros((rows, steps), np.int64)
    proposals = np.zeros((rows, widest, 4), np.int64)
    claim_features = np.zeros((rows, widest, FEATURES), np.float32)
    is_proposal = np.zeros((rows, widest), np.bool_)
    for row, (one, chain) in enumerate(zip(prompts, chains, strict=True)):
        read, count = len(one.kinds_S), len(one.proposals)
        tables[row, :read] = np.stack(
            [one.kinds_S, one.names_S, one.words_S, one.slots_S, one.targets_S], axis=1
        )
        features[row, :read] = one.features_SF
        ticks[row, :read] = one.ticks_S
        tables[row, read, 0] = Kind.THINK
        ticks[row, read:] = one.ticks_S[-1] + 1
        for step, index in enumerate(chain, start=read + 1):
            tables[row, step, 0] = role_kind(one, index)
            written[row, step] = index
            ticks[row, step:] += 1
        asks[row] = np.minimum(read + np.arange(steps), lengths[row] - 1)
        claims = one.proposals
        proposals[row, :count] = np.stack(
            [claims.predicates_C, claims.statuses_C, claims.slots_C, claims.tokens_C], axis=1
        )
        claim_features[row, :count] = claims.features_CF
        is_proposal[row, :count] = True
    return Batch(
        tables_BL5=torch.from_numpy(tables),
        features_BLF=torch.from_numpy(features),
        ticks_BL=torch.from_numpy(ticks),
        written_BL=torch.from_numpy(written),
        asks_BT=torch.from_numpy(asks),
        families_B=torch.tensor([one.family for one in prompts]),
        lengths_B=torch.tensor(lengths),
        proposals_BC4=torch.from_numpy(proposals),
        claim_features_BCF=torch.from_numpy(claim_features),
        is_proposal_BC=torch.from_numpy(is_proposal),
    )


def role_kind(prompt: Prompt, index: int) -> int:
    """Return the kind of the token that writes a proposal down."""
    return ROLE_KINDS[prompt.proposals.claims[index].role]
