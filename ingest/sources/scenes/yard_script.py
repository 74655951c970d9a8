"""Who is where in the yard, and when: one loop of ``PERIOD_S``.

Nobody is there for the first seconds, so that a motion detector can learn the empty yard. Then,
in turn: somebody goes to the roller door and tampers with it, somebody walks past, a car parks,
somebody hangs around the loading bay, the car leaves, somebody leaves a holdall behind.
"""

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np

from ingest.sources.scenes import yard_plan as plan
from ingest.sources.scenes.bag import CARRIED_M, bag_figure
from ingest.sources.scenes.car import CarPose, car_figure
from ingest.sources.scenes.motion import Bend, Drive, Knot, Walk, Waypoint, quarter
from ingest.sources.scenes.person import Looks, Stance, person_figure, right_hand
from ingest.sources.scenes.projection import FloatArray
from ingest.sources.scenes.shapes import Figure

AWAY: Final = math.pi / 2
TOWARDS: Final = -math.pi / 2
LEFT: Final = math.pi

INTRUDER: Final = "intruder"
PASSER_BY: Final = "passer_by"
CAR: Final = "car"
LOITERER: Final = "loiterer"
COURIER: Final = "courier"
BAG: Final = "bag"

PEOPLE: Final[dict[str, tuple[Looks, Walk]]] = {
    INTRUDER: (
        Looks(coat=(58, 54, 60), trousers=(76, 58, 46), has_hood=True, stature_m=1.80),
        Walk(
            [
                Waypoint(5.3, -8.6, 11.1),
                Waypoint(8.0, -5.4, 12.0),
                Waypoint(10.6, -3.3, 14.4, AWAY),
                Waypoint(12.6, -3.3, 14.4),
                Waypoint(14.0, -1.7, 14.6, AWAY),
                Waypoint(14.6, -1.7, 14.6, AWAY, 1.0),
                Waypoint(16.8, -1.7, 14.6, AWAY, 1.0),
                Waypoint(17.4, -1.7, 14.6, TOWARDS),
                Waypoint(18.4, -1.7, 14.6),
                Waypoint(20.6, -2.6, 12.1),
                Waypoint(25.2, -8.8, 11.0),
            ]
        ),
    ),
    PASSER_BY: (
        Looks(coat=(186, 172, 148), trousers=(104, 72, 50), stature_m=1.70),
        Walk([Waypoint(19.6, 6.0, 7.6), Waypoint(28.6, -6.4, 8.3)]),
    ),
    LOITERER: (
        Looks(coat=(58, 70, 156), trousers=(58, 60, 66), stature_m=1.74),
        Walk(
            [
                Waypoint(37.0, 7.2, 9.0),
                Waypoint(40.2, 3.0, 8.5, AWAY),
                Waypoint(43.0, 3.0, 8.5),
                Waypoint(44.5, 1.3, 8.9, LEFT),
                Waypoint(47.8, 1.3, 8.9),
                Waypoint(49.0, 2.3, 8.1, TOWARDS),
                Waypoint(52.6, 2.3, 8.1),
                Waypoint(56.2, 7.2, 8.7),
            ]
        ),
    ),
    COURIER: (
        Looks(coat=(66, 190, 214), trousers=(74, 62, 52), stature_m=1.78, has_vest=True),
        Walk(
            [
                Waypoint(60.0, -6.8, 8.6),
                Waypoint(63.4, -2.6, 8.0, 0.0),
                Waypoint(64.2, -2.6, 8.0, 0.0, 1.0),
                Waypoint(65.0, -2.6, 8.0, 0.0, 1.0),
                Waypoint(65.7, -2.6, 8.0, 0.0),
                Waypoint(69.2, -7.0, 8.7),
            ]
        ),
    ),
}

CAR_PAINT: Final = (146, 66, 40)
_ARRIVAL: Final = Drive(
    CarPose(16.5, 20.6, LEFT),
    (Bend(7.5), quarter(4.2, side=1), Bend(2.2), quarter(3.9, side=-1), Bend(3.7)),
    (
        Knot(25.0, 0.0, 4.6),
        Knot(26.7, 7.5, 4.0),
        Knot(28.8, 14.1, 2.7),
        Knot(29.6, 16.3, 2.7),
        Knot(32.1, 22.4, 2.1),
        Knot(34.8, 26.13, 0.0),
    ),
)
_BACKING: Final = Drive(
    _ARRIVAL.end,
    (Bend(3.9), quarter(3.0, side=-1)),
    (Knot(57.0, 0.0, 0.0), Knot(59.6, 3.9, 1.7), Knot(62.4, 8.61, 0.0)),
    is_reversing=True,
)
_DEPARTURE: Final = Drive(
    _BACKING.end,
    (Bend(9.3), quarter(3.5, side=-1), Bend(10.0)),
    (
        Knot(63.0, 0.0, 0.0),
        Knot(66.6, 9.3, 3.4),
        Knot(68.4, 14.8, 3.3),
        Knot(71.0, 24.8, 4.4),
    ),
)

BAG_LEFT_AT_S: Final = 64.6
"""The courier lets go of the bag; it stays until the loop ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """One object of the yard at one instant.

    Attributes:
        object_id: The same throughout one loop.
        label: ``person``, ``car`` or ``bag``.
        figure: What the camera sees of it.
    """

    object_id: str
    label: str
    figure: Figure


def yard_actors(t_s: float) -> tuple[Actor, ...]:
    """Return who and what is in the yard at ``t_s`` (any time >= 0; the loop repeats)."""
    loop_s = t_s % plan.PERIOD_S
    actors = [
        Actor(object_id=object_id, label="person", figure=_person(object_id, looks, stance, loop_s))
        for object_id, (looks, walk) in PEOPLE.items()
        if (stance := walk.stance(loop_s)) is not None
    ]
    pose = car_pose(loop_s)
    if pose is not None:
        figure = car_figure(plan.VIEW, CAR_PAINT, pose, sun=plan.SUN_SHADOW, fence_z=plan.WALL_Z)
        actors.append(Actor(object_id=CAR, label="car", figure=figure))
    if loop_s >= BAG_LEFT_AT_S:
        actors.append(Actor(object_id=BAG, label="bag", figure=_left_bag()))
    return tuple(actors)


def car_pose(loop_s: float) -> CarPose | None:
    """Return where the car is, parked or driving; None while it is away."""
    for drive in (_ARRIVAL, _BACKING, _DEPARTURE):
        pose = drive.pose(loop_s)
        if pose is not None:
            return pose
    if _ARRIVAL.span_s[1] <= loop_s < _BACKING.span_s[0]:
        return _ARRIVAL.end._replace(is_braking=False)
    if _BACKING.span_s[1] <= loop_s < _DEPARTURE.span_s[0]:
        return _BACKING.end
    return None


def _person(object_id: str, looks: Looks, stance: Stance, loop_s: float) -> Figure:
    """Return a person; what somebody carries is part of them until it is put down."""
    figure = person_figure(plan.VIEW, looks, stance, sun=plan.SUN_SHADOW)
    if object_id != COURIER or loop_s >= BAG_LEFT_AT_S:
        return figure
    bag = bag_figure(plan.VIEW, _carried(looks, stance), sun=plan.SUN_SHADOW)
    return replace(
        figure, shapes=(*figure.shapes, *bag.shapes), shadows=(*figure.shadows, *bag.shadows)
    )


def _carried(looks: Looks, stance: Stance) -> FloatArray:
    """Return where the bottom of a carried bag is: below the hand, on the ground at the least."""
    x_m, y_m, z_m = right_hand(looks, stance)
    return np.array([x_m, max(0.0, y_m - CARRIED_M), z_m])


@cache
def _left_bag() -> Figure:
    looks, walk = PEOPLE[COURIER]
    stance = walk.stance(BAG_LEFT_AT_S)
    if stance is None:
        raise AssertionError("the courier must be there to leave the bag")
    return bag_figure(plan.VIEW, _carried(looks, stance), sun=plan.SUN_SHADOW)
