"""One frame's association: which detection went to which track, and which is a fragment of one.

Shape legend: N = tracks, M = detections, K = pairs of them that lie near each other, F = free
detections, O = tracks that own one, P = x, y, D = embedding size.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from contracts.detections import ANY_LABEL, Detections
from contracts.frames import FrameHeader
from contracts.geometry import Box, iou
from contracts.tracks import TrackState
from vision import association
from vision.association import Array, Edge, Pairs
from vision.boxes import area, share_within
from vision.looks import Embeddings
from vision.outlines import Outlines
from vision.postures import postures_of
from vision.track_life import TrackLife

INSIDE_SHARE: Final = 0.7
"""A detection that lies this much inside a track's box is a fragment of it."""
HIDDEN_SHARE: Final = 0.5
"""A lost track whose place is covered this much by another that is seen is hidden behind it."""
MEND_S: Final = 1.0
"""Fragments are put together for so long; then they are taken for several objects."""
MEND_FILL: Final = 0.5
"""... and only if they fill this share of the box around them."""
MEND_GAIN: Final = 0.05
"""... and if that box overlaps the prediction by so much more than the best of them."""


class Round:
    """Detections of one frame on their way to the tracks.

    Args:
        tracks: Where the tracks should be.
        detections: All of the frame.
        usable: Indices of those that count.

    Attributes:
        columns: Which detection each track got; -1 where it got none.
        is_free: Whether each detection is still nobody's.
    """

    def __init__(self, tracks: Outlines, detections: Detections, usable: Sequence[int]) -> None:
        self.tracks = tracks
        boxes_M4, confidences_M = detections.boxes_N4, detections.confidences_N
        labels_M, proven_M = detections.class_ids_N, detections.is_proven_N
        embeddings_MD = detections.embeddings_ND
        if len(usable) < len(detections):
            boxes_M4, confidences_M = boxes_M4[usable], confidences_M[usable]
            labels_M = labels_M[usable]
            proven_M = None if proven_M is None else proven_M[usable]
            embeddings_MD = None if embeddings_MD is None else embeddings_MD[usable]
        self.found = Outlines.of(boxes_M4)
        self.confidences: list[float] = confidences_M.tolist()
        self.labels = [detections.labels[index] for index in labels_M.tolist()]
        self.postures: list[tuple[float, ...]] = (
            [()] * len(usable)
            if detections.postures_NP is None
            else [postures_of(detections, index) for index in usable]
        )
        self.columns = [-1] * len(tracks)
        self.is_free = [True] * len(usable)
        self.may_begin = None if proven_M is None else proven_M.tolist()
        self.embeddings_MD: Embeddings | None = None
        if embeddings_MD is not None and np.isfinite(embeddings_MD).all():
            self.embeddings_MD = embeddings_MD
        self.pairs: Pairs | None = None
        self._mended: list[int] = []

    def measure(self, reach_N: Array) -> Pairs:
        """Return how the tracks and the detections lie to each other; kept for what follows."""
        self.pairs = Pairs(self.tracks, self.found, reach_N=reach_N)
        return self.pairs

    @property
    def seen(self) -> list[int]:
        """Rows of the tracks that have a detection."""
        return [row for row, column in enumerate(self.columns) if column >= 0]

    def free(self, edges: Iterable[Edge]) -> list[Edge]:
        """Return the edges of which both sides are still free."""
        columns, is_free = self.columns, self.is_free
        return [edge for edge in edges if columns[edge[0]] < 0 and is_free[edge[1]]]

    def take(self, edges: Sequence[Edge]) -> None:
        """Assign among these edges, all of them free."""
        for row, column in association.assign(edges) if edges else ():
            self.columns[row] = column
            self.is_free[column] = False

    def take_plain(self, edges: Sequence[Edge]) -> None:
        """Assign those of these free edges that could mean nobody else."""
        for row, column in association.plain(edges) if edges else ():
            self.columns[row] = column
            self.is_free[column] = False

    def claim_fragments(self, lives: Sequence[TrackLife], *, now_s: float) -> None:
        """Give detections inside a followed track's box to it, so that they begin no track.

        Where the fragments together fit the prediction better than the one that was assigned,
        the box around them is the measurement, for up to ``MEND_S``.
        """
        owners = [
            row
            for row, column in enumerate(self.columns)
            if column >= 0 and lives[row].state is TrackState.CONFIRMED
        ]
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
        lines_LO = self.found.lines_LN[:, [self.columns[row] for row in owners]]
        lines_LO1, lines_LF = lines_LO[:, :, None], self.found.lines_LN[:, None, free]
        common_POF = np.minimum(lines_LO1[2:4], lines_LF[2:4])
        common_POF -= np.maximum(lines_LO1[:2], lines_LF[:2])
        np.maximum(common_POF, 0, out=common_POF)
        is_inside_OF = common_POF[0] * common_POF[1] > INSIDE_SHARE * lines_LF[4]
        inside = {
            (owners[row], free[column])
            for row, column in zip(*map(np.ndarray.tolist, is_inside_OF.nonzero()), strict=True)
        }
        inside.update(self._within_predictions(owners))
        claims: dict[int, list[int]] = {}
        for owner, fragment in sorted(inside):
            label = lives[owner].label
            if self.is_free[fragment] and (
                label == ANY_LABEL or self.labels[fragment] in (label, ANY_LABEL)
            ):
                claims.setdefault(owner, []).append(fragment)
        return claims

    def _within_predictions(self, owners: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield the owners and detections that lie inside where the owner should be."""
        if self.pairs is None:
            return
        areas_K = self.found.lines_LN[4].take(self.pairs.columns_K)
        is_inside_K = self.pairs.common_K > INSIDE_SHARE * areas_K
        known = set(owners)
        for row, column in self.pairs.where(is_inside_K):
            if row in known:
                yield row, column

    def _mend(self, life: TrackLife, row: int, claimed: Sequence[int], *, now_s: float) -> None:
        column = self.columns[row]
        parts = [self.found.box(one) for one in (column, *claimed)]
        whole: Box = (
            min(part[0] for part in parts),
            min(part[1] for part in parts),
            max(part[2] for part in parts),
            max(part[3] for part in parts),
        )
        predicted = self.tracks.box(row)
        gain = iou(predicted, whole) - iou(predicted, parts[0])
        fill = sum(area(part) for part in parts) / max(area(whole), 1e-12)
        if not claimed or gain < MEND_GAIN or fill < MEND_FILL:
            life.mended_since_s = None
            return
        if life.mended_since_s is None:
            life.mended_since_s = now_s
        if now_s - life.mended_since_s <= MEND_S:
            self.found.replace(column, whole)
            self._mended.append(column)

    def hidden(self, lost: Sequence[int]) -> set[int]:
        """Return which of these tracks lie behind one that is seen."""
        if self.pairs is None:
            return set()
        areas_K = self.tracks.lines_LN[4].take(self.pairs.rows_K)
        is_under_K = self.pairs.common_K > HIDDEN_SHARE * areas_K
        taken = set(self.columns).difference(self._mended)
        hidden = {row for row, column in self.pairs.where(is_under_K) if column in taken}
        # What was put together of fragments covers more than its detection did.
        hidden.update(
            row
            for row in lost
            for column in self._mended
            if share_within(self.tracks.box(row), self.found.box(column)) > HIDDEN_SHARE
        )
        return hidden.intersection(lost)

    def record(self, life: TrackLife, column: int, header: FrameHeader, *, box: Box) -> None:
        """Write detection ``column`` into a track's memory."""
        life.hit(
            header,
            box,
            confidence=self.confidences[column],
            label=self.labels[column],
            postures=self.postures[column],
        )
