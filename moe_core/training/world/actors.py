"""Who is in a simulated scene, and the ways they go. Metres on the ground, stream seconds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from contracts.geometry import Box, Point

PERSON: Final = "person"
STRIDE_M: Final = 2.0
"""A way is made of pieces about so long, each at a pace of its own."""
_PACE_SPREAD: Final = 0.08

SIZES_M: Final = {
    "person": ((1.55, 1.92), (0.5, 0.75)),
    "car": ((1.4, 1.6), (2.6, 4.4)),
    "truck": ((2.4, 3.4), (4.0, 6.0)),
    "bicycle": ((1.6, 1.85), (0.9, 1.7)),
    "dog": ((0.45, 0.75), (0.5, 0.95)),
    "cat": ((0.25, 0.35), (0.3, 0.5)),
    "bag": ((0.35, 0.7), (0.3, 0.5)),
}
"""Least and most height and width of each class, as a camera sees it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """A change of silhouette: from ``start_s`` to ``end_s`` so many times as high and as wide.

    Attributes:
        fade_s: Seconds that it takes to get there and back.
    """

    start_s: float
    end_s: float
    height: float
    width: float
    fade_s: float = 0.5


@dataclass(slots=True, kw_only=True)
class Way:
    """Where somebody is and when: corners of a way, walked in turn."""

    rng: np.random.Generator
    pace: float
    times_s: list[float] = field(default_factory=list)
    places: list[Point] = field(default_factory=list)

    @property
    def now_s(self) -> float:
        """When its last corner is reached."""
        return self.times_s[-1]

    @property
    def at(self) -> Point:
        """Its last corner."""
        return self.places[-1]

    def start(self, place: Point, at_s: float) -> "Way":
        """Begin there."""
        self.times_s.append(at_s)
        self.places.append(place)
        return self

    def to(self, place: Point, *, pace: float | None = None, spread: float = _PACE_SPREAD) -> "Way":
        """Go straight there, in metres per second."""
        wanted = self.pace if pace is None else pace
        (x, z), length = self.at, math.dist(self.at, place)
        pieces = max(1, round(length / STRIDE_M))
        for number in range(1, pieces + 1):
            share = number / pieces
            factor = math.exp(float(self.rng.normal(0, spread)))
            self.times_s.append(self.now_s + length / pieces / max(0.05, wanted * factor))
            self.places.append((x + share * (place[0] - x), z + share * (place[1] - z)))
        return self

    def wait(self, seconds: float) -> "Way":
        """Stay there."""
        if seconds > 0:
            self.times_s.append(self.now_s + seconds)
            self.places.append(self.at)
        return self

    def shifted(self, by: Point, *, later_s: float) -> "Way":
        """Return the same way beside it, somewhat later."""
        return Way(
            rng=self.rng,
            pace=self.pace,
            times_s=[time_s + later_s for time_s in self.times_s],
            places=[(x + by[0], z + by[1]) for x, z in self.places],
        )


@dataclass(slots=True, kw_only=True)
class Actor:
    """One object of a scene; there from its way's first moment to its last.

    Attributes:
        object_id: ``o1``, ``o2``, …; a ghost has one too, for the detector only.
        label: What it truly is.
        called: What the detector takes it for; most of the time where it is not its label.
        is_ghost: Nothing is there: a branch, a shadow, a reflection that looks like something.
        sway_m: How far it moves about its way.
        shown: Share of the frames in which a detector can see it at all.
        doubt: Logits that its detections are less sure than others.
        fixed: Where in the picture it is, moment by moment, if it is no body on the ground but
            fire, smoke or the view itself: no detector names these.
    """

    object_id: str
    label: str
    called: str
    tall_m: float
    wide_m: float
    way: Way
    poses: Sequence[Pose] = ()
    is_ghost: bool = False
    sway_m: float = 0.05
    shown: float = 1.0
    doubt: float = 0.0
    fixed: tuple[tuple[float, Box], ...] = ()

    @property
    def is_body(self) -> bool:
        """Whether it stands on the ground, hides others and is hidden by them."""
        return not (self.is_ghost or self.fixed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """Something that stands there and hides whoever is behind it: a wall, a pillar, a hedge."""

    x1_m: float
    x2_m: float
    z_m: float
    tall_m: float
