"""Simulated sites: one camera each, with its view, its place and how well its detector sees."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from contracts.geometry import Calibration, Point
from moe_core.training.world.view import View

PLACES: Final = ("yard", "street", "lobby", "dock")
CLOSE_PLACES: Final = ("room", "hall", "entrance")
CLOSE_FROM: Final = 10_000
"""Cameras from this number on are close: people are from a third of the picture high to all of
it and more, as in most recordings of rooms, halls and entrances."""
_SEED: Final = 7919
_LEAST_DEPTH_M: Final = 8.0
_SMALLEST: Final = 0.08
"""Of the picture's height: nobody is asked to be seen smaller."""
_LOWEST_ROW: Final = 0.97
_HIGHEST_ROW: Final = 0.14
_CLOSE_DEPTH_M: Final = 2.0
_CLOSE_SMALLEST: Final = (0.3, 0.7)
_CLOSE_HIGHEST_ROW: Final = 0.45
_CLOSE_FAR_ROW: Final = 0.75
"""Whoever is farthest away has feet above this."""
_CLOSE_LOWEST_ROW: Final = (0.97, 1.3)
"""Where feet may be: below the picture too."""
_CLOSE_M: Final = (1.8, 3.2)
_INDOORS_M: Final = (2.6, 4.0)
_OUTDOORS_M: Final = (3.0, 7.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One camera and its surroundings; sites with different numbers are different cameras.

    Attributes:
        near_m, far_m: Between these people are seen well enough to be followed.
        calibration: As somebody measured it, with his errors; None where nobody did.
        knows_classes: Whether the detector names what it finds.
        miss, jitter, false: Factors on the shipped detector's odds of a miss, on its trembling
            and on the number of its boxes where nothing is.
        lost_share: Share of frames that never arrive.
    """

    number: int
    place: str
    view: View
    near_m: float
    far_m: float
    calibration: Calibration | None
    knows_classes: bool
    miss: float
    jitter: float
    false: float
    lost_share: float

    @property
    def is_close(self) -> bool:
        """Whether people are large in its picture."""
        return self.number >= CLOSE_FROM

    @property
    def camera_id(self) -> str:
        """Of its camera."""
        return f"site-{self.number}"


def make_site(number: int) -> Site:
    """Return the site of that number, always the same."""
    rng = np.random.default_rng([_SEED, number])
    places = CLOSE_PLACES if number >= CLOSE_FROM else PLACES
    place = places[int(rng.integers(len(places)))]
    make = _close if number >= CLOSE_FROM else _wide
    while True:
        view, near_m, far_m, least_m = make(rng, place)
        is_deep = near_m > 1.0 and far_m - near_m >= least_m
        if is_deep and (number < CLOSE_FROM or view.foot(0.0, far_m)[1] <= _CLOSE_FAR_ROW):
            break
    return Site(
        number=number,
        place=place,
        view=view,
        near_m=near_m,
        far_m=far_m,
        calibration=_measured(view, near_m, far_m, rng) if rng.random() < 0.6 else None,
        knows_classes=bool(rng.random() < 0.75),
        miss=float(math.exp(rng.uniform(math.log(0.15), math.log(1.3)))),
        jitter=float(math.exp(rng.uniform(math.log(0.5), math.log(1.8)))),
        false=float(math.exp(rng.uniform(math.log(0.3), math.log(2.0)))),
        lost_share=float(rng.choice([0.0, 0.0, 0.01, 0.03])),
    )


def _wide(rng: np.random.Generator, place: str) -> tuple[View, float, float, float]:
    """Return a view over a place, the nearest and farthest that people go, and the least depth."""
    view = View(
        mount_m=float(rng.uniform(*(_INDOORS_M if place == "lobby" else _OUTDOORS_M))),
        tilt_rad=float(rng.uniform(0.18, 0.6)),
        focal=float(rng.uniform(0.55, 1.1)),
        aspect=float(rng.choice([16 / 9, 16 / 9, 4 / 3])),
    )
    far_m = min(view.distance_of_size_m(_SMALLEST), view.distance_m(_HIGHEST_ROW), 40.0)
    return view, view.distance_m(_LOWEST_ROW), far_m, _LEAST_DEPTH_M


def _close(rng: np.random.Generator, place: str) -> tuple[View, float, float, float]:
    """Return the same of a camera that hangs close by, as ``_wide`` does."""
    del place
    view = View(
        mount_m=float(rng.uniform(*_CLOSE_M)),
        tilt_rad=float(rng.uniform(0.05, 0.5)),
        focal=float(rng.uniform(0.5, 1.2)),
        aspect=float(rng.choice([16 / 9, 4 / 3])),
    )
    size = float(rng.uniform(*_CLOSE_SMALLEST))
    far_m = min(view.distance_of_size_m(size), view.distance_m(_CLOSE_HIGHEST_ROW))
    return view, view.distance_m(float(rng.uniform(*_CLOSE_LOWEST_ROW))), far_m, _CLOSE_DEPTH_M


def _measured(view: View, near_m: float, far_m: float, rng: np.random.Generator) -> Calibration:
    """Return four corners of the ground, clicked and paced out a little wrong."""
    top = view.foot(0.0, near_m + 0.7 * (far_m - near_m))[1]
    picture: list[Point] = []
    ground: list[Point] = []
    stretch = rng.normal(1.0, 0.02, 2)
    for point in ((0.2, 0.92), (0.8, 0.92), (0.7, top), (0.3, top)):
        place = view.ground(point)
        if place is None:
            raise ValueError("a corner of the ground lies in the sky")
        clicked = np.clip(np.array(point) + rng.normal(0, 0.002, 2), 0.0, 1.0)
        picture.append((float(clicked[0]), float(clicked[1])))
        ground.append((float(place[0] * stretch[0]), float(place[1] * stretch[1])))
    return Calibration(picture=tuple(picture), ground=tuple(ground))
