"""Shows the worst mistakes on one page, so that somebody looks at them.

Misses are true objects whose best box has the lowest score, the largest objects first among
equals; false boxes are the surest boxes where nothing is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from tqdm import tqdm

from contracts.frames import BgrImage
from vision.training.corpus import Corpus, Object, Sample
from vision.training.evaluate import MATCH_IOU, Find, match, truth_of
from vision.training.teachers import iou

TILE: Final = (240, 320)
COLUMNS: Final = 5
COUNT: Final = 20
WHITE: Final = (255, 255, 255)
GREEN: Final = (60, 200, 60)
RED: Final = (60, 60, 230)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One object missed, or one box too many; the larger ``badness`` the worse."""

    sample: Sample
    item: Object
    badness: float
    words: str


def mistakes(
    corpus: Corpus, samples: Sequence[Sample], find: Find, labels: Sequence[int]
) -> tuple[list[Mistake], list[Mistake]]:
    """Return the worst misses and the worst false boxes, one of each per source at most twice."""
    missed: list[Mistake] = []
    false: list[Mistake] = []
    for sample in tqdm(samples, desc="looking"):
        found = [item for item in find(corpus.pixels(sample)) if item.label in labels]
        sure, unsure = truth_of(sample, labels)
        for item in sure:
            best = _best_score(found, item)
            missed.append(
                Mistake(
                    sample=sample,
                    item=item,
                    badness=(1 - best) * min(1.0, item.score),
                    words=f"missed (best {best:.2f})",
                )
            )
        for item, verdict in match(found, sure, unsure):
            if verdict is False:
                false.append(
                    Mistake(
                        sample=sample,
                        item=item,
                        badness=item.score,
                        words=f"nothing there ({item.score:.2f})",
                    )
                )
    return _worst(missed), _worst(false)


def sheet(corpus: Corpus, chosen: Sequence[Mistake], find: Find, labels: Sequence[int]) -> BgrImage:
    """Return a page: each mistake in red, what was found in green."""
    tiles = [_tile(corpus, mistake, find, labels) for mistake in chosen]
    blank = np.zeros((*TILE, 3), np.uint8)
    tiles += [blank] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
    return np.asarray(np.vstack(rows) if rows else blank, np.uint8)


def write(path: Path, page_HW3: BgrImage) -> None:
    """Write a page as a picture file of the kind that its name says."""
    _, coded = cv2.imencode(path.suffix, page_HW3)
    path.write_bytes(coded.tobytes())


def _worst(found: list[Mistake]) -> list[Mistake]:
    taken: dict[str, int] = {}
    chosen: list[Mistake] = []
    for mistake in sorted(found, key=lambda one: -one.badness):
        if taken.get(mistake.sample.source, 0) < 2 and len(chosen) < COUNT:
            taken[mistake.sample.source] = taken.get(mistake.sample.source, 0) + 1
            chosen.append(mistake)
    return chosen


def _best_score(found: Sequence[Object], item: Object) -> float:
    boxes_N4 = np.array([one.box for one in found], np.float32).reshape(-1, 4)
    overlaps_N = iou(np.array([item.box], np.float32), boxes_N4)[0]
    return max(
        (one.score for one, o in zip(found, overlaps_N, strict=True) if o >= MATCH_IOU), default=0.0
    )


def _tile(corpus: Corpus, mistake: Mistake, find: Find, labels: Sequence[int]) -> BgrImage:
    pixels = corpus.pixels(mistake.sample).copy()
    for item in find(pixels.copy()):
        if item.label in labels and item.score >= 0.25:
            _frame(pixels, item, GREEN)
    _frame(pixels, mistake.item, RED)
    scale = min(TILE[0] / pixels.shape[0], TILE[1] / pixels.shape[1])
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tile = np.zeros((*TILE, 3), np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small[: TILE[0], : TILE[1]]
    name = mistake.sample.source.rsplit("/", 1)[-1][:22]
    text = f"{name} {mistake.sample.time_s:.1f}s {mistake.words}"
    cv2.rectangle(tile, (0, TILE[0] - 14), (TILE[1], TILE[0]), (0, 0, 0), -1)
    cv2.putText(tile, text, (3, TILE[0] - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.33, WHITE)
    return tile


def _frame(pixels: BgrImage, item: Object, colour: tuple[int, int, int]) -> None:
    x1, y1, x2, y2 = map(int, item.box)
    cv2.rectangle(pixels, (x1, y1), (x2, y2), colour, 2)
