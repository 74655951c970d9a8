"""Rule kind ``running``: somebody is faster than people walk, in body heights per second."""

import math
from collections.abc import Sequence
from typing import Final

from contracts.geometry import Zone, standing_point
from contracts.rules import RuleSettings
from contracts.tracks import Track, TrackPoint
from vision.ground import GroundPlane
from vision.rules.ground_pace import GroundMeter
from vision.rules.pace import Pace, PaceRule
from vision.rules.rule import Params
from vision.velocity import velocity

THRESHOLD: Final = 1.5
"""Default: a walk is 0.8, a brisk one 1.1, a jog 1.5 and more of a body's heights a second."""
HOLD_S: Final = 0.6
BODY_M: Final = 1.7
"""Height of a body where it is measured in metres."""
_BODY_SHARE: Final = 0.8
"""Of the heights within a second: who bends, or is half hidden, is not smaller."""
_BODY_SIGMA: Final = 0.08
"""Relative standard uncertainty of a body's height by a box, limbs and hats included."""


class BodyMeter:
    """Measures body heights per second.

    By the box: the way of the foot across the picture against the height of the box (its width,
    for somebody who lies). What goes along the line of sight looks slower than it is, so nobody
    is thought faster. By the ground, if the scene is calibrated: the length of the way in metres
    (``vision/rules/ground_pace.py``) against 1.7 m.
    """

    def __init__(self, ground: GroundPlane | None) -> None:
        self._ground = None if ground is None else GroundMeter(ground)

    def measure(
        self, track: Track, points: Sequence[TrackPoint], *, jitter: float, aspect: float
    ) -> Pace | None:
        """See ``PaceMeter``."""
        if self._ground is not None:
            on_ground = self._ground.measure(track, points, jitter=jitter, aspect=aspect)
            return None if on_ground is None else _in_bodies(on_ground, BODY_M)
        feet = [standing_point(point.box) for point in points]
        found = velocity(
            [point.monotonic_s for point in points],
            [(x * aspect, y) for x, y in feet],
            noise=jitter * max(1.0, aspect),
        )
        body = body_height(points, aspect=aspect)
        if found is None or body <= 0:
            return None
        return _in_bodies(Pace(value=found.speed, sigma=found.sigma), body)

    def is_slow(self, points: Sequence[TrackPoint], *, limit: float, aspect: float) -> bool:
        """See ``PaceMeter``."""
        if self._ground is not None:
            return self._ground.is_slow(points, limit=limit * BODY_M, aspect=aspect)
        first, last = points[0], points[-1]
        start, end = standing_point(first.box), standing_point(last.box)
        span_s = last.monotonic_s - first.monotonic_s
        gone = math.hypot((end[0] - start[0]) * aspect, end[1] - start[1])
        return gone < limit * body_height((last,), aspect=aspect) * span_s

    def words(self, *, aspect: float) -> dict[str, str]:
        """See ``PaceMeter``."""
        if self._ground is not None:
            return {"by": "ground"}
        return {"by": "body", "aspect": f"{aspect:.4f}"}


def _in_bodies(pace: Pace, body: float) -> Pace:
    value = pace.value / body
    return Pace(value=value, sigma=math.hypot(pace.sigma / body, _BODY_SIGMA * value))


def body_height(points: Sequence[TrackPoint], *, aspect: float) -> float:
    """Return the height of a body as the boxes show it, in heights of the picture."""
    sizes = [
        max(point.box[3] - point.box[1], (point.box[2] - point.box[0]) * aspect) for point in points
    ]
    return sorted(sizes)[int(_BODY_SHARE * (len(sizes) - 1))]


class RunningRule(PaceRule):
    """Reports who runs: ``threshold`` body heights a second over a second, for ``hold_s``.

    Params: ``threshold`` (1.5 body heights per second), ``hold_s`` (0.6). About people unless
    labels say otherwise. Boxes cut off by the picture's edge are not measured.
    """

    def __init__(
        self, settings: RuleSettings, *, zone: Zone | None, ground: GroundPlane | None
    ) -> None:
        params = Params(settings)
        threshold = params.number("threshold", THRESHOLD, least=0.1)
        hold_s = params.number("hold_s", HOLD_S)
        params.done()
        super().__init__(
            settings,
            zone=zone,
            meter=BodyMeter(ground),
            threshold=threshold,
            hold_s=hold_s,
            unit="height/s",
            labels=settings.labels or ("person",),
        )
