"""What is fitted after training, on cameras that were not trained on: floors and calibration.

Shape legend: C = proposals, N = examples.
"""

import bisect
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize

from moe_core.decoding import CONTEXT, Floors, draft_of
from moe_core.model.batch import collate
from moe_core.model.network import ClaimNetwork
from moe_core.model.weights import Calibration
from moe_core.training.examples import UNKNOWN, Example
from moe_core.training.losses import REAL_WEIGHT, TRUTH_WEIGHT
from moe_core.training.measures import Tally

Array = npt.NDArray[np.float64]

OMITTED_SHARE: Final = 0.10
"""Share of the true decisive claims that may be left out; the floor is set for that."""
UNTRUE_SHARE: Final = 0.05
"""Share of what is told that may be untrue; of the surroundings too, since nobody misses them."""
_RESERVE: Final = 0.9
"""Of ``UNTRUE_SHARE`` that is used: of cameras never seen a little more is untrue."""
_CLAIM_FLOORS: Final[tuple[float, ...]] = tuple(np.round(np.arange(0.3, 0.96, 0.025), 3).tolist())
_HYPOTHESIS_FLOORS: Final[tuple[float, ...]] = tuple(
    np.round(np.arange(0.3, 0.86, 0.05), 2).tolist()
)
_SURE: Final = 0.99
_LEAST: Final = 1e-6
"""Least chance in a log loss."""
_BATCH: Final = 64


def fit(network: ClaimNetwork, found: Sequence[Example]) -> tuple[Floors, Calibration]:
    """Return the floors and the calibration that suit examples of unseen cameras.

    The claims' floor is the highest at which no more than ``OMITTED_SHARE`` of what is true is left
    out; the floor of the surroundings is the lowest at which no more than ``UNTRUE_SHARE`` of what
    is not quite sure is untrue. The hypothesis' floor is where verdicts are best among those with
    which no more than ``UNTRUE_SHARE`` of all that is told is untrue; if there is none, where least
    is: an alert that is not confirmed is told all the same.
    """
    truths, logits = beliefs(network, found)
    context = context_floor(found, truths)
    tried: dict[Floors, Tally] = {}
    for hypothesis in _HYPOTHESIS_FLOORS:
        claim = _claim_floor(found, truths, hypothesis)
        floors = Floors(claim=claim, hypothesis=hypothesis, context=context)
        tried[floors] = _tally(found, truths, floors)
    true_enough = [one for one in tried if tried[one].h_true <= _RESERVE * UNTRUE_SHARE]
    chosen = max(
        true_enough or tried,
        key=lambda one: tried[one].f1 if true_enough else -tried[one].h_true,
    )
    return chosen, calibrated(logits, [one.is_real for one in found])


def _claim_floor(found: Sequence[Example], truths: Sequence[Array], hypothesis: float) -> float:
    """Return the highest floor of claims at which little is left out: more is with each higher."""

    def leaves_out_too_much(place: int) -> bool:
        floors = Floors(claim=_CLAIM_FLOORS[place], hypothesis=hypothesis)
        return _tally(found, truths, floors).omission > OMITTED_SHARE

    first = bisect.bisect_left(range(len(_CLAIM_FLOORS)), x=True, key=leaves_out_too_much)
    return _CLAIM_FLOORS[max(0, first - 1)]


def context_floor(found: Sequence[Example], truths: Sequence[Array]) -> float:
    """Return the floor of the surroundings: of claims above it that are not sure, few are untrue.

    Args:
        found: Only those whose claims' truth is known count.
        truths: What the network thinks of each claim, 0..1.
    """
    believed: list[float] = []
    untrue: list[bool] = []
    for one, truth_C in zip(found, truths, strict=True):
        for claim, is_true, chance in zip(
            one.prompt.proposals.claims, one.true_C, truth_C, strict=True
        ):
            if one.is_known and claim.predicate in CONTEXT and chance < _SURE:
                believed.append(float(chance))
                untrue.append(bool(is_true == 0))
    believed_N, untrue_N = np.array(believed), np.array(untrue, np.bool_)
    for floor in _CLAIM_FLOORS:
        is_told_N = believed_N >= floor
        if untrue_N[is_told_N].sum() <= UNTRUE_SHARE * is_told_N.sum():
            return float(floor)
    return _SURE


def beliefs(network: ClaimNetwork, found: Sequence[Example]) -> tuple[list[Array], list[float]]:
    """Return what the network thinks of each claim, and of the event (a logit)."""
    truths: list[Array] = []
    logits: list[float] = []
    for first in range(0, len(found), _BATCH):
        part = [one.prompt for one in found[first : first + _BATCH]]
        with torch.inference_mode():
            answer = network(collate(part, [[]] * len(part)))
        chances = answer.truth_BC.sigmoid().double().numpy()
        truths += [row[: len(one.proposals)] for row, one in zip(chances, part, strict=True)]
        logits += answer.real_B.tolist()
    return truths, logits


def misjudged(network: ClaimNetwork, found: Sequence[Example]) -> float:
    """Return how far beliefs are from what is true: log loss of claims and, calibrated, of events.

    What is told is decided by these alone; weighed as in training.
    """
    truths, logits = beliefs(network, found)
    true_N = np.concatenate([one.true_C for one in found])
    chance_N = np.concatenate(truths).clip(_LEAST, 1 - _LEAST)
    is_known_N = true_N != UNKNOWN
    is_true_N = true_N[is_known_N] == 1
    told = -np.log(np.where(is_true_N, chance_N[is_known_N], 1 - chance_N[is_known_N])).mean()
    real_N = np.array([one.is_real for one in found])
    by = calibrated(logits, real_N.tolist())
    z_N = by.scale * np.array(logits) + by.shift
    happened = (np.logaddexp(0, z_N) - real_N * z_N).mean()
    return float(TRUTH_WEIGHT * told + REAL_WEIGHT * happened)


def calibrated(
    logits: Sequence[float], real: Sequence[bool], *, shares: Sequence[float] | None = None
) -> Calibration:
    """Return scale and shift of least log loss (Platt 1999).

    Args:
        logits: What was believed.
        real: What was true.
        shares: How much each counts; all the same if None.
    """
    logit_N = np.array(logits)
    real_N = np.array(real, np.float64)
    share_N = np.ones(len(real_N)) if shares is None else np.array(shares)
    share_N = share_N / max(1e-9, float(share_N.sum()))

    def loss(x: np.ndarray) -> float:
        z_N = x[0] * logit_N + x[1]
        return float((share_N * (np.logaddexp(0, z_N) - real_N * z_N)).sum())

    scale, shift = minimize(loss, np.array([1.0, 0.0]), method="BFGS").x
    return Calibration(scale=float(max(0.05, scale)), shift=float(shift))


def _tally(found: Sequence[Example], truths: Sequence[Array], floors: Floors) -> Tally:
    tally = Tally()
    for one, truth_C in zip(found, truths, strict=True):
        tally.add(one, draft_of(one.prompt, truth_C, floors=floors), 0.5)
    return tally
