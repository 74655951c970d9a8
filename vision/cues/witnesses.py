"""What the detector saw lately in a place: somebody, traffic, or one person alone.

What stirs like a fight and is none is told apart by who is there. Finds too weak to begin a track
count too: people who hold each other are found now and then, as one body or in parts.
"""

import itertools
from collections import deque
from collections.abc import Sequence
from statistics import median
from typing import Final

from contracts.detections import ANY_LABEL, VEHICLE_LABELS, Detections
from contracts.geometry import Box, centre
from contracts.tracks import Track, TrackState
from vision.boxes import share_within

PERSON: Final = "person"
LOOKS: Final = 10
"""Looks that are remembered: two seconds."""
WITHIN: Final = 0.4
"""Somebody is in a place if this share of the box lies in it."""
TOUCHES: Final = 0.3
"""... and counts for what is seen there from this share."""
SOMEBODY: Final = 0.5
"""Sum of the best confidences of a person over the looks, from which somebody was there."""
SURE: Final = 0.6
TALL: Final = 0.33
"""Where those who are surely seen are not as tall as this share of what stirs, by their median, it
is not they who stir."""
RECENT_S: Final = 1.0
ALONE_COVERS: Final = 0.8
"""One body that covers this share of what stirs, and no other there, stirs alone."""
REACH: Final = 0.12
"""Arms reach out of a box by this share of its sides."""

WAY_S: Final = 2.0
"""Who walks through is told by the way of so long, up to where he was seen last; and so long ago at
most that was, since so much of what stirred is weighed."""
LEAST_WAY_S: Final = 1.0
"""... and not of who has been followed for less."""
PASSING_PACE: Final = 0.3
"""Across the picture, body heights per second; a stroll is 0.5, and who fights stays about."""
STRAIGHT: Final = 0.9
"""Share of the way gone that is left as distance: who is pushed or dodges goes to and fro."""
STILL_PACE: Final = 0.1
"""Whose whole way is shorter, body heights per second, stands and waits, and does not count."""
PASSING_SHARE: Final = 0.66
"""Where so many of the others walk straight through, two or more, they meet and do not fight; one
may have been followed badly: those who cross change names."""

WAY_POINTS: Final = 64
"""Points that are looked at for it: 2 s at any rate that a camera is analysed at."""
TIME_SLACK_S: Final = 1e-6

STAYS_S: Final = 0.5
"""Whoever was seen in a place is taken to be there for so long: the finds of a struggle flicker."""

Find = tuple[str, float, Box]


class Witnesses:
    """Remembers the newest finds of one camera."""

    def __init__(self) -> None:
        self._looks: deque[list[Find]] = deque(maxlen=LOOKS)
        self._seen: deque[tuple[float, Box]] = deque()

    def look(self, detections: Detections | None) -> None:
        """Take the finds of a frame; None if nobody looked."""
        self._looks.append([] if detections is None else _finds(detections))

    def saw_people(
        self, place: Box, tracks: Sequence[Track], *, at_s: float, aspect: float = 1.0
    ) -> bool:
        """Say whether people, more than one or who knows how many, were seen in a place.

        Neither if vehicles were seen there more surely, nor if one followed body is all that
        stirs, nor if most just walk through; but if they were a moment ago, they still are. What
        was witnessed must be a good part of the place: who comes in beside a crowd is not it.

        Args:
            place: Where something stirs.
            tracks: All of the frame.
            at_s: Its stream time.
            aspect: Its width over its height, pixels.
        """
        while self._seen and at_s - self._seen[0][0] > STAYS_S:
            self._seen.popleft()
        if self._see_people(place, tracks, at_s=at_s, aspect=aspect):
            self._seen.append((at_s, place))
            return True
        return any(share_within(place, box) >= TOUCHES for _, box in self._seen)

    def _see_people(
        self, place: Box, tracks: Sequence[Track], *, at_s: float, aspect: float
    ) -> bool:
        people, vehicles = (
            sum(
                max(
                    (
                        confidence
                        for label, confidence, box in look
                        if label in labels and share_within(box, place) >= TOUCHES
                    ),
                    default=0.0,
                )
                for look in self._looks
            )
            for labels in ((PERSON,), VEHICLE_LABELS)
        )
        if people < SOMEBODY or people < vehicles:
            return False
        tall = [
            box[3] - box[1]
            for look in self._looks
            for label, confidence, box in look
            if label == PERSON and confidence >= SURE and share_within(box, place) >= TOUCHES
        ]
        if tall and median(tall) < TALL * (place[3] - place[1]):
            return False
        if _walk_through(place, tracks, at_s=at_s, aspect=aspect):
            return False
        bodies = bodies_in(place, tracks, at_s=at_s, least=TOUCHES)
        return len(bodies) != 1 or _covered(place, bodies[0].last_seen.box) < ALONE_COVERS


def bodies_in(
    place: Box,
    tracks: Sequence[Track],
    *,
    at_s: float,
    least: float = WITHIN,
    lately_s: float = RECENT_S,
) -> list[Track]:
    """Return people, and objects without a name, that were seen in a place lately."""
    return [
        track
        for track in tracks
        if track.label in (PERSON, ANY_LABEL)
        and track.state is not TrackState.ENDED
        and track.hits > 1
        and at_s - track.last_seen.monotonic_s <= lately_s
        and share_within(track.last_seen.box, place) >= least
    ]


def _walk_through(place: Box, tracks: Sequence[Track], *, at_s: float, aspect: float) -> bool:
    """Say whether most of those who move there walk straight across the picture."""
    bodies = bodies_in(place, tracks, at_s=at_s, least=TOUCHES, lately_s=WAY_S + TIME_SLACK_S)
    known = [way for way in (_way(body, aspect=aspect) for body in bodies) if way is not None]
    moving = [(pace, share) for pace, share in known if pace >= STILL_PACE * share]
    passing = sum(pace >= PASSING_PACE and share >= STRAIGHT for pace, share in moving)
    return passing > 1 and passing >= PASSING_SHARE * len(moving)


def _way(body: Track, *, aspect: float) -> tuple[float, float] | None:
    """Return a body's pace across, body heights per second, and which share of its way that was.

    None where it is not known for long enough.
    """
    until_s = body.last_seen.monotonic_s
    points = [
        point
        for point in body.points[-WAY_POINTS:]
        if point.is_observed and until_s - point.monotonic_s <= WAY_S + TIME_SLACK_S
    ]
    took_s = points[-1].monotonic_s - points[0].monotonic_s if points else 0.0
    if took_s < LEAST_WAY_S - TIME_SLACK_S:
        return None
    across = _calm([centre(point.box)[0] for point in points])
    gone = sum(abs(after - before) for before, after in itertools.pairwise(across))
    left = abs(across[-1] - across[0])
    height = median(point.box[3] - point.box[1] for point in points)
    return aspect * left / max(height, 1e-6) / took_s, left / max(gone, 1e-9)


def _calm(values: Sequence[float]) -> list[float]:
    """Return the running median of three: a box around two people at once moves no way."""
    return [median(values[max(0, index - 1) : index + 2]) for index in range(len(values))]


def _finds(detections: Detections) -> list[Find]:
    return [
        (detections.label(index), confidence, (x1, y1, x2, y2))
        for index, (confidence, (x1, y1, x2, y2)) in enumerate(
            zip(detections.confidences_N.tolist(), detections.boxes_N4.tolist(), strict=True)
        )
    ]


def _covered(place: Box, body: Box) -> float:
    x, y = REACH * (body[2] - body[0]), REACH * (body[3] - body[1])
    return share_within(place, (body[0] - x, body[1] - y, body[2] + x, body[3] + y))
