"""What the teachers of appearance say of the people of a corpus; kept, since it takes long.

Shape legend: K = people of one picture, 4 = x1, y1, x2, y2 in pixels, D = 512.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from contracts.frames import BgrImage
from vision.training.appearance import POSTURES, Pose, ReIdentification, posture_of
from vision.training.corpus import Corpus, Object, Sample
from vision.training.sources import PERSON

FloatArray = npt.NDArray[np.float32]

FILE: Final = "people.npz"
LEAST_SCORE: Final = 0.45
LEAST_HEIGHT: Final = 40.0
MARGIN: Final = 0.15
"""Around a person, as a share of his height, for the pose teacher."""
UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True)
class Described:
    """The people of one picture.

    Attributes:
        index: Of the sample in the corpus.
        identities_KD: Unit vectors of the re-identification teacher.
        postures_K: Index into the posture names, -1 where the body points do not say.
    """

    index: int
    boxes_K4: FloatArray
    identities_KD: FloatArray
    postures_K: npt.NDArray[np.int64]


def described_people(folder: Path, teachers: Path) -> list[Described]:
    """Return the people of the pictures that are trained on; asks the teachers once a corpus."""
    corpus = Corpus.open(folder)
    path = folder / FILE
    if not path.is_file():
        rows = _describe_all(corpus, teachers)
        part = folder / f"part-{FILE}"
        np.savez(part, *[np.array(column) for column in zip(*rows, strict=True)])
        part.replace(path)
    with np.load(path, allow_pickle=False) as content:
        indices, boxes, identities, postures = (content[name] for name in content.files)
    return [
        Described(int(index), boxes[rows], identities[rows], postures[rows])
        for index in np.unique(indices)
        for rows in [np.flatnonzero(indices == index)]
    ]


def people_of(sample: Sample) -> list[Object]:
    """Return the people of a sample whose looks can be learnt."""
    return [
        item
        for item in sample.objects
        if item.label == PERSON
        and item.score >= LEAST_SCORE
        and item.box[3] - item.box[1] >= LEAST_HEIGHT
        and item.box[2] - item.box[0] >= LEAST_HEIGHT / 4
    ]


def _describe_all(
    corpus: Corpus, teachers: Path
) -> Sequence[tuple[int, FloatArray, FloatArray, int]]:
    identify = ReIdentification(next((teachers / "osnet_x0_25").glob("*.onnx")))
    pose = Pose(next((teachers / "movenet_lightning").glob("*.tflite")))
    rows = []
    for index, sample in enumerate(tqdm(corpus.samples, desc="teachers of appearance")):
        if sample.is_held_out:
            continue
        pixels_HW3 = corpus.pixels(sample)
        for item in people_of(sample):
            name = posture_of(pose(_around(pixels_HW3, item, MARGIN)))
            rows.append(
                (
                    index,
                    np.array(item.box, np.float32),
                    identify(_around(pixels_HW3, item, 0.0)),
                    UNKNOWN if name is None else POSTURES.index(name),
                )
            )
    return rows


def _around(pixels_HW3: BgrImage, item: Object, margin: float) -> BgrImage:
    x1, y1, x2, y2 = (round(side) for side in item.box)
    more = round(margin * (y2 - y1))
    return pixels_HW3[max(0, y1 - more) : y2 + more, max(0, x1 - more) : x2 + more]
