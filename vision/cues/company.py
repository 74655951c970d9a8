"""Who was where in the last seconds: who left a thing, who took it, who may be it himself."""

import math
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.detections import ANY_LABEL, VEHICLE_LABELS
from contracts.frames import FrameHeader
from contracts.geometry import Box, centre, iou
from contracts.tracks import Track, TrackState
from vision.boxes import share_within

ANIMAL_LABELS: Final = frozenset(
    {
        "animal",
        "bear",
        "bird",
        "cat",
        "cow",
        "dog",
        "elephant",
        "giraffe",
        "horse",
        "sheep",
        "zebra",
    }
)
MOVING_LABELS: Final = frozenset({"person"}) | VEHICLE_LABELS | ANIMAL_LABELS
"""What moves by itself and may stand still for long."""
MOVED_SIZES: Final = 0.5
"""What nobody could name moves by itself if it has moved by so much of its size."""
COVER: Final = (0.1, 0.06, 0.1)
"""Boxes of those who move are taken for larger by so much of their height: at the sides, at the
top, at the feet. Detectors cut off feet, bags and shadows."""
SAME_HEAD: Final = (0.25, 0.15)
"""Whose head was so near, in his widths and heights, had his feet where he has them still: what a
detector takes for somebody may end at his waist for seconds, and his legs are no thing."""
AS_TALL: Final = (0.8, 0.75)
"""What lies in somebody's box by so much, and is so much as tall, is he himself and no thing."""
REMEMBER_S: Final = 10.0
"""Where everybody was is remembered for so long."""
RECALL_S: Final = 300.0
"""... and where those were last who are not seen any more, for so long."""
RECALL_POINTS: Final = 16
"""... with so many of their points."""
REACH: Final = 0.4
"""Body heights from a box to what its owner can put down or pick up."""
UNNAMED_REACH: Final = 0.15
"""... and of its heights from what nobody could name: it may be a vehicle."""
WAS_IT: Final = 0.5
"""Least overlap (intersection over union) of a thing and the first box of who was taken for it."""
HEIR_S: Final = 6.0
"""Whoever appears within this time where somebody was lost is the same."""
HEIR_REACH: Final = 1.0
"""... and within so many body heights."""
EDGE: Final = 0.01
"""A box this near to the picture's edge is cut by it."""
LEFT_WITHIN_S: Final = 1.0
LEFT_SIZES: Final = 0.25
"""Who moved so much of his size towards the edge that cuts him, in so long, has walked out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    track_id: str
    label: str
    box: Box


class Company:
    """Everybody in one camera's picture who moves by himself, now and a while ago."""

    def __init__(self) -> None:
        self._moments: deque[tuple[float, tuple[_Seen, ...]]] = deque()
        self._known: dict[str, Track] = {}
        self._heights: dict[str, float] = {}
        self._births: dict[str, Box] = {}
        self._movers: set[str] = set()
        self._heirs: dict[str, str] = {}
        self._kept: set[str] = set()
        self._aspect = 1.0
        self._now_s = 0.0

    def look(self, tracks: Sequence[Track], header: FrameHeader) -> list[Track]:
        """Take the newest frame; return the tracks of those who move by themselves."""
        self._now_s = header.monotonic_s
        self._aspect = header.width / header.height
        movers = [track for track in tracks if self._moves(track)]
        seen: list[_Seen] = []
        for track in movers:
            if not track.last.is_observed:
                self._known[track.track_id] = track
                continue
            if track.track_id not in self._known and track.state is TrackState.CONFIRMED:
                self._inherit(track)
            if track.state is TrackState.CONFIRMED or track.track_id in self._known:
                self._known[track.track_id] = track
            box = track.last.box
            height = max(self._heights.get(track.track_id, 0.0), box[3] - box[1])
            self._heights[track.track_id] = height
            seen.append(_Seen(track_id=track.track_id, label=track.label, box=box))
        self._moments.append((self._now_s, tuple(seen)))
        self._forget()
        return movers

    def track(self, track_id: str) -> Track | None:
        """Return somebody as last seen, also under the id that he has now; None if forgotten."""
        return self._known.get(self.now_called(track_id))

    def now_called(self, track_id: str) -> str:
        """Return the id under which somebody goes now."""
        while track_id in self._heirs:
            track_id = self._heirs[track_id]
        return track_id

    def beside(self, box: Box, *, start_s: float, end_s: float) -> str | None:
        """Return who was in reach of a place in a span of time: a person rather than anything else.

        Of several the nearest at the time nearest to ``end_s``; None if nobody was.
        """
        best: tuple[bool, float, float, str] | None = None
        for at_s, seen in self._moments:
            if not start_s <= at_s <= end_s:
                continue
            for one in seen:
                gap = self.gap(one.track_id, one.box, box)
                reach = UNNAMED_REACH if one.label == ANY_LABEL else REACH
                if gap > reach or one.label in VEHICLE_LABELS:
                    continue
                key = (one.label not in ("person", ANY_LABEL), gap, end_s - at_s, one.track_id)
                if best is None or key < best:
                    best = key
        return None if best is None else best[3]

    def gap(self, track_id: str, own: Box, box: Box) -> float:
        """Return the distance between two boxes in body heights of the first; 0 if they touch."""
        across = max(0.0, box[0] - own[2], own[0] - box[2]) * self._aspect
        down = max(0.0, box[1] - own[3], own[1] - box[3])
        height = max(self._heights.get(track_id, 0.0), own[3] - own[1], 1e-3)
        return math.hypot(across, down) / height

    def distance(self, track: Track, box: Box) -> float:
        """Return how far a track was from a place when last seen, in its body heights."""
        return self.gap(track.track_id, track.last_seen.box, box)

    def nearest(self, box: Box) -> float:
        """Return how far the nearest person of now is from a place, in body heights."""
        if not self._moments:
            return math.inf
        people = (one for one in self._moments[-1][1] if one.label in ("person", ANY_LABEL))
        return min((self.gap(one.track_id, one.box, box) for one in people), default=math.inf)

    def vanished_at(self, box: Box) -> bool:
        """Say whether somebody was last seen over a place and may be there unseen still."""
        return any(
            share_within(box, track.last_seen.box) > 0.5 and not _is_seen(track, self._now_s)
            for track in self._known.values()
            if track.track_id not in self._heirs
        )

    def began_at(self, box: Box) -> bool:
        """Say whether somebody was first seen right at a place: he had stood there unseen."""
        return any(
            share_within(box, self._births[name]) > 0.3
            for name in self._known
            if name in self._births and name not in self._heirs.values()
        )

    def was(self, box: Box) -> bool:
        """Say whether it was somebody that stood at a place: his first box is what stood there."""
        return any(
            iou(box, self._births[name]) >= WAS_IT for name in self._known if name in self._births
        )

    def stood_at(self, box: Box) -> bool:
        """Say whether somebody as tall stood at a place lately: his track may have gone astray."""
        return any(
            share_within(box, one.box) >= AS_TALL[0]
            and box[3] - box[1] >= AS_TALL[1] * (one.box[3] - one.box[1])
            for _, seen in self._moments
            for one in seen
            if one.label in ("person", ANY_LABEL)
        )

    def keep(self, track_ids: Collection[str]) -> None:
        """Remember these whole, for as long as they are named."""
        self._kept = set(track_ids)

    def _moves(self, track: Track) -> bool:
        if track.state is TrackState.ENDED:
            return False
        birth = self._births.setdefault(track.track_id, track.points[0].box)
        if track.label in MOVING_LABELS:
            return True
        if track.label != ANY_LABEL:
            return False
        if track.track_id in self._movers:
            return True
        was, now = centre(birth), centre(track.last.box)
        width, height = birth[2] - birth[0], birth[3] - birth[1]
        has_moved = (
            abs(now[0] - was[0]) > MOVED_SIZES * width
            or abs(now[1] - was[1]) > MOVED_SIZES * height
        )
        if has_moved:
            self._movers.add(track.track_id)
        return has_moved

    def _inherit(self, track: Track) -> None:
        """Let a new track go on for one that was lost where it begins."""
        birth = self._births[track.track_id]
        for lost in reversed(list(self._known.values())):
            away_s = track.first_seen_s - lost.last_seen.monotonic_s
            if lost.track_id in self._heirs or not 0 < away_s <= HEIR_S:
                continue
            if lost.label != track.label or _came_elsewhere(lost, birth):
                continue
            if self.distance(lost, birth) <= HEIR_REACH:
                self._heirs[lost.track_id] = track.track_id
                return

    def _forget(self) -> None:
        while self._now_s - self._moments[0][0] > REMEMBER_S:
            self._moments.popleft()
        for name, track in list(self._known.items()):
            away_s = self._now_s - track.last_seen.monotonic_s
            if name in self._kept or away_s <= REMEMBER_S:
                continue
            if away_s > RECALL_S:
                del self._known[name]
            elif len(track.points) > RECALL_POINTS:
                points = (*track.points[-RECALL_POINTS:-1], track.last_seen)
                self._known[name] = replace(track, points=points)
        self._keep_only(self._known.keys() | {one.track_id for _, s in self._moments for one in s})

    def _keep_only(self, names: Iterable[str]) -> None:
        alive = set(names)
        for table in (self._heights, self._births, self._heirs):
            for name in table.keys() - alive:
                del table[name]
        self._movers &= alive


def cover(
    movers: Sequence[Track], shape: tuple[int, int], header: FrameHeader
) -> npt.NDArray[np.uint8]:
    """Return where those who move are, and a little around them."""
    height, width = shape
    covered_HW = np.zeros(shape, np.uint8)
    side, top, feet = COVER
    for track in movers:
        x1, y1, x2, _ = track.last.box
        y2 = _feet(track)
        tall = y2 - y1
        beside = side * tall * header.height / header.width
        rows = slice(
            max(0, int((y1 - top * tall) * height)), int(np.ceil((y2 + feet * tall) * height))
        )
        columns = slice(max(0, int((x1 - beside) * width)), int(np.ceil((x2 + beside) * width)))
        covered_HW[rows, columns] = 255
    return covered_HW


def _feet(track: Track) -> float:
    """Return the lowest row of somebody, of all that was seen of him where he is now."""
    box = track.last.box
    reach_x = SAME_HEAD[0] * (box[2] - box[0])
    reach_y = SAME_HEAD[1] * (box[3] - box[1])
    lowest = box[3]
    for point in reversed(track.points):
        if track.last.monotonic_s - point.monotonic_s > REMEMBER_S:
            break
        aside = (point.box[0] + point.box[2] - box[0] - box[2]) / 2
        is_here = abs(aside) <= reach_x and abs(point.box[1] - box[1]) <= reach_y
        if point.is_observed and is_here:
            lowest = max(lowest, point.box[3])
    return lowest


def _came_elsewhere(lost: Track, birth: Box) -> bool:
    """Say whether somebody walked out of the picture and the other came in by another side.

    Who comes back over the edge that he left by, or appears where he was last, may be the same.
    """
    end = lost.last_seen
    recent = (
        point.box
        for point in lost.points
        if point.is_observed and end.monotonic_s - point.monotonic_s <= LEFT_WITHIN_S + 1e-6
    )
    last = end.box
    first = next(recent, last)
    moved = [now - was for was, now in zip(centre(first), centre(last), strict=True)]
    least = [
        LEFT_SIZES * min(box[2 + axis] - box[axis] for box in (first, last)) for axis in (0, 1)
    ]
    # Left, top, right, bottom, as in a box.
    has_left = [
        is_cut and way * moved[axis] > least[axis]
        for is_cut, way, axis in zip(_cut_by(last), (-1, -1, 1, 1), (0, 1, 0, 1), strict=True)
    ]
    if not any(has_left) or iou(last, birth) > 0:
        return False
    is_back = any(left and cut for left, cut in zip(has_left, _cut_by(birth), strict=True))
    return not is_back


def _cut_by(box: Box) -> tuple[bool, bool, bool, bool]:
    """Say whether the left, top, right, bottom edge of the picture cuts a box."""
    return box[0] <= EDGE, box[1] <= EDGE, box[2] >= 1 - EDGE, box[3] >= 1 - EDGE


def _is_seen(track: Track, now_s: float) -> bool:
    return track.last_seen.monotonic_s >= now_s - 1e-6
