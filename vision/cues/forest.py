"""Decision trees as arrays: what they say of a few numbers, without the library that grew them.

Shape legend: V = what is weighed, N = nodes of all trees, M = members, T = trees of a member.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from vision.cues.motion_field import Floats

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forest:
    """Trees of several members; a leaf is its own child on both sides.

    Attributes:
        feature_N: Which of what is weighed a node asks for.
        limit_N: Up to this value it goes on with ``below_N``, else with ``above_N``.
        below_N, above_N: Numbers of nodes.
        share_N: What a leaf says, 0 to 1.
        roots_MT: Where each tree begins.

    Raises:
        ValueError: The arrays do not fit together, or lead out of the forest.
    """

    feature_N: Ints
    limit_N: Floats
    below_N: Ints
    above_N: Ints
    share_N: Floats
    roots_MT: Ints
    _depth: int = field(init=False)
    _next_N: Ints = field(init=False)

    def __post_init__(self) -> None:
        """Check the arrays and find out how deep the trees are."""
        count = len(self.feature_N)
        arrays = (self.limit_N, self.below_N, self.above_N, self.share_N)
        if self.roots_MT.ndim != 2 or any(array.shape != (count,) for array in arrays):
            raise ValueError("a forest's arrays have one entry a node, its roots a row a member")
        numbers = np.concatenate([self.below_N, self.above_N, self.roots_MT.ravel()])
        if not count or numbers.min() < 0 or numbers.max() >= count or self.feature_N.min() < 0:
            raise ValueError(f"a forest of {count} nodes leads to a node that is not there")
        object.__setattr__(self, "_depth", self._levels())
        object.__setattr__(self, "_next_N", np.stack([self.below_N, self.above_N], 1).ravel())

    def _levels(self) -> int:
        reached, depth = np.unique(self.roots_MT), 0
        own = np.arange(len(self.feature_N))
        is_leaf = (self.below_N == own) & (self.above_N == own)
        while not is_leaf[reached].all():
            reached = np.unique(np.concatenate([self.below_N[reached], self.above_N[reached]]))
            depth += 1
            if depth > len(own):
                raise ValueError("a forest goes round in a circle")
        return depth

    def __call__(self, values_V: Floats) -> Floats:
        """Return what each member says (M,): the mean of its trees."""
        at_MT = self.roots_MT
        for _ in range(self._depth):
            is_above = values_V.take(self.feature_N.take(at_MT)) > self.limit_N.take(at_MT)
            at_MT = self._next_N.take(2 * at_MT + is_above)
        return np.asarray(self.share_N.take(at_MT).mean(axis=1), np.float32)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays by name."""
        names = ("feature_N", "limit_N", "below_N", "above_N", "share_N", "roots_MT")
        return {name: getattr(self, name) for name in names}
