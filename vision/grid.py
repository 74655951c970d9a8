"""The grid that boxes of tracks lie on, so that what is kept is what the rules were told."""

from typing import Final

from contracts.geometry import Box

GRID: Final = 1 << 14
"""Steps across the picture: a 25th of a pixel at 640, a fiftieth of a good detector's jitter."""


def on_grid(box: Box) -> Box:
    """Return the box at the nearest multiples of ``1 / GRID``; exact in binary."""
    x1, y1, x2, y2 = box
    return (
        round(x1 * GRID) / GRID,
        round(y1 * GRID) / GRID,
        round(x2 * GRID) / GRID,
        round(y2 * GRID) / GRID,
    )
