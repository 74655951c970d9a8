"""How actors move: a person along waypoints, a car along straights and arcs.

All are pure functions of the scene's time. Shape legend: K = waypoints or knots.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from ingest.sources.scenes.car import CarPose
from ingest.sources.scenes.person import STRIDE_M, Stance

WALK_MPS: Final = 1.25
"""At this speed a gait is fully swung."""
_LOOK_S: Final = 0.35
"""Half of the span that a heading is taken over, so that people turn rather than flip."""
_STILL_MPS: Final = 0.15
"""Below this speed people face where they look, not where they drift."""


class Waypoint(NamedTuple):
    """Where a person is at a time; in between it walks straight, or waits.

    Attributes:
        facing: Radians, where it looks when it stands here; None keeps the way it came.
        crouch: 0 upright to 1 bent down.
    """

    at_s: float
    x_m: float
    z_m: float
    facing: float | None = None
    crouch: float = 0.0


class Walk:
    """A person's way; it exists from the first to the last waypoint."""

    def __init__(self, waypoints: Sequence[Waypoint]) -> None:
        self._times_K = np.array([point.at_s for point in waypoints])
        self._x_K = np.array([point.x_m for point in waypoints])
        self._z_K = np.array([point.z_m for point in waypoints])
        self._crouch_K = np.array([point.crouch for point in waypoints])
        steps = np.hypot(np.diff(self._x_K), np.diff(self._z_K))
        self._walked_K = np.concatenate(([0.0], np.cumsum(steps)))
        self._facing = _facings(waypoints)

    @property
    def span_s(self) -> tuple[float, float]:
        """When it begins and ends."""
        return (float(self._times_K[0]), float(self._times_K[-1]))

    def stance(self, t_s: float) -> Stance | None:
        """Return where the person is and what its body does, or None while it is not there."""
        start_s, end_s = self.span_s
        if not start_s <= t_s < end_s:
            return None
        before, after = self._at(t_s - _LOOK_S), self._at(t_s + _LOOK_S)
        span_s = 2 * _LOOK_S
        velocity = ((after[0] - before[0]) / span_s, (after[1] - before[1]) / span_s)
        index = int(np.searchsorted(self._times_K, t_s, side="right")) - 1
        facing = self._facing[index]
        heading = math.atan2(
            velocity[1] + _STILL_MPS * math.sin(facing), velocity[0] + _STILL_MPS * math.cos(facing)
        )
        x_m, z_m = self._at(t_s)
        return Stance(
            x_m=x_m,
            z_m=z_m,
            heading=heading,
            phase=float(np.interp(t_s, self._times_K, self._walked_K)) / STRIDE_M,
            effort=min(1.0, math.hypot(*velocity) / WALK_MPS),
            crouch=float(np.interp(t_s, self._times_K, self._crouch_K)),
        )

    def _at(self, t_s: float) -> tuple[float, float]:
        x_m = float(np.interp(t_s, self._times_K, self._x_K))
        return (x_m, float(np.interp(t_s, self._times_K, self._z_K)))


def _facings(waypoints: Sequence[Waypoint]) -> list[float]:
    """Return where a person looks from each waypoint on while it does not walk."""
    facings: list[float] = []
    came = 0.0
    for index, point in enumerate(waypoints):
        previous = waypoints[max(0, index - 1)]
        across, away = point.x_m - previous.x_m, point.z_m - previous.z_m
        if math.hypot(across, away) > 1e-6:
            came = math.atan2(away, across)
        if point.facing is not None:
            came = point.facing
        facings.append(came)
    return facings


class Bend(NamedTuple):
    """A piece of a way with one curvature: ``turn`` is the change of heading over its length."""

    length_m: float
    turn: float = 0.0


def quarter(radius_m: float, *, side: int) -> Bend:
    """Return a quarter circle; ``side`` 1 raises the heading by half pi, -1 lowers it."""
    return Bend(length_m=radius_m * math.pi / 2, turn=side * math.pi / 2)


class Knot(NamedTuple):
    """How far a car is at a time, and how fast it then goes."""

    at_s: float
    driven_m: float
    speed_mps: float


class Drive:
    """A car's way on bends, forwards or backwards, at a speed that changes smoothly.

    Args:
        start: Pose of the rear axle's middle at the beginning.
        bends: One after the other, as the rear axle's middle goes.
        knots: Of time; the car is there from the first to the last.
        is_reversing: It moves against its heading; a bend's ``turn`` still changes the heading.
    """

    def __init__(
        self,
        start: CarPose,
        bends: Sequence[Bend],
        knots: Sequence[Knot],
        *,
        is_reversing: bool = False,
    ) -> None:
        self._start = start
        self._bends = tuple(bends)
        self._knots = tuple(knots)
        self._sense = -1.0 if is_reversing else 1.0

    @property
    def span_s(self) -> tuple[float, float]:
        """When it begins and ends."""
        return (self._knots[0].at_s, self._knots[-1].at_s)

    @property
    def end(self) -> CarPose:
        """Where it stands when all bends are driven."""
        return self._pose(sum(bend.length_m for bend in self._bends), is_braking=True)

    def pose(self, t_s: float) -> CarPose | None:
        """Return where the car is, or None while this drive is not on."""
        start_s, end_s = self.span_s
        if not start_s <= t_s < end_s:
            return None
        driven_m = self._driven(t_s)
        slows = self._driven(t_s + 0.2) - driven_m < 0.93 * (driven_m - self._driven(t_s - 0.2))
        return self._pose(driven_m, is_braking=slows)

    def _driven(self, t_s: float) -> float:
        """Cubic Hermite interpolation between the knots."""
        knots = self._knots
        t_s = min(max(t_s, knots[0].at_s), knots[-1].at_s)
        index = max(1, next(i for i, knot in enumerate(knots) if t_s <= knot.at_s))
        first, last = knots[index - 1], knots[index]
        span_s = last.at_s - first.at_s
        share = (t_s - first.at_s) / span_s
        rise = share * share * (3 - 2 * share)
        leaving = share * (1 - share) ** 2
        arriving = share * share * (share - 1)
        return (
            first.driven_m
            + rise * (last.driven_m - first.driven_m)
            + span_s * (leaving * first.speed_mps + arriving * last.speed_mps)
        )

    def _pose(self, driven_m: float, *, is_braking: bool) -> CarPose:
        x_m, z_m, heading = self._start.x_m, self._start.z_m, self._start.heading
        left_m = driven_m
        for bend in self._bends:
            way_m = min(left_m, bend.length_m)
            if way_m <= 0:
                break
            turned = bend.turn * way_m / bend.length_m
            # A chord of the arc: along the mean heading, shortened by sin(a/2)/(a/2).
            half = turned / 2
            chord_m = way_m * (math.sin(half) / half if abs(half) > 1e-9 else 1.0)
            x_m += self._sense * chord_m * math.cos(heading + half)
            z_m += self._sense * chord_m * math.sin(heading + half)
            heading += turned
            left_m -= way_m
        rolled_m = self._start.rolled_m + self._sense * driven_m
        return CarPose(x_m, z_m, heading, rolled_m, is_braking)
