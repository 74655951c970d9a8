"""Follows objects through one run of one camera.

Two rounds of association, confident detections first (Zhang et al. 2022, "ByteTrack"), over
constant-velocity filters. Patience is measured in stream time, never in frames.

Shape legend: N = tracks, M = detections, 4 = x1, y1, x2, y2.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.detections import ANY_LABEL, Detections
from contracts.frames import FrameHeader
from contracts.geometry import Box
from contracts.tracks import Track, TrackState
from vision import association
from vision.association import Array
from vision.kalman import BoxFilters
from vision.track_life import TrackLife

Rows = npt.NDArray[np.int64]

LOST_S: Final = 2.0
"""A lost track is kept for this long."""
LOST_STILL_S: Final = 6.0
"""... and for this long if it stood still or is hidden behind another: it will be there again."""
STILL_GROWTH: Final = 2.5
"""What stands still does not grow by this factor between two frames."""
RETURN_IOU: Final = 0.3
"""Least overlap with its place of what has been away for longer than ``LOST_S``."""
TENTATIVE_S: Final = 0.5
"""A tentative track that is not seen for longer was nothing."""
LOW_SHARE: Final = 0.4
"""Detections down to this share of the confidence threshold may continue a track, not begin one."""
INSIDE_SHARE: Final = 0.7
"""A detection that lies this much inside a track's box is a fragment of it."""
MEND_S: Final = 1.0
"""Fragments are put together for so long; then they are taken for several objects."""
MEND_FILL: Final = 0.5
"""... and only if they fill this share of the box around them."""
REACH: Final = (1.0, 1.6, 2.0)
"""Gate in object sizes: of a followed track, of one seen once, and the most it grows to."""
REACH_PER_S: Final = 0.8
OTHER_LABEL_COST: Final = 0.25
_OUTSIDE: Final = 1e-3
"""Boxes may reach this far out of the picture (rounding) and are cut; more is refused."""


class Tracker:
    """Gives detections of one run their tracks. Ids are ``t1``, ``t2``, ... and never repeat.

    A track is tentative until it has been seen three times within about half a second, confirmed
    then, lost when it has not been seen for half a second, and ended two seconds later (six if it
    stood still). Detections that are no boxes are refused and counted in ``refused``; frames
    that go back in time are ignored and counted in ``out_of_order``.
    """

    def __init__(self, *, confidence: float = 0.35, first_number: int = 1) -> None:
        """Start with no tracks.

        Args:
            confidence: Detections below this begin no track.
            first_number: Number of the first track's id; a successor that takes over a camera
                within its run continues with ``next_number``.
        """
        self.refused = 0
        self.out_of_order = 0
        self.next_number = first_number
        self._confidence = confidence
        self._lives: list[TrackLife] = []
        self._filters = BoxFilters()
        self._now_s: float | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being followed: no tentative, confirmed or lost track."""
        return all(life.state is TrackState.ENDED for life in self._lives)

    def update(self, detections: Detections, header: FrameHeader) -> list[Track]:
        """Take one frame's detections; return all tracks that are alive or ended in this frame."""
        if self._now_s is not None and header.monotonic_s < self._now_s:
            self.out_of_order += 1
            return [life.snapshot() for life in self._lives]
        step_s = 0.0 if self._now_s is None else header.monotonic_s - self._now_s
        self._now_s = header.monotonic_s
        self._drop_ended()
        self._end_overdue(header.monotonic_s, step_s=step_s)
        self._filters.predict(step_s, is_lost_N=self._in_state(TrackState.LOST))
        usable = self._usable(detections)
        boxes_M4 = detections.boxes_N4[usable].astype(np.float64).clip(0.0, 1.0)
        round_ = _Round(self._filters.boxes(), boxes_M4, usable, detections)
        self._associate(round_)
        round_.claim_fragments(self._lives, now_s=header.monotonic_s)
        self._record(round_, header)
        self._begin(round_, header)
        return [life.snapshot() for life in self._lives]

    def _usable(self, detections: Detections) -> Rows:
        """Return the indices of detections that are boxes and confident enough to matter."""
        boxes_N4 = detections.boxes_N4
        low_N2, high_N2 = boxes_N4[:, :2], boxes_N4[:, 2:]
        # Comparisons with what is not a number are false, as they should be here.
        is_box = (
            (low_N2 >= -_OUTSIDE) & (low_N2 < 1) & (high_N2 > low_N2) & (high_N2 <= 1 + _OUTSIDE)
        ).all(axis=1) & np.isfinite(detections.confidences_N)
        self.refused += int(np.count_nonzero(~is_box))
        matters = is_box & (detections.confidences_N >= LOW_SHARE * self._confidence)
        return np.flatnonzero(matters)

    def _associate(self, round_: "_Round") -> None:
        """Confident detections to what is followed, the rest to what was just seen, then new.

        What has been away for long comes last and only where it was: somebody who walks past
        the place is not it.
        """
        confident_M = round_.confidences_M >= self._confidence
        confirmed, lost = self._in_state(TrackState.CONFIRMED), self._in_state(TrackState.LOST)
        away_s = np.array([self._away_s(life) for life in self._lives])
        recent = lost & (away_s <= LOST_S)
        costs_NM = self._costs(round_)
        round_.take(costs_NM, rows_N=confirmed | recent, columns_M=confident_M)
        round_.take(costs_NM, rows_N=confirmed, columns_M=~confident_M)
        round_.take(costs_NM, rows_N=self._in_state(TrackState.TENTATIVE), columns_M=confident_M)
        if not (lost & ~recent).any():
            return
        overlap_NM = association.ious(round_.tracks_N4, round_.boxes_M4)
        in_place_NM = np.where(overlap_NM > RETURN_IOU, costs_NM, association.FORBIDDEN)
        round_.take(in_place_NM, rows_N=lost & ~recent, columns_M=confident_M)

    def _away_s(self, life: TrackLife) -> float:
        return (self._now_s or 0.0) - life.last_hit_s

    def _costs(self, round_: "_Round") -> Array:
        reach_N = np.array(
            [
                min(REACH[2], REACH[life.hits == 1] + REACH_PER_S * self._away_s(life))
                for life in self._lives
            ]
        )
        costs_NM = association.position_costs(round_.tracks_N4, round_.boxes_M4, reach_N=reach_N)
        # Somebody who steps before a thing that stands there does not become that thing.
        growth_NM = (
            association.areas(round_.boxes_M4) / association.areas(round_.tracks_N4)[:, None]
        )
        costs_NM[self._filters.at_rest()[:, None] & (growth_NM > STILL_GROWTH)] = (
            association.FORBIDDEN
        )
        embeddings_MD = round_.embeddings()
        if embeddings_MD is not None and len(embeddings_MD) and self._lives:
            tracks_ND = np.stack(
                [
                    np.zeros_like(embeddings_MD[0]) if life.embedding is None else life.embedding
                    for life in self._lives
                ]
            )
            costs_NM = association.add_appearance(costs_NM, tracks_ND, embeddings_MD)
        labels_N = [life.label for life in self._lives]
        if round_.labels_M and len({*labels_N, *round_.labels_M}) > 1 and labels_N:
            names_N1 = np.array(labels_N)[:, None]
            names_M = np.array(round_.labels_M)
            costs_NM[(names_N1 != names_M) & (names_M != ANY_LABEL)] += OTHER_LABEL_COST
        return costs_NM

    def _record(self, round_: "_Round", header: FrameHeader) -> None:
        predicted_N, measured_M = _as_boxes(round_.tracks_N4), _as_boxes(round_.boxes_M4)
        for row, (life, column) in enumerate(zip(self._lives, round_.columns(), strict=True)):
            if life.state is TrackState.ENDED:
                continue
            if column < 0:
                life.miss(header, predicted_N[row])
            else:
                round_.record(life, column, header, box=measured_M[column])
        seen = np.flatnonzero(round_.column_N >= 0)
        self._filters.correct(seen, round_.boxes_M4[round_.column_N[seen]])
        self._mark_hidden(round_, seen)

    def _mark_hidden(self, round_: "_Round", seen: Rows) -> None:
        """A lost track under the box of one that is seen may come out again."""
        lost = np.flatnonzero(self._in_state(TrackState.LOST))
        if not seen.size or not lost.size:
            return
        covered = association.coverage(
            round_.tracks_N4[lost], round_.boxes_M4[round_.column_N[seen]]
        )
        for row, is_covered in zip(lost, covered.max(axis=1) > 0.5, strict=True):
            self._lives[row].is_hidden = bool(is_covered)

    def _begin(self, round_: "_Round", header: FrameHeader) -> None:
        """Begin tracks of confident detections that are nobody's and no fragment of anything."""
        is_new_M = round_.is_free_M & (round_.confidences_M >= self._confidence)
        new = np.flatnonzero(is_new_M & round_.may_begin_M)
        for column, box in zip(new.tolist(), _as_boxes(round_.boxes_M4[new]), strict=True):
            life = TrackLife(track_id=f"t{self.next_number}", header=header)
            self.next_number += 1
            round_.record(life, column, header, box=box)
            self._lives.append(life)
        self._filters.add(round_.boxes_M4[new])

    def _end_overdue(self, now_s: float, *, step_s: float) -> None:
        """End what has been away too long, before the new frame can be taken for its return."""
        for life in self._lives:
            away_s = now_s - life.last_hit_s
            if away_s <= TENTATIVE_S:
                continue
            if life.state is TrackState.TENTATIVE:
                patience_s = max(TENTATIVE_S, 1.5 * min(step_s, 1.0))
            elif away_s > LOST_S and (life.is_hidden or life.stood_still()):
                patience_s = LOST_STILL_S
            else:
                patience_s = LOST_S
            if away_s > patience_s:
                life.state = TrackState.ENDED

    def _drop_ended(self) -> None:
        alive = np.array([life.state is not TrackState.ENDED for life in self._lives], np.bool_)
        self._filters.keep(alive)
        self._lives = [life for life in self._lives if life.state is not TrackState.ENDED]

    def _in_state(self, state: TrackState) -> npt.NDArray[np.bool_]:
        return np.array([life.state is state for life in self._lives], np.bool_)


class _Round:
    """One frame's association: which detection went to which track."""

    def __init__(
        self, tracks_N4: Array, boxes_M4: Array, usable_M: Rows, detections: Detections
    ) -> None:
        self.tracks_N4 = tracks_N4
        self.boxes_M4 = boxes_M4
        self.confidences_M = detections.confidences_N[usable_M]
        self.labels_M = [detections.label(int(index)) for index in usable_M]
        self.column_N: Rows = np.full(tracks_N4.shape[0], -1, np.int64)
        self.is_free_M = np.ones(boxes_M4.shape[0], np.bool_)
        self.may_begin_M = (
            np.ones(boxes_M4.shape[0], np.bool_)
            if detections.is_proven_N is None
            else detections.is_proven_N[usable_M]
        )
        self._embeddings_MD = (
            None if detections.embeddings_ND is None else detections.embeddings_ND[usable_M]
        )

    def embeddings(self) -> npt.NDArray[np.float32] | None:
        """Return the usable detections' embeddings, None where any is not finite."""
        if self._embeddings_MD is None or not np.isfinite(self._embeddings_MD).all():
            return None
        return self._embeddings_MD

    def take(
        self,
        costs_NM: Array,
        *,
        rows_N: npt.NDArray[np.bool_],
        columns_M: npt.NDArray[np.bool_],
    ) -> None:
        """Assign what is still free among these rows and columns."""
        rows = np.flatnonzero(rows_N & (self.column_N < 0))
        columns = np.flatnonzero(columns_M & self.is_free_M)
        if not rows.size or not columns.size:
            return
        for row, column in association.assign(costs_NM[np.ix_(rows, columns)]):
            self.column_N[rows[row]] = columns[column]
            self.is_free_M[columns[column]] = False

    def claim_fragments(self, lives: list[TrackLife], *, now_s: float) -> None:
        """Give detections inside a followed track's box to it, so that they begin no track.

        Where the fragments together fit the prediction better than the one that was assigned,
        the box around them is the measurement, for up to ``MEND_S``.
        """
        owners = [
            row
            for row, life in enumerate(lives)
            if life.state is TrackState.CONFIRMED and self.column_N[row] >= 0
        ]
        free = np.flatnonzero(self.is_free_M)
        if not owners or not free.size:
            for row in owners:
                lives[row].mended_since_s = None
            return
        predicted = self.tracks_N4[owners]
        measured = self.boxes_M4[self.column_N[owners]]
        inside = np.maximum(
            association.coverage(self.boxes_M4[free], predicted),
            association.coverage(self.boxes_M4[free], measured),
        )
        for index, row in enumerate(owners):
            claimed = [
                int(column)
                for column, share in zip(free, inside[:, index], strict=True)
                if share > INSIDE_SHARE
                and self.is_free_M[column]
                and self.labels_M[column] in (lives[row].label, ANY_LABEL)
            ]
            self.is_free_M[claimed] = False
            self._mend(lives[row], row, claimed, now_s=now_s)

    def _mend(self, life: TrackLife, row: int, claimed: list[int], *, now_s: float) -> None:
        column = int(self.column_N[row])
        parts_K4 = self.boxes_M4[[column, *claimed]]
        whole_14 = np.hstack([parts_K4[:, :2].min(axis=0), parts_K4[:, 2:].max(axis=0)])[None]
        predicted_14 = self.tracks_N4[row : row + 1]
        before = association.ious(predicted_14, parts_K4[:1])[0, 0]
        after = association.ious(predicted_14, whole_14)[0, 0]
        fill = association.areas(parts_K4).sum() / max(float(association.areas(whole_14)[0]), 1e-12)
        if not claimed or after < before + 0.05 or fill < MEND_FILL:
            life.mended_since_s = None
            return
        if life.mended_since_s is None:
            life.mended_since_s = now_s
        if now_s - life.mended_since_s <= MEND_S:
            self.boxes_M4[column] = whole_14[0]

    def columns(self) -> list[int]:
        """Return each track's detection, -1 where it has none."""
        return [int(column) for column in self.column_N]

    def record(self, life: TrackLife, column: int, header: FrameHeader, *, box: Box) -> None:
        """Write detection ``column`` into a track's memory."""
        life.hit(
            header,
            box,
            confidence=float(self.confidences_M[column]),
            label=self.labels_M[column],
        )
        embeddings_MD = self.embeddings()
        if embeddings_MD is not None:
            life.learn_appearance(embeddings_MD[column])


def _as_boxes(boxes_N4: Array) -> list[Box]:
    """Return boxes for people to read: plain numbers, cut at the picture's edge."""
    return [(x1, y1, x2, y2) for x1, y1, x2, y2 in np.clip(boxes_N4, 0.0, 1.0).tolist()]
