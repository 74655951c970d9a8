"""A chain that is read at once and one that is written step by step are answered alike."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from moe_core.decoding import may_follow, stands
from moe_core.model.batch import collate, role_kind
from moe_core.model.network import Answer, ClaimNetwork
from moe_core.tokens.prompt import Prompt
from moe_core.tokens.vocabulary import FAMILIES, Kind
from tests.moe_core.cores import INCIDENTS, network_of, prompt
from tests.moe_core.model.shapes import TINY

PROMPTS = {name: prompt(incident) for name, incident in INCIDENTS.items()}
NEAR_ENOUGH = 1e-4


def some_chain(found: Prompt, seed: int) -> list[int]:
    """A legal chain of about half of the proposals."""
    rng = np.random.default_rng(seed)
    chain: list[int] = []
    for index in range(len(found.proposals)):
        may_C = may_follow(found, chain, allowed_C=stands(found))
        if may_C[index] and rng.random() < 0.5:
            chain.append(index)
    return chain


def read(network: ClaimNetwork, found: Sequence[Prompt], chains: Sequence[list[int]]) -> Answer:
    with torch.inference_mode():
        answer: Answer = network(collate(found, chains))
    return answer


@given(seed=st.integers(0, 1000), name=st.sampled_from(list(PROMPTS)))
@settings(max_examples=10, deadline=None)
def test_a_chain_read_at_once_is_answered_as_one_that_is_written(seed: int, name: str) -> None:
    found, network = PROMPTS[name], network_of(seed)
    chain = some_chain(found, seed)
    whole = read(network, [found], [chain])

    stream = network.begin(collate([found], [[]]))
    assert torch.allclose(stream.truth_BC, whole.truth_BC, atol=NEAR_ENOUGH)
    assert torch.allclose(stream.real_B, whole.real_B, atol=NEAR_ENOUGH)
    for step, index in enumerate([*chain, -1]):
        next_BC = network.next_logits(stream)
        assert torch.allclose(next_BC, whole.next_BTC[:, step], atol=NEAR_ENOUGH)
        if index >= 0:
            kind = torch.tensor([role_kind(found, index)])
            network.write(stream, torch.tensor([index]), kind)


def test_who_else_is_in_the_batch_changes_nothing() -> None:
    network = network_of(7)
    names = ["zone", "half refuted", "fall", "line"]
    found = [PROMPTS[name] for name in names]
    chains = [some_chain(one, 3) for one in found]
    chains[1] = []
    together = read(network, found, chains)

    for row, (one, chain) in enumerate(zip(found, chains, strict=True)):
        alone = read(network, [one], [chain])
        count, steps = len(one.proposals), len(chain) + 1
        own = together.next_BTC[row, :steps]
        assert torch.allclose(own[:, :count], alone.next_BTC[0, :, :count], atol=NEAR_ENOUGH)
        assert torch.allclose(own[:, -1], alone.next_BTC[0, :, -1], atol=NEAR_ENOUGH)
        assert torch.isneginf(own[:, count:-1]).all()
        assert torch.allclose(together.truth_BC[row, :count], alone.truth_BC[0], atol=NEAR_ENOUGH)
        assert torch.allclose(together.real_B[row], alone.real_B[0], atol=NEAR_ENOUGH)


def test_padding_of_any_kind_changes_nothing() -> None:
    """Not even numbers in it that are larger than any."""
    network = network_of(8)
    batch = collate([PROMPTS["zone"], PROMPTS["half refuted"]], [[], [0, 1]])
    spoilt = replace(batch, features_BLF=batch.features_BLF.clone())
    spoilt.features_BLF[0, int(batch.lengths_B[0]) :] = 1e3
    with torch.inference_mode():
        before, after = network(batch), network(spoilt)

    assert torch.allclose(before.next_BTC[0], after.next_BTC[0], atol=NEAR_ENOUGH)
    assert torch.allclose(before.real_B[0], after.real_B[0], atol=NEAR_ENOUGH)


def test_what_was_not_written_is_not_seen() -> None:
    """What is answered at a step rests on the chain up to it, not on what comes after."""
    network, found = network_of(9), PROMPTS["near"]
    chain = some_chain(found, 1)
    whole, half = read(network, [found], [chain]), read(network, [found], [chain[:2]])

    assert len(chain) > 3
    assert torch.allclose(whole.next_BTC[:, :3], half.next_BTC, atol=NEAR_ENOUGH)


def test_the_family_of_the_rule_counts() -> None:
    network, found = network_of(10), PROMPTS["zone"]
    other = replace(found, family=(found.family + 1) % len(FAMILIES))

    assert not torch.allclose(
        read(network, [found], [[]]).real_B, read(network, [other], [[]]).real_B, atol=1e-5
    )


def test_a_layer_that_is_not_told_families_ignores_them() -> None:
    torch.manual_seed(0)
    network = ClaimNetwork(replace(TINY, families=0)).eval()
    found = PROMPTS["zone"]
    other = replace(found, family=(found.family + 1) % len(FAMILIES))

    assert torch.equal(read(network, [found], [[]]).real_B, read(network, [other], [[]]).real_B)


def test_dropout_is_for_training_only() -> None:
    network, found = network_of(11), PROMPTS["zone"]
    calm = read(network, [found], [[]]).real_B
    assert torch.equal(calm, read(network, [found], [[]]).real_B)

    network.train()
    assert not torch.equal(calm, read(network, [found], [[]]).real_B)


def test_every_part_of_the_network_learns() -> None:
    torch.manual_seed(0)
    network = ClaimNetwork(TINY)
    found = list(PROMPTS.values())
    answer = network(collate(found, [some_chain(one, 2) for one in found]))
    (answer.next_BTC[torch.isfinite(answer.next_BTC)].square().mean()
     + answer.truth_BC.square().mean() + answer.real_B.square().mean()).backward()  # fmt: skip
    still = [name for name, one in network.named_parameters() if one.grad is None]

    # Which entries are looked at is a choice, through which no gradient passes.
    assert [name for name in still if ".indexer." not in name] == []


@pytest.mark.parametrize("name", PROMPTS)
def test_a_batch_lays_out_what_is_read_then_what_was_written(name: str) -> None:
    found = PROMPTS[name]
    chain, read_count = some_chain(found, 4), len(found.kinds_S)
    batch = collate([found, PROMPTS["near"]], [chain, some_chain(PROMPTS["near"], 4)])
    kinds = batch.tables_BL5[0, :, 0].tolist()
    length = int(batch.lengths_B[0])

    assert length == read_count + 1 + len(chain)
    assert kinds[:read_count] == list(found.kinds_S)
    assert kinds[read_count] == Kind.THINK
    assert kinds[read_count + 1 : length] == [role_kind(found, index) for index in chain]
    assert batch.written_BL[0, read_count + 1 : length].tolist() == chain
    assert (batch.written_BL[0, : read_count + 1] == -1).all()
    assert (batch.ticks_BL.diff(dim=1) >= 0).all()
    assert batch.asks_BT[0, : len(chain) + 1].tolist() == list(range(read_count, length))
    assert int(batch.asks_BT.max()) < batch.tables_BL5.shape[1]
    assert int(batch.is_proposal_BC[0].sum()) == len(found.proposals)


def test_a_batch_can_be_moved_whole() -> None:
    batch = collate([PROMPTS["zone"]], [[0]])

    assert all(
        torch.equal(getattr(batch.to("cpu"), name), getattr(batch, name))
        for name in type(batch).__dataclass_fields__
    )
