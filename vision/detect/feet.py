"""Where a body ends below in little light, where legs differ from the ground less than noise may.

The noise that pixels are granted has a floor, the coding's, and contrast shrinks with the light: at
dusk a coat is found and grey trousers on a grey pavement are not, so that the body seems to end at
the waist and to stand metres behind. What differs as much as would do in full light, right below a
body and nowhere beside it, belongs to it.

Shape legend: H, W = working picture in pixels, h, w = a part of it, N = bodies, M = the others,
4 = x1, y1, x2, y2.
"""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from vision.detect.background import Mask, Planes, as_mask
from vision.detect.blobs import PixelBoxes

UPRIGHT: Final = 0.8
"""What has legs is so many times as high as wide even without them; cars are not."""
REACH: Final = 1.2
"""What is not seen of a body below is at most so many times as high as what is."""
GAP: Final = 0.25
LEAST_GAP: Final = 2
"""... and is found again after a gap of this share of it, or so many rows."""
LEAST_GAIN: Final = 0.15
"""Less than this share is no leg."""
BESIDE: Final = 0.5
LEAST_BESIDE: Final = 2
"""In mid stride feet are so many widths of the body beside it at most, or so many columns."""
ELSEWHERE: Final = 0.3
"""If more of a row beside them differs, the ground does: light that moves over it."""
SHOES: Final = 0.4
"""What is found below a body, and is lower than this share of it, is no other body."""


def with_feet(boxes_N4: PixelBoxes, faint_HW: Planes) -> tuple[PixelBoxes, npt.NDArray[np.bool_]]:
    """Return the bodies, each down to where it ends, and which of them are bodies of their own.

    Args:
        boxes_N4: Bodies, in pixels.
        faint_HW: How far each pixel is from the empty scene in this light; 1 is the edge of noise.
    """
    differs_HW = np.asarray(cv2.medianBlur(as_mask(faint_HW > 1), 3), np.uint8)
    whole_N4 = boxes_N4.copy()
    is_own_N = np.ones(len(boxes_N4), np.bool_)
    heights_N = boxes_N4[:, 3] - boxes_N4[:, 1]
    for index, box_4 in enumerate(boxes_N4):
        is_shoe_N = (boxes_N4[:, 1] >= box_4[3]) & (heights_N < SHOES * heights_N[index])
        is_shoe_N[index] = True
        whole_N4[index, 3] += _missing(box_4, boxes_N4[~is_shoe_N], differs_HW)
        is_shoe_N[index] = False
        middles_N = (boxes_N4[:, 0] + boxes_N4[:, 2]) / 2
        is_below_N = (middles_N > box_4[0]) & (middles_N < box_4[2])
        is_own_N &= ~(is_shoe_N & is_below_N & (boxes_N4[:, 3] <= whole_N4[index, 3] + 1))
    return whole_N4, is_own_N


def _missing(box_4: npt.NDArray[np.float32], others_M4: PixelBoxes, differs_HW: Mask) -> int:
    """Return how many rows of a body are missing below it."""
    x1, y1, x2, y2 = box_4.astype(int).tolist()
    high, wide = y2 - y1, x2 - x1
    if high < UPRIGHT * wide:
        return 0
    side = max(LEAST_BESIDE, round(BESIDE * wide))
    left, right = max(0, x1 - side - wide), x2 + side + wide
    differs_hw = differs_HW[y2 : y2 + round(REACH * high), left:right] > 0
    is_others_hw = np.zeros(differs_hw.shape, np.bool_)
    for a1, b1, a2, b2 in others_M4.astype(int).tolist():
        rows = slice(max(0, b1 - y2), max(0, b2 - y2))
        is_others_hw[rows, max(0, a1 - left) : max(0, a2 - left)] = True
    differs_hw = differs_hw & ~is_others_hw
    own = slice(max(0, x1 - side - left), x2 + side - left)
    is_ground_hw = ~is_others_hw
    is_ground_hw[:, own] = False
    beside_h = (differs_hw & is_ground_hw).sum(axis=1)
    is_ground_same_h = beside_h <= ELSEWHERE * is_ground_hw.sum(axis=1)
    legs = np.flatnonzero(differs_hw[:, own].any(axis=1) & is_ground_same_h)
    gaps = np.diff(legs, prepend=-1) - 1
    [ends] = np.nonzero(gaps > max(LEAST_GAP, GAP * high))
    legs = legs[: ends[0]] if len(ends) else legs
    missing = int(legs[-1]) + 1 if len(legs) else 0
    return missing if missing >= LEAST_GAIN * high else 0
