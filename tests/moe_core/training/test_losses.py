"""The loss: nothing for a perfect answer, and nobody is asked what nobody knows."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from moe_core.model.network import Answer
from moe_core.training.examples import UNKNOWN, Example, example_of, labelled
from moe_core.training.losses import Targets, losses_of, targets_of, written
from tests.moe_core.checking import FALL, NEAR, ZONE
from tests.moe_core.training.samples import truth_about

SURE = 40.0
TWO = (
    example_of(NEAR, truth_about(NEAR)),
    example_of(FALL, truth_about(FALL, is_real=False)),
)
RECORDED = labelled(ZONE, is_real=True, site=-1, family="yard")


def perfect(found: Sequence[Example]) -> Answer:
    """What an all-knowing core answers."""
    targets = targets_of(found)
    rows, steps, columns = targets.may_BTC.shape
    next_BTC = torch.full((rows, steps, columns), -SURE)
    wanted = targets.next_BT.clamp(min=0)
    next_BTC.scatter_(2, wanted[..., None], SURE)
    sign_B = 2 * targets.real_B - 1
    return Answer(
        next_BTC=next_BTC,
        truth_BC=SURE * (2.0 * (targets.truth_BC == 1) - 1),
        real_B=SURE * sign_B,
        routed=(),
    )


def total(answer: Answer, targets: Targets) -> float:
    return float(losses_of(answer, targets).total)


def test_a_perfect_answer_costs_nothing() -> None:
    assert total(perfect(TWO), targets_of(TWO)) < 1e-6


@pytest.mark.parametrize("name", ["next_BTC", "truth_BC", "real_B"])
def test_each_wrong_part_costs(name: str) -> None:
    answer = perfect(TWO)
    wrong = replace(answer, **{name: -getattr(answer, name)})

    assert total(wrong, targets_of(TWO)) > 1


def test_the_chain_is_followed_by_the_end() -> None:
    targets = targets_of(TWO)
    chain = written(TWO[0])
    end = targets.may_BTC.shape[2] - 1

    assert targets.next_BT[0, : len(chain) + 1].tolist() == [*chain, end]
    assert targets.real_B.tolist() == [1.0, 0.0]


def test_every_step_of_the_chain_may_be_taken() -> None:
    targets = targets_of(TWO)
    asked = targets.next_BT != -100

    assert targets.may_BTC[asked].gather(1, targets.next_BT[asked][:, None]).all()


def test_after_a_fault_the_next_true_claim_is_wanted() -> None:
    chain = TWO[0].chain
    targets = targets_of([replace(TWO[0], read=chain[:1] + chain[2:])])

    assert targets.next_BT[0, 1] == chain[1]
    assert targets.next_BT[0, 2] == chain[3]


def test_steps_behind_the_end_are_not_asked() -> None:
    answer, targets = perfect(TWO), targets_of(TWO)
    lengths = [len(written(one)) for one in TWO]
    short = int(np.argmin(lengths))
    answer.next_BTC[short, lengths[short] + 1 :] *= -1

    assert total(answer, targets) < 1e-6


def test_what_the_grammar_refuses_is_not_learnt() -> None:
    """It is masked when a chain is written: no need to push it down."""
    answer, targets = perfect(TWO), targets_of(TWO)
    answer.next_BTC[~targets.may_BTC] = 100 * SURE

    assert total(answer, targets) < 1e-6


def test_what_nobody_knows_costs_nothing_whatever_is_answered() -> None:
    targets = targets_of([RECORDED])
    answer = perfect([RECORDED])
    known = targets.truth_BC != UNKNOWN
    answer.truth_BC[~known] = SURE
    answer.next_BTC.neg_()

    assert bool(known.any())
    assert (targets.next_BT == -100).all()
    assert losses_of(answer, targets).claim == 0
    assert total(answer, targets) < 1e-6
    answer.truth_BC[known] *= -1
    assert total(answer, targets) > 1


def test_a_batch_of_which_no_claim_is_known_has_a_loss() -> None:
    """A mean of nothing is no number, which ended the whole run."""
    unknown = replace(RECORDED, true_C=np.full_like(RECORDED.true_C, UNKNOWN))
    losses = losses_of(perfect([unknown]), targets_of([unknown]))

    assert losses.truth == 0
    assert torch.isfinite(losses.total)


def test_recordings_and_scenes_are_learnt_side_by_side() -> None:
    both = [*TWO, RECORDED]

    assert total(perfect(both), targets_of(both)) < 1e-6
