"""A number burnt into the pixels, so that a picture says by itself when it was taken.

A strip of cells along the upper edge: two that tell white from black, the number with the highest
bit first, and a checksum. It survives being scaled, encoded and damaged: what cannot be read for
sure is not read.

Shape legend: H = height, W = width in pixels, 3 = blue, green, red; C = cells.
"""

import zlib
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage

NUMBER_BITS: Final = 20
"""A million pictures; at 25 a second more than eleven hours."""
_CHECK_BITS: Final = 8
CELLS: Final = 2 + NUMBER_BITS + _CHECK_BITS
_WHITE, _BLACK = 225, 30
_HEIGHT_SHARE: Final = 24
"""The strip is this part of the picture's height."""
_CONTRAST_MIN: Final = 60


def burn(pixels_HW3: BgrImage, number: int) -> None:
    """Write ``number`` (below 2**20) into the picture, in place."""
    if not 0 <= number < 1 << NUMBER_BITS:
        raise ValueError(f"the number must have at most {NUMBER_BITS} bits, got {number}")
    height = strip_height(pixels_HW3.shape[0])
    edges = _edges(pixels_HW3.shape[1])
    for index, bit in enumerate(_cells(number)):
        pixels_HW3[:height, edges[index] : edges[index + 1]] = _WHITE if bit else _BLACK
    pixels_HW3[:height, edges[-1] :] = _BLACK


def read(pixels_HW3: BgrImage) -> int | None:
    """Return the number in a picture of any size; None if there is none that can be trusted."""
    height = strip_height(pixels_HW3.shape[0])
    grey_HW = pixels_HW3[:height].mean(axis=2)
    edges = _edges(pixels_HW3.shape[1])
    levels = np.array([_level(grey_HW, edges[n], edges[n + 1]) for n in range(CELLS)])
    if levels[0] - levels[1] < _CONTRAST_MIN:
        return None
    bits = levels > (levels[0] + levels[1]) / 2
    number = _number(bits[2 : 2 + NUMBER_BITS])
    return number if _number(bits[2 + NUMBER_BITS :]) == _check(number) else None


def strip_height(height: int) -> int:
    """Return how many rows of a picture so high the strip takes."""
    return max(4, height // _HEIGHT_SHARE)


def _cells(number: int) -> list[int]:
    bits = [number >> shift & 1 for shift in reversed(range(NUMBER_BITS))]
    check = _check(number)
    return [1, 0, *bits, *(check >> shift & 1 for shift in reversed(range(_CHECK_BITS)))]


def _check(number: int) -> int:
    return zlib.crc32(number.to_bytes(4, "big")) & (1 << _CHECK_BITS) - 1


def _edges(width: int) -> list[int]:
    return [round(width * index / CELLS) for index in range(CELLS + 1)]


def _level(grey_HW: npt.NDArray[np.float64], left: int, right: int) -> float:
    """Return the median of the middle of a cell: its borders are blurred."""
    margin, rows = (right - left) // 4, grey_HW.shape[0] // 4
    inner = grey_HW[rows : grey_HW.shape[0] - rows, left + margin : right - margin]
    return float(np.median(inner)) if inner.size else 0.0


def _number(bits: npt.NDArray[np.bool_]) -> int:
    number = 0
    for bit in bits:
        number = number << 1 | int(bit)
    return number
