"""How a camera changed the whole picture: exposure, tone curve, white balance.

A dark visitor makes the camera brighten everything else, and bright parts less than dark ones;
a white car makes it darken the whole yard. Neither is an object.

Shape legend: P = planes Y, Cr, Cb; H, W = picture in pixels; L = 256 levels of luma; N = sampled
pixels; B = bands of luma.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

LEAST_SHIFT: Final = 0.5
"""A global change smaller than this is no change, grey levels."""
LARGEST_BEND: Final = 30.0
"""Largest departure of the curve from a plain gain, grey levels."""
GAINS: Final = (0.2, 5.0)
"""Least and largest gain that is believed."""
_BANDS: Final = 12
_LEAST_PER_BAND: Final = 20
_AGREEMENT_LEVELS: Final = 6.0
"""A band is believed if half of its pixels lie within this of its median."""
_DARKEST: Final = 8.0
"""A ratio to less than this says nothing."""
_BAND_STEP: Final = 2048.0
"""Larger than any difference of luma: keeps the bands apart in one sort."""
_GREY: Final = np.arange(256, dtype=np.float32)
_NEUTRAL: Final = 128.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tone:
    """A change of the whole picture.

    Attributes:
        gain: Of luma, by the median; 1 means none.
        curve_L: What each luma of the picture before has become.
        casts: What was added to Cr and Cb beyond the gain.
        is_plain: Nothing changed that is worth following.
    """

    gain: float
    curve_L: FloatArray
    casts: tuple[float, float]
    is_plain: bool

    def applied(self, planes_PHW: FloatArray) -> FloatArray:
        """Return the picture before as the camera would show it now."""
        changed_PHW = np.empty_like(planes_PHW)
        changed_PHW[0] = self.applied_to_luma(planes_PHW[0])
        for plane, cast in enumerate(self.casts, start=1):
            offset = _NEUTRAL * (1 - self.gain) + cast
            np.multiply(planes_PHW[plane], np.float32(self.gain), out=changed_PHW[plane])
            changed_PHW[plane] += np.float32(offset)
        return changed_PHW

    def applied_to_luma(self, luma_HW: FloatArray) -> FloatArray:
        """Apply the curve and keep the fraction that eight bits would cut off."""
        added_HW = cv2.LUT(cv2.convertScaleAbs(luma_HW), self.curve_L - _GREY)
        return np.asarray(cv2.add(luma_HW, added_HW), np.float32)


def find_tone(now_PN: FloatArray, was_PN: FloatArray, *, enough: float) -> Tone:
    """Compare the same pixels in two pictures.

    Everything is a median, so an object that covers less than half of the pixels of its own
    brightness changes nothing.

    Args:
        now_PN: The picture.
        was_PN: The picture before (or the background), same pixels.
        enough: With fewer pixels than this that can be compared, nothing is said.
    """
    bright_N = was_PN[0] > _DARKEST
    if np.count_nonzero(bright_N) < max(1.0, enough):
        return Tone(gain=1.0, curve_L=_GREY, casts=(0.0, 0.0), is_plain=True)
    usable = np.flatnonzero(bright_N)
    now_PN, was_PN = now_PN.take(usable, axis=1), was_PN.take(usable, axis=1)
    gain = float(np.clip(_median(now_PN[0] / was_PN[0]), *GAINS))
    curve_L = _curve(now_PN[0], was_PN[0], gain=gain)
    expected_PN = _NEUTRAL + (was_PN[1:] - _NEUTRAL) * np.float32(gain)
    red, blue = (_median(left_N) for left_N in now_PN[1:] - expected_PN)
    shift = max(float(np.abs(curve_L - _GREY).max()), abs(red), abs(blue))
    return Tone(gain=gain, curve_L=curve_L, casts=(red, blue), is_plain=shift < LEAST_SHIFT)


def _curve(now_N: FloatArray, was_N: FloatArray, *, gain: float) -> FloatArray:
    """Return the gain, corrected in each band of luma by the median of what it leaves.

    Bands with few pixels or without agreement keep what their neighbours say. One sort gives
    the quartiles of all bands.
    """
    left_N = now_N - was_N * np.float32(gain)
    bands_N = np.minimum(was_N * np.float32(_BANDS / 256), _BANDS - 1).astype(np.int64)
    keys_N = np.sort(bands_N * _BAND_STEP + left_N)
    edges = np.searchsorted(keys_N, (np.arange(_BANDS + 1) - 0.5) * _BAND_STEP)
    starts_B, counts_B = edges[:-1], np.diff(edges)
    bands_B = np.flatnonzero(counts_B >= _LEAST_PER_BAND)
    low_B, middle_B, high_B = (
        keys_N[starts_B[bands_B] + (counts_B[bands_B] * share).astype(np.int64)]
        - bands_B * _BAND_STEP
        for share in (0.25, 0.5, 0.75)
    )
    agrees_B = high_B - low_B < 2 * _AGREEMENT_LEVELS
    if not agrees_B.any():
        return np.asarray(np.clip(_GREY * np.float32(gain), 0, 255), np.float32)
    centres_B = (bands_B[agrees_B] + 0.5) * (256 / _BANDS)
    bends_B = np.clip(middle_B[agrees_B], -LARGEST_BEND, LARGEST_BEND)
    curve_L = _GREY * gain + np.interp(_GREY, centres_B, bends_B)
    return np.asarray(np.clip(curve_L, 0, 255), np.float32)


def _median(values_N: FloatArray) -> float:
    """Return the upper median; several times faster than ``np.median`` on a few thousand."""
    middle = values_N.size // 2
    return float(np.partition(values_N, middle)[middle])
