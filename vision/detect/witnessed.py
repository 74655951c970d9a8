"""A detector of classes and one of movement, each making up for what the other cannot.

The network says what something is, and takes a stool for a person now and then. The background
model knows what was not there before, and cannot say what it is. Together: what the network finds
counts where the background bears it out, or where the network is all but certain; and what has
come into the scene and has no name is still something.

Shape legend: N = finds of the network, M = bodies of the background model, K = both, 4 = x1, y1,
x2, y2, D = embedding.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.detections import ANY_LABEL, Detections, Detector, ModelIdentity
from contracts.frames import Frame, FrameHeader
from vision.association import areas, intersections, ious
from vision.detect.familiar import Familiar

Array = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]

CERTAIN: Final = 0.95
"""A find of this confidence needs no witness: somebody who has stood there from the start."""
BORNE_OUT: Final = 0.2
"""Share of a find's box that must lie in what was not there before."""
OWN_SHARE: Final = 0.5
"""Of a body that bears out what has long stood there this share must lie in it: a visitor's body,
shadow and all, reaches over the furniture that he passes."""
SAME_IOU: Final = 0.45
"""A find and a body that overlap by this much are one object: as sure as the surer of the two."""
LEAST_NAME: Final = 0.5
"""A find below this is no name for a body: it is more likely wrong, and the body stays an
``object``, which every rule takes for what it looks for."""
SMALL_PART: Final = 0.25
"""A find that covers less of a body that is named already is none of its own."""
NAMED: Final = 0.3
"""A body of which this share lies in finds has been named by them."""


class WitnessedDetector:
    """Asks both about every frame. Keeps a background for each camera.

    Args:
        named: Knows classes.
        movement: Knows what is not part of the empty scene; reports bodies without a class.
    """

    def __init__(self, named: Detector, movement: Detector) -> None:
        self._named = named
        self._movement = movement
        self._labels = (*named.labels, ANY_LABEL)
        self._familiar: dict[str, Familiar] = {}

    @property
    def identity(self) -> ModelIdentity:
        """The one that names: the other is a program."""
        return self._named.identity

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes of the one that names, and ``object``."""
        return self._labels

    @property
    def batch_frames(self) -> int:
        """How many frames are best looked at in one call."""
        return int(getattr(self._named, "batch_frames", 1))

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return what is in each frame. Raises as the detectors do."""
        found = self._named.detect(frames)
        bodies = self._movement.detect(frames)
        return [
            self._joined(*each)
            for each in zip(found, bodies, [frame.header for frame in frames], strict=True)
        ]

    def forget(self, camera_id: str) -> None:
        """Learn this camera's empty scene anew."""
        self._named.forget(camera_id)
        self._movement.forget(camera_id)
        self._familiar.pop(camera_id, None)

    def _joined(self, found: Detections, bodies: Detections, header: FrameHeader) -> Detections:
        found_N4, bodies_M4 = (one.boxes_N4.astype(np.float64) for one in (found, bodies))
        common_NM = intersections(found_N4, bodies_M4)
        is_same_NM = ious(found_N4, bodies_M4) >= SAME_IOU
        borne_out_N = self._borne_out(found_N4, bodies, header)
        is_doubtful_N = is_same_NM.any(axis=1) & (found.confidences_N < LEAST_NAME)
        # Within a body that another find names as a whole, a small find is part of its shadow.
        is_named_M = is_same_NM[~is_doubtful_N].any(axis=0)
        is_part_N = (common_NM[:, is_named_M] >= BORNE_OUT * areas(found_N4)[:, None]).any(axis=1)
        is_small_N = (
            common_NM[:, is_named_M] < SMALL_PART * areas(bodies_M4)[None, is_named_M]
        ).all(axis=1)
        # ... unless a body of its own lies in it: a head, of somebody whose coat is like the wall
        # and before whose legs another passes.
        has_own_N = (common_NM >= OWN_SHARE * areas(bodies_M4))[:, ~is_named_M].any(axis=1)
        has_own_N &= found.confidences_N >= LEAST_NAME
        is_doubtful_N |= is_part_N & is_small_N & ~has_own_N
        counts_N = (borne_out_N & ~is_doubtful_N) | (found.confidences_N >= CERTAIN)
        named_M = common_NM[counts_N].sum(axis=0) >= NAMED * areas(bodies_M4)
        witnesses_N = np.where(is_same_NM, bodies.confidences_N, 0.0).max(axis=1, initial=0.0)
        guesses = found
        found = replace(
            found,
            confidences_N=np.maximum(found.confidences_N, witnesses_N).astype(np.float32),
        )
        joined = _together(
            _some(found, np.flatnonzero(counts_N)),
            _some(bodies, np.flatnonzero(~named_M)),
            self._labels,
        )
        return replace(joined, guesses=guesses)

    def _borne_out(
        self, found_N4: Array, bodies: Detections, header: FrameHeader
    ) -> npt.NDArray[np.bool_]:
        """Say which finds lie in what was not there before, be it too faint to be a body."""
        familiar = self._familiar.setdefault(header.camera_id, Familiar())
        is_familiar_N = familiar.is_familiar(found_N4)
        least_N = BORNE_OUT * areas(found_N4)
        is_borne_out_N = np.zeros(len(found_N4), np.bool_)
        is_alone_N = np.ones(len(found_N4), np.bool_)
        for witnesses in (bodies, bodies.guesses):
            if witnesses is None:
                continue
            bodies_M4 = witnesses.boxes_N4.astype(np.float64)
            common_NM = intersections(found_N4, bodies_M4)
            is_own_NM = ious(found_N4, bodies_M4) >= SAME_IOU
            is_own_NM |= common_NM >= OWN_SHARE * areas(bodies_M4)
            is_own_NM |= ~is_familiar_N[:, None]
            is_borne_out_N |= (common_NM * is_own_NM).sum(axis=1) >= least_N
            is_alone_N &= common_NM.sum(axis=1) < least_N
        familiar.note(found_N4[is_alone_N], now_s=header.monotonic_s)
        return is_borne_out_N


def _some(detections: Detections, chosen: npt.NDArray[np.int64]) -> Detections:
    def rows(values: FloatArray | None) -> FloatArray | None:
        return None if values is None else values[chosen]

    return replace(
        detections,
        boxes_N4=detections.boxes_N4[chosen],
        confidences_N=detections.confidences_N[chosen],
        class_ids_N=detections.class_ids_N[chosen],
        embeddings_ND=rows(detections.embeddings_ND),
        postures_NP=rows(detections.postures_NP),
    )


def _together(found: Detections, bodies: Detections, labels: tuple[str, ...]) -> Detections:
    """Return both; bodies have no embedding (all zeros) and no posture (all alike)."""
    count = len(bodies)

    def with_rows(values: FloatArray | None, value: float) -> FloatArray | None:
        if values is None:
            return None
        more = np.full((count, values.shape[1]), value, np.float32)
        return np.concatenate([values, more])

    postures = len(found.posture_labels)
    return replace(
        found,
        boxes_N4=np.concatenate([found.boxes_N4, bodies.boxes_N4]),
        confidences_N=np.concatenate([found.confidences_N, bodies.confidences_N]),
        class_ids_N=np.concatenate([found.class_ids_N, np.full(count, len(labels) - 1, np.int64)]),
        labels=labels,
        embeddings_ND=with_rows(found.embeddings_ND, 0.0),
        postures_NP=with_rows(found.postures_NP, 1 / max(1, postures)),
    )
