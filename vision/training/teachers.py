"""Published detectors label what nobody labelled: many views of a picture, fused into objects.

A single look of a small detector misses people who lie, are far away or stand at the edge. Views
are the picture itself, mirrored, turned by 90 degrees both ways (a lying person stands up) and in
four overlapping parts at twice the scale.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage
from vision.detect.session import OnnxSession
from vision.detect.yolox import anchor_grid, decode, letterbox, suppress, to_corners
from vision.training.corpus import Object
from vision.training.picodet import PicoDet
from vision.training.sources import CLASSES, of_ours

FloatArray = npt.NDArray[np.float32]
Teacher = Callable[[BgrImage], tuple[FloatArray, FloatArray]]

LEAST_SCORE: Final = 0.12
"""Looks below this are not counted."""
SAME_IOU: Final = 0.55
"""Boxes of two looks that overlap by this much are one object."""
PART: Final = 0.6
"""Side of the parts, relative to the picture's."""
EDGE: Final = 0.02
"""A box of a part that ends within this share of the part's inner edge is cut off by it."""
TURN_DISCOUNT: Final = 0.85
"""Looks at a turned picture count for less: what lies there may be no person at all."""


@dataclass(frozen=True, slots=True)
class Look:
    """Objects of one teacher in one view, in the picture's pixels."""

    boxes_N4: FloatArray
    scores_NC: FloatArray
    view: str


class Yolox:
    """YOLOX's raw answer for our classes."""

    def __init__(self, path: Path) -> None:
        self._session = OnnxSession(path)
        dims = self._session.input.dims
        self._size = (int(dims[2] or 0), int(dims[3] or 0))
        self._grid_A3 = anchor_grid(self._size, None)

    def __call__(self, pixels_HW3: BgrImage) -> tuple[FloatArray, FloatArray]:
        """Return boxes in pixels (A, 4) and scores of COCO's classes (A, 80)."""
        batch, scale = letterbox(pixels_HW3, self._size)
        output_AC = self._session.run(batch)[0]
        boxes_A4 = to_corners(decode(output_AC, self._grid_A3)) / scale
        return boxes_A4, output_AC[:, 4:5] * output_AC[:, 5:]


class Ensemble:
    """All teachers, all views, one answer."""

    def __init__(self, folder: Path) -> None:
        """Load the teachers from a folder with ``yolox_nano_coco`` and ``picodet_s_416``."""
        self._yolox = Yolox(next((folder / "yolox_nano_coco").glob("*.onnx")))
        self._picodet = PicoDet(next((folder / "picodet_s_416").glob("*.onnx")))

    def label(self, pixels_HW3: BgrImage) -> tuple[Object, ...]:
        """Return the objects of a picture to train on, the surest first."""
        looks = [
            *_both_ways(self._yolox, pixels_HW3, "yolox"),
            *_both_ways(self._picodet, pixels_HW3, "picodet"),
            *self._turned(pixels_HW3),
            *_parts(self._yolox, pixels_HW3),
        ]
        return fuse(looks, height=pixels_HW3.shape[0], width=pixels_HW3.shape[1])

    def judge(self, pixels_HW3: BgrImage) -> tuple[Object, ...]:
        """Return the objects of a held-out picture, the surest first.

        YOLOX has no say: it is the one that is compared with, and would be its own judge.
        """
        looks = [
            *_both_ways(self._picodet, pixels_HW3, "picodet"),
            *_parts(self._picodet, pixels_HW3),
        ]
        return fuse(looks, height=pixels_HW3.shape[0], width=pixels_HW3.shape[1])

    def _turned(self, pixels_HW3: BgrImage) -> Iterator[Look]:
        height, width = pixels_HW3.shape[:2]
        for turns in (1, 3):
            turned = np.ascontiguousarray(np.rot90(pixels_HW3, turns))
            boxes_A4, scores_AC = self._yolox(turned)
            back_A4 = turn_back(boxes_A4, turns, height=height, width=width)
            yield _look((back_A4, TURN_DISCOUNT * scores_AC), f"turned {turns}")


def _both_ways(teacher: Teacher, pixels_HW3: BgrImage, name: str) -> Iterator[Look]:
    yield _look(teacher(pixels_HW3), name)
    boxes_A4, scores_AC = teacher(np.ascontiguousarray(pixels_HW3[:, ::-1]))
    yield _look((_mirror(boxes_A4, pixels_HW3.shape[1]), scores_AC), f"{name} mirrored")


def _parts(teacher: Teacher, pixels_HW3: BgrImage) -> Iterator[Look]:
    height, width = pixels_HW3.shape[:2]
    for left in (0, width - int(PART * width)):
        for top in (0, height - int(PART * height)):
            yield _part(teacher, pixels_HW3, left, top)


def _part(teacher: Teacher, pixels_HW3: BgrImage, left: int, top: int) -> Look:
    height, width = pixels_HW3.shape[:2]
    part = pixels_HW3[top : top + int(PART * height), left : left + int(PART * width)]
    larger = cv2.resize(part, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    boxes_A4, scores_AC = teacher(np.asarray(larger, np.uint8))
    placed_A4 = (boxes_A4 / 2 + np.array([left, top] * 2)).astype(np.float32)
    look = _look((placed_A4, scores_AC), "parts")
    x1, y1, x2, y2 = look.boxes_N4.T
    margin_x, margin_y = EDGE * width, EDGE * height
    is_cut = (
        ((left > 0) & (x1 < left + margin_x))
        | ((top > 0) & (y1 < top + margin_y))
        | ((left == 0) & (x2 > part.shape[1] - margin_x))
        | ((top == 0) & (y2 > part.shape[0] - margin_y))
    )
    return Look(look.boxes_N4[~is_cut], look.scores_NC[~is_cut], "parts")


def fuse(looks: Sequence[Look], *, height: int, width: int) -> tuple[Object, ...]:
    """Merge the looks: one object per group of overlapping boxes of one class.

    The score is the mean of the best score in each of the three surest views, so that what only
    one view saw counts a third; the box is the mean weighted by score.
    """
    boxes_K4 = np.concatenate([look.boxes_N4 for look in looks])
    boxes_K4 = boxes_K4.clip(0, np.array([width, height] * 2, np.float32))
    scores_KC = np.concatenate([look.scores_NC for look in looks])
    views = np.concatenate([np.full(len(look.boxes_N4), look.view) for look in looks])
    found = []
    for label in range(len(CLASSES)):
        scores_K = scores_KC[:, label]
        left = [int(k) for k in np.argsort(-scores_K) if scores_K[k] >= LEAST_SCORE]
        while left:
            overlaps = iou(boxes_K4[left[:1]], boxes_K4[left])[0]
            group = [k for k, overlap in zip(left, overlaps, strict=True) if overlap >= SAME_IOU]
            group = group or left[:1]
            left = [k for k in left if k not in set(group)]
            found.append(_fused(boxes_K4[group], scores_K[group], views[group], label))
    found.sort(key=lambda item: -item.score)
    return tuple(found)


def _fused(
    boxes_K4: FloatArray, scores_K: FloatArray, views: npt.NDArray[np.str_], label: int
) -> Object:
    best = sorted((float(scores_K[views == view].max()) for view in set(views)), reverse=True)
    x1, y1, x2, y2 = np.average(boxes_K4, axis=0, weights=scores_K**2).tolist()
    return Object(
        box=(round(x1, 1), round(y1, 1), round(x2, 1), round(y2, 1)),
        label=label,
        score=round(sum(best[:3]) / 3, 3),
    )


def _look(answer: tuple[FloatArray, FloatArray], view: str) -> Look:
    boxes_A4, coco_AC = answer
    scores_AC = of_ours(coco_AC)
    best_A = scores_AC.max(axis=1)
    near = np.flatnonzero(best_A >= LEAST_SCORE)
    kept = near[suppress(boxes_A4[near], best_A[near], scores_AC[near].argmax(axis=1))]
    return Look(boxes_A4[kept].astype(np.float32), scores_AC[kept].astype(np.float32), view)


def _mirror(boxes_A4: FloatArray, width: int) -> FloatArray:
    return np.stack(
        [width - boxes_A4[:, 2], boxes_A4[:, 1], width - boxes_A4[:, 0], boxes_A4[:, 3]], axis=1
    )


def turn_back(boxes_A4: FloatArray, turns: int, *, height: int, width: int) -> FloatArray:
    """Undo ``np.rot90(picture, turns)`` for boxes: return them in the upright picture's pixels."""
    x1, y1, x2, y2 = boxes_A4.T
    if turns % 4 == 1:
        sides = (width - y2, x1, width - y1, x2)
    elif turns % 4 == 2:
        sides = (width - x2, height - y2, width - x1, height - y1)
    elif turns % 4 == 3:
        sides = (y1, height - x2, y2, height - x1)
    else:
        sides = (x1, y1, x2, y2)
    return np.stack(sides, axis=1).astype(np.float32)


def iou(first_N4: FloatArray, second_M4: FloatArray) -> FloatArray:
    """Return the overlap of each pair, shape (N, M), 0 to 1."""
    top_left = np.maximum(first_N4[:, None, :2], second_M4[None, :, :2])
    bottom_right = np.minimum(first_N4[:, None, 2:], second_M4[None, :, 2:])
    both = (bottom_right - top_left).clip(0).prod(axis=2)
    first_N = (first_N4[:, 2:] - first_N4[:, :2]).clip(0).prod(axis=1)
    second_M = (second_M4[:, 2:] - second_M4[:, :2]).clip(0).prod(axis=1)
    union = first_N[:, None] + second_M[None] - both
    return np.asarray(both / np.maximum(union, 1e-9), np.float32)
