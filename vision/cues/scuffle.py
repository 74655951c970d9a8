"""The cue ``scuffle``: places where people may be fighting, followed as regions.

A region begins once what stirs in a place looks somewhat like a fight, with all that stirred there
before; one that calms down goes on for a while and ends.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from contracts.frames import FrameHeader
from contracts.geometry import Box
from contracts.tracks import Track, TrackPoint, TrackState
from vision.cues.port import Glimpse
from vision.cues.regions import region_id
from vision.cues.scuffle_reading import Likelihood, Scuffle
from vision.cues.scuffle_score import LEAST_STEPS, ScuffleScore, read_score
from vision.cues.stir_reader import StirReader
from vision.cues.stirs import REMEMBERED_STEPS, Stir
from vision.cues.witnesses import Witnesses, bodies_in

LABEL: Final = "scuffle"
"""What a region is called: who takes part, tracks say."""
FOLLOWED_FROM: Final = 0.3
"""Likelihood from which a place is followed as a region."""
CALM_S: Final = 2.0
"""A region that has been below it, or still, for so long ends."""
OPEN_SHARE: Final = 0.05
"""The cue looks where so much of the picture is not as it was, also where the motion gate takes
it for weather: a camera that shakes is no reason to look away."""
SHAKY_PIXELS: Final = 0.7
"""Where the camera itself moves by more a step, detectors that lean on a background are blind,
and that they saw nobody says nothing."""
MAX_POINTS: Final = 600
NOBODY: Final = Likelihood(0.0, 0.0)


class ScuffleCue:
    """Reads the frames of one camera's run.

    Args:
        score: Weighs what stirs; the shipped one if none is given.
    """

    def __init__(self, score: ScuffleScore | None = None) -> None:
        self._score = score or read_score()
        self._reader = StirReader()
        self._witnesses = Witnesses()
        self._headers: deque[FrameHeader] = deque(maxlen=4 * REMEMBERED_STEPS)
        self._followed: list[_Region] = []

    def look(self, glimpse: Glimpse) -> tuple[Scuffle, ...]:
        """See ``Cue.look``: all places that are followed, ended ones in the frame of their end."""
        header = glimpse.header
        self._headers.append(header)
        self._witnesses.look(glimpse.detections)
        is_open = glimpse.picture is not None or glimpse.motion.share >= OPEN_SHARE
        stirs = self._reader.look(glimpse.small, is_open=is_open)
        if stirs is not None:
            self._go_on(stirs, glimpse)
        over = [region for region in self._followed if region.is_over(header.monotonic_s)]
        self._followed = [region for region in self._followed if region not in over]
        return tuple(
            Scuffle(
                region=region.track(header, is_over=region in over),
                likelihood=region.likelihood,
                people=region.people,
            )
            for region in (*self._followed, *over)
        )

    def _go_on(self, stirs: Sequence[Stir], glimpse: Glimpse) -> None:
        """Give each place its region, the longest followed first, and begin what is new."""
        scored = [(stir, self._likelihood(stir, glimpse)) for stir in stirs]
        free = {id(stir) for stir in stirs}
        for region in self._followed:
            heir = next(
                (pair for pair in scored if pair[0].before is region.stir and id(pair[0]) in free),
                None,
            )
            if heir is not None:
                free.discard(id(heir[0]))
                region.go_on(heir[0], heir[1], glimpse)
        fresh = [
            (stir, likelihood)
            for stir, likelihood in scored
            if id(stir) in free and likelihood.value >= FOLLOWED_FROM
        ]
        for index, (stir, likelihood) in enumerate(fresh):
            region = _Region(region_id("s", glimpse.header, index), stir, likelihood)
            region.begin(stir, self._headers, glimpse)
            self._followed.append(region)

    def _likelihood(self, stir: Stir, glimpse: Glimpse) -> Likelihood:
        window_TF = self._reader.window(stir)
        if len(window_TF) < LEAST_STEPS:
            return NOBODY
        is_shaky = self._reader.shake > SHAKY_PIXELS
        aspect = glimpse.header.width / glimpse.header.height
        if is_shaky or self._witnesses.saw_people(
            stir.box, glimpse.tracks, at_s=stir.at_s, aspect=aspect
        ):
            return self._score(window_TF)
        return NOBODY


class _Region:
    """One place that is followed."""

    def __init__(self, track_id: str, stir: Stir, likelihood: Likelihood) -> None:
        self.stir = stir
        self.likelihood = likelihood
        self.people: tuple[str, ...] = ()
        self._track_id = track_id
        self._points: deque[TrackPoint] = deque(maxlen=MAX_POINTS)
        self._restless_s = stir.at_s
        self._first: TrackPoint | None = None
        self._hits = 0

    def begin(self, stir: Stir, headers: Sequence[FrameHeader], glimpse: Glimpse) -> None:
        """Take up what stirred there before, as far as those frames are remembered."""
        by_time = {header.monotonic_s: header for header in headers}
        for one in reversed(list(stir.past())):
            if one.at_s in by_time and one is not stir:
                self._add(by_time[one.at_s], one.box, self.likelihood.value)
        self.go_on(stir, self.likelihood, glimpse)

    def go_on(self, stir: Stir, likelihood: Likelihood, glimpse: Glimpse) -> None:
        """Take the next step."""
        self.stir, self.likelihood = stir, likelihood
        self._add(glimpse.header, stir.box, likelihood.value)
        bodies = bodies_in(stir.box, glimpse.tracks, at_s=stir.at_s)
        self.people = tuple(body.track_id for body in bodies)
        if likelihood.value >= FOLLOWED_FROM and stir.energy > 0:
            self._restless_s = stir.at_s

    def is_over(self, now_s: float) -> bool:
        """Say whether it has been calm for too long."""
        return now_s - self._restless_s > CALM_S

    def track(self, header: FrameHeader, *, is_over: bool) -> Track:
        """Return it as of a frame, seen or not."""
        points = tuple(self._points)
        if points[-1].seq != header.seq:
            points = (*points, replace(_point(header, points[-1].box, 0.0), is_observed=False))
        first = self._first or points[0]
        is_lost = not points[-1].is_observed
        return Track(
            track_id=self._track_id,
            camera_id=header.camera_id,
            run_id=header.run_id,
            label=LABEL,
            label_confidence=1.0,
            state=TrackState.ENDED
            if is_over
            else TrackState.LOST
            if is_lost
            else TrackState.CONFIRMED,
            points=points,
            hits=self._hits,
            misses=0,
            first_seen_at=first.captured_at,
            first_seen_s=first.monotonic_s,
            is_region=True,
        )

    def _add(self, header: FrameHeader, box: Box, confidence: float) -> None:
        point = _point(header, box, confidence)
        self._first = self._first or point
        self._points.append(point)
        self._hits += 1


def _point(header: FrameHeader, box: Box, confidence: float) -> TrackPoint:
    return TrackPoint(
        seq=header.seq,
        monotonic_s=header.monotonic_s,
        captured_at=header.captured_at,
        box=box,
        confidence=confidence,
        is_observed=True,
    )
