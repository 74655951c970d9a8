"""What a core may write: whatever its weights are, it breaks no grammar."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import ModelError
from contracts.reasoning import ClaimStatus
from moe_core.claims import COULD_BE, MEETS_RULE, ROLE_ORDER
from moe_core.decoding import (
    Floors,
    dangling,
    decode,
    decode_stepwise,
    draft_of,
    may_follow,
    stands,
)
from moe_core.hypotheses import ALARMING
from moe_core.model.network import ClaimNetwork
from moe_core.tokens.prompt import Prompt
from tests.moe_core.cores import INCIDENTS, OPEN, network_of, prompt

PROMPTS = {name: prompt(incident) for name, incident in INCIDENTS.items()}
seeds = st.integers(0, 10_000)
names = st.sampled_from(list(PROMPTS))


def assert_is_legal(found: Prompt, chain: Sequence[int]) -> None:
    claims = [found.proposals.claims[index] for index in chain]
    assert list(chain) == sorted(set(chain))
    ranks = [ROLE_ORDER.index(claim.role) for claim in claims]
    assert ranks == sorted(ranks)
    for index, claim in zip(chain, claims, strict=True):
        is_refuted = claim.predicate == MEETS_RULE and claim.status is ClaimStatus.CONTRADICTED
        assert claim.status is ClaimStatus.SUPPORTED or is_refuted
        if claim.predicate in ALARMING.values():
            assert found.proposals.needs_C[index] in chain


def place_of(found: Prompt, predicate: str) -> int:
    return next(
        index for index, one in enumerate(found.proposals.claims) if one.predicate == predicate
    )


@given(seed=seeds, name=names, ends_late=st.booleans(), floor=st.sampled_from([0.0, 0.4, 0.5]))
@settings(max_examples=25, deadline=None)
def test_no_network_breaks_the_grammar(seed: int, name: str, ends_late: bool, floor: float) -> None:
    network = network_of(seed, ends_late=ends_late)
    floors = Floors(claim=floor, hypothesis=floor, context=floor)

    at_once = decode(network, PROMPTS[name], floors=floors)
    stepped = decode_stepwise(network, PROMPTS[name], floors=floors)

    assert list(at_once.chain) == draft_of(PROMPTS[name], at_once.truth_C, floors=floors)
    assert set(stepped.chain) <= set(at_once.chain)
    assert at_once.real_logit == pytest.approx(stepped.real_logit, abs=1e-3)
    assert np.allclose(at_once.truth_C, stepped.truth_C, atol=1e-4)
    for written in (at_once, stepped):
        assert_is_legal(PROMPTS[name], written.chain)


@given(seed=seeds, name=names)
@settings(max_examples=12, deadline=None)
def test_what_is_believed_less_than_the_floor_is_not_written(seed: int, name: str) -> None:
    found = PROMPTS[name]
    written = decode(network_of(seed, ends_late=True), found, floors=Floors())

    for index in written.chain:
        claim = found.proposals.claims[index]
        assert written.truth_C[index] >= 0.5 or claim.status is ClaimStatus.CONTRADICTED


def test_some_networks_write_much_and_some_nothing() -> None:
    """The property tests above look at chains of every length."""
    counts = {
        len(write(network_of(seed, ends_late=seed % 2 == 0), PROMPTS["near"]).chain)
        for seed in range(24)
        for write in (decode, decode_stepwise)
    }

    assert min(counts) == 0
    assert max(counts) >= 4


def test_a_floor_that_nothing_reaches_leaves_nothing_to_write() -> None:
    written = decode(
        network_of(1), PROMPTS["zone"], floors=Floors(claim=1.1, hypothesis=1.1, context=1.1)
    )

    assert written.chain == ()
    assert written.passes == 1


def test_a_refuted_statement_may_be_told_whatever_is_thought_of_it() -> None:
    network = network_of(1)
    network.end.bias.sub_(100)
    found = PROMPTS["refuted"]
    written = decode(network, found, floors=Floors(claim=1.1, hypothesis=1.1, context=1.1))

    assert written.chain == (place_of(found, MEETS_RULE),)


@pytest.mark.parametrize("incident", INCIDENTS.values(), ids=INCIDENTS)
def test_the_grammar_lets_nothing_follow_that_stands_before(incident: object) -> None:
    found = prompt(incident)  # type: ignore[arg-type]  # an incident
    all_C = np.ones(len(found.proposals), np.bool_)

    for index in range(len(found.proposals)):
        assert not may_follow(found, [index], allowed_C=all_C)[: index + 1].any()


def test_a_hypothesis_may_follow_its_deciding_claim_alone() -> None:
    found = PROMPTS["half refuted"]
    all_C = np.ones(len(found.proposals), np.bool_)
    hypotheses = np.flatnonzero(found.proposals.needs_C >= 0)
    first, second = found.proposals.needs_C[hypotheses]

    assert len(hypotheses) == 2
    assert first != second
    assert not may_follow(found, [], allowed_C=all_C)[hypotheses].any()
    assert list(may_follow(found, [int(first)], allowed_C=all_C)[hypotheses]) == [True, False]
    assert list(may_follow(found, [int(second)], allowed_C=all_C)[hypotheses]) == [False, True]


def test_of_what_checking_did_not_support_only_refuted_statements_stand() -> None:
    found = PROMPTS["refuted"]
    claims = found.proposals.claims
    lost = {claim.predicate for claim, may in zip(claims, stands(found), strict=True) if not may}

    assert stands(found)[place_of(found, MEETS_RULE)]
    assert "is_intrusion" in lost
    assert MEETS_RULE not in lost


def test_a_benign_cause_dangles_without_its_counter_claims() -> None:
    found = PROMPTS["dim"]
    cause, counter = place_of(found, COULD_BE), place_of(found, "perhaps_light_change")

    assert dangling(found, [cause]) == {cause}
    assert dangling(found, [cause, counter]) == set()
    assert dangling(found, [counter]) == set()


def spoiled(name: str) -> ClaimNetwork:
    network = network_of(1)
    dict(network.named_parameters())[name].data.fill_(math.nan)
    return network


@pytest.mark.parametrize(
    "name",
    ["truth.2.bias", "real.2.bias", "numbers.enter.weight", "core.norm.weight",
     "core.layers.1.mixture.router.weight"],
)  # fmt: skip
def test_an_answer_that_is_no_number_is_an_error(name: str) -> None:
    network = spoiled(name)

    for write in (decode, decode_stepwise):
        with pytest.raises(ModelError, match="no number"):
            write(network, PROMPTS["zone"], floors=OPEN)


@pytest.mark.parametrize("name", ["end.bias", "query.weight"])
def test_pointing_that_is_no_number_is_an_error(name: str) -> None:
    with pytest.raises(ModelError, match="no number"):
        decode_stepwise(spoiled(name), PROMPTS["zone"], floors=OPEN)


def test_a_core_that_is_late_is_given_up_at_once() -> None:
    with pytest.raises(TimeoutError):
        decode(network_of(1), PROMPTS["zone"], is_late=lambda: True)


def test_a_core_that_gets_late_is_given_up() -> None:
    asked = 0

    def is_late() -> bool:
        nonlocal asked
        asked += 1
        return asked > 1

    for write in (decode, decode_stepwise):
        asked = 0
        with pytest.raises(TimeoutError):
            write(network_of(2, ends_late=True), PROMPTS["near"], floors=OPEN, is_late=is_late)


def test_writing_leaves_the_network_as_it_was() -> None:
    network = network_of(3, ends_late=True)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    decode(network, PROMPTS["near"])

    assert all(torch.equal(before[name], now) for name, now in network.state_dict().items())
    assert torch.is_grad_enabled()
