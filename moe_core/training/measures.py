"""How good chains are: untrue claims, what is left out, verdicts, confidence; of core and program.

Untrue counts against the world (H_true), over all claims that are told. What is left out (omission)
counts over decisive claims: those that verdicts rest on or that name a benign cause, not what else
was to be seen (``CONTEXT``). What is told of a refuted statement as refuted is not
counted as told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from contracts.reasoning import ClaimStatus
from moe_core.core_reasoner import chance_of as confidence_by
from moe_core.core_reasoner import write
from moe_core.decoding import (
    CONTEXT,
    Floors,
    Written,
    decode,
    decode_stepwise,
    draft_of,
    sigmoid,
)
from moe_core.hypotheses import ALARMING
from moe_core.model.network import ClaimNetwork
from moe_core.model.weights import TrainedCore
from moe_core.training.examples import Example

BINS: Final = 15


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was counted over examples.

    Attributes:
        claims, untrue: Claims about a world that is known, and those that are not true of it.
        decisive, omitted: True decisive claims that could have been told, and those that were not.
        said, real: For each example, whether the chain confirms, and whether it really happened.
        chances: For each example, the confidence.
    """

    claims: int = 0
    untrue: int = 0
    decisive: int = 0
    omitted: int = 0
    said: list[bool] = field(default_factory=list)
    real: list[bool] = field(default_factory=list)
    chances: list[float] = field(default_factory=list)

    def add(self, example: Example, chain: Sequence[int], chance: float) -> None:
        """Count one example's chain."""
        claims = example.prompt.proposals.claims
        told = {index for index in chain if claims[index].status is ClaimStatus.SUPPORTED}
        known = np.flatnonzero(example.true_C >= 0)
        if example.is_known:
            self.claims += len(told)
            self.untrue += sum(example.true_C[index] == 0 for index in told)
            true = {
                int(index)
                for index in known
                if example.true_C[index] == 1
                and claims[index].status is ClaimStatus.SUPPORTED
                and claims[index].predicate not in CONTEXT
            }
            self.decisive += len(true)
            self.omitted += len(true - told)
        alarming = set(ALARMING.values())
        self.said.append(any(claims[index].predicate in alarming for index in told))
        self.real.append(example.is_real)
        self.chances.append(chance)

    @property
    def h_true(self) -> float:
        """Share of claims that are not true."""
        return self.untrue / max(1, self.claims)

    @property
    def omission(self) -> float:
        """Share of true claims that were not told."""
        return self.omitted / max(1, self.decisive)

    @property
    def f1(self) -> float:
        """F1 of confirming what really happened."""
        said, real = np.array(self.said, np.bool_), np.array(self.real, np.bool_)
        hits = int((said & real).sum())
        return 2 * hits / max(1, int(said.sum()) + int(real.sum()))

    @property
    def accuracy(self) -> float:
        """Share of verdicts that are right."""
        return float(np.mean(np.array(self.said) == np.array(self.real))) if self.said else 0.0

    @property
    def brier(self) -> float:
        """Mean square of confidence minus truth."""
        squares = (np.array(self.chances) - np.array(self.real)) ** 2
        return float(squares.mean()) if len(squares) else 0.0

    @property
    def ece(self) -> float:
        """Expected calibration error over 15 bins of equal width."""
        return calibration_error(self.chances, self.real)


def calibration_error(chances: Sequence[float], real: Sequence[bool]) -> float:
    """Return the mean distance of confidence and share of truth, over bins, weighed by size."""
    chance_N, real_N = np.array(chances), np.array(real, np.float64)
    bin_N = np.minimum(BINS - 1, (chance_N * BINS).astype(int))
    total = 0.0
    for one in np.unique(bin_N):
        inside = bin_N == one
        total += inside.sum() * abs(chance_N[inside].mean() - real_N[inside].mean())
    return float(total / max(1, len(chance_N)))


def chance_of(written: Written, *, scale: float = 1.0, shift: float = 0.0) -> float:
    """Return the confidence (0..1) of a written chain, calibrated by scale and shift."""
    return float(sigmoid(scale * written.real_logit + shift))


def of_core(
    network: ClaimNetwork,
    found: Sequence[Example],
    *,
    floors: Floors,
    scale: float = 1.0,
    shift: float = 0.0,
    is_stepwise: bool = False,
) -> Tally:
    """Count what the core writes, all at once or claim by claim."""
    tally = Tally()
    write = decode_stepwise if is_stepwise else decode
    for one in found:
        written = write(network, one.prompt, floors=floors)
        tally.add(one, written.chain, chance_of(written, scale=scale, shift=shift))
    return tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a core wrote about an example, with its confidence; as it believes, and judged by trust.

    ``believed`` and ``trusted`` are the same where the core has no trust.
    """

    believed: tuple[tuple[int, ...], float]
    trusted: tuple[tuple[int, ...], float]


def answered(core: TrainedCore, found: Sequence[Example]) -> list[Answered]:
    """Return what a core writes about examples, each read once."""
    bare = replace(core, trust=None)
    told = []
    for one in found:
        written = write(core, one.prompt, program_chance=one.program_chance)
        trusted = (written.chain, confidence_by(core, written))
        believed = trusted
        if core.trust is not None:
            beliefs_C = sigmoid(written.odds_C)
            chain = tuple(draft_of(one.prompt, beliefs_C, floors=core.floors))
            believed = (chain, confidence_by(bare, replace(written, chance=None)))
        told.append(Answered(believed=believed, trusted=trusted))
    return told


def of_program(found: Sequence[Example]) -> Tally:
    """Count what the program writes: all that it drafts."""
    tally = Tally()
    for one in found:
        tally.add(one, range(len(one.prompt.proposals)), one.program_chance)
    return tally
