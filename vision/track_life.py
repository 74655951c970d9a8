"""One track's memory: its points, votes and counters, from first hit to end."""

from dataclasses import dataclass, field
from typing import Final

from contracts.frames import FrameHeader
from contracts.geometry import Box, centre
from contracts.tracks import Track, TrackPoint, TrackState
from vision.thawed import thawed

HISTORY_S: Final = 180.0
"""Points older than this are forgotten."""
HISTORY_POINTS: Final = 6000
"""A bound that holds whatever the frame rate: 180 s at 30 frames a second and some."""
CONFIRM_HITS: Final = 3
CONFIRM_S: Final = 0.3
"""Three hits at 5 frames a second take 0.4 s; at 25 they would be a flicker."""
CONFIRM_RATIO: Final = 0.6
LOST_AFTER_S: Final = 0.5
"""A confirmed track that is not seen for longer is lost; a frame or two are no news."""
STILL_WINDOW_S: Final = 1.0
STILL_SIZES: Final = 0.25
"""Stood still: moved less than this share of its size within the window."""


_point, _track = thawed(TrackPoint), thawed(Track)
_SEEN, _UNSEEN = True, False
_TENTATIVE, _CONFIRMED, _LOST = TrackState.TENTATIVE, TrackState.CONFIRMED, TrackState.LOST


@dataclass(slots=True, kw_only=True)
class TrackLife:
    """What is known of one track; ``snapshot`` makes the contract's picture of it.

    Attributes:
        votes, label: Confidence seen for each label, and the label with most of it.
        last_hit_s: Stream time of the newest hit; a track begins with one.
        mended_since_s: When its detection first had to be put together of fragments; None
            while it comes whole.
        is_hidden: Its place is covered by another track that is seen.
    """

    track_id: str
    header: FrameHeader
    state: TrackState = TrackState.TENTATIVE
    points: list[TrackPoint] = field(default_factory=list)
    votes: dict[str, float] = field(default_factory=dict)
    label: str = ""
    label_confidence: float = 1.0
    hits: int = 0
    misses: int = 0
    last_hit_s: float = 0.0
    mended_since_s: float | None = None
    is_hidden: bool = False
    _pending_misses: int = 0

    def hit(
        self,
        header: FrameHeader,
        box: Box,
        *,
        confidence: float,
        label: str,
        postures: tuple[float, ...] = (),
    ) -> None:
        """Record that the object was seen."""
        now_s = header.monotonic_s
        self.hits += 1
        self.misses += self._pending_misses
        self._pending_misses = 0
        self.is_hidden = False
        self.last_hit_s = now_s
        self._vote(label, confidence)
        self.points.append(
            # In the order of its fields.
            _point(header.seq, now_s, header.captured_at, box, confidence, _SEEN, postures)
        )
        self._forget(now_s)
        if self.state is not _CONFIRMED and (
            self.state is not _TENTATIVE
            or (
                self.hits >= CONFIRM_HITS
                and now_s - self.header.monotonic_s >= CONFIRM_S - 1e-6
                and self.hits >= CONFIRM_RATIO * (self.hits + self.misses)
            )
        ):
            self.state = _CONFIRMED

    def miss(self, header: FrameHeader, box: Box) -> None:
        """Record that it was not seen, with where it should be."""
        now_s = header.monotonic_s
        self._pending_misses += 1
        self.points.append(_point(header.seq, now_s, header.captured_at, box, 0.0, _UNSEEN))
        self._forget(now_s)
        if self.state is _CONFIRMED and now_s - self.last_hit_s > LOST_AFTER_S:
            self.state = _LOST

    def stood_still(self) -> bool:
        """Say whether it stood in the second before it was last seen."""
        seen = (point for point in reversed(self.points) if point.is_observed)
        end = next(seen)
        x, y = centre(end.box)
        reach_x = STILL_SIZES * (end.box[2] - end.box[0])
        reach_y = STILL_SIZES * (end.box[3] - end.box[1])
        for point in seen:
            if end.monotonic_s - point.monotonic_s > STILL_WINDOW_S:
                return True
            was_x, was_y = centre(point.box)
            if abs(was_x - x) > reach_x or abs(was_y - y) > reach_y:
                return False
        return False

    def snapshot(self) -> Track:
        """Return the track as of its newest point."""
        header = self.header
        return _track(
            # In the order of its fields.
            self.track_id,
            header.camera_id,
            header.run_id,
            self.label,
            self.label_confidence,
            self.state,
            tuple(self.points),
            self.hits,
            self.misses,
            header.captured_at,
            header.monotonic_s,
        )

    def _vote(self, label: str, confidence: float) -> None:
        votes = self.votes
        votes[label] = votes.get(label, 0.0) + confidence
        if label != self.label and (not self.label or votes[label] > votes[self.label]):
            self.label = label
        if len(votes) > 1:
            whole = sum(votes.values())
            self.label_confidence = votes[self.label] / whole if whole > 0 else 1.0

    def _forget(self, now_s: float) -> None:
        points = self.points
        if len(points) > HISTORY_POINTS or now_s - points[0].monotonic_s > HISTORY_S:
            first = max(0, len(points) - HISTORY_POINTS)
            while now_s - points[first].monotonic_s > HISTORY_S:
                first += 1
            del points[:first]
