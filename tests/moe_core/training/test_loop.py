"""Training: the loss falls, a run that was cut goes on, experts stay busy."""

import math
from pathlib import Path

import pytest
import torch

from contracts.errors import ConfigError, ModelError
from moe_core.model.batch import collate
from moe_core.model.network import ClaimNetwork
from moe_core.model.router import LearnedRouter, Routed, max_violation
from moe_core.training.checkpoint import Progress, progress_of
from moe_core.training.loop import (
    BEST,
    CHECKPOINT,
    LOAD_MEMORY,
    WARM_UP,
    Plan,
    Running,
    loads,
    optimizer_of,
    schedule,
    share_out,
    train,
)
from moe_core.training.losses import losses_of, targets_of, written
from tests.moe_core.model.shapes import TINY
from tests.moe_core.training.samples import examples

# The rate rises over so long a run that it hardly does while a test looks on.
PLAN = Plan(minutes=1e4, total_minutes=1e4, batch=4, rate=0.2, checkpoint_every_s=0.0,
            report_every=5)  # fmt: skip


class Enough(Exception):  # noqa: N818  # a signal, no fault
    """Ends a run after its checkpoint, as a power cut does."""


def untrained() -> ClaimNetwork:
    torch.manual_seed(0)
    return ClaimNetwork(TINY)


def run(network: ClaimNetwork, folder: Path, *, steps: int, plan: Plan = PLAN) -> list[str]:
    """Train up to a step; return what was told."""
    said: list[str] = []

    def look(step: int, _mean: ClaimNetwork) -> float:
        if step >= steps:
            raise Enough
        return 1.0

    with pytest.raises(Enough):
        train(network, examples(), plan=plan, folder=folder, say=said.append, look=look)
    return said


def loss(network: ClaimNetwork) -> float:
    found = examples()
    with torch.inference_mode():
        answer = network.eval()(collate([one.prompt for one in found], [*map(written, found)]))
    return float(losses_of(answer, targets_of(found)).total)


def test_the_loss_falls(tmp_path: Path) -> None:
    network = untrained()
    before = loss(network)

    said = run(network, tmp_path, steps=80)

    assert loss(network) < 0.7 * before
    assert len(said) == 16
    assert said[0].startswith("step 5, ")
    assert "MaxVio" in said[0]


def test_a_run_that_was_cut_goes_on_where_it_was(tmp_path: Path) -> None:
    first, second = untrained(), untrained()
    run(first, tmp_path, steps=3)
    before = loss(first)

    done = train(second, examples(), plan=Plan(minutes=0.0, total_minutes=1e4, batch=4),
                 folder=tmp_path, say=print)  # fmt: skip
    assert done.step == 3
    assert loss(second) == pytest.approx(before)
    assert done.tokens > 0

    run(second, tmp_path, steps=5)
    assert loss(second) != pytest.approx(before)


def test_a_run_that_is_over_stays_over(tmp_path: Path) -> None:
    plan = Plan(minutes=1e4, total_minutes=1e-9, batch=4)
    done = train(untrained(), examples(), plan=plan, folder=tmp_path, say=print)

    assert done.step == 0
    assert (tmp_path / CHECKPOINT).is_file()


def test_a_trained_network_is_left_ready_to_be_asked(tmp_path: Path) -> None:
    network = untrained()
    train(network, examples(), plan=Plan(minutes=0.0, total_minutes=1.0, batch=4),
          folder=tmp_path / "new", say=print)  # fmt: skip

    assert not network.training


def test_the_checkpoint_that_did_best_is_kept_over_later_ones_and_runs(tmp_path: Path) -> None:
    def trained(*answers: float) -> None:
        left = iter(answers)

        def look(_step: int, _mean: ClaimNetwork) -> float:
            answer = next(left, None)
            if answer is None:
                raise Enough
            return answer

        with pytest.raises(Enough):
            train(untrained(), examples(), plan=PLAN, folder=tmp_path, say=print, look=look)

    trained(0.9, 0.5, 0.7)
    kept = progress_of(tmp_path / BEST)
    assert (kept.step, kept.best) == (2, 0.5)
    trained(0.6)
    assert progress_of(tmp_path / BEST) == kept
    trained(0.4)
    assert progress_of(tmp_path / BEST).step > 2
    assert progress_of(tmp_path / BEST).best == 0.4


def test_fewer_examples_than_a_batch_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="2 examples are fewer than one batch of 4"):
        train(untrained(), examples()[:2], plan=PLAN, folder=tmp_path, say=print)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    network = untrained()
    dict(network.named_parameters())["real.0.weight"].data.fill_(math.nan)

    with pytest.raises(ModelError, match="lower rate"):
        train(network, examples(), plan=PLAN, folder=tmp_path, say=print)
    assert not (tmp_path / CHECKPOINT).exists()


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b"\x08\x00\x00\x00nothing")

    with pytest.raises(ConfigError, match=CHECKPOINT):
        train(untrained(), examples(), plan=PLAN, folder=tmp_path, say=print)


def test_the_rate_rises_then_falls_and_is_never_nothing() -> None:
    shares = [index / 200 for index in range(201)]
    rates = [schedule(share) for share in shares]
    top = rates.index(max(rates))

    assert all(0 < rate <= 1 for rate in rates)
    assert shares[top] == pytest.approx(WARM_UP)
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert schedule(5.0) == pytest.approx(0.02)


def test_every_parameter_is_learnt_once_and_only_matrices_decay() -> None:
    network = untrained()
    groups = optimizer_of(network, rate=1.0).param_groups
    chosen = [id(one) for group in groups for one in group["params"]]

    assert sorted(chosen) == sorted(map(id, network.parameters()))
    assert all(one.ndim > 1 for group in groups if group["weight_decay"] for one in group["params"])
    routers = {id(one) for layer in network.core.layers
               for one in layer.mixture.router.parameters()}  # type: ignore[union-attr]  # a ModuleList of Layers  # fmt: skip
    slow = {id(one) for group in groups if group["share"] < 1 for one in group["params"]}
    assert slow == routers


def test_loads_run_over_several_steps() -> None:
    running = Running()
    for _ in range(50):
        running.take([torch.tensor([8, 0])])
    [load_E] = running.take([torch.tensor([0, 8])])

    assert load_E.tolist() == pytest.approx([8 * LOAD_MEMORY, 8 * (1 - LOAD_MEMORY)])


def test_types_are_shared_out_by_how_frequent_they_are() -> None:
    network = untrained()
    share_out(network, examples())
    batch = collate([one.prompt for one in examples()], [*map(written, examples())])
    with torch.inference_mode():
        routed = network.eval()(batch).routed
    first_E, *_ = loads(routed, batch.lengths_B, batch.ticks_BL.shape[1])

    assert max_violation(first_E) < 0.3


def test_padding_asks_no_expert() -> None:
    experts_TK = torch.tensor([[0, 1], [0, 2], [3, 3], [1, 2], [3, 3], [3, 3]])
    who = Routed(experts_TK, torch.ones(6, 2), torch.zeros(6, 4))

    [load_E] = loads((who,), torch.tensor([2, 1]), 3)

    assert load_E.tolist() == [2, 2, 2, 0]


def test_training_moves_the_biases_of_learned_routers_only(tmp_path: Path) -> None:
    network = untrained()
    run(network, tmp_path, steps=3)

    for layer in network.core.layers:
        router = layer.mixture.router  # type: ignore[union-attr]  # a ModuleList of Layers
        if isinstance(router, LearnedRouter):
            assert router.bias_E.abs().sum() > 0
            assert abs(float(router.bias_E.mean())) < 1e-6


def test_progress_is_told_by_name() -> None:
    assert Progress() == Progress(step=0, tokens=0, elapsed_s=0.0)
