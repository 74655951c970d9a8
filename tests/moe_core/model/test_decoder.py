"""The core reads a stream as well in parts as at once, and keeps its experts busy alike."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import ModelError
from moe_core.model.decoder import Core
from moe_core.model.experts import ExpertPath, Experts
from moe_core.model.mixture import Mixture
from moe_core.model.router import (
    LearnedRouter,
    balanced_table,
    family_table,
    load_of,
    max_violation,
)
from moe_core.model.shape import Attention, CoreShape, Gate, Routing
from tests.moe_core.model.shapes import SMALL

TOKENS = 60


def core() -> Core:
    torch.manual_seed(1)
    return Core(SMALL).eval()


def stream(count: int = TOKENS) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    ticks_BS = torch.randint(0, 4, (2, count)).cumsum(dim=1)
    return torch.randn(2, count, SMALL.width), ticks_BS, torch.randint(0, SMALL.types, (2, count))


@given(cuts=st.lists(st.integers(1, TOKENS - 1), max_size=6, unique=True))
@settings(max_examples=15)
def test_a_stream_read_in_parts_gives_the_same(cuts: list[int]) -> None:
    network = core()
    tokens, ticks, types = stream()
    whole = network(tokens, ticks, types).hidden_BSD
    state = network.begin()
    parts = []
    ends = [*sorted(cuts), TOKENS]
    for start, end in zip([0, *ends], ends, strict=False):
        at = slice(start, end)
        parts.append(network(tokens[:, at], ticks[:, at], types[:, at], state=state).hidden_BSD)

    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-4)
    assert state.seen == TOKENS


def test_no_token_sees_what_comes_after_it() -> None:
    network = core()
    tokens, ticks, types = stream()
    before = network(tokens, ticks, types).hidden_BSD
    changed = tokens.clone()
    changed[:, 40:] += 1

    after = network(changed, ticks, types).hidden_BSD

    assert torch.allclose(after[:, :40], before[:, :40], atol=1e-5)
    assert not torch.allclose(after[:, 40:], before[:, 40:], atol=1e-2)


def test_what_left_the_window_is_remembered_in_entries() -> None:
    """Tokens far back change what is said now, through layers that compress, and not without."""

    def change(shape: CoreShape) -> float:
        torch.manual_seed(1)
        network = Core(shape).eval()
        tokens, ticks, types = stream()
        changed = tokens.clone()
        changed[:, :8] += 1
        first, second = (network(one, ticks, types).hidden_BSD for one in (tokens, changed))
        return float((first - second).detach()[:, -1].abs().max())

    def of_one(kind: Attention) -> CoreShape:
        return replace(SMALL, attention=(kind,), routing=(Routing.LEARNED,))

    assert change(of_one(Attention.SLIDING)) == 0
    assert change(of_one(Attention.HEAVY)) > 1e-3


def test_only_differences_of_time_count() -> None:
    network = core()
    tokens, ticks, types = stream()

    now, later = (network(tokens, ticks + shift, types).hidden_BSD for shift in (0, 5000))

    assert torch.allclose(now, later, atol=2e-3)


def test_a_stream_s_memory_is_bounded_but_for_its_entries() -> None:
    network = core()
    tokens, ticks, types = stream()
    state = network.begin()
    for index in range(TOKENS):
        at = slice(index, index + 1)
        network(tokens[:, at], ticks[:, at], types[:, at], state=state)

    sliding, sparse, heavy = state.layers
    for layer in state.layers:
        assert layer.recent is not None
        assert layer.recent.shape[1] == SMALL.window - 1
    assert sliding.entries.entries is None
    assert sparse.entries.entries is not None
    assert sparse.entries.entries.shape[1] == TOKENS // SMALL.sparse_rate
    assert heavy.entries.entries is not None
    assert heavy.entries.entries.shape[1] == TOKENS // SMALL.heavy_rate


@pytest.mark.parametrize("count", [1, 7, 300])
def test_both_ways_to_compute_experts_agree(count: int) -> None:
    torch.manual_seed(0)
    experts = Experts(SMALL.width, SMALL.experts, SMALL.expert_width, limit=SMALL.limit)
    x_TD = torch.randn(count, SMALL.width)
    chosen_TK = torch.rand(count, SMALL.experts).topk(SMALL.active).indices
    weights_TK = torch.rand(count, SMALL.active)

    loop, grouped = (experts(x_TD, chosen_TK, weights_TK, path=path) for path in ExpertPath)

    assert torch.allclose(loop, grouped, atol=1e-5)


def test_both_ways_have_the_same_gradients() -> None:
    torch.manual_seed(0)
    experts = Experts(SMALL.width, SMALL.experts, SMALL.expert_width, limit=SMALL.limit)
    chosen_TK = torch.rand(40, SMALL.experts).topk(SMALL.active).indices
    gradients = []
    for path in ExpertPath:
        experts.zero_grad()
        torch.manual_seed(4)
        x_TD = torch.randn(40, SMALL.width, requires_grad=True)
        experts(x_TD, chosen_TK, torch.ones(40, SMALL.active), path=path).square().sum().backward()
        gradients.append([x_TD.grad, *(one.grad for one in experts.parameters())])

    for first, second in zip(*gradients, strict=True):
        assert first is not None
        assert second is not None
        assert torch.allclose(first, second, rtol=1e-3, atol=1e-3)


def test_the_bias_brings_unequal_loads_together() -> None:
    torch.manual_seed(0)
    router = LearnedRouter(SMALL.width, 8, 2, gate=Gate.SIGMOID)
    x_TD = torch.randn(2000, SMALL.width) + 0.7
    before = max_violation(load_of(router(x_TD)))
    for _ in range(400):
        router.rebalance(load_of(router(x_TD)), rate=1e-2)

    assert max_violation(load_of(router(x_TD))) < 0.2 < before
    assert float(router.bias_E.mean()) == pytest.approx(0, abs=1e-5)


def test_the_bias_chooses_and_does_not_weigh() -> None:
    torch.manual_seed(0)
    router = LearnedRouter(SMALL.width, 4, 4, gate=Gate.SIGMOID)
    x_TD = torch.randn(20, SMALL.width)
    plain = router(x_TD)
    router.bias_E += torch.tensor([3.0, -1.0, 0.0, 2.0])
    biased = router(x_TD)

    for one in (plain, biased):
        assert torch.allclose(one.weights_TK.sum(dim=1), torch.ones(20))
    order = biased.experts_TK.argsort(dim=1)
    plain_order = plain.experts_TK.argsort(dim=1)
    assert torch.allclose(
        biased.weights_TK.gather(1, order), plain.weights_TK.gather(1, plain_order)
    )


def test_a_table_by_type_is_balanced_by_its_making() -> None:
    table_YK = balanced_table(64, 16, 2)
    assert torch.bincount(table_YK.flatten()).tolist() == [8] * 16
    assert all(len(set(row.tolist())) == 2 for row in table_YK)


def test_frequent_types_share_their_experts_with_rare_ones() -> None:
    counts_Y = torch.tensor([100, 1, 40, 60, 3, 90, 55, 45])
    table_YK = balanced_table(8, 4, 2, counts_Y=counts_Y)
    load_E = torch.zeros(4).index_add(0, table_YK.flatten(), counts_Y.repeat_interleave(2).float())

    assert max_violation(load_E) < 0.05
    assert all(len(set(row.tolist())) == 2 for row in table_YK)


def test_each_family_has_experts_of_its_own_and_each_expert_as_many_families() -> None:
    torch.manual_seed(0)
    own_YE = family_table(17, 16, 2)

    assert own_YE.sum(dim=1).tolist() == [2] * 17
    assert own_YE[:16].sum(dim=0).tolist() == [2] * 16
    assert len({tuple(row.tolist()) for row in own_YE[:16]}) == 16


def test_types_that_are_unknown_or_missing_are_named() -> None:
    mixture = Mixture(SMALL, Routing.BY_TYPE)
    x_BSD = torch.randn(1, 3, SMALL.width)
    with pytest.raises(ModelError, match=r"must be in 0\.\.4, got 0\.\.5"):
        mixture(x_BSD, torch.tensor([[0, 5, 1]]))
    with pytest.raises(ModelError, match="types are missing"):
        mixture(x_BSD)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"active": 17}, r"active must be in 1\.\.16 \(experts\), got 17"),
        ({"rotary_width": 7}, "rotary_width must be even"),
        ({"routing": (Routing.LEARNED,)}, "attention names 6 layers, routing 1"),
        ({"index_width": 8}, r"index_width must be at least rotary_width \(32\), got 8"),
    ],
)
def test_impossible_shapes_are_refused(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        CoreShape(**changes)  # type: ignore[arg-type]  # on purpose


def test_the_default_shape_fits_in_what_may_ship() -> None:
    """At one byte a weight the file may have 60 MB."""
    total = sum(parameter.numel() for parameter in Core(CoreShape()).parameters())
    assert 8e6 < total < 60e6
