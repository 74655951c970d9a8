"""Places that show something else again and again while nobody is there: displays, notice boards.

Shape legend: H, W = picture in pixels, 3 = blue, green, red in relative tones, N = some pixels.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

STABLE_S: Final = 1.2
"""What has not changed for so long is shown for good, not passing."""
UNTOUCHED_S: Final = 3.0
"""... and nobody may have been in front of it for so long: what people do is no display."""
OTHER: Final = 20.0
"""Tones by which it must differ from what was shown for good before."""
REMEMBER_S: Final = 120.0
"""Time constant with which changes are forgotten."""
RESTLESS: Final = 2.5
"""Changes remembered from which a place is a display: one a minute, or three in a row."""
MOST_OF_IT: Final = 0.25
"""Share of the picture: if more of it settles at once, the light changed and no display."""
_NOTHING: Final = 1e-9


class Restless:
    """How often each pixel has come to show something else; pictures of one size, in order.

    Who passes leaves what was there; only another picture that stays counts.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._lasting_HW3 = np.zeros((*shape, 3), np.float32)
        self._is_known_HW = np.zeros(shape, np.bool_)
        self.changes_HW = np.full(shape, _NOTHING, np.float32)

    changes_HW: FloatArray
    """Changes of each pixel, the older the less they count."""

    def look(
        self,
        shown_HW3: npt.NDArray[np.uint8],
        *,
        light_3: FloatArray,
        age_s_HW: FloatArray,
        uncovered_s_HW: FloatArray,
        step_s: float,
    ) -> None:
        """Take the next picture.

        Args:
            shown_HW3: What each pixel shows.
            light_3: What the light did to the whole picture, tones.
            age_s_HW: For how long each pixel has not changed.
            uncovered_s_HW: For how long nobody has been in front of it.
            step_s: Time since the picture before, seconds.
        """
        self.changes_HW *= np.float32(math.exp(-step_s / REMEMBER_S))
        # Numbers too small for their format would slow everything down several times.
        np.maximum(self.changes_HW, _NOTHING, out=self.changes_HW)
        settled_HW = (age_s_HW >= STABLE_S) & (age_s_HW < STABLE_S + step_s)
        count = int(np.count_nonzero(settled_HW))
        if count == 0:
            return
        unlit_N3 = shown_HW3[settled_HW] - light_3
        apart_N = np.abs(unlit_N3 - self._lasting_HW3[settled_HW]).max(axis=1)
        is_other_N = self._is_known_HW[settled_HW] & (apart_N > OTHER)
        is_other_N &= uncovered_s_HW[settled_HW] >= UNTOUCHED_S
        if count <= MOST_OF_IT * settled_HW.size:
            self.changes_HW[settled_HW] += is_other_N
        self._lasting_HW3[settled_HW] = unlit_N3
        self._is_known_HW |= settled_HW
