"""What is fitted after training: the scale that was hidden is found again."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from moe_core.decoding import Written
from moe_core.training.examples import Example
from moe_core.training.fitting import calibrated, context_floor, fit, misjudged
from moe_core.training.measures import calibration_error, chance_of
from tests.moe_core.cores import network_of
from tests.moe_core.training.samples import examples


def drawn(scale: float, shift: float, count: int = 4000) -> tuple[list[Written], list[bool]]:
    """Logits, and truths drawn with the chance that scale and shift make of them."""
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 2, count)
    chances = 1 / (1 + np.exp(-(scale * logits + shift)))
    written = [Written(chain=(), truth_C=np.zeros(0), real_logit=float(one), passes=1)
               for one in logits]  # fmt: skip
    return written, [bool(one) for one in rng.random(count) < chances]


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.3, 1.0), (2.5, -1.5)])
def test_a_known_calibration_is_recovered(scale: float, shift: float) -> None:
    written, real = drawn(scale, shift)
    found = calibrated([one.real_logit for one in written], real)

    assert found.scale == pytest.approx(scale, rel=0.15)
    assert found.shift == pytest.approx(shift, abs=0.15)
    chances = [chance_of(one, scale=found.scale, shift=found.shift) for one in written]
    assert calibration_error(chances, real) < 0.03


def test_a_core_that_knows_nothing_is_never_sure() -> None:
    written, real = drawn(0.0, 0.0)
    found = calibrated([one.real_logit for one in written], real)

    assert found.scale == pytest.approx(0.05)
    assert abs(found.shift) < 0.2


def test_a_core_that_is_always_wrong_is_not_turned_around() -> None:
    """A negative scale would make what it denies an alert."""
    written, real = drawn(-2.0, 0.0)

    assert calibrated([one.real_logit for one in written], real).scale == pytest.approx(0.05)


def test_floors_and_calibration_are_finite_and_gradients_stay_on() -> None:
    """Fitting once switched gradients off for the whole process."""
    floors, calibration = fit(network_of(1), examples()[:3])

    assert 0 < floors.claim < 1
    assert 0 < floors.hypothesis < 1
    assert 0 < floors.context < 1
    assert math.isfinite(calibration.scale)
    assert math.isfinite(calibration.shift)
    assert torch.is_grad_enabled()


def test_the_floor_of_the_surroundings_is_where_few_are_untrue() -> None:
    """Of what is believed at 0.8 half is untrue, of what is believed at 0.9 nothing."""
    [example] = [one for one in examples() if "alone" in predicates(one)][:1]
    place = predicates(example).index("alone")
    truths, found = [], []
    for chance, is_true in ((0.8, 1), (0.8, 0), (0.9, 1), (0.9, 1), (0.995, 0)):
        true_C, truth_C = example.true_C.copy(), np.full(len(example.true_C), 1.0)
        true_C[place], truth_C[place] = is_true, chance
        found.append(replace(example, true_C=true_C))
        truths.append(truth_C)

    assert 0.8 < context_floor(found, truths) <= 0.9
    assert context_floor(found[2:4], truths[2:4]) < 0.8


def predicates(example: Example) -> list[str]:
    return [claim.predicate for claim in example.prompt.proposals.claims]


def test_who_is_sure_without_knowing_misjudges_more() -> None:
    network, found = network_of(1), examples()[:3]
    before = misjudged(network, found)
    with torch.no_grad():
        for parameter in network.truth.parameters():
            parameter.mul_(100)

    assert 0 < before < misjudged(network, found) < math.inf
