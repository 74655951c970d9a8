"""Writes a chain with the trained core: nothing that breaks the grammar can be chosen.

What may follow is masked before the core is asked: proposals stand in the order of a chain and none
is written twice, a hypothesis needs its deciding claim, what checking did not support is left out
(but a rule's statement that measurement contradicts is shown as such). The rest is its choice.

All claims are decided at once, each by what the core thinks of its truth after reading the
incident; the floors say from where on it is told. ``decode_stepwise`` writes one claim after the
other by pointing at the next. It is slower, and on cameras that were not trained on it wrote more
that was untrue and left more out, so it serves as the reference in measurements.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import torch

from contracts.errors import ModelError
from contracts.reasoning import ClaimRole, ClaimStatus
from moe_core.claims import COULD_BE, MEETS_RULE
from moe_core.hypotheses import ALARMING
from moe_core.model.batch import collate, role_kind
from moe_core.model.network import ClaimNetwork
from moe_core.model.router import Routed
from moe_core.tokens.prompt import Prompt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_DECIDING: Final = frozenset({MEETS_RULE, *ALARMING.values()})
"""What stands or falls with the event; the verdict rests on it."""
CONTEXT: Final = frozenset(
    {"alone", "entered_from", "hour", "kind_unknown", "near", "others_present"}
)
"""Predicates that tell the surroundings; no hypothesis and no verdict cites them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """What the core must think of a claim's truth at least (0..1) to write it.

    Fitted after training, so that of what is written no more than a stated share is untrue.
    ``hypothesis`` is for the event itself: that a rule's condition held, and that it is what the
    rule looks for. ``context`` is for the surroundings (``CONTEXT``), of which nothing is missed.
    """

    claim: float = 0.5
    hypothesis: float = 0.5
    context: float = 0.5

    def of(self, predicate: str) -> float:
        """Return the floor of claims with a predicate."""
        if predicate in _DECIDING:
            return self.hypothesis
        return self.context if predicate in CONTEXT else self.claim


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Written:
    """A chain as the core wrote it.

    Attributes:
        chain: Indices of the proposals, in order.
        truth_C: What is thought of each proposal's truth, 0..1: by the core, uncalibrated, or by
            its trust where it has one.
        real_logit: That what the rule looks for really happened.
        chance: The same as a chance, where trust judged it.
        odds_C: What the core itself believes of each proposal's truth, in log-odds; empty where it
            wrote claim by claim.
        passes: How often the network was asked.
        routed: Who spoke in the last reading, by layer.
    """

    chain: tuple[int, ...]
    truth_C: Floats
    real_logit: float
    passes: int
    routed: tuple[Routed, ...] = field(default=())
    chance: float | None = None
    odds_C: Floats = field(default_factory=lambda: np.zeros(0))


class Verdict(Protocol):
    """What trust thinks of an incident: chances of its proposals, and of its event if any."""

    @property
    def chances_C(self) -> Floats:
        """That each proposal is true, 0..1."""
        ...

    @property
    def chance(self) -> float | None:
        """That what the incident is about really happened."""
        ...


def may_follow(prompt: Prompt, chain: Sequence[int], *, allowed_C: Bools) -> Bools:
    """Return which proposals the grammar lets follow a chain, (C)."""
    may_C = allowed_C.copy()
    if chain:
        may_C[: chain[-1] + 1] = False
    needs_C = prompt.proposals.needs_C
    written = np.zeros(len(needs_C) + 1, np.bool_)
    written[list(chain)] = True
    may_C &= (needs_C < 0) | written[needs_C]
    return may_C


def stands(prompt: Prompt) -> Bools:
    """Return which proposals checking lets be written at all, (C)."""
    return np.array(
        [
            claim.status is ClaimStatus.SUPPORTED
            or (claim.predicate == MEETS_RULE and claim.status is ClaimStatus.CONTRADICTED)
            for claim in prompt.proposals.claims
        ],
        np.bool_,
    )


def draft_of(prompt: Prompt, truth_C: Floats, *, floors: Floors) -> list[int]:
    """Return the chain of all that the core thinks true enough, as the grammar allows."""
    allowed_C = stands(prompt) & _is_believed(prompt, truth_C, floors)
    return _legal(prompt, [int(index) for index in np.flatnonzero(allowed_C)], allowed_C)


def decode(
    network: ClaimNetwork,
    prompt: Prompt,
    *,
    floors: Floors | None = None,
    is_late: Callable[[], bool] = lambda: False,
    trusts: Callable[[Floats, float], Verdict] | None = None,
) -> Written:
    """Write the chain of one incident, all claims at once.

    Args:
        network: To ask.
        prompt: What is read.
        floors: What must be thought of a claim to write it.
        trusts: Judges what the network thinks of each proposal and of the event, in log-odds.
        is_late: Asked before and after the reading; True gives up.

    Raises:
        ModelError: The network's answer is no number.
        TimeoutError: It was late.
    """
    if is_late():
        raise TimeoutError
    with torch.inference_mode():
        answer = network(collate([prompt], [[]]))
    odds_C = _numbers(answer.truth_BC[0])[: len(prompt.proposals)]
    real = float(_numbers(answer.real_B)[0])
    judged = None if trusts is None else trusts(odds_C, real)
    truth_C = sigmoid(odds_C) if judged is None else judged.chances_C
    if is_late():
        raise TimeoutError
    return Written(
        chain=tuple(draft_of(prompt, truth_C, floors=floors or Floors())),
        truth_C=truth_C,
        real_logit=real,
        passes=1,
        routed=answer.routed,
        chance=None if judged is None else judged.chance,
        odds_C=odds_C,
    )


def decode_stepwise(
    network: ClaimNetwork,
    prompt: Prompt,
    *,
    floors: Floors | None = None,
    is_late: Callable[[], bool] = lambda: False,
) -> Written:
    """Write the chain of one incident claim by claim.

    Raises:
        ModelError: The network's answer is no number.
        TimeoutError: It was late before a claim.
    """
    floors = floors or Floors()
    stream = network.begin(collate([prompt], [[]]))
    truth_C = sigmoid(_numbers(stream.truth_BC[0]))[: len(prompt.proposals)]
    allowed_C = stands(prompt) & _is_believed(prompt, truth_C, floors)
    chain: list[int] = []
    while True:
        if is_late():
            raise TimeoutError
        best = _best(prompt, chain, _numbers(network.next_logits(stream)[0]), allowed_C)
        if best < 0:
            break
        chain.append(best)
        network.write(stream, torch.tensor([best]), torch.tensor([role_kind(prompt, best)]))
    real = float(_numbers(stream.real_B)[0])
    return Written(
        chain=tuple(chain), truth_C=truth_C, real_logit=real, passes=len(chain) + 1,
        routed=stream.routed[-1],
    )  # fmt: skip


def _is_believed(prompt: Prompt, truth_C: Floats, floors: Floors) -> Bools:
    """Return which proposals the core thinks true enough; refuted statements stand as refuted."""
    floor_C = np.array([floors.of(claim.predicate) for claim in prompt.proposals.claims])
    is_refuted_C = np.array(
        [claim.status is ClaimStatus.CONTRADICTED for claim in prompt.proposals.claims], np.bool_
    )
    return (truth_C >= floor_C) | is_refuted_C


def _legal(prompt: Prompt, wanted: Sequence[int], allowed_C: Bools) -> list[int]:
    """Return the wanted chain without what the grammar refuses."""
    chain: list[int] = []
    for index in wanted:
        if may_follow(prompt, chain, allowed_C=allowed_C)[index]:
            chain.append(index)
    return chain


def _best(prompt: Prompt, chain: Sequence[int], logits: Floats, allowed_C: Bools) -> int:
    """Return the proposal that the core would write next; -1 for the end."""
    count = len(prompt.proposals)
    may_C = may_follow(prompt, chain, allowed_C=allowed_C)
    points_C = np.where(may_C, logits[:count], -np.inf)
    best = int(points_C.argmax()) if count else -1
    return best if count and points_C[best] > logits[-1] else -1


def _numbers(x: torch.Tensor) -> Floats:
    found: Floats = x.double().numpy()
    if np.isnan(found).any():
        raise ModelError("the core answered with what is no number")
    return found


def sigmoid(logits: Floats | float) -> Floats:
    """Return chances, 0..1, from log-odds of any shape."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))), np.float64)


def dangling(prompt: Prompt, chain: Sequence[int]) -> set[int]:
    """Return hypotheses of a benign cause of whose counter-claims none was written."""
    written = {prompt.proposals.claims[index].claim_id for index in chain}
    found = set()
    for index in chain:
        claim = prompt.proposals.claims[index]
        is_benign = claim.role is ClaimRole.HYPOTHESIS and claim.predicate == COULD_BE
        if is_benign and not written.intersection(claim.evidence):
            found.add(index)
    return found
