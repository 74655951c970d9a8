"""One frame's association: which detection went to which track, and which is a fragment of one.

Shape legend: N = tracks, M = detections, K = fragments of one track, 4 = x1, y1, x2, y2.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.detections import ANY_LABEL, Detections
from contracts.frames import FrameHeader
from contracts.geometry import Box, iou
from contracts.tracks import TrackState
from vision import association
from vision.association import Array, Pairs
from vision.boxes import area
from vision.looks import Embeddings
from vision.postures import postures_of
from vision.track_life import TrackLife

Rows = npt.NDArray[np.int64]

INSIDE_SHARE: Final = 0.7
"""A detection that lies this much inside a track's box is a fragment of it."""
MEND_S: Final = 1.0
"""Fragments are put together for so long; then they are taken for several objects."""
MEND_FILL: Final = 0.5
"""... and only if they fill this share of the box around them."""
MEND_GAIN: Final = 0.05
"""... and if that box overlaps the prediction by so much more than the best of them."""


class Round:
    """Detections of one frame on their way to the tracks.

    Args:
        tracks_N4: Predicted boxes.
        detections: All of the frame.
        usable_M: Indices of those that count.
    """

    def __init__(self, tracks_N4: Array, detections: Detections, usable_M: Rows) -> None:
        # A slice is a view: mostly all of them count.
        usable = slice(None) if len(usable_M) == len(detections) else usable_M
        boxes_M4 = detections.boxes_N4[usable].astype(np.float64)
        np.maximum(boxes_M4, 0.0, out=boxes_M4)
        self.boxes_M4: Array = np.minimum(boxes_M4, 1.0, out=boxes_M4)
        self.confidences: list[float] = detections.confidences_N[usable].tolist()
        self.labels = [
            detections.labels[index] for index in detections.class_ids_N[usable].tolist()
        ]
        self.postures = [postures_of(detections, int(index)) for index in usable_M]
        self.pairs = Pairs(tracks_N4, self.boxes_M4)
        self.columns = [-1] * len(tracks_N4)
        self.is_free = [True] * len(usable_M)
        self.may_begin: list[bool] = (
            self.is_free.copy()
            if detections.is_proven_N is None
            else detections.is_proven_N[usable].tolist()
        )
        self.embeddings_MD: Embeddings | None = None
        if detections.embeddings_ND is not None and np.isfinite(detections.embeddings_ND).all():
            self.embeddings_MD = detections.embeddings_ND[usable]

    @property
    def seen(self) -> list[int]:
        """Rows of the tracks that have a detection."""
        return [row for row, column in enumerate(self.columns) if column >= 0]

    def take_plain(self, costs_NM: Array, *, rows: Sequence[int], columns: Sequence[int]) -> None:
        """Assign among these rows and columns what could mean nobody else."""
        rows = [row for row in rows if self.columns[row] < 0]
        columns = [column for column in columns if self.is_free[column]]
        if not rows or not columns:
            return
        allowed_NM = costs_NM[np.array(rows)[:, None], columns] < association.FORBIDDEN
        for row, column in zip(*allowed_NM.nonzero(), strict=True):
            if np.count_nonzero(allowed_NM[row]) == np.count_nonzero(allowed_NM[:, column]) == 1:
                self.columns[rows[row]] = columns[column]
                self.is_free[columns[column]] = False

    def take(self, costs_NM: Array, *, rows: Sequence[int], columns: Sequence[int]) -> None:
        """Assign what is still free among these rows and columns."""
        rows = sorted(row for row in rows if self.columns[row] < 0)
        columns = [column for column in columns if self.is_free[column]]
        if not rows or not columns:
            return
        if len(rows) < len(self.columns):
            costs_NM = costs_NM[rows]
        if len(columns) < len(self.is_free):
            costs_NM = costs_NM[:, columns]
        for row, column in association.assign(costs_NM):
            self.columns[rows[row]] = columns[column]
            self.is_free[columns[column]] = False

    def claim_fragments(self, lives: Sequence[TrackLife], *, now_s: float) -> None:
        """Give detections inside a followed track's box to it, so that they begin no track.

        Where the fragments together fit the prediction better than the one that was assigned,
        the box around them is the measurement, for up to ``MEND_S``.
        """
        owners = [row for row in self.seen if lives[row].state is TrackState.CONFIRMED]
        free = [column for column, is_free in enumerate(self.is_free) if is_free]
        claims = self._claims(owners, free, lives) if owners and free else {}
        for row in owners:
            if row not in claims:
                lives[row].mended_since_s = None
        for row, claimed in claims.items():
            left = [column for column in claimed if self.is_free[column]]
            for column in left:
                self.is_free[column] = False
            self._mend(lives[row], row, left, now_s=now_s)

    def _claims(
        self, owners: list[int], free: list[int], lives: Sequence[TrackLife]
    ) -> dict[int, list[int]]:
        """Return which free detections of its label, or of none, lie inside each owner's box."""
        measured_N4 = self.boxes_M4[[self.columns[row] for row in owners]]
        inside_KN = association.coverage(self.boxes_M4[free], measured_N4)
        np.maximum(inside_KN, self.pairs.inside()[free][:, owners], out=inside_KN)
        claims: dict[int, list[int]] = {}
        for row, column in zip(*(inside_KN.T > INSIDE_SHARE).nonzero(), strict=True):
            owner, fragment = owners[int(row)], free[int(column)]
            label = lives[owner].label
            if label == ANY_LABEL or self.labels[fragment] in (label, ANY_LABEL):
                claims.setdefault(owner, []).append(fragment)
        return claims

    def _mend(self, life: TrackLife, row: int, claimed: Sequence[int], *, now_s: float) -> None:
        column = self.columns[row]
        parts: list[Box] = [_as_box(self.boxes_M4[one]) for one in (column, *claimed)]
        whole: Box = (
            min(part[0] for part in parts),
            min(part[1] for part in parts),
            max(part[2] for part in parts),
            max(part[3] for part in parts),
        )
        predicted = _as_box(self.pairs.tracks_N4[row])
        gain = iou(predicted, whole) - iou(predicted, parts[0])
        fill = sum(area(part) for part in parts) / max(area(whole), 1e-12)
        if not claimed or gain < MEND_GAIN or fill < MEND_FILL:
            life.mended_since_s = None
            return
        if life.mended_since_s is None:
            life.mended_since_s = now_s
        if now_s - life.mended_since_s <= MEND_S:
            self.boxes_M4[column] = whole

    def record(self, life: TrackLife, column: int, header: FrameHeader, *, box: Box) -> None:
        """Write detection ``column`` into a track's memory."""
        life.hit(
            header,
            box,
            confidence=self.confidences[column],
            label=self.labels[column],
            postures=self.postures[column],
        )


def _as_box(box_4: Array) -> Box:
    x1, y1, x2, y2 = box_4.tolist()
    return (x1, y1, x2, y2)
