"""Follows objects through one run of one camera.

Two rounds of association, confident detections first (Zhang et al. 2022, "ByteTrack"), over
constant-velocity filters. Patience is measured in stream time, never in frames.

Shape legend: N = tracks, M = detections, K = pairs of them that lie near each other.
"""

import math
from collections.abc import Sequence
from itertools import compress
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.detections import ANY_LABEL, Detections
from contracts.frames import FrameHeader
from contracts.geometry import Box
from contracts.tracks import Track, TrackState
from vision import association
from vision.association import Array, Edge, Pairs
from vision.grid import on_grid
from vision.kalman import BoxFilters
from vision.looks import Looks
from vision.outlines import CORNERS, Outlines
from vision.track_life import TrackLife
from vision.tracking_round import Round

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
_FAR_EDGE: Final = 1 + _OUTSIDE
_TENTATIVE, _CONFIRMED = TrackState.TENTATIVE, TrackState.CONFIRMED
_LOST, _ENDED = TrackState.LOST, TrackState.ENDED
_FOLLOWED, _RECENT, _NEW, _AWAY, _OVER = range(5)
"""Whose turn it is: followed, lost a moment ago, tentative, lost for longer, ended."""
_TURNS: Final = {_CONFIRMED: _FOLLOWED, _LOST: _RECENT, _TENTATIVE: _NEW, _ENDED: _OVER}


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
        return all(life.state is _ENDED for life in self._lives)

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
        lives = self._lives
        if lives:
            lost = [row for row, life in enumerate(lives) if life.state is _LOST]
            self._filters.predict(step_s, lost=lost)
        usable = self._usable(detections)
        if lives or usable:
            round_ = Round(self._filters.outlines(), detections, usable)
            if lives and usable:
                self._associate(round_, now_s)
                round_.claim_fragments(lives, now_s=now_s)
            measured = _as_boxes(round_.found)
            self._record(round_, header, measured)
            self._begin(round_, header, measured)
        return [life.snapshot() for life in self._lives]

    def _usable(self, detections: Detections) -> list[int]:
        """Return the indices of detections that are boxes and confident enough to matter."""
        usable: list[int] = []
        least = LOW_SHARE * self._confidence
        boxes, confidences = detections.boxes_N4.tolist(), detections.confidences_N.tolist()
        # Comparisons with what is not a number are false, as they should be here.
        for index, ((x1, y1, x2, y2), confidence) in enumerate(
            zip(boxes, confidences, strict=True)
        ):
            if (
                -_OUTSIDE <= x1 < x2 <= _FAR_EDGE
                and -_OUTSIDE <= y1 < y2 <= _FAR_EDGE
                and x1 < 1.0
                and y1 < 1.0
                and -math.inf < confidence < math.inf
            ):
                if confidence >= least:
                    usable.append(index)
            else:
                self.refused += 1
        return usable

    def _associate(self, round_: Round, now_s: float) -> None:
        """Confident detections first, the rest to what was just seen, then what is new.

        What has been away for long comes last and only where it was: somebody who walks past
        the place is not it. Who overlaps comes first; farther away only what could mean nobody
        else. Otherwise a crowd moves everybody on by one to make room for one more pair.
        """
        edges = self._edges(round_, now_s)
        round_.take(edges.near)
        round_.take_plain(round_.free(edges.far))
        round_.take(round_.free(edges.doubtful))
        round_.take(round_.free(edges.tentative))
        round_.take(round_.free(edges.in_place))

    def _edges(self, round_: Round, now_s: float) -> "_Edges":
        reach: list[float] = []
        extra: list[float] = []
        turns: list[int] = []
        for life in self._lives:
            away_s = now_s - life.last_hit_s
            reach.append(min(REACH[2], REACH[life.hits == 1] + REACH_PER_S * away_s))
            extra.append(AWAY_COST_PER_S * min(away_s, LOST_S))
            state = life.state
            turn = _TURNS[state]
            if state is _TENTATIVE:
                extra[-1] += TENTATIVE_COST
            elif state is _LOST and away_s > LOST_S:
                turn = _AWAY
            turns.append(turn)
        pairs = round_.measure(np.array(reach))
        costs_K = pairs.costs_K
        costs_K += np.array(extra).take(pairs.rows_K)
        self._forbid_growth(pairs)
        is_near_K = pairs.ious_K > NEAR_IOU
        if round_.embeddings_MD is not None:
            distances_NM = self._looks.distances(round_.embeddings_MD)
            if distances_NM is not None:
                distances_K = distances_NM[pairs.rows_K, pairs.columns_K]
                is_near_K |= distances_K < ALIKE
                costs_K = association.add_appearance(costs_K, distances_K)
        return _Edges(
            pairs,
            costs_K=costs_K,
            is_near_K=is_near_K,
            turns=turns,
            is_sure=[confidence >= self._confidence for confidence in round_.confidences],
            labels=([life.label for life in self._lives], round_.labels),
        )

    def _forbid_growth(self, pairs: Pairs) -> None:
        """Somebody who steps before a thing that stands there does not become that thing."""
        is_grown_K = pairs.growth_K > STILL_GROWTH
        is_grown_K &= pairs.costs_K < association.FORBIDDEN
        if np.count_nonzero(is_grown_K):
            is_grown_K &= self._filters.at_rest().take(pairs.rows_K)
            pairs.costs_K[is_grown_K] = association.FORBIDDEN

    def _record(self, round_: Round, header: FrameHeader, measured: Sequence[Box]) -> None:
        columns = round_.columns
        predicted = _as_boxes(round_.tracks) if min(columns, default=0) < 0 else []
        for row, (life, column) in enumerate(zip(self._lives, columns, strict=True)):
            if column >= 0:
                round_.record(life, column, header, box=measured[column])
            elif life.state is not _ENDED:
                life.miss(header, predicted[row])
        seen = round_.seen
        if not seen:
            return
        self._filters.correct(round_.found, columns)
        if round_.embeddings_MD is not None:
            looks = round_.embeddings_MD[[columns[row] for row in seen]]
            self._looks.learn(seen, looks, now_s=header.monotonic_s)
        # A lost track under the box of one that is seen may come out again.
        lost = [row for row, life in enumerate(self._lives) if life.state is _LOST]
        if lost:
            hidden = round_.hidden(lost)
            for row in lost:
                self._lives[row].is_hidden = row in hidden

    def _begin(self, round_: Round, header: FrameHeader, measured: Sequence[Box]) -> None:
        """Begin tracks of confident detections that are nobody's and no fragment of anything."""
        new = [
            column
            for column, is_free in enumerate(round_.is_free)
            if is_free
            and round_.confidences[column] >= self._confidence
            and (round_.may_begin is None or round_.may_begin[column])
        ]
        if not new:
            return
        rows = range(len(self._lives), len(self._lives) + len(new))
        for column in new:
            life = TrackLife(track_id=f"t{self.next_number}", header=header)
            self.next_number += 1
            round_.record(life, column, header, box=measured[column])
            self._lives.append(life)
        self._filters.add(round_.found, new)
        self._looks.add(len(new))
        if round_.embeddings_MD is not None:
            self._looks.learn(rows, round_.embeddings_MD[new], now_s=header.monotonic_s)

    def _end_overdue(self, now_s: float, *, step_s: float) -> None:
        """End what has been away too long, before the new frame can be taken for its return."""
        for life in self._lives:
            away_s = now_s - life.last_hit_s
            if away_s <= TENTATIVE_S:
                continue
            if life.state is _TENTATIVE:
                patience_s = max(TENTATIVE_S, 1.5 * min(step_s, 1.0))
            elif away_s > LOST_S and (life.is_hidden or life.stood_still()):
                patience_s = LOST_STILL_S
            else:
                patience_s = LOST_S
            if away_s > patience_s:
                life.state = _ENDED

    def _drop_ended(self) -> None:
        is_alive = [life.state is not _ENDED for life in self._lives]
        if all(is_alive):
            return
        alive_N = np.array(is_alive)
        self._filters.keep(alive_N)
        self._looks.keep(alive_N)
        self._lives = list(compress(self._lives, is_alive))


class _Edges:
    """The pairs that may be one object, by the round in which they may be taken."""

    def __init__(
        self,
        pairs: Pairs,
        *,
        costs_K: Array,
        is_near_K: npt.NDArray[np.bool_],
        turns: Sequence[int],
        is_sure: Sequence[bool],
        labels: tuple[Sequence[str], Sequence[str]],
    ) -> None:
        self.near: list[Edge] = []
        self.far: list[Edge] = []
        self.doubtful: list[Edge] = []
        self.tentative: list[Edge] = []
        self.in_place: list[Edge] = []
        known, seen = labels
        allowed = (costs_K < association.FORBIDDEN).nonzero()[0]
        columns_K = (pairs.rows_K, pairs.columns_K, costs_K, is_near_K, pairs.ious_K)
        for row, column, cost, is_near, iou in zip(
            *(each_K.take(allowed).tolist() for each_K in columns_K), strict=True
        ):
            is_other = seen[column] != known[row] and seen[column] != ANY_LABEL
            edge = (row, column, cost + OTHER_LABEL_COST if is_other else cost)
            turn = turns[row]
            if not is_sure[column]:
                if is_near and turn == _FOLLOWED:
                    self.doubtful.append(edge)
                continue
            if turn <= _NEW:
                if is_near:
                    self.near.append(edge)
                (self.tentative if turn == _NEW else self.far).append(edge)
            if turn in (_RECENT, _AWAY) and iou > RETURN_IOU:
                self.in_place.append(edge)


def _as_boxes(outlines: Outlines) -> list[Box]:
    """Return boxes for people to read: plain numbers on the grid, cut at the picture's edge."""
    cut_CN = np.minimum(np.maximum(outlines.lines_LN[CORNERS], 0.0), 1.0)
    return list(zip(*on_grid(cut_CN).tolist(), strict=True))
