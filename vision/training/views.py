"""Makes a training view of pictures: turned, cut, pasted, mosaicked; and dirt, dark and noise.

The clear view goes to the dense teacher; the student sees the same scene through a bad camera.
Pixels per object follow what the encoder sees in use: a picture is fitted into 384x224 and then
scaled; small views are parts of it, not smaller pictures.

Shape legend: H, W = view in pixels, 3 = blue, green, red, N = objects, 4 = x1, y1, x2, y2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage
from vision.training.corpus import Corpus, Sample
from vision.training.cutouts import Cutout, turned
from vision.training.sources import PERSON
from vision.training.teachers import iou, turn_back

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

USUAL_SIZE: Final = (224, 384)
"""Height and width into which pictures are fitted in use."""
GREY: Final = 114
LEAST_SCORE: Final = 0.28
"""Objects of which the teachers are less sure are left to the dense teacher."""
LEAST_VISIBLE: Final = 0.35
"""Share of an object's area that must lie in the view."""
LEAST_SIDE: Final = 4.0
HIDDEN: Final = 0.6
"""An object of which a pasted person covers this share is gone."""
LYING_SHARE: Final = 0.6
PASTED_SCORE: Final = 0.9
DECOY_SHARE: Final = 0.35
"""Of what is pasted, so much has a person's outline and is none: ground, wall, foliage. Otherwise
whatever small thing stands out from the floor is learnt as somebody who lies there."""
_TEXTURE_TRIES: Final = 6


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects of a view: boxes in pixels (N, 4), class indices and how sure each is (N)."""

    boxes_N4: FloatArray
    labels_N: IntArray
    scores_N: FloatArray

    @classmethod
    def of(cls, sample: Sample) -> "Objects":
        """Return those of a sample that are sure enough."""
        items = [item for item in sample.objects if item.score >= LEAST_SCORE]
        return cls(
            np.array([item.box for item in items], np.float32).reshape(-1, 4),
            np.array([item.label for item in items], np.int64),
            np.array([min(item.score, 0.95) for item in items], np.float32),
        )

    def where(self, kept_N: npt.NDArray[np.bool_]) -> "Objects":
        """Return some of them."""
        return Objects(self.boxes_N4[kept_N], self.labels_N[kept_N], self.scores_N[kept_N])

    def and_also(self, other: "Objects") -> "Objects":
        """Return both."""
        return Objects(
            np.concatenate([self.boxes_N4, other.boxes_N4]),
            np.concatenate([self.labels_N, other.labels_N]),
            np.concatenate([self.scores_N, other.scores_N]),
        )


@dataclass(frozen=True, slots=True)
class View:
    """What the teacher sees, and the objects in it."""

    clear_HW3: BgrImage
    objects: Objects


class ViewMaker:
    """Makes views at random from a corpus."""

    def __init__(
        self,
        corpus: Corpus,
        samples: Sequence[Sample],
        people: Sequence[Cutout],
        *,
        random: np.random.Generator,
    ) -> None:
        self._corpus = corpus
        self._samples = samples
        self._people = people
        self._random = random

    def make(self, first: int, size: tuple[int, int]) -> View:
        """Return a view of (height, width) that shows sample ``first``, and maybe others."""
        if self._random.random() < 0.3:
            pixels, objects = self._mosaic(first, size)
        else:
            pixels, objects = self._window(self._samples[first], size)
        if self._people and self._random.random() < 0.5:
            for _ in range(self._random.integers(1, 4)):
                objects = self._paste(pixels, objects)
        return View(pixels, objects)

    def _mosaic(self, first: int, size: tuple[int, int]) -> tuple[BgrImage, Objects]:
        height, width = size
        across = int(self._random.integers(width // 4, 3 * width // 4))
        down = int(self._random.integers(height // 4, 3 * height // 4))
        pixels = np.full((height, width, 3), GREY, np.uint8)
        objects: Objects | None = None
        for top, bottom in ((0, down), (down, height)):
            for left, right in ((0, across), (across, width)):
                index = first if objects is None else self._any(len(self._samples))
                part, seen = self._window(
                    self._samples[index], (bottom - top, right - left), shrink=0.7
                )
                pixels[top:bottom, left:right] = part
                shift = np.array([left, top] * 2, np.float32)
                moved = Objects(seen.boxes_N4 + shift, seen.labels_N, seen.scores_N)
                objects = moved if objects is None else objects.and_also(moved)
        return pixels, objects or Objects.of(self._samples[first])

    def _window(
        self, sample: Sample, size: tuple[int, int], *, shrink: float = 1.0
    ) -> tuple[BgrImage, Objects]:
        """Cut a window at a random scale; around an object more often than not."""
        pixels = self._corpus.pixels(sample)
        objects = Objects.of(sample)
        turns = int(self._random.choice(4, p=[0.78, 0.09, 0.04, 0.09]))
        if turns:
            objects = _turned_objects(objects, pixels, turns)
            pixels = np.rot90(pixels, turns)
        rows, columns = pixels.shape[:2]
        usual = min(USUAL_SIZE[0] / rows, USUAL_SIZE[1] / columns)
        scale = usual * shrink * float(np.exp(self._random.uniform(np.log(0.7), np.log(1.9))))
        stretch = float(np.exp(self._random.uniform(-0.15, 0.15)))
        matrix = np.zeros((2, 3), np.float32)
        matrix[0, 0], matrix[1, 1] = scale * stretch, scale / stretch
        matrix[:, 2] = self._shift(objects, matrix, (rows, columns), size)
        window = cv2.warpAffine(
            np.ascontiguousarray(pixels),
            matrix,
            (size[1], size[0]),
            flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
            borderValue=(GREY, GREY, GREY),
        )
        moved = objects.boxes_N4 * np.tile(matrix[[0, 1], [0, 1]], 2) + np.tile(matrix[:, 2], 2)
        return np.asarray(window, np.uint8), _visible(objects, moved, size)

    def _shift(
        self,
        objects: Objects,
        matrix: FloatArray,
        picture: tuple[int, int],
        size: tuple[int, int],
    ) -> FloatArray:
        room = np.array(
            [size[1] - picture[1] * matrix[0, 0], size[0] - picture[0] * matrix[1, 1]], np.float32
        )
        if len(objects.boxes_N4) and self._random.random() < 0.6:
            x1, y1, x2, y2 = objects.boxes_N4[self._random.integers(len(objects.boxes_N4))]
            centre = np.array([(x1 + x2) / 2 * matrix[0, 0], (y1 + y2) / 2 * matrix[1, 1]])
            target = np.array([size[1], size[0]]) * self._random.uniform(0.15, 0.85, 2)
            shift = (target - centre).astype(np.float32)
        else:
            shift = (room * self._random.uniform(0, 1, 2)).astype(np.float32)
        # No more grey than must be: a window lies inside the picture or the picture inside it.
        low, high = np.minimum(room, 0), np.maximum(room, 0)
        return np.asarray(shift.clip(low, high), np.float32)

    def _any(self, count: int) -> int:
        return int(self._random.integers(count))

    def _paste(self, pixels_HW3: BgrImage, objects: Objects) -> Objects:
        """Put a person, or a thing of his outline, into the view; return the objects then."""
        height, width = pixels_HW3.shape[:2]
        person = self._people[self._any(len(self._people))]
        is_decoy = self._random.random() < DECOY_SHARE
        is_lying = self._random.random() < LYING_SHARE
        middle = self._random.choice([-90.0, 90.0]) if is_lying else 0.0
        degrees = self._random.normal(middle, 28.0 if is_lying else 12.0)
        tall = height * float(np.exp(self._random.uniform(np.log(0.16), np.log(0.75))))
        cut = turned(person, degrees=degrees, height=tall)
        if cut is not None and is_decoy:
            cut = self._filled(cut)
        if cut is None:
            return objects
        rows, columns = cut.alpha_HW.shape
        left = int(self._random.integers(-columns // 4, max(1, width - 3 * columns // 4)))
        top = int(self._random.integers(-rows // 4, max(1, height - 3 * rows // 4)))
        x1, y1 = max(0, left), max(0, top)
        x2, y2 = min(width, left + columns), min(height, top + rows)
        if x2 - x1 < 6 or y2 - y1 < 6:
            return objects
        part = np.s_[y1 - top : y2 - top, x1 - left : x2 - left]
        place = pixels_HW3[y1:y2, x1:x2]
        alpha = cut.alpha_HW[part].astype(np.float32)[..., None] / 255
        body = _lit_like(cut.pixels_HW3[part], place, self._random)
        place[:] = (alpha * body + (1 - alpha) * place).astype(np.uint8)
        box = np.array([[x1, y1, x2, y2]], np.float32)
        kept = objects.where(_covered(objects.boxes_N4, box[0]) < HIDDEN)
        if is_decoy:
            return kept
        return kept.and_also(Objects(box, np.array([PERSON]), np.array([PASTED_SCORE], np.float32)))

    def _filled(self, cut: Cutout) -> Cutout | None:
        """Fill the outline with a piece of a picture that shows nothing; None if none was found."""
        rows, columns = cut.alpha_HW.shape
        for _ in range(_TEXTURE_TRIES):
            sample = self._samples[self._any(len(self._samples))]
            tall, wide = sample.height - rows, sample.width - columns
            if tall < 0 or wide < 0:
                continue
            top, left = self._any(tall + 1), self._any(wide + 1)
            piece = np.array([[left, top, left + columns, top + rows]], np.float32)
            boxes_N4 = np.array([item.box for item in sample.objects], np.float32).reshape(-1, 4)
            if iou(piece, boxes_N4).any():
                continue
            pixels = self._corpus.pixels(sample)[top : top + rows, left : left + columns]
            return Cutout(np.ascontiguousarray(pixels), cut.alpha_HW)
        return None


def worn(pixels_HW3: BgrImage, random: np.random.Generator) -> BgrImage:
    """Return the view as a worse camera would show it: light, colour, blur, noise, blocks."""
    picture: npt.NDArray[np.floating] = pixels_HW3.astype(np.float32)
    if random.random() < 0.8:
        gamma = np.float32(np.exp(random.normal(0, 0.3)))
        picture = 255 * (picture / 255) ** gamma
        picture = picture * float(random.uniform(0.7, 1.25)) + float(random.normal(0, 10))
        picture *= random.uniform(0.9, 1.1, 3).astype(np.float32)
    if random.random() < 0.2:
        picture[:] = picture.mean(axis=2, keepdims=True)
    if random.random() < 0.06:
        picture = picture * float(random.uniform(0.15, 0.4))
    dirty = np.asarray(picture.clip(0, 255), np.uint8)
    if random.random() < 0.25:
        factor = float(random.uniform(0.45, 0.8))
        small = cv2.resize(dirty, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        dirty = np.asarray(cv2.resize(small, dirty.shape[1::-1]), np.uint8)
    elif random.random() < 0.15:
        dirty = np.asarray(cv2.GaussianBlur(dirty, (0, 0), float(random.uniform(0.5, 1.6))))
    if random.random() < 0.3:
        spread = float(random.uniform(2, 14))
        noise = random.standard_normal((*dirty.shape[:2], 1), dtype=np.float32) * spread
        dirty = (dirty + noise).clip(0, 255).astype(np.uint8)
    if random.random() < 0.3:
        quality = int(random.integers(18, 70))
        _, coded = cv2.imencode(".jpg", dirty, [cv2.IMWRITE_JPEG_QUALITY, quality])
        dirty = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return dirty


def _lit_like(body: BgrImage, place: BgrImage, random: np.random.Generator) -> FloatArray:
    """Bring a pasted person's brightness half way to that of the place."""
    ratio = (float(place.mean()) + 20) / (float(body.mean()) + 20)
    factor = ratio ** float(random.uniform(0.0, 0.7))
    return np.asarray((body.astype(np.float32) * factor).clip(0, 255), np.float32)


def _covered(boxes_N4: FloatArray, box_4: FloatArray) -> FloatArray:
    """Return the share of each box that lies under another."""
    inner = np.minimum(boxes_N4[:, 2:], box_4[2:]) - np.maximum(boxes_N4[:, :2], box_4[:2])
    areas_N = (boxes_N4[:, 2:] - boxes_N4[:, :2]).prod(axis=1)
    return np.asarray(inner.clip(0).prod(axis=1) / np.maximum(areas_N, 1e-6), np.float32)


def _turned_objects(objects: Objects, pixels_HW3: BgrImage, turns: int) -> Objects:
    """Follow ``np.rot90(picture, turns)``, which is undone by turning on to four."""
    rows, columns = pixels_HW3.shape[:2]
    after = (columns, rows) if turns % 2 else (rows, columns)
    boxes_N4 = turn_back(objects.boxes_N4, 4 - turns, height=after[0], width=after[1])
    return Objects(boxes_N4.astype(np.float32), objects.labels_N, objects.scores_N)


def _visible(objects: Objects, moved_N4: FloatArray, size: tuple[int, int]) -> Objects:
    clipped_N4 = moved_N4.clip(0, np.array([size[1], size[0]] * 2, np.float32))
    sides_N2 = clipped_N4[:, 2:] - clipped_N4[:, :2]
    whole_N = (moved_N4[:, 2:] - moved_N4[:, :2]).prod(axis=1)
    share_N = sides_N2.clip(0).prod(axis=1) / np.maximum(whole_N, 1e-6)
    kept_N = (share_N >= LEAST_VISIBLE) & (sides_N2 >= LEAST_SIDE).all(axis=1)
    return Objects(clipped_N4.astype(np.float32), objects.labels_N, objects.scores_N).where(kept_N)
