from dataclasses import replace

import numpy as np
import pytest

from contracts.errors import ModelError
from tests.fakes.bodies import LYING, SITTING, STANDING, body, stays
from vision.fall_model import terms_of
from vision.training.falls import Example, examples_of, fit_models

FELL = body(stays((STANDING, 2.0), (LYING, 1.2)))
SAT = body(stays((STANDING, 2.0), (SITTING, 1.2)))


def example(drop: float, *, is_fall: bool, clip: str) -> Example:
    terms_T = np.array([1.0, drop, drop - 0.5, -drop, drop / 2])
    return Example(clip=clip, group="a", terms_T=terms_T, is_fall=is_fall)


def test_what_is_down_since_within_a_labelled_fall_is_an_example_of_one() -> None:
    [found] = examples_of([FELL], clip="a", group="a", fell_s=[(1.5, 3.0)])

    assert found.is_fall
    assert FELL.descent is not None
    assert found.terms_T == pytest.approx(terms_of(FELL.descent))


def test_who_sits_down_is_an_example_of_none() -> None:
    [found] = examples_of([SAT], clip="a", group="a", fell_s=[])

    assert not found.is_fall


def test_what_the_pictures_deny_teaches_nothing() -> None:
    assert FELL.surroundings is not None
    denied = replace(FELL, surroundings=replace(FELL.surroundings, came=0.0))

    assert examples_of([denied], clip="a", group="a", fell_s=[]) == []


def test_separable_examples_give_finite_weights_and_honest_likelihoods() -> None:
    falls = [example(0.8, is_fall=True, clip=f"fall{index}") for index in range(4)]
    others = [example(0.3, is_fall=False, clip=f"other{index}") for index in range(4)]

    models = fit_models([*falls, *others])

    assert np.isfinite(models.with_posture.weights_T).all()
    assert FELL.descent is not None
    assert SAT.descent is not None
    fell, sat = models.with_posture.judge(FELL.descent), models.with_posture.judge(SAT.descent)
    assert 0.5 < fell.share < 1
    assert sat.share < 0.5
    assert fell.sigma > 0.01


def test_a_clip_counts_the_same_however_long_it_is() -> None:
    falls = [example(0.8, is_fall=True, clip="fall")]
    others = [example(0.3, is_fall=False, clip="other")]

    once, often = fit_models([*falls, *others]), fit_models([*falls * 9, *others])

    assert often.without.weights_T == pytest.approx(once.without.weights_T, abs=1e-3)


@pytest.mark.parametrize("is_fall", [True, False])
def test_one_kind_alone_cannot_be_told_from_another(is_fall: bool) -> None:
    with pytest.raises(ModelError, match="one of them is missing"):
        fit_models([example(0.8, is_fall=is_fall, clip="a")])
