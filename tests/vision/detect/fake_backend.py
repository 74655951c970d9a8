"""A backend whose device fails as it is told; needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts.errors import ModelError
from contracts.frames import BgrImage
from vision.detect.backends.port import DeviceFull, DeviceLost, EncoderNames, FloatArray, Look

CLASSES = ("person", "car", "dog")
POSTURES = ("upright", "bent", "lying")
NAMES = EncoderNames(classes=CLASSES, postures=POSTURES, embedding=12, pyramid=16)


@dataclass(slots=True)
class FakeBackend:
    """Answers each picture by its first pixel, until its device fails as it is told.

    Attributes:
        room: Pictures that fit into its memory at once; more raise DeviceFull.
        looks_left: Looks before it is lost for good; None never.
        has_nan: Whether every look raises ModelError.
        batches: Sizes of what it looked at, if it is to keep them.
    """

    name: str = "fake"
    batch_frames: int = 8
    room: int = 8
    looks_left: int | None = None
    has_nan: bool = False
    batches: list[int] | None = None
    sha256: str = "f" * 64
    names: EncoderNames = NAMES

    def look(self, pixels_NHW3: BgrImage) -> Look:
        count = len(pixels_NHW3)
        if self.looks_left == 0:
            raise DeviceLost(f"{self.name}: told to be lost")
        if count > self.room:
            raise DeviceFull(f"{self.name}: told to have room for {self.room}")
        if self.has_nan:
            raise ModelError(f"{self.name}: told to answer nonsense")
        if self.looks_left is not None:
            self.looks_left -= 1
        if self.batches is not None:
            self.batches.append(count)
        scores = np.zeros((count, 21, 3), np.float32)
        scores[:, 0, 0] = pixels_NHW3[:, 0, 0, 0] / 255
        boxes = np.tile(np.array([4, 4, 20, 28], np.float32), (count, 21, 1))
        return Look(
            scores_NAC=scores,
            boxes_NA4=boxes,
            scene_NSD=np.full((count, 7, 16), 0.25, np.float32),
            describe=_describe,
        )


def _describe(regions_K5: FloatArray) -> tuple[FloatArray, FloatArray]:
    regions: Sequence[object] = list(regions_K5)
    embeddings = np.zeros((len(regions), 12), np.float32)
    embeddings[:, 0] = 1
    return embeddings, np.full((len(regions), 3), 1 / 3, np.float32)
