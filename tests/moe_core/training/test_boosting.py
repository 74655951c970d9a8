"""Trees that are grown say the same as arrays."""

import numpy as np
import pytest
from sklearn.ensemble import (  # type: ignore[import-untyped]  # it has no types
    HistGradientBoostingClassifier,
)

from moe_core.training.boosting import Growth, boosted

RNG = np.random.default_rng(4)
ROWS = RNG.normal(0, 1, (2000, 5)).astype(np.float32)
CHANCES = 1 / (1 + np.exp(-(2 * ROWS[:, 0] - np.abs(ROWS[:, 1]))))
TRUE = RNG.random(2000) < CHANCES


def test_what_can_be_told_is_told() -> None:
    trees = boosted(ROWS, TRUE, growth=Growth(trees=60, depth=3))
    fresh = np.random.default_rng(5).normal(0, 1, (500, 5)).astype(np.float32)
    odds = 2 * fresh[:, 0] - np.abs(fresh[:, 1])

    assert np.corrcoef(trees(fresh), odds)[0, 1] > 0.9
    assert trees.leaves_TL.shape == (60, 8)


def test_arrays_say_what_the_library_says() -> None:
    growth = Growth(trees=25, depth=4, least_rows=5)
    model = HistGradientBoostingClassifier(
        max_iter=25, learning_rate=growth.rate, max_depth=4, max_leaf_nodes=None,
        min_samples_leaf=5, l2_regularization=growth.ridge, early_stopping=False, random_state=0,
    )  # fmt: skip
    model.fit(ROWS, TRUE)

    assert boosted(ROWS, TRUE, growth=growth)(ROWS) == pytest.approx(
        model.decision_function(ROWS), abs=1e-4
    )


def test_who_speaks_for_truth_never_speaks_against_it() -> None:
    rows = np.zeros((200, 5), np.float32)
    rows[:, 0] = np.linspace(-3, 3, 200)
    against = boosted(ROWS, ~TRUE, growth=Growth(trees=20, depth=3), rising=(0,))
    said = boosted(ROWS, TRUE, growth=Growth(trees=20, depth=3), rising=(0,))

    assert (np.diff(said(rows)) >= 0).all()
    assert (np.diff(against(rows)) >= 0).all()


def test_rows_that_count_nothing_change_nothing() -> None:
    shares = (np.arange(2000) < 1000).astype(float)
    bent = TRUE.copy()
    bent[1000:] = ~bent[1000:]
    growth = Growth(trees=10, depth=2, least_rows=1)

    first = boosted(ROWS, TRUE, growth=growth, shares_R=shares)
    assert first(ROWS) == pytest.approx(
        boosted(ROWS, bent, growth=growth, shares_R=shares)(ROWS), abs=1e-6
    )
