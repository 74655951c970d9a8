"""Nothing is punished that is right; what is further off is punished more."""

import pytest
import torch
from torch import Tensor

from vision.training.losses import box_loss, feature_loss, score_loss

BOX = [10.0, 10.0, 30.0, 50.0]


def scores(*values: float) -> Tensor:
    """One view, a point for each value, one class."""
    return torch.tensor(values)[None, :, None]


def boxes(*values: list[float]) -> Tensor:
    return torch.tensor(values)[None]


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_wanted_scores_cost_nothing() -> None:
    wanted = scores(0.2, 0.7)
    assert score_loss(torch.logit(wanted), wanted).item() == pytest.approx(0, abs=1e-6)


def test_scores_cost_more_the_further_they_are_off() -> None:
    wanted = scores(0.8)
    costs = [score_loss(torch.logit(scores(value)), wanted).item() for value in (0.7, 0.4, 0.1)]
    assert costs == sorted(costs)
    assert costs[0] > 0


def test_a_hundred_empty_points_do_not_outweigh_a_missed_object() -> None:
    wanted = scores(0.9, *[0.0] * 100)
    missed = score_loss(torch.full_like(wanted, -4.6), wanted)
    noisy = score_loss(torch.logit(scores(0.9, *[0.05] * 100)), wanted)
    assert missed > 5 * noisy


def test_views_without_objects_have_a_finite_cost() -> None:
    logits = torch.full((2, 5, 3), -1.0, requires_grad=True)

    lost = score_loss(logits, torch.zeros(2, 5, 3)) + box_loss(
        torch.zeros(2, 5, 4, requires_grad=True), torch.zeros(2, 5, 4), torch.zeros(2, 5, 3)
    )
    lost.backward()  # type: ignore[no-untyped-call]  # torch's

    assert torch.isfinite(lost)
    assert logits.grad is not None
    assert (logits.grad > 0).all()


def test_the_wanted_box_costs_nothing() -> None:
    assert box_loss(boxes(BOX), boxes(BOX), scores(0.9)).item() == pytest.approx(0, abs=1e-5)


def test_boxes_cost_more_the_further_they_are_off_even_apart() -> None:
    costs = [
        box_loss(boxes([10 + off, 10, 30 + off, 50]), boxes(BOX), scores(1.0)).item()
        for off in (2.0, 10.0, 30.0, 90.0)
    ]
    assert costs == sorted(costs)
    assert costs[-1] > costs[-2] > 1


def test_boxes_of_points_without_an_object_cost_nothing() -> None:
    far = [200.0, 200.0, 210.0, 210.0]
    with_empty = box_loss(boxes(BOX, far), boxes(BOX, BOX), scores(0.9, 0.09))
    assert with_empty.item() == pytest.approx(0, abs=1e-5)


def test_boxes_count_by_how_surely_there_is_an_object() -> None:
    far = [200.0, 200.0, 210.0, 210.0]
    sure = box_loss(boxes(BOX, far), boxes(BOX, BOX), scores(0.2, 0.9))
    unsure = box_loss(boxes(BOX, far), boxes(BOX, BOX), scores(0.9, 0.2))
    assert sure > 2 * unsure


def test_features_may_have_another_scale_and_origin_than_the_teachers() -> None:
    taught = noise(2, 50, 8)
    assert feature_loss(3 * taught + 7, taught).item() == pytest.approx(0, abs=1e-4)


def test_features_that_have_nothing_in_common_cost_one_and_opposite_ones_two() -> None:
    taught = noise(2, 4000, 4)
    assert feature_loss(noise(2, 4000, 4, seed=9), taught).item() == pytest.approx(1, abs=0.05)
    assert feature_loss(-taught, taught).item() == pytest.approx(2, abs=1e-3)


def test_a_channel_that_is_the_same_everywhere_has_a_finite_cost() -> None:
    flat = torch.ones(1, 10, 4, requires_grad=True)

    lost = feature_loss(flat, noise(1, 10, 4))
    lost.backward()  # type: ignore[no-untyped-call]  # torch's

    assert flat.grad is not None
    assert torch.isfinite(flat.grad).all()
