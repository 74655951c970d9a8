"""Bodies as the rule about falls meets them: one growing snapshot for each frame."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np

from contracts.frames import FrameHeader
from contracts.geometry import Box
from contracts.incidents import RuleEvent
from contracts.tracks import Track, TrackPoint, TrackState
from tests.fakes.clock import START
from tests.fakes.tracks import header_at
from vision.cues.body import Body
from vision.cues.port import Cues
from vision.descent import measure
from vision.fall_model import FallModel, FallModels, Surroundings
from vision.observation import Observation
from vision.rules.rule import Rule

ASPECT = 640 / 360
STANDING: Box = (0.40, 0.20, 0.50, 0.70)
BENT: Box = (0.36, 0.35, 0.52, 0.70)
SITTING: Box = (0.38, 0.36, 0.50, 0.70)
LYING: Box = (0.30, 0.60, 0.58, 0.75)

Way = Sequence[tuple[float, Box | None]]
"""Stream seconds and where the body is then; None where nobody sees it."""

MODELS = FallModels(
    with_posture=FallModel(
        weights_T=np.array([-4.0, 4.0, 2.0, -2.0, 2.0]), covariance_TT=np.eye(5) * 0.01
    ),
    without=FallModel(weights_T=np.array([-4.0, 4.0, 2.0, -2.0]), covariance_TT=np.eye(4) * 0.01),
)
"""Weights of the tests' own: what is tested here does not change when others are fitted."""
CHANGED = Surroundings(gone=0.8, came=0.8)


def stays(*parts: tuple[Box, float], fps: float = 5.0) -> list[tuple[float, Box | None]]:
    """A way from box to box; each is stayed in for so long."""
    way: list[tuple[float, Box | None]] = []
    for box, seconds in parts:
        way += [((len(way) + index) / fps, box) for index in range(round(seconds * fps))]
    return way


def moved(box: Box, *, by: tuple[float, float]) -> Box:
    """The box, elsewhere."""
    return (box[0] + by[0], box[1] + by[1], box[2] + by[0], box[3] + by[1])


def points(
    way: Way, *, postures: tuple[float, ...] = (), confidence: float = 0.9
) -> tuple[TrackPoint, ...]:
    """Points along a way."""
    last: Box = next(box for _, box in way if box is not None)
    found = []
    for at_s, box in way:
        last = box or last
        found.append(
            TrackPoint(
                seq=round(at_s * 1000),
                monotonic_s=at_s,
                captured_at=START + timedelta(seconds=at_s),
                box=last,
                confidence=confidence if box else 0.0,
                is_observed=box is not None,
                postures=postures if box else (),
            )
        )
    return tuple(found)


def region(way: Way, *, name: str = "rb0", camera_id: str = "cam") -> Track:
    """The body's region at the end of the way."""
    along = points(way)
    seen = sum(point.is_observed for point in along)
    return Track(
        track_id=name,
        camera_id=camera_id,
        run_id="run1",
        label="person",
        label_confidence=1.0,
        state=TrackState.CONFIRMED if along[-1].is_observed else TrackState.LOST,
        points=along,
        hits=seen,
        misses=len(along) - seen,
        first_seen_at=along[0].captured_at,
        first_seen_s=along[0].monotonic_s,
        is_region=True,
    )


def body(
    way: Way,
    *,
    name: str = "rb0",
    camera_id: str = "cam",
    surroundings: Surroundings = CHANGED,
    models: FallModels = MODELS,
) -> Body:
    """The body at the end of the way, measured as the cue does."""
    track = region(way, name=name, camera_id=camera_id)
    descent = measure(track.points, aspect=ASPECT)
    if descent is None or descent.drop <= 0:
        return Body(track=track)
    fall = models.likelihood(descent, surroundings, track.last.box)
    is_down = fall.share >= 0.5 and descent.down_s >= 0.4
    return Body(
        track=track,
        descent=descent,
        surroundings=surroundings,
        fall=fall,
        is_down=is_down,
        has_fallen=is_down,
    )


def seen_bodies(*bodies: Body, header: FrameHeader) -> Observation:
    """A frame in which the cue follows these bodies."""
    return Observation(header=header, tracks=(), cues=Cues(bodies=bodies))


def play_bodies(
    rule: Rule, *ways: Way, surroundings: Surroundings = CHANGED, camera_id: str = "cam"
) -> list[RuleEvent]:
    """Show the rule one frame after the other, each with all bodies so far; all it says."""
    events = []
    for index, (at_s, _) in enumerate(ways[0]):
        bodies = [
            body(way[: index + 1], name=f"rb{number}", surroundings=surroundings)
            for number, way in enumerate(ways)
        ]
        bodies = [replace(one, track=replace(one.track, camera_id=camera_id)) for one in bodies]
        events += rule.update(seen_bodies(*bodies, header=header_at(at_s, camera_id=camera_id)))
    return events
