"""Pictures whose objects are known to the pixel, and corpora of them.

People are red and cars blue, on grey: that is how the stand-ins for published detectors see.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from contracts.frames import BgrImage
from vision.training import corpus
from vision.training.corpus import Corpus, Object, Sample
from vision.training.sources import CLASSES

PERSON, CAR = CLASSES.index("person"), CLASSES.index("car")
RED, BLUE, GREEN = (0, 0, 255), (255, 0, 0), (0, 255, 0)
GROUND = 70
PixelBox = tuple[int, int, int, int]


def scene(
    *, people: Iterable[PixelBox] = (), cars: Iterable[PixelBox] = (),
    size: tuple[int, int] = (224, 384),
) -> BgrImage:  # fmt: skip
    """A plain ground with rectangles x1, y1, x2, y2."""
    pixels_HW3 = np.full((*size, 3), GROUND, np.uint8)
    for colour, boxes in ((RED, people), (BLUE, cars)):
        for x1, y1, x2, y2 in boxes:
            pixels_HW3[y1:y2, x1:x2] = colour
    return pixels_HW3


def known(box: tuple[float, ...], label: int = PERSON, score: float = 1.0) -> Object:
    x1, y1, x2, y2 = map(float, box)
    return Object(box=(x1, y1, x2, y2), label=label, score=score)


def sample(
    pixels_HW3: BgrImage,
    *objects: Object,
    source: str = "a.mp4",
    time_s: float = 0.0,
    is_held_out: bool = False,
    complete_for: tuple[int, ...] = (),
) -> Sample:
    return Sample(
        offset=0,
        height=pixels_HW3.shape[0],
        width=pixels_HW3.shape[1],
        source=source,
        group=source,
        licence="yours",
        time_s=time_s,
        is_held_out=is_held_out,
        is_labelled=bool(complete_for),
        complete_for=complete_for,
        objects=objects,
    )


def corpus_of(folder: Path, *items: tuple[Sample, BgrImage]) -> Corpus:
    """Write samples with their pixels and open them."""
    corpus.write(folder, items)
    return Corpus.open(folder)


def street_corpus(folder: Path, *, pictures: int = 6) -> Corpus:
    """Pictures of one walker and one car, labelled, each a little further on."""
    items = []
    for index in range(pictures):
        person = (40 + 30 * index, 60, 80 + 30 * index, 180)
        car = (250 - 20 * index, 150, 370 - 20 * index, 210)
        pixels_HW3 = scene(people=[person], cars=[car])
        labels = (known(person), known(car, CAR))
        items.append((sample(pixels_HW3, *labels, time_s=index / 4), pixels_HW3))
    return corpus_of(folder, *items)
