"""Trees as arrays."""

import numpy as np
import pytest

from moe_core.trees import DEEPEST, Trees, trees_of


def two() -> Trees:
    """``x0 > 1`` adds 1, else -1; ``x1 > 0`` adds 10, and 20 if ``x0 > 5`` as well."""
    inf = np.inf
    return Trees(
        base=0.5,
        features_TN=np.array([[0, 0, 0], [1, 0, 0]], np.int32),
        cuts_TN=np.array([[1, inf, inf], [0, inf, 5]], np.float32),
        leaves_TL=np.array([[-1, 99, 1, 99], [0, 99, 10, 20]], np.float32),
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((0, 0), -0.5),
        ((1, 0), -0.5),
        ((2, 0), 1.5),
        ((0, 1), 9.5),
        ((5, 1), 11.5),
        ((6, 1), 21.5),
        ((np.inf, 1), 21.5),
        ((-np.inf, -np.inf), -0.5),
    ],
)
def test_leaves_are_added_up(row: tuple[float, float], said: float) -> None:
    assert two()(np.array([row], np.float32)) == pytest.approx([said])


def test_rows_are_judged_one_by_one() -> None:
    rows = np.random.default_rng(1).normal(0, 3, (50, 2)).astype(np.float32)

    assert two()(rows) == pytest.approx([float(two()(row[None])[0]) for row in rows])
    assert two()(rows[:0]).shape == (0,)


def test_what_was_laid_down_says_the_same() -> None:
    rows = np.random.default_rng(2).normal(0, 3, (50, 2)).astype(np.float32)
    again = trees_of(two().arrays("own"), "own")

    assert (again(rows) == two()(rows)).all()
    assert again.depth == 2
    with pytest.raises(KeyError):
        trees_of(two().arrays("own"), "other")


def test_no_tree_says_the_base() -> None:
    none = Trees(
        base=0.25,
        features_TN=np.zeros((0, 3), np.int32),
        cuts_TN=np.zeros((0, 3), np.float32),
        leaves_TL=np.zeros((0, 4), np.float32),
    )

    assert none(np.zeros((2, 1), np.float32)).tolist() == [0.25, 0.25]


@pytest.mark.parametrize(
    "broken",
    [
        {"features_TN": np.zeros((2, 2), np.int32), "cuts_TN": np.zeros((2, 2), np.float32)},
        {"features_TN": np.zeros(3, np.int32)},
        {"cuts_TN": np.zeros((1, 3), np.float32)},
        {"cuts_TN": np.full((2, 3), np.nan, np.float32)},
        {"leaves_TL": np.zeros((2, 3), np.float32)},
        {"leaves_TL": np.full((2, 4), np.inf, np.float32)},
        {"features_TN": np.full((2, 3), -1, np.int32)},
        {"base": float("nan")},
        {
            "features_TN": np.zeros((1, 2 ** (DEEPEST + 1) - 1), np.int32),
            "cuts_TN": np.zeros((1, 2 ** (DEEPEST + 1) - 1), np.float32),
            "leaves_TL": np.zeros((1, 2 ** (DEEPEST + 1)), np.float32),
        },
    ],
)
def test_arrays_that_do_not_fit_are_refused(broken: dict[str, object]) -> None:
    whole = two()
    arrays = {name: getattr(whole, name) for name in Trees.__dataclass_fields__}

    with pytest.raises(ValueError, match=r"tree|leaf|node"):
        Trees(**{**arrays, **broken})
