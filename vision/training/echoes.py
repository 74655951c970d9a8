"""Shows each view several times before it is forgotten: making one costs as much as learning it.

A view comes again much later, among others, with other dirt on it and maybe mirrored.

Source: Choi et al. 2019, "Faster neural network training with data echoing".

Shape legend: H, W = view in pixels, A = anchor points, C = classes, D = features.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage
from vision.encoder import STRIDES

FloatArray = npt.NDArray[np.float32]
HalfArray = npt.NDArray[np.float16]

ECHOES: Final = 4
"""How often a view is shown in all."""
WAITING: Final = 400
"""Views of each size that wait for their next showing, so that neighbours in time differ."""


@dataclass(frozen=True, slots=True)
class Taught:
    """A view before dirt is put on it, with what the student should say.

    Attributes:
        clear_HW3: The picture.
        scores_AC, boxes_A4, features_AD: The targets; boxes in pixels.
    """

    clear_HW3: BgrImage
    scores_AC: HalfArray
    boxes_A4: FloatArray
    features_AD: HalfArray

    def mirrored(self) -> "Taught":
        """Return the same seen in a mirror."""
        height, width = self.clear_HW3.shape[:2]
        order_A = _mirror_order(height, width)
        boxes_A4 = self.boxes_A4[order_A][:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1], np.float32)
        boxes_A4 += np.array([width, 0, width, 0], np.float32)
        return Taught(
            np.ascontiguousarray(self.clear_HW3[:, ::-1]),
            self.scores_AC[order_A],
            boxes_A4,
            self.features_AD[order_A],
        )


class Echoes:
    """Mixes fresh views with earlier ones.

    Args:
        make: Makes a fresh view of (height, width).
        echoes: How often each is shown; 1 for no echo.
        waiting: Views of a size that must be there before the first echo.
    """

    def __init__(
        self,
        make: Callable[[tuple[int, int]], Taught],
        *,
        random: np.random.Generator,
        echoes: int = ECHOES,
        waiting: int = WAITING,
    ) -> None:
        self._make = make
        self._random = random
        self._echoes = echoes
        self._least = waiting
        self._waiting: dict[tuple[int, int], list[tuple[Taught, int]]] = {}

    def take(self, count: int, size: tuple[int, int]) -> list[Taught]:
        """Return ``count`` views of a size, fresh ones first."""
        waiting = self._waiting.setdefault(size, [])
        is_echoing = len(waiting) >= max(self._least, count)
        fresh_count = -(-count // self._echoes) if is_echoing else count
        taken = self._from(waiting, count - fresh_count)
        fresh = [self._make(size) for _ in range(fresh_count)]
        if self._echoes > 1:
            waiting += [(one, self._echoes - 1) for one in fresh]
        return [*fresh, *taken]

    def _from(self, waiting: list[tuple[Taught, int]], count: int) -> list[Taught]:
        taken: list[Taught] = []
        for index in (
            sorted(self._random.choice(len(waiting), count, replace=False).tolist(), reverse=True)
            if count
            else []
        ):
            view, left = waiting[index]
            taken.append(view)
            if left > 1:
                waiting[index] = (view, left - 1)
            else:
                waiting[index] = waiting[-1]
                waiting.pop()
        return taken


def _mirror_order(height: int, width: int) -> npt.NDArray[np.int64]:
    """Return for each anchor point the one that lies where it is in the mirror."""
    parts = []
    first = 0
    for stride in STRIDES:
        rows, columns = height // stride, width // stride
        level = np.arange(first, first + rows * columns, dtype=np.int64).reshape(rows, columns)
        parts.append(level[:, ::-1].ravel())
        first += rows * columns
    return np.concatenate(parts)
