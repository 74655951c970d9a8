"""Grows boosted trees with scikit-learn and hands them over as arrays that run without it.

scikit-learn is in the extra ``train``: ``pip install .[train]``.

Shape legend: R = rows, F = columns, T = trees, N = nodes of a tree, L = its leaves.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import (  # type: ignore[import-untyped]  # it has no types
    HistGradientBoostingClassifier,
)

from moe_core.trees import Trees

Floats = npt.NDArray[np.float32]

_AGREES: Final = 1e-4
"""So far, in log-odds, the arrays may say something else than what was grown: single precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How trees are grown.

    Attributes:
        trees, depth: How many, and how many questions each asks.
        rate: Share of what a tree finds that is added.
        least_rows: In a leaf.
        ridge: Pulls leaves towards nothing.
    """

    trees: int = 150
    depth: int = 4
    rate: float = 0.06
    least_rows: int = 60
    ridge: float = 5.0


def boosted(
    rows_RF: Floats,
    is_true_R: npt.NDArray[np.bool_],
    *,
    growth: Growth,
    rising: tuple[int, ...] = (),
    shares_R: npt.NDArray[np.float64] | None = None,
) -> Trees:
    """Return trees that tell the true rows.

    Args:
        rows_RF: What is known of each.
        is_true_R: Both must occur.
        growth: How they are grown.
        rising: Columns that may only speak for truth: the more, the likelier.
        shares_R: How much each row counts; all the same if None.

    Raises:
        ValueError: What was grown cannot be laid down as arrays.
    """
    model = HistGradientBoostingClassifier(
        max_iter=growth.trees,
        learning_rate=growth.rate,
        max_depth=growth.depth,
        max_leaf_nodes=None,
        min_samples_leaf=growth.least_rows,
        l2_regularization=growth.ridge,
        monotonic_cst=[int(column in rising) for column in range(rows_RF.shape[1])],
        early_stopping=False,
        random_state=0,
    )
    model.fit(rows_RF, is_true_R, sample_weight=shares_R)
    found = _laid_down(model, growth.depth)
    few = rows_RF[:1000]
    if np.abs(found(few) - model.decision_function(few)).max() > _AGREES:
        raise ValueError("the trees say something else as arrays than as they were grown")
    return found


def _laid_down(model: Any, depth: int) -> Trees:  # noqa: ANN401  # it has no types
    grown = [one[0].nodes for one in model._predictors]  # no public way to the trees
    nodes = 2**depth - 1
    features_TN = np.zeros((len(grown), nodes), np.int32)
    cuts_TN = np.full((len(grown), nodes), np.inf, np.float32)
    leaves_TL = np.zeros((len(grown), nodes + 1), np.float32)
    for tree, own in enumerate(grown):
        waiting = [(0, 0)]
        while waiting:
            place, node = waiting.pop()
            row = own[node]
            is_leaf = bool(row["is_leaf"])
            if place >= nodes:
                leaves_TL[tree, place - nodes] = row["value"]
                continue
            if not is_leaf:
                features_TN[tree, place] = row["feature_idx"]
                cuts_TN[tree, place] = _at_most(float(row["num_threshold"]))
            waiting.append((2 * place + 1, node if is_leaf else int(row["left"])))
            if not is_leaf:
                waiting.append((2 * place + 2, int(row["right"])))
    return Trees(
        base=float(np.ravel(model._baseline_prediction)[0]),  # as above
        features_TN=features_TN,
        cuts_TN=cuts_TN,
        leaves_TL=leaves_TL,
    )


def _at_most(cut: float) -> np.float32:
    """Return the greatest single-precision number that is no greater."""
    near = np.float32(cut)
    return near if near <= cut else np.nextafter(near, np.float32(-np.inf))
