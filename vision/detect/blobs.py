"""Foreground pixels to bodies: components, fragments put together, ghosts and light told apart.

Shape legend: H, W = working picture in pixels, G = slopes to the right and down, N = blobs,
4 = x1, y1, x2, y2 in pixels.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from vision.detect.background import Mask, Planes, as_mask

STRONG: Final = 2.0
"""A component needs pixels of this score (1 is the edge of noise) to be more than a flicker."""
STRONG_SHARE: Final = 0.25
"""... at least this share of them."""
MIN_AREA_SHARE: Final = 0.0006
"""Least area of a blob, share of the picture: 12 x 12 pixels at 640 x 360."""
MIN_SIDE_PX: Final = 3
BODY_GAP: Final = 0.3
"""Fragments above each other belong to one body if the gap is below this share of the higher,"""
BODY_OFF_AXIS: Final = 0.35
"""... their middles are this near sideways, in widths of the wider,"""
BODY_FILL: Final = 0.5
"""... they fill so much of the box around them,"""
UPRIGHT: Final = 1.6
"""... and together are this much higher than wide; cars behind each other are not."""
NESTED_SHARE: Final = 0.6
"""A box of which so much lies inside another is part of it."""
GHOST_RATIO: Final = 0.6
"""Edges along the contour, picture over background, below which the blob is a hole."""
LIGHT_AGREEMENT: Final = 0.7
"""Correlation of gradients inside the blob above which only the light has changed."""
LEAST_INSIDE_PX: Final = 20
"""Fewer pixels inside a blob have no texture to speak of."""
LEAST_TEXTURE: Final = 8.0
"""Mean gradient of the background, grey levels over 8 (Sobel), that can be compared."""

PixelBoxes = npt.NDArray[np.float32]

_CLOSING: Final = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 7))
_BAND: Final = np.ones((5, 5), np.uint8)
_MARGIN_PX: Final = 4
_SCORE_CEILING: Final = 8.0
"""A few very bright pixels must not make a weak blob strong."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blob:
    """One connected piece of foreground.

    Attributes:
        box: Bounding box in pixels, right and bottom exclusive.
        part: Where its cut-out lies in the picture: the box and a margin.
        mask_HW: 255 inside, of the size of the cut-out; gaps are closed.
        area: Its foreground pixels before closing.
        strength: Their mean score, above 1.
    """

    box: tuple[int, int, int, int]
    part: tuple[slice, slice]
    mask_HW: Mask
    area: int
    strength: float


def find_blobs(score_HW: Planes) -> list[Blob]:
    """Close small gaps, drop specks and return what is large and strong enough to be a thing."""
    weak_HW = np.asarray(cv2.medianBlur(as_mask(score_HW > 1), 3), np.uint8)
    closed_HW = cv2.morphologyEx(weak_HW, cv2.MORPH_CLOSE, _CLOSING)
    _, labels_HW, stats, _ = cv2.connectedComponentsWithStats(
        closed_HW, connectivity=8, ltype=cv2.CV_16U
    )
    min_area = least_area(*score_HW.shape)
    large = (
        (stats[:, cv2.CC_STAT_AREA] >= min_area)
        & (stats[:, cv2.CC_STAT_WIDTH] >= MIN_SIDE_PX)
        & (stats[:, cv2.CC_STAT_HEIGHT] >= MIN_SIDE_PX)
    )
    found = []
    for label in np.flatnonzero(large[1:]) + 1:
        x1, y1, width, height = (int(value) for value in stats[label, :4])
        rows = slice(max(0, y1 - _MARGIN_PX), y1 + height + _MARGIN_PX)
        columns = slice(max(0, x1 - _MARGIN_PX), x1 + width + _MARGIN_PX)
        mask_HW = as_mask(labels_HW[rows, columns] == label)
        inside_HW = cv2.bitwise_and(mask_HW, weak_HW[rows, columns])
        area = cv2.countNonZero(inside_HW)
        scores_HW = np.minimum(score_HW[rows, columns], _SCORE_CEILING)
        strong = np.count_nonzero((scores_HW > STRONG) & (mask_HW > 0))
        if area < min_area or strong < STRONG_SHARE * area:
            continue
        found.append(
            Blob(
                box=(x1, y1, x1 + width, y1 + height),
                part=(rows, columns),
                mask_HW=mask_HW,
                area=area,
                strength=float(cv2.mean(scores_HW, inside_HW)[0]),
            )
        )
    return found


def least_area(height: int, width: int) -> float:
    """Return the least pixels of a blob in a picture of this size."""
    return max(12.0, MIN_AREA_SHARE * height * width)


def is_ghost(mask_HW: Mask, luma_HW: Planes, mean_HW: Planes) -> bool:
    """Say whether the blob is the hole that something left, rather than something new.

    A thing has its edges in the picture; a hole has them in the background that still shows
    what was there.

    Args:
        mask_HW: The blob, cut out with a margin of a few pixels, non-zero inside.
        luma_HW: The picture, same part.
        mean_HW: The background, same part.
    """
    band_HW = cv2.subtract(cv2.dilate(mask_HW, _BAND), cv2.erode(mask_HW, _BAND))
    in_picture = float(cv2.mean(_steepness(luma_HW), band_HW)[0])
    in_background = float(cv2.mean(_steepness(mean_HW), band_HW)[0])
    return in_background > LEAST_TEXTURE and in_picture < GHOST_RATIO * in_background


def is_light(mask_HW: Mask, luma_HW: Planes, mean_HW: Planes) -> bool:
    """Say whether the blob shows the background's own texture, only brighter or darker.

    Judged inside the blob only, since the edge of a shadow is new in any case; where the
    background has no texture nothing can be said, and the answer is no.
    """
    core_HW = cv2.erode(mask_HW, _BAND)
    pixels = cv2.countNonZero(core_HW)
    if pixels < LEAST_INSIDE_PX:
        return False
    inside_HW = (np.asarray(core_HW) > 0).astype(np.float32)
    now_GHW = _gradients(luma_HW) * inside_HW
    was_GHW = _gradients(mean_HW) * inside_HW
    was_energy = float(np.vdot(was_GHW, was_GHW))
    if was_energy < pixels * LEAST_TEXTURE**2:
        return False
    now_energy = float(np.vdot(now_GHW, now_GHW))
    return float(np.vdot(now_GHW, was_GHW)) > LIGHT_AGREEMENT * math.sqrt(was_energy * now_energy)


def _gradients(luma_HW: Planes) -> Planes:
    """Return the slopes to the right and down, shape (2, H, W)."""
    right_HW = cv2.Sobel(luma_HW, cv2.CV_32F, 1, 0, ksize=3)
    down_HW = cv2.Sobel(luma_HW, cv2.CV_32F, 0, 1, ksize=3)
    return np.stack([right_HW, down_HW])


def _steepness(luma_HW: Planes) -> Planes:
    return np.asarray(cv2.magnitude(*_gradients(luma_HW)), np.float32)


def body_groups(boxes_N4: PixelBoxes) -> npt.NDArray[np.int64]:
    """Return for each box the number of the body that it belongs to, 0 up.

    Head, trunk and legs often differ from the scene while what lies between does not. Boxes
    are one body if they stand above each other with a small gap and are upright together, or
    if one lies mostly within the other. Repeated until nothing more comes together.
    """
    groups_N = np.arange(boxes_N4.shape[0])
    boxes_M4 = boxes_N4
    while boxes_M4.shape[0] > 1:
        pair = _first_pair(boxes_M4)
        if pair is None:
            break
        keep, drop = pair
        merged = boxes_M4.copy()
        merged[keep, :2] = np.minimum(boxes_M4[keep, :2], boxes_M4[drop, :2])
        merged[keep, 2:] = np.maximum(boxes_M4[keep, 2:], boxes_M4[drop, 2:])
        boxes_M4 = np.delete(merged, drop, axis=0)
        groups_N[groups_N == drop] = keep
        groups_N[groups_N > drop] -= 1
    return groups_N


def _first_pair(boxes_M4: PixelBoxes) -> tuple[int, int] | None:
    x1, y1, x2, y2 = boxes_M4.T
    width, height = x2 - x1, y2 - y1
    areas = width * height
    common_x = np.minimum(x2[:, None], x2) - np.maximum(x1[:, None], x1)
    common_y = np.minimum(y2[:, None], y2) - np.maximum(y1[:, None], y1)
    whole_x = np.maximum(x2[:, None], x2) - np.minimum(x1[:, None], x1)
    whole_y = np.maximum(y2[:, None], y2) - np.minimum(y1[:, None], y1)
    off_axis = np.abs((x1 + x2)[:, None] - (x1 + x2)) / 2
    stacked = (
        (off_axis < BODY_OFF_AXIS * np.maximum(width[:, None], width))
        & (-common_y < BODY_GAP * np.maximum(height[:, None], height))
        & (whole_y > UPRIGHT * whole_x)
        & (areas[:, None] + areas > BODY_FILL * whole_x * whole_y)
    )
    common = np.maximum(0, common_x) * np.maximum(0, common_y)
    nested = common > NESTED_SHARE * np.minimum(areas[:, None], areas)
    first, second = np.nonzero(np.triu(stacked | nested, k=1))
    if first.size == 0:
        return None
    return int(first[0]), int(second[0])


def confidence(*, strength: float, fill: float, size: float) -> float:
    """Return 0..1 for a body.

    Args:
        strength: Mean score of its pixels; 1 is the edge of noise.
        fill: Share of its box that is foreground, 0 to 1.
        size: Its pixels over the least that a blob must have.

    Ours, not measured: a body of twice the noise threshold that fills a third of its box gets
    0.6; three times and half gets 0.8.
    """
    contrast = 1.0 - 1.0 / max(1.0, strength)
    solidity = min(1.0, fill / 0.4)
    bulk = min(1.0, 0.5 + 0.25 * size)
    return float(np.clip(1.2 * contrast * (0.4 + 0.6 * solidity) * bulk + 0.05, 0.0, 0.99))
