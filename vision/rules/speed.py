"""Rule kind ``speed``: a track is faster on the ground than is allowed, in metres per second."""

import math
from collections.abc import Sequence
from typing import Final

from contracts.errors import ConfigError
from contracts.geometry import Zone, standing_point
from contracts.rules import RuleSettings
from contracts.tracks import TrackPoint
from vision.ground import GroundPlane
from vision.rules.pace import HOLD_S, Pace, PaceRule, ground_velocity
from vision.rules.rule import Params

THRESHOLD_MPS: Final = 8.33
"""Default: 30 km/h, the limit of many sites."""


class GroundMeter:
    """Measures metres per second on the ground plane."""

    def __init__(self, ground: GroundPlane) -> None:
        self._ground = ground

    def measure(self, points: Sequence[TrackPoint], *, jitter: float, aspect: float) -> Pace | None:
        """See ``PaceMeter``."""
        del aspect
        found = ground_velocity(points, self._ground, jitter=jitter)
        return None if found is None else Pace(value=found.speed, sigma=found.sigma)

    def is_slow(self, first: TrackPoint, last: TrackPoint, *, limit: float, aspect: float) -> bool:
        """See ``PaceMeter``."""
        del aspect
        start = self._ground.place(standing_point(first.box))
        end = self._ground.place(standing_point(last.box))
        if start is None or end is None:
            return False
        return math.dist(start, end) < limit * (last.monotonic_s - first.monotonic_s)

    def words(self, *, aspect: float) -> dict[str, str]:
        """See ``PaceMeter``."""
        del aspect
        return {"by": "ground"}


class SpeedRule(PaceRule):
    """Reports who is faster than ``threshold_mps`` over a second, for ``hold_s``.

    Params: ``threshold_mps`` (8.33, which is 30 km/h), ``hold_s`` (0.4). Needs the scene's
    calibration. Where the ground is near the horizon, or the box is cut off by the picture's edge,
    nothing is measured.

    Raises:
        ConfigError: The scene has no calibration.
    """

    def __init__(
        self, settings: RuleSettings, *, zone: Zone | None, ground: GroundPlane | None
    ) -> None:
        if ground is None:
            raise ConfigError(
                f"rule {settings.rule_id} ({settings.kind}): needs the scene's calibration, four "
                "points of the ground in the picture and in metres"
            )
        params = Params(settings)
        threshold = params.number("threshold_mps", THRESHOLD_MPS, least=0.1)
        hold_s = params.number("hold_s", HOLD_S)
        params.done()
        super().__init__(
            settings,
            zone=zone,
            meter=GroundMeter(ground),
            threshold=threshold,
            hold_s=hold_s,
            unit="m/s",
            labels=settings.labels,
        )
