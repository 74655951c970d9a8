"""Boosted decision trees as arrays, without the library that grew them.

Shape legend: C = rows, F = numbers of a row, T = trees, N = nodes of a tree (``2 ** depth - 1``),
L = leaves of a tree (``2 ** depth``).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

DEEPEST: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trees:
    """Whole binary trees of one depth, whose leaves are added up.

    Node ``n`` goes on with ``2n + 1`` up to its cut and with ``2n + 2`` above it.

    Attributes:
        base: What is said where no tree adds anything, in log-odds.
        features_TN: Which number of a row a node asks for.
        cuts_TN: Up to this value it goes on below; infinite where all do.
        leaves_TL: What a tree adds, in log-odds.

    Raises:
        ValueError: The arrays do not fit together or hold what is no number.
    """

    base: float
    features_TN: Ints
    cuts_TN: Floats
    leaves_TL: Floats

    def __post_init__(self) -> None:
        """Check the arrays."""
        trees, nodes = self.features_TN.shape if self.features_TN.ndim == 2 else (0, 0)
        depth = (nodes + 1).bit_length() - 1
        is_whole = nodes == 2**depth - 1 and 1 <= depth <= DEEPEST
        if not is_whole or self.cuts_TN.shape != (trees, nodes):
            raise ValueError("trees want as many features as cuts, 2 ** depth - 1 of each")
        if self.leaves_TL.shape != (trees, nodes + 1):
            raise ValueError(f"trees of {nodes} nodes have {nodes + 1} leaves")
        if not np.isfinite(self.leaves_TL).all() or not np.isfinite(self.base):
            raise ValueError("a leaf says what is no number")
        if np.isnan(self.cuts_TN).any() or (trees and self.features_TN.min() < 0):
            raise ValueError("a node asks for what is not there")

    @property
    def depth(self) -> int:
        """How many questions each tree asks."""
        return int(self.leaves_TL.shape[1]).bit_length() - 1

    def __call__(self, rows_CF: Floats) -> npt.NDArray[np.float64]:
        """Return what the trees say of each row, in log-odds, (C).

        Raises:
            IndexError: A tree asks for a number that rows do not have.
        """
        count, trees = len(rows_CF), len(self.leaves_TL)
        nodes = self.features_TN.shape[1]
        first_T = np.arange(trees) * nodes
        features, cuts = self.features_TN.ravel(), self.cuts_TN.ravel()
        row_C1 = np.arange(count)[:, None]
        at_CT = np.zeros((count, trees), np.int64)
        for _ in range(self.depth):
            place_CT = first_T + at_CT
            is_above_CT = rows_CF[row_C1, features[place_CT]] > cuts[place_CT]
            at_CT = 2 * at_CT + 1 + is_above_CT
        leaf_CT = at_CT - nodes + np.arange(trees) * (nodes + 1)
        said: npt.NDArray[np.float64] = self.base + self.leaves_TL.ravel()[leaf_CT].sum(
            axis=1, dtype=np.float64
        )
        return said

    def arrays(self, name: str) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays, each under ``name/``."""
        return {
            f"{name}/base": np.array([self.base], np.float64),
            f"{name}/features": self.features_TN,
            f"{name}/cuts": self.cuts_TN,
            f"{name}/leaves": self.leaves_TL,
        }


def trees_of(arrays: dict[str, npt.NDArray[Any]], name: str) -> Trees:
    """Return the trees that ``Trees.arrays`` laid down.

    Raises:
        KeyError: One is missing.
        ValueError: They do not fit together.
    """
    return Trees(
        base=float(arrays[f"{name}/base"].ravel()[0]),
        features_TN=np.asarray(arrays[f"{name}/features"], np.int32),
        cuts_TN=np.asarray(arrays[f"{name}/cuts"], np.float32),
        leaves_TL=np.asarray(arrays[f"{name}/leaves"], np.float32),
    )
