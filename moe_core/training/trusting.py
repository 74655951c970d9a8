"""Fits how far the core's claims are to be trusted: on cameras that the network never saw.

Trees are grown over the claims of simulated cameras. What an event's trust is weighed from is
fitted on simulated cameras and on recordings, which count as much. Floors are set by what trees say
of cameras that they were not grown on, and that see as much of a place as those that are tested on:
of close ones more is left out by the same floors.

Shape legend: R = rows (claims of all examples, one after the other), N = names, F = columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize

from contracts.errors import ConfigError
from contracts.reasoning import ClaimStatus
from moe_core.decoding import Floors, sigmoid
from moe_core.hypotheses import ALARMING
from moe_core.model.batch import collate
from moe_core.model.network import ClaimNetwork
from moe_core.tokens.vocabulary import FAMILIES, PREDICATE_IDS, PREDICATE_NAMES
from moe_core.training.boosting import Growth, boosted
from moe_core.training.examples import UNKNOWN, Example
from moe_core.training.fitting import OMITTED_SHARE, UNTRUE_SHARE, calibrated
from moe_core.training.splits import SITES
from moe_core.training.world.site import CLOSE_FROM
from moe_core.trees import Trees
from moe_core.trust import STACKED, Trust, stacked, weighed
from moe_core.trust_rows import (
    BELIEFS,
    COLUMNS,
    Believed,
    is_context,
    is_deciding,
    log_odds,
    partners,
    rows_of,
)

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

CLAIM_GROWTH: Final = Growth(trees=400, depth=4, rate=0.08)
EVENT_GROWTH: Final = Growth(trees=300, depth=5, rate=0.06)
FOLDS: Final = 4
RISING: Final = tuple(COLUMNS.index(name) for name in BELIEFS)
RESERVE: Final = 0.97
"""Of ``OMITTED_SHARE`` that is used: of cameras never seen a little more is left out."""
_TOLD_UNTRUE: Final = 0.95
"""Of ``UNTRUE_SHARE`` that is used."""
_ALARMING: Final = np.array([PREDICATE_IDS[name] for name in ALARMING.values()])
_SMOOTH: Final = 20.0
"""Claims of a name that are half true before any is counted."""
_RIDGE: Final = 1e-3
_BATCH: Final = 64
_EVENT_FLOORS: Final[tuple[float, ...]] = tuple(np.round(np.arange(0.3, 0.81, 0.025), 3).tolist())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gathered:
    """Claims of all examples, one after the other.

    Attributes:
        rows_RF: Columns.
        true_R: 1, 0 or ``UNKNOWN``.
        example_R: Number of the example.
        pair_R: Row that is as true as this one; itself if there is none.
        is_supported_R, is_deciding_R, is_context_R: What a row is.
        is_alarming_R, is_main_R: Hypotheses that the event is real, and those of the kind that the
            incident is of.
        fold_E: Part that each example is in, so that no camera is in two.
        real_E: Whether what it is about really happened.
        is_known_E: Whether the truth of every claim is known.
        is_close_E: Whether people are large in the camera's picture.
    """

    rows_RF: npt.NDArray[np.float32]
    true_R: Ints
    example_R: Ints
    pair_R: Ints
    is_supported_R: Bools
    is_deciding_R: Bools
    is_context_R: Bools
    is_main_R: Bools
    is_alarming_R: Bools
    fold_E: Ints
    real_E: Bools
    is_known_E: Bools
    is_close_E: Bools

    def only(self, keep_E: Bools) -> tuple["Gathered", Bools]:
        """Return some of the examples, and which rows are left, (R)."""
        keep_R = keep_E[self.example_R]
        rows = {
            name: getattr(self, name)[keep_R] for name in Gathered.__dataclass_fields__
            if name.endswith(("_R", "_RF"))
        }  # fmt: skip
        examples = {
            name: getattr(self, name)[keep_E] for name in Gathered.__dataclass_fields__
            if name.endswith("_E")
        }  # fmt: skip
        renumbered = {
            "example_R": (np.cumsum(keep_E) - 1)[rows["example_R"]],
            "pair_R": (np.cumsum(keep_R) - 1)[rows["pair_R"]],
        }
        return Gathered(**{**rows, **examples, **renumbered}), keep_R


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What claims of each predicate, and alerts of each kind, are worth, in log-odds."""

    by_predicate: Floats
    by_kind: Floats


def fit_trust(
    network: ClaimNetwork, simulated: Sequence[Example], recordings: Sequence[Example] = ()
) -> Trust:
    """Return the trust in a network's claims.

    Args:
        network: Whose beliefs are judged.
        simulated: Of cameras that it was not trained on, of at least ``FOLDS`` cameras.
        recordings: Of sources that may be fitted on; they count as much as all simulated ones.

    Raises:
        ConfigError: There is too little to fit on.
    """
    tables = tables_of(simulated)
    found = gathered(network, simulated, tables)
    real = gathered(network, recordings, tables)
    is_known_R = (found.true_R != UNKNOWN) & found.is_supported_R
    claims_R = np.flatnonzero(is_known_R & ~found.is_deciding_R)
    event_R = np.flatnonzero(found.is_deciding_R)
    for rows in (claims_R, event_R):
        if len(np.unique(found.fold_E[found.example_R[rows]])) < FOLDS:
            raise ConfigError("too few cameras to fit trust on; write a larger corpus")
    claims, odds_R = _grown(found, claims_R, CLAIM_GROWTH)
    event, trees_R = _grown(found, event_R, EVENT_GROWTH)
    numbers = stacked(found.rows_RF, _paired(found, trees_R))
    known = stacked(real.rows_RF, _paired(real, event(real.rows_RF)))
    stack = _stack(
        np.concatenate([numbers[event_R], known[real.is_deciding_R]]),
        np.concatenate([found.true_R[event_R], real.true_R[real.is_deciding_R]]) == 1,
        _shares(found, event_R, real),
    )
    odds_R = np.where(found.is_deciding_R, weighed(numbers, stack), odds_R)
    real_R = weighed(known, stack)
    return Trust(
        claims=claims,
        event=event,
        by_predicate=tables.by_predicate,
        by_kind=tables.by_kind,
        stack=stack,
        finding=_finding((found, odds_R), (real, real_R)),
        floors=floors_of(_usual(found, odds_R), (real, real_R)),
    )


def _usual(part: Gathered, odds_R: Floats) -> tuple[Gathered, Floats]:
    """Return what is of cameras that are not close, unless all are."""
    if part.is_close_E.all():
        return part, odds_R
    usual, keep_R = part.only(~part.is_close_E)
    return usual, odds_R[keep_R]


def tables_of(found: Sequence[Example]) -> Tables:
    """Return what claims of each predicate, and alerts of each kind, are worth on the whole."""
    true = np.zeros((2, len(PREDICATE_NAMES)))
    real = np.zeros((2, len(FAMILIES)))
    for one in found:
        for value in (0, 1):
            claims = one.prompt.proposals.predicates_C[one.true_C == value]
            np.add.at(true[value], claims, 1)
        real[int(one.is_real), one.prompt.family] += 1
    true, real = true + _SMOOTH, real + _SMOOTH
    return Tables(
        by_predicate=np.log(true[1] / true[0]),
        by_kind=np.log(real[1] / real[0]),
    )


def gathered(network: ClaimNetwork, found: Sequence[Example], tables: Tables) -> Gathered:
    """Ask the network about examples and lay all their claims down, one after the other."""
    rows: list[npt.NDArray[np.float32]] = []
    pairs, mains = [np.zeros(0, np.int64)], [np.zeros(0, np.bool_)]
    count = 0
    for one, believed in zip(found, _believed(network, found), strict=True):
        rows.append(
            rows_of(
                one.prompt, believed, by_predicate=tables.by_predicate, by_kind=tables.by_kind
            ).astype(np.float32)
        )
        pairs.append(count + partners(one.prompt))
        own = PREDICATE_IDS[ALARMING[FAMILIES[one.prompt.family]]]
        mains.append(one.prompt.proposals.predicates_C == own)
        count += len(rows[-1])
    empty = np.zeros(0, np.bool_)
    return Gathered(
        rows_RF=np.concatenate([np.zeros((0, len(COLUMNS)), np.float32), *rows]),
        true_R=np.concatenate([np.zeros(0, np.int64), *(one.true_C for one in found)]),
        example_R=np.repeat(np.arange(len(found)), [len(one.true_C) for one in found]),
        pair_R=np.concatenate(pairs),
        is_supported_R=np.array(
            [
                claim.status is ClaimStatus.SUPPORTED
                for one in found
                for claim in one.prompt.proposals.claims
            ],
            np.bool_,
        ),
        is_deciding_R=np.concatenate([empty, *(is_deciding(one.prompt) for one in found)]),
        is_context_R=np.concatenate([empty, *(is_context(one.prompt) for one in found)]),
        is_main_R=np.concatenate(mains),
        is_alarming_R=np.concatenate(
            [empty, *(np.isin(one.prompt.proposals.predicates_C, _ALARMING) for one in found)]
        ),
        fold_E=np.array([one.site // SITES % FOLDS for one in found], np.int64),
        real_E=np.array([one.is_real for one in found], np.bool_),
        is_known_E=np.array([one.is_known for one in found], np.bool_),
        is_close_E=np.array([one.site >= CLOSE_FROM for one in found], np.bool_),
    )


def floors_of(*parts: tuple[Gathered, Floats]) -> Floors:
    """Return the floors that suit claims and what is thought of them, in log-odds.

    For each floor of the event, the claims' floor is the highest at which no more than
    ``OMITTED_SHARE`` of what is true is left out; the floor of the surroundings is where a claim is
    as likely untrue as what is told may be on the whole. Of these the one is taken with which
    verdicts are best (mean of F1 over the parts) among those with which no more than
    ``UNTRUE_SHARE`` of what is told is untrue; if there is none, with which least is.
    """
    tried: dict[Floors, tuple[float, float]] = {}
    known = [(part, sigmoid(odds_R)) for part, odds_R in parts if part.is_known_E.any()]
    for event in _EVENT_FLOORS:
        claim = min(claim_floor(part, chance_R, event) for part, chance_R in known)
        floors = Floors(claim=claim, hypothesis=event, context=1 - UNTRUE_SHARE)
        untrue = max(untrue_share(part, told(part, chance_R, floors)) for part, chance_R in known)
        f1 = [f1_of(part, sigmoid(odds_R), event) for part, odds_R in parts if len(part.real_E)]
        tried[floors] = (untrue, float(np.mean(f1)))
    enough = [one for one, (untrue, _) in tried.items() if untrue <= _TOLD_UNTRUE * UNTRUE_SHARE]
    return max(enough or tried, key=lambda one: tried[one][1] if enough else -tried[one][0])


def claim_floor(part: Gathered, chance_R: Floats, event: float) -> float:
    """Return the highest floor of claims at which little of what is true is left out."""
    is_true_R = (part.true_R == 1) & part.is_supported_R & ~part.is_context_R
    may_omit = RESERVE * OMITTED_SHARE * is_true_R.sum()
    may_omit -= (is_true_R & part.is_deciding_R & (chance_R < event)).sum()
    true = np.sort(chance_R[is_true_R & ~part.is_deciding_R])
    if may_omit < 1 or not len(true):
        return 0.01
    return float(np.clip(true[min(int(may_omit), len(true) - 1)], 0.01, 0.99))


def told(part: Gathered, chance_R: Floats, floors: Floors) -> Bools:
    """Return which claims are told by floors, (R)."""
    floor_R = np.where(part.is_context_R, floors.context, floors.claim)
    floor_R = np.where(part.is_deciding_R, floors.hypothesis, floor_R)
    return np.asarray(part.is_supported_R & (chance_R >= floor_R))


def untrue_share(part: Gathered, told_R: Bools) -> float:
    """Return the share of what is told that is not true."""
    return float((told_R & (part.true_R == 0)).sum() / max(1, told_R.sum()))


def f1_of(part: Gathered, chance_R: Floats, event: float) -> float:
    """Return F1 of confirming what really happened."""
    said_E = np.zeros(len(part.real_E), np.bool_)
    is_told_R = part.is_alarming_R & part.is_supported_R & (chance_R >= event)
    said_E[part.example_R[is_told_R]] = True
    hits = int((said_E & part.real_E).sum())
    return 2 * hits / max(1, int(said_E.sum()) + int(part.real_E.sum()))


def _believed(network: ClaimNetwork, found: Sequence[Example]) -> list[Believed]:
    told: list[Believed] = []
    for first in range(0, len(found), _BATCH):
        part = found[first : first + _BATCH]
        with torch.inference_mode():
            answer = network(collate([one.prompt for one in part], [[]] * len(part)))
        odds_BC = answer.truth_BC.double().numpy()
        told += [
            Believed(
                claims_C=odds_C[: len(one.prompt.proposals)],
                real=real,
                program=log_odds(one.program_chance),
            )
            for one, odds_C, real in zip(part, odds_BC, answer.real_B.tolist(), strict=True)
        ]
    return told


def _grown(part: Gathered, own_R: Ints, growth: Growth) -> tuple[Trees, Floats]:
    """Return trees over some rows, and what trees that did not see its camera say of each row."""
    said_R = np.zeros(len(part.true_R))
    fold_R = part.fold_E[part.example_R]

    def grow(rows_R: Ints) -> Trees:
        return boosted(part.rows_RF[rows_R], part.true_R[rows_R] == 1, growth=growth, rising=RISING)

    for fold in range(FOLDS):
        trees = grow(own_R[fold_R[own_R] != fold])
        held = np.flatnonzero(fold_R == fold)
        said_R[held] = trees(part.rows_RF[held])
    return grow(own_R), said_R


def _paired(part: Gathered, trees_R: Floats) -> Floats:
    return np.asarray((trees_R + trees_R[part.pair_R]) / 2, np.float64)


def _shares(found: Gathered, event_R: Ints, real: Gathered) -> Floats:
    """Return how much each deciding row counts: recordings together as much as simulated ones."""
    count = int(real.is_deciding_R.sum())
    if not count:
        return np.full(len(event_R), 1 / len(event_R))
    return np.concatenate([np.full(len(event_R), 0.5 / len(event_R)), np.full(count, 0.5 / count)])


def _stack(numbers_RN: Floats, is_true_R: Bools, shares_R: Floats) -> dict[str, float]:
    """Return the weights of least log loss; who speaks for an event never speaks against it."""
    true_R = is_true_R.astype(np.float64)

    def loss(x: Floats) -> tuple[float, Floats]:
        odds_R = numbers_RN @ x[:-1] + x[-1]
        off_R = shares_R * (sigmoid(odds_R) - true_R)
        value = (shares_R * (np.logaddexp(0, odds_R) - true_R * odds_R)).sum()
        slope = np.append(numbers_RN.T @ off_R, off_R.sum()) + 2 * _RIDGE * np.append(x[:-1], 0)
        return float(value + _RIDGE * (x[:-1] ** 2).sum()), slope

    bounds = [(0.0, None)] * 3 + [(None, None)] * (len(STACKED) - 2)
    start = np.zeros(len(STACKED) + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return dict(zip((*STACKED, "shift"), map(float, found), strict=True))


def _finding(*parts: tuple[Gathered, Floats]) -> dict[str, float]:
    """Return how the likeliest event's log-odds become the finding's, parts counting the same."""
    odds, real, shares = [], [], []
    for part, odds_R in parts:
        best_E = np.full(len(part.real_E), -np.inf)
        np.maximum.at(best_E, part.example_R[part.is_main_R], odds_R[part.is_main_R])
        has_E = np.isfinite(best_E)
        odds += best_E[has_E].tolist()
        real += part.real_E[has_E].tolist()
        shares += [1 / max(1, has_E.sum())] * int(has_E.sum())
    found = calibrated(odds, real, shares=shares)
    return {"scale": found.scale, "shift": found.shift}
