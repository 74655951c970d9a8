"""What the core is trained by: the next claim, the truth of each, and whether it really happened.

Shape legend: B = examples, T = steps, C = proposals.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # its usual name
from torch import Tensor

from moe_core.decoding import may_follow, stands
from moe_core.model.network import Answer
from moe_core.training.examples import UNKNOWN, Example

TRUTH_WEIGHT = 2.0
REAL_WEIGHT = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Targets:
    """What should be answered to a batch.

    Attributes:
        next_BT: The proposal to be written after each step, C for the end; -100 where not asked.
        may_BTC: What the grammar lets follow, the end included, (B, T, C + 1).
        truth_BC: 1, 0, or ``UNKNOWN``.
        real_B: 1 or 0.
    """

    next_BT: Tensor
    may_BTC: Tensor
    truth_BC: Tensor
    real_B: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The parts of the loss; each is a mean."""

    claim: Tensor
    truth: Tensor
    real: Tensor

    @property
    def total(self) -> Tensor:
        """What is minimised."""
        return self.claim + TRUTH_WEIGHT * self.truth + REAL_WEIGHT * self.real


def written(example: Example) -> tuple[int, ...]:
    """Return the chain that is read during training."""
    return example.chain if example.read is None else example.read


def targets_of(examples: Sequence[Example]) -> Targets:
    """Return what the core should answer."""
    rows = len(examples)
    steps = max(len(written(one)) for one in examples) + 1
    widest = max(1, *(len(one.prompt.proposals) for one in examples))
    following = np.full((rows, steps), -100, np.int64)
    may = np.zeros((rows, steps, widest + 1), np.bool_)
    may[:, :, widest] = True
    truth = np.full((rows, widest), UNKNOWN, np.int64)
    for row, one in enumerate(examples):
        chain = written(one)
        count = len(one.prompt.proposals)
        truth[row, :count] = one.true_C
        if not one.is_known:
            continue
        allowed_C = stands(one.prompt)
        for step in range(len(chain) + 1):
            may_C = may_follow(one.prompt, chain[:step], allowed_C=allowed_C)
            may[row, step, :count] = may_C
            following[row, step] = next((index for index in one.chain if may_C[index]), widest)
    return Targets(
        next_BT=torch.from_numpy(following),
        may_BTC=torch.from_numpy(may),
        truth_BC=torch.from_numpy(truth),
        real_B=torch.tensor([float(one.is_real) for one in examples]),
    )


def losses_of(answer: Answer, targets: Targets) -> Losses:
    """Return how far the answer is from what it should be."""
    logits = answer.next_BTC.masked_fill(~targets.may_BTC, float("-inf"))
    asked = targets.next_BT != -100
    if bool(asked.any()):
        claim = F.cross_entropy(logits[asked].float(), targets.next_BT[asked])
    else:
        claim = logits.new_zeros(())
    known = targets.truth_BC != UNKNOWN
    truth = logits.new_zeros(())
    if bool(known.any()):
        truth = F.binary_cross_entropy_with_logits(
            answer.truth_BC[known].float(), targets.truth_BC[known].float()
        )
    real = F.binary_cross_entropy_with_logits(answer.real_B.float(), targets.real_B)
    return Losses(claim=claim, truth=truth, real=real)
