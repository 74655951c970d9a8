"""What the core learns from: a prompt, the chain that an all-knowing writer would have written.

Shape legend: C = proposals, S = tokens.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from contracts.incidents import Incident
from moe_core.checkers.case import Case
from moe_core.claims import MEETS_RULE
from moe_core.confidence import confidence_of
from moe_core.core_chain import drafted
from moe_core.decoding import may_follow, stands
from moe_core.hypotheses import ALARMING
from moe_core.tokens.prompt import Prompt, prompt_of
from moe_core.tokens.vocabulary import FAMILIES, SLOTS
from moe_core.training.judge import Judge
from moe_core.training.world.truth import Truth

UNKNOWN = -1
"""Of a claim whose truth nobody knows: recordings are labelled by event, not by claim."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """One incident to learn from.

    Attributes:
        prompt: What is read.
        chain: Indices of the proposals that are true and stand, in order; where only the event is
            labelled, of those that may be.
        true_C: 1 or 0 for each proposal, ``UNKNOWN`` where nobody knows.
        is_real: Whether what the rule looks for really happened.
        site: Number of the camera.
        family: What kind of scene it is.
        program_chance: The program's confidence in the same incident.
        is_known: Whether the truth of every claim is known, not only of the event.
        read: The chain that is read in training if it is not ``chain``: one with faults, as a core
            that errs writes it.
    """

    prompt: Prompt
    chain: tuple[int, ...]
    true_C: npt.NDArray[np.int64]
    is_real: bool
    site: int
    family: str
    program_chance: float
    is_known: bool = True
    read: tuple[int, ...] | None = None

    @property
    def kind(self) -> str:
        """The rule kind that the incident is of."""
        return str(FAMILIES[self.prompt.family])


def example_of(incident: Incident, truth: Truth) -> Example:
    """Return what is to be learnt from one incident whose truth is known."""
    case = Case(incident)
    draft = drafted(case)
    prompt = prompt_of(case, draft)
    true_C = np.array(Judge(incident, truth).judge(draft), np.int64)
    return Example(
        prompt=prompt,
        chain=told(prompt, true_C),
        true_C=true_C,
        is_real=truth.is_real,
        site=truth.site,
        family=truth.family,
        program_chance=confidence_of(case, draft),
    )


def told(prompt: Prompt, true_C: npt.NDArray[np.int64]) -> tuple[int, ...]:
    """Return the chain of all that is true and stands; refuted statements stand as refuted."""
    allowed_C = stands(prompt)
    chain: list[int] = []
    for index in np.flatnonzero(allowed_C):
        claim = prompt.proposals.claims[index]
        is_refuted = claim.predicate == MEETS_RULE and prompt.proposals.statuses_C[index] != 0
        if not (true_C[index] == 1 or is_refuted):
            continue
        if may_follow(prompt, chain, allowed_C=allowed_C)[index]:
            chain.append(int(index))
    return tuple(chain)


def labelled(incident: Incident, *, is_real: bool, site: int, family: str) -> Example:
    """Return an incident of a recording of which only the event is known.

    Its deciding claim and its hypothesis are as true as the event; nobody knows of the others.
    """
    case = Case(incident)
    draft = drafted(case)
    prompt = prompt_of(case, draft)
    deciding = {MEETS_RULE, *ALARMING.values()}
    true_C = np.array(
        [int(is_real) if claim.predicate in deciding else UNKNOWN for claim in draft], np.int64
    )
    return Example(
        prompt=prompt,
        chain=told(prompt, np.abs(true_C)),
        true_C=true_C,
        is_real=is_real,
        site=site,
        family=family,
        program_chance=confidence_of(case, draft),
        is_known=False,
    )


def shuffled(
    example: Example,
    rng: np.random.Generator,
    *,
    noise: float,
    lost: float = 0.0,
    faults: float = 0.0,
) -> Example:
    """Return the example with its tracks in other slots and its numbers a little off.

    Slots are names, not ranks: nothing may be learnt from their order.

    Args:
        example: Is left as it is.
        rng: To draw from.
        noise: Standard deviation of each feature, relative.
        lost: Share of the tokens that nothing rests on that are not read.
        faults: Share of the claims that stand in the chain and should not, or the other way round.
    """
    order = np.concatenate([[0], 1 + rng.permutation(SLOTS - 2), [SLOTS - 1]])
    prompt = _thinned(example.prompt, rng, lost)
    claims = prompt.proposals
    bent = prompt.features_SF * (1 + noise * rng.standard_normal(prompt.features_SF.shape))
    bent_C = claims.features_CF * (1 + noise * rng.standard_normal(claims.features_CF.shape))
    fresh = replace(
        prompt,
        slots_S=order[prompt.slots_S],
        targets_S=order[prompt.targets_S],
        features_SF=bent.astype(np.float32),
        proposals=replace(
            claims, slots_C=order[claims.slots_C], features_CF=bent_C.astype(np.float32)
        ),
    )
    return replace(example, prompt=fresh, read=_with_faults(example, rng, faults))


def _with_faults(example: Example, rng: np.random.Generator, share: float) -> tuple[int, ...]:
    """Return the chain with some claims left out and some written that are not true."""
    true_C = np.zeros(len(example.true_C), np.int64)
    true_C[list(example.chain)] = 1
    return told(example.prompt, np.where(rng.random(len(true_C)) < share, 1 - true_C, true_C))


def _thinned(prompt: Prompt, rng: np.random.Generator, lost: float) -> Prompt:
    """Return the prompt without some of the tokens that no proposal points at."""
    count = len(prompt.kinds_S)
    keeps_S = rng.random(count) >= lost
    keeps_S[prompt.proposals.tokens_C] = True
    keeps_S[0] = True
    place_S = np.cumsum(keeps_S) - 1
    return replace(
        prompt,
        **{
            name: getattr(prompt, name)[keeps_S]
            for name in ("kinds_S", "names_S", "words_S", "slots_S", "targets_S", "features_SF",
                         "ticks_S")
        },
        proposals=replace(prompt.proposals, tokens_C=place_S[prompt.proposals.tokens_C]),
    )  # fmt: skip
