"""The family ``encoder``: boxes, embeddings, postures and the scene from one look at a frame.

Shape legend: A = anchor points, C = classes, K = objects, 4 = x1, y1, x2, y2, 5 = index of the
picture and a box, D = embedding, P = postures, S = scene tokens.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, pairwise

import numpy as np

from contracts.detections import Detections, ModelIdentity
from contracts.frames import BgrImage, Frame
from vision.detect.backends.ladder import BackendLadder
from vision.detect.backends.port import EncoderBackend, FloatArray, Look
from vision.detect.candidates import alike, choose, sides
from vision.detect.entrance import require_picture
from vision.detect.fitting import Fit, fit_of, stack


class EncoderDetector:
    """Finds objects with the encoder, frames of any cameras and sizes together; keeps no state.

    Frames that fit the same input go through the network as one batch, as many at once as the
    backend likes. If its device fails, smaller batches and then the CPU go on.
    """

    def __init__(
        self,
        backend: EncoderBackend,
        *,
        confidence: float,
        spare: Callable[[], EncoderBackend] | None = None,
    ) -> None:
        """Begin with a loaded backend.

        Args:
            backend: Runs the network.
            confidence: Boxes below this are left out.
            spare: Makes the backend that goes on if the first one's device fails.
        """
        self._ladder = BackendLadder(backend, spare)
        self._identity = ModelIdentity(name="encoder", sha256=backend.sha256)
        self._names = backend.names
        self._confidence = confidence
        self._alike_C = alike(self._names.classes)

    @property
    def identity(self) -> ModelIdentity:
        """The encoder, by the checksum of the file that was loaded first."""
        return self._identity

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes that the weights know."""
        return self._names.classes

    @property
    def backend_name(self) -> str:
        """What runs it now."""
        return self._ladder.backend.name

    @property
    def batch_frames(self) -> int:
        """How many frames are best looked at in one call."""
        return self._ladder.batch_frames

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return what is in each frame.

        Raises:
            ValueError: A frame is no colour picture; the message names it.
            ModelError: The model's output is not what it should be.
        """
        by_fit: dict[Fit, list[int]] = {}
        for index, frame in enumerate(frames):
            by_fit.setdefault(fit_of(*require_picture(frame).shape[:2]), []).append(index)
        found: dict[int, Detections] = {}
        for fit, indices in by_fit.items():
            pictures = [frames[index].pixels_HW3 for index in indices]
            answers = self._ladder.run(pictures, partial(self._read, fit))
            found.update(zip(indices, answers, strict=True))
        return [found[index] for index in range(len(frames))]

    def forget(self, camera_id: str) -> None:
        """Nothing is kept."""

    def _read(
        self, fit: Fit, backend: EncoderBackend, pictures: Sequence[BgrImage]
    ) -> list[Detections]:
        """Look at pictures of one fit and describe what stands out in them."""
        look = backend.look(stack(pictures, fit))
        chosen = [
            choose(scores_AC, boxes_A4, fit, confidence=self._confidence, alike_C=self._alike_C)
            for scores_AC, boxes_A4 in zip(look.scores_NAC, look.boxes_NA4, strict=True)
        ]
        regions_K5 = np.concatenate(
            [
                np.insert(one.boxes_K4 * sides(fit), 0, index, axis=1)
                for index, one in enumerate(chosen)
            ]
        ).astype(np.float32)
        embeddings_KD, postures_KP = self._describe(look, regions_K5)
        ends = accumulate((len(one.boxes_K4) for one in chosen), initial=0)
        return [
            Detections(
                boxes_N4=one.boxes_K4,
                confidences_N=one.confidences_K,
                class_ids_N=one.classes_K,
                labels=self._names.classes,
                embeddings_ND=embeddings_KD[first:end],
                postures_NP=postures_KP[first:end],
                posture_labels=self._names.postures,
                scene_SD=scene_SD,
            )
            for one, scene_SD, (first, end) in zip(
                chosen, look.scene_NSD, pairwise(ends), strict=True
            )
        ]

    def _describe(self, look: Look, regions_K5: FloatArray) -> tuple[FloatArray, FloatArray]:
        if len(regions_K5):
            return look.describe(regions_K5)
        return (
            np.zeros((0, self._names.embedding), np.float32),
            np.zeros((0, len(self._names.postures)), np.float32),
        )
