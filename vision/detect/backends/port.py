"""What every way to run the encoder offers, and how its answers are checked.

Shape legend: N = pictures, H, W = input in pixels (multiples of 32), A = anchor points,
C = classes, K = regions, D = embedding, P = postures, S = scene tokens.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from contracts.errors import ModelError
from contracts.frames import BgrImage

FloatArray = npt.NDArray[np.float32]

NAMES_KEY: Final = "encoder"
"""Metadata property of the ONNX files that holds the network's shape as JSON."""
ANCHORS_PER_32_SQUARED: Final = 16 + 4 + 1
"""Of strides 8, 16 and 32."""


class DeviceFull(ModelError):  # noqa: N818  # named as the condition
    """The device has no memory left for this batch; a smaller one may fit."""


class DeviceLost(ModelError):  # noqa: N818  # named as the condition
    """The device cannot be used any more; another one has to go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderNames:
    """What an encoder names and how long its vectors are.

    Attributes:
        classes: Columns of the scores.
        postures: Columns of the postures.
        embedding: Length of an object's embedding.
        pyramid: Length of a scene token.
    """

    classes: tuple[str, ...]
    postures: tuple[str, ...]
    embedding: int
    pyramid: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """What the network sees in a batch; good until its backend looks again.

    Attributes:
        scores_NAC: In [0, 1].
        boxes_NA4: x1, y1, x2, y2 in pixels of the input, not clipped to it.
        scene_NSD: Unit vectors.
        describe: Takes regions (K, 5), float32: the picture's index, then x1, y1, x2, y2 in
            pixels of the input. Returns unit embeddings (K, D) and shares of postures (K, P).
            Raises as ``EncoderBackend.look`` does.
    """

    scores_NAC: FloatArray
    boxes_NA4: FloatArray
    scene_NSD: FloatArray
    describe: Callable[[FloatArray], tuple[FloatArray, FloatArray]]


class EncoderBackend(Protocol):
    """One loaded encoder on one device. Used by one thread at a time."""

    @property
    def name(self) -> str:
        """For people and metrics: ``onnxruntime``, ``torch``, ``cuda``."""
        ...

    @property
    def names(self) -> EncoderNames:
        """What it names."""
        ...

    @property
    def sha256(self) -> str:
        """Of the file with the weights that it runs, hexadecimal."""
        ...

    @property
    def batch_frames(self) -> int:
        """How many pictures it takes in one go at most; as many as bring something."""
        ...

    def look(self, pixels_NHW3: BgrImage) -> Look:
        """Look at up to ``batch_frames`` pictures, uint8, blue, green, red.

        Raises:
            DeviceFull: There is no memory for so many.
            DeviceLost: The device is of no use any more.
            ModelError: The model's output is not what it should be.
        """
        ...


def read_names(text: str | None, *, where: str) -> EncoderNames:
    """Return the names from a file's metadata.

    Raises:
        ModelError: There are none, or they cannot be read.
    """
    if text is None:
        raise ModelError(
            f"{where}: no encoder of Vigil's: its metadata has no property {NAMES_KEY!r}"
        )
    try:
        names = msgspec.json.decode(text, type=EncoderNames)
    except msgspec.MsgspecError as error:
        raise ModelError(f"{where}: metadata {NAMES_KEY!r} cannot be read: {error}") from error
    if not names.classes or not names.postures or min(names.embedding, names.pyramid) < 1:
        raise ModelError(f"{where}: metadata {NAMES_KEY!r} names nothing: {names}")
    return names


def check_look(look: Look, names: EncoderNames, *, size: tuple[int, int, int], where: str) -> None:
    """Raise ModelError unless the answer to a batch has its shape and consists of numbers.

    Args:
        look: The answer.
        names: What the model says of itself.
        size: Pictures, height and width of the batch.
        where: The model's file.
    """
    count, height, width = size
    anchors = height * width * ANCHORS_PER_32_SQUARED // 32**2
    wanted = {
        "scores": (count, anchors, len(names.classes)),
        "boxes": (count, anchors, 4),
        "scene": (count, look.scene_NSD.shape[1] if look.scene_NSD.ndim == 3 else 0, names.pyramid),
    }
    found = {"scores": look.scores_NAC, "boxes": look.boxes_NA4, "scene": look.scene_NSD}
    for name, values in found.items():
        _check(values, wanted[name], f"{where}: output {name}")


def check_description(
    embeddings_KD: FloatArray, postures_KP: FloatArray, names: EncoderNames, *, where: str
) -> None:
    """Raise ModelError unless both describe equally many regions in numbers."""
    regions = len(embeddings_KD)
    _check(embeddings_KD, (regions, names.embedding), f"{where}: output embeddings")
    _check(postures_KP, (regions, len(names.postures)), f"{where}: output postures")


def _check(values: FloatArray, wanted: tuple[int, ...], where: str) -> None:
    if values.shape != wanted:
        raise ModelError(f"{where} must have shape {wanted}, got {values.shape}")
    if not np.isfinite(values).all():
        bad = values.size - np.count_nonzero(np.isfinite(values))
        raise ModelError(f"{where}: {bad} of {values.size} values are NaN or infinite")
