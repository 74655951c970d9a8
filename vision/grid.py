"""The grid that boxes of tracks lie on, so that what is kept is what the rules were told."""

from typing import Final

from contracts.geometry import Box

GRID: Final = 1 << 14
"""Steps across the picture: a 25th of a pixel at 640, a fiftieth of a good detector's jitter."""
_ROUNDS: Final = 1.5 * (1 << 52) / GRID
"""What is added to this and taken away again has lost what a float of this size cannot hold, which
is all below ``1 / GRID``."""


def on_grid(box: Box) -> Box:
    """Return the box at the nearest multiples of ``1 / GRID``; exact in binary."""
    x1, y1, x2, y2 = box
    return (
        x1 + _ROUNDS - _ROUNDS,
        y1 + _ROUNDS - _ROUNDS,
        x2 + _ROUNDS - _ROUNDS,
        y2 + _ROUNDS - _ROUNDS,
    )
