"""Grows trees with scikit-learn and hands them over as arrays that vision can ask without it.

Shape legend: N = rows, then nodes of all trees; V = numbers of a row.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import (  # type: ignore[import-untyped]  # it has no types
    ExtraTreesClassifier,
)

from vision.cues.forest import Forest
from vision.cues.motion_field import Floats

TREES: Final = 40
"""Of each member."""
LEAST_ROWS: Final = 8
"""In a leaf."""
DEEPEST: Final = 10
ASKED_SHARE: Final = 0.3
"""Share of a row's numbers that each node chooses among."""


class Tree(Protocol):
    """What is taken of a tree as scikit-learn keeps it; a node without children is a leaf."""

    node_count: int
    children_left: npt.NDArray[np.int64]
    children_right: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]


def grown(
    rows_NV: Floats, is_true_N: npt.NDArray[np.bool_], shares_N: npt.NDArray[Any], *, seed: int
) -> list[Tree]:
    """Return the trees of one member: extremely randomised ones.

    Args:
        rows_NV: What is known of each row.
        is_true_N: What the trees are to tell; both must occur.
        shares_N: How much each row counts.
        seed: Of the draws.
    """
    model = ExtraTreesClassifier(
        n_estimators=TREES,
        min_samples_leaf=LEAST_ROWS,
        max_depth=DEEPEST,
        max_features=ASKED_SHARE,
        random_state=seed,
    )
    model.fit(rows_NV, is_true_N, sample_weight=shares_N)
    return [one.tree_ for one in model.estimators_]


def forest_of(members: Sequence[Sequence[Tree]]) -> Forest:
    """Return the trees of all members, as many of each, in one set of arrays."""
    trees = [tree for member in members for tree in member]
    starts = np.cumsum([0, *(tree.node_count for tree in trees)])
    parts = [_arrays(tree, start) for tree, start in zip(trees, starts[:-1], strict=True)]
    return Forest(
        **{name: np.concatenate([part[name] for part in parts]) for name in parts[0]},
        roots_MT=starts[:-1].reshape(len(members), -1).astype(np.int32),
    )


def _arrays(tree: Tree, start: int) -> dict[str, npt.NDArray[Any]]:
    own = np.arange(tree.node_count)
    is_leaf = tree.children_left < 0
    said_N2 = tree.value[:, 0, :]
    return {
        "feature_N": np.where(is_leaf, 0, tree.feature).astype(np.int32),
        "limit_N": np.where(is_leaf, 0.0, tree.threshold).astype(np.float32),
        "below_N": (start + np.where(is_leaf, own, tree.children_left)).astype(np.int32),
        "above_N": (start + np.where(is_leaf, own, tree.children_right)).astype(np.int32),
        "share_N": (said_N2[:, 1] / said_N2.sum(axis=1)).astype(np.float32),
    }
