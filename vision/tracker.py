"""Follows objects through one run of one camera.

Two rounds of association, confident detections first (Zhang et al. 2022, "ByteTrack"), over
constant-velocity filters. Patience is measured in stream time, never in frames.

Shape legend: N = tracks, M = detections, K = pairs of them that lie near each other.
"""

import math
from collections.abc import Sequence
from itertools import compress
from typing import Final

from contracts.detections import ANY_LABEL, Detections
from contracts.frames import FrameHeader
from contracts.geometry import Box
from contracts.tracks import Track, TrackState
from vision import association
from vision.association import Edge, Pairs, Terms
from vision.grid import on_grid
from vision.kalman import BoxFilters
from vision.looks import Embeddings, Looks
from vision.track_life import TrackLife
from vision.tracking_round import Round

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
        self._has_ended = False
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
        lost = self._end_overdue(now_s, step_s=step_s)
        lives = self._lives
        predicted = self._filters.predict(step_s, lost=lost) if lives else []
        usable, found = self._usable(detections)
        if lives or usable:
            round_ = Round(predicted, detections, found, usable)
            if lives and usable:
                self._associate(round_, now_s)
                round_.claim_fragments(lives, now_s=now_s)
            self._record(round_, header)
            self._begin(round_, header)
            round_.learn(self._looks, now_s)
        return [life.snapshot() for life in self._lives]

    def _usable(self, detections: Detections) -> tuple[list[int], list[Box]]:
        """Return the indices and boxes of detections confident enough to matter; count no boxes."""
        usable: list[int] = []
        found: list[Box] = []
        least = LOW_SHARE * self._confidence
        boxes, confidences = detections.boxes_N4.tolist(), detections.confidences_N.tolist()
        # Comparisons with what is not a number are false, as they should be here.
        for index, ((x1, y1, x2, y2), confidence) in enumerate(
            zip(boxes, confidences, strict=True)
        ):
            box = (x1, y1, x2, y2)
            if not (0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1):
                is_box = -_OUTSIDE <= x1 < x2 <= _FAR_EDGE and -_OUTSIDE <= y1 < y2 <= _FAR_EDGE
                if not (is_box and x1 < 1 and y1 < 1):
                    self.refused += 1
                    continue
                box = _cut(box)
            if not -math.inf < confidence < math.inf:
                self.refused += 1
            elif confidence >= least:
                usable.append(index)
                found.append(box)
        return usable, found

    def _associate(self, round_: Round, now_s: float) -> None:
        """Confident detections first, the rest to what was just seen, then what is new.

        What has been away for long comes last and only where it was: somebody who walks past
        the place is not it. Who overlaps comes first; farther away only what could mean nobody
        else. Otherwise a crowd moves everybody on by one to make room for one more pair.
        """
        edges = self._edges(round_, now_s)
        if edges.near:
            round_.take(edges.near)
        if edges.far:
            round_.take_plain(round_.free(edges.far))
        for later in (edges.doubtful, edges.tentative, edges.in_place):
            if later:
                round_.take(round_.free(later))

    def _edges(self, round_: Round, now_s: float) -> "_Edges":
        terms: list[Terms] = []
        turns: list[int] = []
        near, unknown, farthest = REACH
        for life, is_at_rest in zip(self._lives, self._filters.at_rest(), strict=True):
            away_s = now_s - life.last_hit_s
            state = life.state
            extra = AWAY_COST_PER_S * (away_s if away_s < LOST_S else LOST_S)
            if state is _CONFIRMED:
                turn = _FOLLOWED
            elif state is _TENTATIVE:
                turn = _NEW
                extra += TENTATIVE_COST
            elif state is _LOST:
                turn = _AWAY if away_s > LOST_S else _RECENT
            else:
                turn = _OVER
            turns.append(turn)
            reach = (unknown if life.hits == 1 else near) + REACH_PER_S * away_s
            # Somebody who steps before a thing that stands there does not become that thing.
            growth = STILL_GROWTH if is_at_rest else math.inf
            terms.append((reach if reach < farthest else farthest, extra, growth))
        pairs = round_.pairs = association.measure(round_.tracks, round_.found, terms)
        is_near = [iou > NEAR_IOU for iou in pairs.ious]
        is_sure = [confidence >= self._confidence for confidence in round_.confidences]
        if round_.embeddings_MD is not None:
            self._look_at(pairs, round_.embeddings_MD, is_near=is_near, is_sure=is_sure)
        return _Edges(
            pairs,
            is_near=is_near,
            turns=turns,
            is_sure=is_sure,
            labels=([life.label for life in self._lives], round_.labels),
        )

    def _look_at(
        self,
        pairs: Pairs,
        looks_MD: Embeddings,
        *,
        is_near: list[bool],
        is_sure: Sequence[bool],
    ) -> None:
        """Let looks decide where somebody has a choice; change costs and what is near.

        A confident detection that can only be one track, which can be nothing else, is taken for
        it however it looks.
        """
        asked = association.contested(pairs, is_near=is_near, is_sure=is_sure)
        if asked:
            rows, columns = pairs.rows, pairs.columns
            distances = self._looks.distances(
                [rows[at] for at in asked], [columns[at] for at in asked], looks_MD
            )
            association.mix_in_looks(pairs, is_near, asked, distances)

    def _record(self, round_: Round, header: FrameHeader) -> None:
        lost: list[int] = []
        measured: dict[int, Box] = {}
        found = round_.found
        for row, (life, column) in enumerate(zip(self._lives, round_.columns, strict=True)):
            if column >= 0:
                round_.record(life, column, header)
                measured[row] = found[column]
            elif life.state is not _ENDED:
                life.miss(header, on_grid(_cut(round_.tracks[row])))
                if life.state is _LOST:
                    lost.append(row)
        if not measured:
            return
        self._filters.correct(measured)
        # A lost track under the box of one that is seen may come out again.
        hidden = round_.hidden(lost) if lost else ()
        for row in lost:
            self._lives[row].is_hidden = row in hidden

    def _begin(self, round_: Round, header: FrameHeader) -> None:
        """Begin tracks of confident detections that are nobody's and no fragment of anything."""
        if True not in round_.is_free:
            return
        new = [
            column
            for column, is_free in enumerate(round_.is_free)
            if is_free
            and round_.confidences[column] >= self._confidence
            and (round_.may_begin is None or round_.may_begin[column])
        ]
        if not new:
            return
        for column in new:
            life = TrackLife(track_id=f"t{self.next_number}", header=header)
            self.next_number += 1
            round_.record(life, column, header)
            self._lives.append(life)
        self._filters.add([round_.found[column] for column in new])
        self._looks.add(len(new))
        round_.columns += new

    def _end_overdue(self, now_s: float, *, step_s: float) -> list[int]:
        """End what has been away too long, before the new frame can be taken for its return.

        Returns:
            Rows of the tracks that are lost and go on.
        """
        lost: list[int] = []
        for row, life in enumerate(self._lives):
            away_s = now_s - life.last_hit_s
            # Nobody is lost who has just been seen.
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
                self._has_ended = True
            elif life.state is _LOST:
                lost.append(row)
        return lost

    def _drop_ended(self) -> None:
        if not self._has_ended:
            return
        self._has_ended = False
        is_alive = [life.state is not _ENDED for life in self._lives]
        self._filters.keep(is_alive)
        self._looks.keep(is_alive)
        self._lives = list(compress(self._lives, is_alive))


class _Edges:
    """The pairs that may be one object, by the round in which they may be taken."""

    def __init__(
        self,
        pairs: Pairs,
        *,
        is_near: Sequence[bool],
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
        for row, column, cost, is_close, iou in zip(
            pairs.rows, pairs.columns, pairs.costs, is_near, pairs.ious, strict=True
        ):
            is_other = seen[column] != known[row] and seen[column] != ANY_LABEL
            edge = (row, column, cost + OTHER_LABEL_COST if is_other else cost)
            turn = turns[row]
            if not is_sure[column]:
                if is_close and turn == _FOLLOWED:
                    self.doubtful.append(edge)
                continue
            if turn <= _NEW:
                if is_close:
                    self.near.append(edge)
                (self.tentative if turn == _NEW else self.far).append(edge)
            if turn in (_RECENT, _AWAY) and iou > RETURN_IOU:
                self.in_place.append(edge)


def _cut(box: Box) -> Box:
    """Return the box cut at the picture's edge."""
    x1, y1, x2, y2 = box
    if x1 >= 0 and y1 >= 0 and x2 <= 1 and y2 <= 1:
        return box
    return (
        min(max(x1, 0.0), 1.0),
        min(max(y1, 0.0), 1.0),
        min(max(x2, 0.0), 1.0),
        min(max(y2, 0.0), 1.0),
    )
