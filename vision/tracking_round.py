"""One frame's association: which detection went to which track, and which is a fragment of one.

Shape legend: M = detections, D = embedding size.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from contracts.detections import ANY_LABEL, Detections
from contracts.frames import FrameHeader
from contracts.geometry import Box, iou
from contracts.tracks import TrackState
from vision import association
from vision.association import Edge, Pairs
from vision.boxes import area, share_within
from vision.grid import on_grid
from vision.looks import Embeddings, Looks, squares
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

_CONFIRMED: Final = TrackState.CONFIRMED


class Round:
    """Detections of one frame on their way to the tracks.

    Attributes:
        tracks: Where the tracks should be.
        found: Boxes of the detections that count.
        embeddings_MD: What they look like, NaN where there is no look; None if there is none at
            all or not to be trusted.
        columns: Which detection each track got, those that begin with it at the end; -1 where it
            got none.
        is_free: Whether each detection is still nobody's.
        pairs: How they lie to each other; None before that was measured.
    """

    def __init__(
        self,
        tracks: Sequence[Box],
        detections: Detections,
        found: list[Box],
        usable: Sequence[int],
    ) -> None:
        self.tracks = tracks
        self.found = found
        confidences: list[float] = detections.confidences_N.tolist()
        class_ids = detections.class_ids_N.tolist()
        names = detections.labels
        are_all = len(usable) == len(confidences)
        self.confidences = confidences if are_all else [confidences[index] for index in usable]
        self.labels = [names[class_ids[index]] for index in usable]
        self.postures: list[tuple[float, ...]] = (
            [()] * len(usable)
            if detections.postures_NP is None
            else [postures_of(detections, index) for index in usable]
        )
        self.columns = [-1] * len(tracks)
        self.is_free = [True] * len(usable)
        self.may_begin: list[bool] | None = None
        if detections.is_proven_N is not None:
            self.may_begin = detections.is_proven_N[usable].tolist()
        self.embeddings_MD: Embeddings | None = None
        self._has_look: list[bool] | None = None
        if detections.embeddings_ND is not None and usable:
            looks_MD = detections.embeddings_ND
            if not are_all:
                looks_MD = looks_MD.take(usable, axis=0)
            lengths = squares(looks_MD)
            # Comparisons with what is not a number are false, as they should be here.
            if sum(lengths) < math.inf:
                self.embeddings_MD = looks_MD
                if not min(lengths):
                    self._has_look = [square > 0 for square in lengths]
                    self.embeddings_MD = looks_MD = looks_MD.copy()
                    looks_MD[[not has_look for has_look in self._has_look]] = math.nan
        self.pairs: Pairs | None = None
        self._mended: list[int] = []

    def learn(self, looks: Looks, now_s: float) -> None:
        """Let tracks remember what their detections look like, those that have a look."""
        if self.embeddings_MD is None:
            return
        has_look = self._has_look
        rows = [
            row
            for row, column in enumerate(self.columns)
            if column >= 0 and (has_look is None or has_look[column])
        ]
        if rows:
            columns = [self.columns[row] for row in rows]
            looks.learn(rows, self.embeddings_MD.take(columns, axis=0), now_s=now_s)

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
            if column >= 0 and lives[row].state is _CONFIRMED
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
        inside: set[tuple[int, int]] = set()
        boxes = [(row, self.found[self.columns[row]]) for row in owners]
        for column in free:
            fragment = self.found[column]
            left, top, right, bottom = fragment
            inside.update(
                (row, column)
                for row, box in boxes
                if left < box[2] and right > box[0] and top < box[3] and bottom > box[1]
                if share_within(fragment, box) > INSIDE_SHARE
            )
        if self.pairs is not None:
            is_owner = set(owners)
            inside.update(
                (row, column)
                for row, column, common in self.pairs.covers
                if self.is_free[column]
                and row in is_owner
                and common > INSIDE_SHARE * area(self.found[column])
            )
        claims: dict[int, list[int]] = {}
        for owner, part in sorted(inside):
            label = lives[owner].label
            if label == ANY_LABEL or self.labels[part] in (label, ANY_LABEL):
                claims.setdefault(owner, []).append(part)
        return claims

    def _mend(self, life: TrackLife, row: int, claimed: Sequence[int], *, now_s: float) -> None:
        column = self.columns[row]
        parts = [self.found[one] for one in (column, *claimed)]
        whole: Box = (
            min(part[0] for part in parts),
            min(part[1] for part in parts),
            max(part[2] for part in parts),
            max(part[3] for part in parts),
        )
        predicted = self.tracks[row]
        gain = iou(predicted, whole) - iou(predicted, parts[0])
        fill = sum(area(part) for part in parts) / max(area(whole), 1e-12)
        if not claimed or gain < MEND_GAIN or fill < MEND_FILL:
            life.mended_since_s = None
            return
        if life.mended_since_s is None:
            life.mended_since_s = now_s
        if now_s - life.mended_since_s <= MEND_S:
            self.found[column] = whole
            self._mended.append(column)

    def hidden(self, lost: Sequence[int]) -> set[int]:
        """Return which of these tracks lie behind one that is seen."""
        if self.pairs is None:
            return set()
        is_lost = set(lost)
        taken = set(self.columns).difference(self._mended)
        hidden = {
            row
            for row, column, common in self.pairs.covers
            if row in is_lost and column in taken and common > HIDDEN_SHARE * area(self.tracks[row])
        }
        # What was put together of fragments covers more than its detection did.
        hidden.update(
            row
            for row in lost
            for column in self._mended
            if share_within(self.tracks[row], self.found[column]) > HIDDEN_SHARE
        )
        return hidden

    def record(self, life: TrackLife, column: int, header: FrameHeader) -> None:
        """Write detection ``column`` into a track's memory."""
        life.hit(
            header,
            on_grid(self.found[column]),
            confidence=self.confidences[column],
            label=self.labels[column],
            postures=self.postures[column],
        )
