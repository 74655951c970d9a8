"""What experts have become: known cases of shared information, and routers left as they were."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moe_core.model.network import ClaimNetwork
from moe_core.training.losses import written
from moe_core.training.specialisation import (
    Ablation,
    ablations,
    losses_by_family,
    normalised_information,
    uses,
)
from tests.moe_core.cores import network_of
from tests.moe_core.model.shapes import TINY
from tests.moe_core.training.samples import examples


def test_experts_that_know_nothing_of_families_share_no_information() -> None:
    assert normalised_information(np.ones((4, 3))) == pytest.approx(0.0)
    assert normalised_information(np.outer([1, 2, 3], [5, 1])) == pytest.approx(0.0)


def test_an_expert_for_each_family_shares_all() -> None:
    assert normalised_information(np.eye(4)) == pytest.approx(1.0)
    assert normalised_information(np.diag([9.0, 1.0, 5.0])) == pytest.approx(1.0)


@pytest.mark.parametrize("counts", [np.zeros((3, 2)), np.ones((1, 1)), np.diag([1.0, 0.0])])
def test_where_there_is_nothing_to_know_nothing_is_shared(counts: np.ndarray) -> None:
    assert normalised_information(counts) == 0.0


@given(
    counts=st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=2, max_size=5)
)
def test_shared_information_is_a_share(counts: list[list[int]]) -> None:
    assert -1e-9 <= normalised_information(np.array(counts, np.float64)) <= 1 + 1e-9


def test_every_token_is_counted_once_for_each_expert_that_it_asks() -> None:
    tokens = sum(len(one.prompt.kinds_S) + 1 + len(written(one)) for one in examples())

    for use in uses(network_of(1), examples()):
        assert use.counts_EY.sum() == tokens * TINY.active
        assert 0 <= use.max_violation <= TINY.experts - 1
        asked = set(np.flatnonzero(use.counts_EY.sum(axis=0)))
        assert asked == {one.prompt.family for one in examples()}


def test_the_first_layer_goes_by_kinds_and_knows_few_families() -> None:
    assert uses(network_of(1), examples())[0].shared_information < 0.1


def state(network: ClaimNetwork) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def test_banning_experts_leaves_the_routers_as_they_were() -> None:
    network = network_of(1)
    before, losses = state(network), losses_by_family(network, examples())

    found = ablations(network, examples())

    assert {one.family for one in found} == set(losses)
    assert all(torch.equal(before[name], now) for name, now in state(network).items())
    assert losses_by_family(network, examples()) == losses


def test_one_family_alone_has_no_others() -> None:
    family = examples()[0].prompt.family
    own = [one for one in examples() if one.prompt.family == family]
    [found] = ablations(network_of(1), own)

    assert found.family == family
    assert found.others == 0.0


def test_selectivity_is_how_much_more_the_family_is_hurt() -> None:
    assert Ablation(family=0, own=0.3, others=0.1).selectivity == pytest.approx(3.0)
    assert Ablation(family=0, own=0.3, others=0.0).selectivity == pytest.approx(30.0)
