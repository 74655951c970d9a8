"""The grid that boxes of tracks lie on, so that what is kept is what the rules were told."""

from typing import Final

import numpy as np
import numpy.typing as npt

GRID: Final = 1 << 14
"""Steps across the picture: a 25th of a pixel at 640, a fiftieth of a good detector's jitter."""


def on_grid(boxes_N4: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the boxes at the nearest multiples of ``1 / GRID``; exact in binary."""
    return np.asarray(np.rint(boxes_N4 * GRID) / GRID, np.float64)
