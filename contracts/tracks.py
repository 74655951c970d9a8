"""Tracks: one object, or one region of the picture, followed through one run of one camera."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.geometry import Box

POSTURES = ("upright", "bent", "sitting", "lying")
"""How people hold themselves, in the order of ``TrackPoint.postures``."""


class TrackState(StrEnum):
    """Life of a track, in MOT's words."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackPoint:
    """Where a track was in one analysed frame.

    Attributes:
        seq, monotonic_s, captured_at: Of that frame.
        box: Normalised xyxy, as measured (not smoothed) if ``is_observed``, else predicted.
        confidence: Of the detection, 0 if predicted.
        is_observed: Whether a detection was associated in that frame.
        postures: Shares of ``POSTURES``, rounded to hundredths; empty where the detector knows
            none or says nothing.
    """

    seq: int
    monotonic_s: float
    captured_at: datetime
    box: Box
    confidence: float
    is_observed: bool
    postures: tuple[float, ...] = ()

    @property
    def posture(self) -> str:
        """The posture with the largest share, of ``POSTURES``; empty where none is known."""
        if not self.postures:
            return ""
        return POSTURES[self.postures.index(max(self.postures))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A snapshot of one track at one frame.

    Attributes:
        track_id: ``t17``; unique in (camera, run).
        label: The class seen most (weighted by confidence); ``object`` if the detector knows none.
        label_confidence: Share of that class among the votes, 0 to 1.
        state: At the last point.
        points: Oldest first, at most the last few minutes; never empty.
        hits: Frames in which a detection was associated, over the whole life.
        misses: Frames in which none was, over the whole life, up to the last hit.
        first_seen_at, first_seen_s: UTC and stream time of the first hit (``points`` may have
            forgotten it).
        is_region: It is no object that a detector found but a part of the picture that a cue
            follows: flames, a thing that was left, the view itself. Its id begins with ``r``.
    """

    track_id: str
    camera_id: str
    run_id: str
    label: str
    label_confidence: float
    state: TrackState
    points: tuple[TrackPoint, ...]
    hits: int
    misses: int
    first_seen_at: datetime
    first_seen_s: float
    is_region: bool = False

    @property
    def last(self) -> TrackPoint:
        """The newest point."""
        return self.points[-1]

    @property
    def last_seen(self) -> TrackPoint:
        """The newest point in which it was seen; the newest of all if those are forgotten."""
        return next((point for point in reversed(self.points) if point.is_observed), self.last)

    @property
    def age_s(self) -> float:
        """Stream time from the first hit to the newest point."""
        return self.last.monotonic_s - self.first_seen_s

    @property
    def hit_ratio(self) -> float:
        """Share of frames, 0 to 1, in which the object was really seen between first and last."""
        return self.hits / max(1, self.hits + self.misses)
