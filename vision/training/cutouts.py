"""People cut out of pictures, to be put into others at any angle.

Nobody labels lying people; whoever stands in one picture lies in another when he is turned.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage
from vision.training.corpus import Corpus, Object, Sample
from vision.training.sources import PERSON
from vision.training.teachers import iou

LEAST_SCORE: Final = 0.55
LEAST_HEIGHT: Final = 60
LARGEST_HEIGHT: Final = 220
TALL: Final = (1.6, 4.5)
"""Height by width of somebody who stands and is seen whole."""
LARGEST_OVERLAP: Final = 0.08
MARGIN: Final = 0.12
PER_SOURCE: Final = 14
FILLED: Final = (0.3, 0.85)
"""Share of the box that a person covers; outside of it the cutting failed."""


@dataclass(frozen=True, slots=True)
class Cutout:
    """A person: pixels (H, W, 3) and opacity (H, W), 0 to 255."""

    pixels_HW3: BgrImage
    alpha_HW: npt.NDArray[np.uint8]


def cut_people(corpus: Corpus, samples: Sequence[Sample]) -> list[Cutout]:
    """Return people of these samples that were cut out cleanly, a few from each source."""
    taken: dict[str, int] = {}
    found = []
    for sample in samples:
        for item in _candidates(sample):
            if taken.get(sample.source, 0) >= PER_SOURCE:
                break
            cutout = _cut(corpus.pixels(sample), item)
            if cutout is not None:
                taken[sample.source] = taken.get(sample.source, 0) + 1
                found.append(cutout)
    return found


def turned(cutout: Cutout, *, degrees: float, height: float) -> Cutout | None:
    """Return the person at a size (pixels when upright) and angle, cropped to what is left."""
    scale = height / cutout.pixels_HW3.shape[0]
    rows, columns = cutout.alpha_HW.shape
    side = int(np.ceil(np.hypot(rows, columns) * scale)) + 4
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), degrees, scale)
    matrix[:, 2] = matrix[:, 2] + side / 2 - np.array([columns / 2, rows / 2])
    alpha = cv2.warpAffine(cutout.alpha_HW, matrix, (side, side), flags=cv2.INTER_AREA)
    pixels = cv2.warpAffine(
        cutout.pixels_HW3, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE
    )
    seen_rows, seen_columns = (
        np.flatnonzero((alpha > 127).any(1)),
        np.flatnonzero((alpha > 127).any(0)),
    )
    if len(seen_rows) < 6 or len(seen_columns) < 6:
        return None
    part = np.s_[seen_rows[0] : seen_rows[-1] + 1, seen_columns[0] : seen_columns[-1] + 1]
    return Cutout(np.asarray(pixels[part], np.uint8), np.asarray(alpha[part], np.uint8))


def _candidates(sample: Sample) -> Iterator[Object]:
    people = [item for item in sample.objects if item.label == PERSON and item.score > 0.15]
    boxes_N4 = np.array([item.box for item in people], np.float32).reshape(-1, 4)
    overlaps_NN = iou(boxes_N4, boxes_N4) - np.eye(len(people), dtype=np.float32)
    for index, item in enumerate(people):
        x1, y1, x2, y2 = item.box
        wide, tall = x2 - x1, y2 - y1
        is_inside = x1 > 2 and y1 > 2 and x2 < sample.width - 2 and y2 < sample.height - 2
        is_alone = overlaps_NN[index].max(initial=0) < LARGEST_OVERLAP
        is_whole = TALL[0] <= tall / max(wide, 1) <= TALL[1]
        if (
            item.score >= LEAST_SCORE
            and tall >= LEAST_HEIGHT
            and is_inside
            and is_alone
            and is_whole
        ):
            yield item


def _cut(pixels_HW3: BgrImage, item: Object) -> Cutout | None:
    x1, y1, x2, y2 = item.box
    wide, tall = x2 - x1, y2 - y1
    left, top = int(max(0, x1 - MARGIN * wide)), int(max(0, y1 - MARGIN * tall))
    part = np.ascontiguousarray(
        pixels_HW3[top : int(y2 + MARGIN * tall), left : int(x2 + MARGIN * wide)]
    )
    scale = min(1.0, LARGEST_HEIGHT / part.shape[0])
    part = np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    box = [int(scale * v) for v in (x1 - left, y1 - top, wide, tall)]
    mask = np.zeros(part.shape[:2], np.uint8)
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    try:
        cv2.grabCut(part, mask, box, background, foreground, 3, cv2.GC_INIT_WITH_RECT)
    except cv2.error:
        return None
    alpha = np.where((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)
    alpha = np.asarray(cv2.medianBlur(alpha, 5), np.uint8)
    if not FILLED[0] <= (alpha > 0).sum() / (box[2] * box[3]) <= FILLED[1]:
        return None
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    if len(rows) < 0.85 * box[3] or len(columns) < 0.6 * box[2]:
        return None
    clean = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    soft = cv2.GaussianBlur(alpha, (3, 3), 0)
    return Cutout(part[clean].copy(), np.asarray(soft[clean], np.uint8))
