"""Follows objects through one run of one camera.

Two rounds of association, confident detections first (Zhang et al. 2022, "ByteTrack"), over
constant-velocity filters. Patience is measured in stream time, never in frames.

Shape legend: N = tracks, M = detections, 4 = x1, y1, x2, y2.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.detections import ANY_LABEL, Detections
from contracts.frames import FrameHeader
from contracts.geometry import Box
from contracts.tracks import Track, TrackState
from vision import association
from vision.association import Array
from vision.grid import on_grid
from vision.kalman import BoxFilters
from vision.looks import Embeddings, Looks
from vision.track_life import TrackLife
from vision.tracking_round import Round, Rows

ALIKE: Final = 0.12
"""Looks with a cosine distance below this may be one object though their boxes do not overlap."""
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
REACH: Final = (1.0, 1.6, 2.0)
"""Gate in object sizes: of a followed track, of one seen once, and the most it grows to."""
REACH_PER_S: Final = 0.8
AWAY_COST_PER_S: Final = 0.1
"""Who is looked for farther away is not nearer by that than who has just been seen."""
TENTATIVE_COST: Final = 0.2
"""What may be nothing does not take a detection from what is followed."""
NEAR_IOU: Final = 0.2
"""Overlap with the prediction from which on a detection may be taken among others."""
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
        self._looks = Looks()
        self._now_s: float | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being followed: no tentative, confirmed or lost track."""
        return all(life.state is TrackState.ENDED for life in self._lives)

    def update(self, detections: Detections, header: FrameHeader) -> list[Track]:
        """Take one frame's detections; return all tracks that are alive or ended in this frame."""
        now_s = header.monotonic_s
        if self._now_s is not None and now_s < self._now_s:
            self.out_of_order += 1
            return [life.snapshot() for life in self._lives]
        step_s = 0.0 if self._now_s is None else now_s - self._now_s
        self._now_s = now_s
        self._drop_ended()
        self._end_overdue(now_s, step_s=step_s)
        if self._lives:
            is_lost_N = np.array([life.state is TrackState.LOST for life in self._lives])
            self._filters.predict(step_s, is_lost_N=is_lost_N)
        usable = self._usable(detections)
        if self._lives or usable.size:
            round_ = Round(self._filters.boxes(), detections, usable)
            if self._lives and usable.size:
                self._associate(round_, now_s)
                round_.claim_fragments(self._lives, now_s=now_s)
            self._record(round_, header)
            self._begin(round_, header)
        return [life.snapshot() for life in self._lives]

    def _usable(self, detections: Detections) -> Rows:
        """Return the indices of detections that are boxes and confident enough to matter."""
        boxes_N4 = detections.boxes_N4
        low_N2, high_N2 = boxes_N4[:, :2], boxes_N4[:, 2:]
        # Comparisons with what is not a number are false, as they should be here.
        is_right_N2 = (low_N2 >= -_OUTSIDE) & (low_N2 < 1) & (high_N2 <= 1 + _OUTSIDE)
        is_right_N2 &= high_N2 > low_N2
        is_box_N = is_right_N2[:, 0] & is_right_N2[:, 1]
        is_box_N &= np.isfinite(detections.confidences_N)
        self.refused += len(is_box_N) - int(np.count_nonzero(is_box_N))
        is_box_N &= detections.confidences_N >= LOW_SHARE * self._confidence
        return is_box_N.nonzero()[0]

    def _associate(self, round_: Round, now_s: float) -> None:
        """Confident detections first, the rest to what was just seen, then what is new.

        What has been away for long comes last and only where it was: somebody who walks past
        the place is not it.
        """
        rows: dict[TrackState, list[int]] = {state: [] for state in TrackState}
        for row, life in enumerate(self._lives):
            rows[life.state].append(row)
        away_s = [now_s - life.last_hit_s for life in self._lives]
        confirmed, lost = rows[TrackState.CONFIRMED], rows[TrackState.LOST]
        recent = [row for row in lost if away_s[row] <= LOST_S]
        sure: list[int] = []
        doubtful: list[int] = []
        for column, confidence in enumerate(round_.confidences):
            (sure if confidence >= self._confidence else doubtful).append(column)
        distances_NM = None
        if round_.embeddings_MD is not None:
            distances_NM = self._looks.distances(round_.embeddings_MD)
        costs_NM = self._costs(round_, away_s, distances_NM)
        # Who overlaps comes first; farther away only what could mean nobody else. Otherwise a
        # crowd moves everybody on by one to make room for one more pair.
        tentative = rows[TrackState.TENTATIVE]
        near_NM = np.where(_near(round_, distances_NM), costs_NM, association.FORBIDDEN)
        round_.take(near_NM, rows=confirmed + recent + tentative, columns=sure)
        round_.take_plain(costs_NM, rows=confirmed + recent, columns=sure)
        round_.take(near_NM, rows=confirmed, columns=doubtful)
        round_.take(costs_NM, rows=tentative, columns=sure)
        if len(recent) < len(lost):
            is_there_NM = round_.pairs.ious_NM > RETURN_IOU
            in_place_NM = np.where(is_there_NM, costs_NM, association.FORBIDDEN)
            round_.take(in_place_NM, rows=lost, columns=sure)

    def _costs(
        self, round_: Round, away: Sequence[float], distances_NM: Embeddings | None
    ) -> Array:
        reach_N = np.array(
            [
                min(REACH[2], REACH[life.hits == 1] + REACH_PER_S * away_s)
                for life, away_s in zip(self._lives, away, strict=True)
            ]
        )
        growth_NM = round_.pairs.growth()
        costs_NM = round_.pairs.position_costs(reach_N=reach_N, growth_NM=growth_NM)
        costs_NM += np.array(
            [
                AWAY_COST_PER_S * min(away_s, LOST_S)
                + TENTATIVE_COST * (life.state is TrackState.TENTATIVE)
                for life, away_s in zip(self._lives, away, strict=True)
            ]
        )[:, None]
        # Somebody who steps before a thing that stands there does not become that thing.
        if self._filters.is_any_at_rest:
            rests_N = self._filters.at_rest()
            costs_NM[rests_N[:, None] & (growth_NM > STILL_GROWTH)] = association.FORBIDDEN
        if distances_NM is not None:
            costs_NM = association.add_appearance(costs_NM, distances_NM)
        labels_N = [life.label for life in self._lives]
        if len({*labels_N, *round_.labels}) > 1:
            costs_NM += OTHER_LABEL_COST * _differ(labels_N, round_.labels)
        return costs_NM

    def _record(self, round_: Round, header: FrameHeader) -> None:
        measured_M = _as_boxes(round_.boxes_M4)
        predicted_N = (
            _as_boxes(round_.pairs.tracks_N4) if min(round_.columns, default=0) < 0 else []
        )
        for row, (life, column) in enumerate(zip(self._lives, round_.columns, strict=True)):
            if life.state is TrackState.ENDED:
                continue
            if column < 0:
                life.miss(header, predicted_N[row])
            else:
                round_.record(life, column, header, box=measured_M[column])
        seen = round_.seen
        if not seen:
            return
        rows = np.array(seen)
        columns = np.array([round_.columns[row] for row in seen])
        seen_M4 = round_.boxes_M4[columns]
        self._filters.correct(rows, seen_M4)
        if round_.embeddings_MD is not None:
            self._looks.learn(rows, round_.embeddings_MD[columns], now_s=header.monotonic_s)
        self._mark_hidden(round_, seen_M4)

    def _mark_hidden(self, round_: Round, seen_M4: Array) -> None:
        """A lost track under the box of one that is seen may come out again."""
        lost = [row for row, life in enumerate(self._lives) if life.state is TrackState.LOST]
        if not lost:
            return
        covered = association.coverage(round_.pairs.tracks_N4[lost], seen_M4).max(axis=1)
        for row, share in zip(lost, covered.tolist(), strict=True):
            self._lives[row].is_hidden = share > 0.5

    def _begin(self, round_: Round, header: FrameHeader) -> None:
        """Begin tracks of confident detections that are nobody's and no fragment of anything."""
        new = [
            column
            for column, is_free in enumerate(round_.is_free)
            if is_free
            and round_.may_begin[column]
            and round_.confidences[column] >= self._confidence
        ]
        if not new:
            return
        rows = len(self._lives) + np.arange(len(new))
        boxes_K4 = round_.boxes_M4[new]
        for column, box in zip(new, _as_boxes(boxes_K4), strict=True):
            life = TrackLife(track_id=f"t{self.next_number}", header=header)
            self.next_number += 1
            round_.record(life, column, header, box=box)
            self._lives.append(life)
        self._filters.add(boxes_K4)
        self._looks.add(len(new))
        if round_.embeddings_MD is not None:
            self._looks.learn(rows, round_.embeddings_MD[new], now_s=header.monotonic_s)

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
        is_alive = [life.state is not TrackState.ENDED for life in self._lives]
        if all(is_alive):
            return
        alive_N = np.array(is_alive)
        self._filters.keep(alive_N)
        self._looks.keep(alive_N)
        self._lives = [life for life in self._lives if life.state is not TrackState.ENDED]


def _near(round_: Round, distances_NM: Embeddings | None) -> npt.NDArray[np.bool_]:
    """Say which pairs overlap, or look so much alike that they may be one object all the same."""
    is_near_NM = round_.pairs.ious_NM > NEAR_IOU
    return is_near_NM if distances_NM is None else is_near_NM | (distances_NM < ALIKE)


def _differ(labels_N: Sequence[str], labels_M: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Say for each pair whether the names differ, shape (N, M); ``object`` differs from none."""
    codes = {label: code for code, label in enumerate({*labels_N, *labels_M})}
    codes_N = np.array([codes[label] for label in labels_N])
    codes_M = np.array([codes[label] for label in labels_M])
    is_other_NM = codes_N[:, None] != codes_M
    if ANY_LABEL in codes:
        is_other_NM &= codes_M != codes[ANY_LABEL]
    return np.asarray(is_other_NM, np.bool_)


def _as_boxes(boxes_N4: Array) -> list[Box]:
    """Return boxes for people to read: plain numbers on the grid, cut at the picture's edge."""
    cut_N4 = on_grid(np.minimum(np.maximum(boxes_N4, 0.0), 1.0))
    return [(x1, y1, x2, y2) for x1, y1, x2, y2 in cut_N4.tolist()]
