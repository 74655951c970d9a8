"""Many boxes by coordinate instead of by box, with what follows from them, worked out once.

Shape legend: N = boxes, P = x, y, C = low x, low y, high x, high y, L = those and the
area. Picture units.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.geometry import Box

Array = npt.NDArray[np.float64]
CORNERS: Final = slice(0, 4)


class Outlines:
    """Where N boxes lie. Sides must be above zero, or nothing is inside or like them.

    Attributes:
        lines_LN: Corners and area.
        centre_PN, sides_PN: Centre, and width and height.
    """

    __slots__ = ("centre_PN", "lines_LN", "sides_PN")

    def __init__(self, *, lines_LN: Array, centre_PN: Array, sides_PN: Array) -> None:
        self.lines_LN = lines_LN
        self.centre_PN = centre_PN
        self.sides_PN = sides_PN

    @classmethod
    def of(cls, boxes_N4: npt.NDArray[np.floating]) -> "Outlines":
        """Return the outlines of boxes x1, y1, x2, y2, cut at the picture's edge."""
        lines_LN = np.empty((5, len(boxes_N4)))
        corners_CN = lines_LN[CORNERS]
        np.maximum(boxes_N4.T, 0.0, out=corners_CN)
        np.minimum(corners_CN, 1.0, out=corners_CN)
        low_PN, high_PN = lines_LN[:2], lines_LN[2:4]
        sides_PN = high_PN - low_PN
        np.multiply(sides_PN[0], sides_PN[1], out=lines_LN[4])
        centre_PN = low_PN + high_PN
        centre_PN *= 0.5
        return cls(lines_LN=lines_LN, centre_PN=centre_PN, sides_PN=sides_PN)

    @classmethod
    def around(cls, centre_PN: Array, sides_PN: Array) -> "Outlines":
        """Return the outlines of boxes with these centres and sides; they may leave the picture."""
        lines_LN = np.empty((5, centre_PN.shape[1]))
        half_PN = 0.5 * sides_PN
        np.subtract(centre_PN, half_PN, out=lines_LN[:2])
        np.add(centre_PN, half_PN, out=lines_LN[2:4])
        np.multiply(sides_PN[0], sides_PN[1], out=lines_LN[4])
        return cls(lines_LN=lines_LN, centre_PN=centre_PN, sides_PN=sides_PN)

    def __len__(self) -> int:
        return int(self.lines_LN.shape[1])

    @property
    def boxes_N4(self) -> Array:
        """The boxes as x1, y1, x2, y2: a view."""
        return self.lines_LN[CORNERS].T

    def box(self, index: int) -> Box:
        """Return one of them, in plain numbers."""
        x1, y1, x2, y2 = self.lines_LN[CORNERS, index].tolist()
        return (x1, y1, x2, y2)

    def replace(self, index: int, box: Box) -> None:
        """Put another box in the place of one."""
        x1, y1, x2, y2 = box
        wide, high = x2 - x1, y2 - y1
        self.lines_LN[:, index] = (x1, y1, x2, y2, wide * high)
        self.centre_PN[:, index] = ((x1 + x2) * 0.5, (y1 + y2) * 0.5)
        self.sides_PN[:, index] = (wide, high)
