"""Detections and the detector port.

Shape legend: N = detections of one frame, 4 = normalised x1, y1, x2, y2, D = embedding size,
P = postures, S = scene tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from contracts.frames import Frame

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

ANY_LABEL = "object"
"""The label of a detector that knows no classes; it satisfies any rule's label list."""

VEHICLE_LABELS = frozenset({"bicycle", "bus", "car", "motorcycle", "truck", "vehicle"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detections:
    """What a detector found in one frame, in no particular order.

    Attributes:
        boxes_N4: float32, normalised xyxy, inside 0..1, ``x1 < x2`` and ``y1 < y2``.
        confidences_N: float32 in [0, 1].
        class_ids_N: int64 indices into ``labels``.
        labels: The detector's classes, for instance ``("person", "car")``.
        embeddings_ND: float32 unit vectors, or None if the detector makes none.
        postures_NP: float32 shares of the postures, each row sums to 1, or None likewise.
        posture_labels: What the columns of ``postures_NP`` are called; empty without it.
        is_proven_N: Whether each may begin a track: the detector is sure of it, or something moved
            there. None if all may. What is not proven can still go on with a track.
        scene_SD: float32 unit vectors of the whole frame: a grid of cells row by row, then the
            whole; or None likewise. Their D need not be that of the objects.
        guesses: All that a detector took for something, also what it does not stand by: for cues,
            never for tracks. None where these are all.
    """

    boxes_N4: FloatArray
    confidences_N: FloatArray
    class_ids_N: IntArray
    labels: tuple[str, ...]
    embeddings_ND: FloatArray | None = None
    postures_NP: FloatArray | None = None
    posture_labels: tuple[str, ...] = ()
    is_proven_N: npt.NDArray[np.bool_] | None = None
    scene_SD: FloatArray | None = None
    guesses: "Detections | None" = None

    def __len__(self) -> int:
        return int(self.boxes_N4.shape[0])

    def label(self, index: int) -> str:
        """Return the label text of detection ``index``."""
        return self.labels[int(self.class_ids_N[index])]

    @classmethod
    def none(cls, labels: tuple[str, ...]) -> "Detections":
        """Return the detections of an empty frame."""
        return cls(
            boxes_N4=np.zeros((0, 4), np.float32),
            confidences_N=np.zeros(0, np.float32),
            class_ids_N=np.zeros(0, np.int64),
            labels=labels,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelIdentity:
    """Which model spoke: recorded with every incident. ``sha256`` is empty for pure programs."""

    name: str
    sha256: str = ""


class Detector(Protocol):
    """Finds objects. May keep state for each camera (a background model does)."""

    @property
    def identity(self) -> ModelIdentity:
        """Which model this is."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes it can name; ``("object",)`` if it knows none."""
        ...

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return one ``Detections`` for each frame, in order.

        Frames of one camera come in order of time; frames of several cameras may be mixed.

        Raises:
            ModelError: The model's output is not what its family promises.
        """
        ...

    def forget(self, camera_id: str) -> None:
        """Drop what is kept for a camera (its run ended or its view changed)."""
        ...
