"""What is kept of one body that is followed, and what it is followed by."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from contracts.detections import ANY_LABEL, Detections
from contracts.frames import FrameHeader
from contracts.geometry import Box
from contracts.tracks import Track, TrackPoint, TrackState
from vision.cues.body import Body
from vision.cues.recent_pictures import Luma
from vision.descent import LOOK_BACK_S
from vision.postures import postures_of

PERSON: Final = "person"
POINTS: Final = 300
"""Points that are remembered of a body: a minute at 5 frames a second."""


@dataclass(frozen=True, slots=True)
class Find:
    """What a detector took for a person, however unsure."""

    box: Box
    confidence: float
    postures: tuple[float, ...]


@dataclass(slots=True)
class BodyLife:
    """One body, from the find that it began with.

    Attributes:
        name: Its id as a region.
        began: The frame it began in.
        points: Where it was, newest last.
        hits, misses: Frames in which it was seen, and in which it was not.
        found_s: Stream time of the newest find.
        body: As of the last frame.
        has_fallen: It is down, or has been.
        before: The picture when it stood, and some from before that, for as long as it is down.
    """

    name: str
    began: FrameHeader
    points: deque[TrackPoint] = field(default_factory=lambda: deque(maxlen=POINTS))
    hits: int = 0
    misses: int = 0
    found_s: float = 0.0
    body: Body | None = None
    has_fallen: bool = False
    before: tuple[Luma, ...] = ()

    @property
    def box(self) -> Box:
        """Where it was last seen."""
        return self.seen.box

    @property
    def seen(self) -> TrackPoint:
        """The newest point at which it was seen; a body begins with one."""
        return next(point for point in reversed(self.points) if point.is_observed)

    @property
    def is_down(self) -> bool:
        """Whether it fell and has not come up again."""
        return self.body is not None and self.body.is_down

    def height(self) -> float:
        """Height that it stands at, picture heights: that of its higher boxes lately."""
        if self.body is not None and self.body.is_down and self.body.descent is not None:
            return self.body.descent.height
        now_s = self.points[-1].monotonic_s
        heights = sorted(
            point.box[3] - point.box[1]
            for point in self.points
            if point.is_observed and now_s - point.monotonic_s <= LOOK_BACK_S
        )
        if not heights:
            return self.box[3] - self.box[1]
        return heights[int(0.8 * (len(heights) - 1))]

    def stood(self) -> TrackPoint:
        """Return the point at which its head was highest in the last seconds."""
        now_s = self.points[-1].monotonic_s
        if self.body is not None and self.body.is_down and self.body.descent is not None:
            return self.body.descent.upright
        lately = [
            point
            for point in self.points
            if point.is_observed and now_s - point.monotonic_s <= LOOK_BACK_S
        ]
        return min(lately, key=lambda point: point.box[1], default=self.seen)

    def add(
        self, header: FrameHeader, box: Box, *, find: Find | None = None, is_seen: bool = True
    ) -> None:
        """Record where it is in a frame: found, shown by the pictures, or only assumed."""
        if is_seen:
            self.hits += 1
        else:
            self.misses += 1
        if find is not None:
            self.found_s = header.monotonic_s
        self.points.append(
            TrackPoint(
                seq=header.seq,
                monotonic_s=header.monotonic_s,
                captured_at=header.captured_at,
                box=box,
                confidence=find.confidence if find is not None else 0.0,
                is_observed=is_seen,
                postures=find.postures if find is not None else (),
            )
        )

    def track(self, state: TrackState) -> Track:
        """Return its way as a region."""
        return Track(
            track_id=self.name,
            camera_id=self.began.camera_id,
            run_id=self.began.run_id,
            label=PERSON,
            label_confidence=1.0,
            state=state,
            points=tuple(self.points),
            hits=self.hits,
            misses=self.misses,
            first_seen_at=self.began.captured_at,
            first_seen_s=self.began.monotonic_s,
            is_region=True,
        )


def people_in(detections: Detections | None) -> list[Find]:
    """Return all that was taken for a person, however unsure."""
    if detections is None:
        return []
    looked = detections if detections.guesses is None else detections.guesses
    if looked.labels == (ANY_LABEL,):
        return []
    finds = []
    for index in range(len(looked)):
        sides = [float(value) for value in looked.boxes_N4[index]]
        confidence = float(looked.confidences_N[index])
        if not all(map(math.isfinite, (*sides, confidence))):
            continue
        x1, y1, x2, y2 = (min(1.0, max(0.0, value)) for value in sides)
        if looked.label(index) == PERSON and x1 < x2 and y1 < y2 and 0 < confidence <= 1:
            finds.append(Find((x1, y1, x2, y2), confidence, postures_of(looked, index)))
    return finds
