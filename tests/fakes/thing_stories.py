"""The scenes of things that tests and results speak of, each with what should be said of it."""

from dataclasses import dataclass

from contracts.rules import RuleKind
from tests.fakes.thing_scenes import Placed, Scene, Walker, patch

BAG = (0.5, 0.8)
LEAVES = Walker(way=((2, -0.1, 0.8), (5, 0.42, 0.8), (8, 0.42, 0.8), (12, 1.1, 0.8)))
"""In from the left, puts a bag down at 6 s, out to the right at about 11.5 s."""
COMES_BACK = Walker(way=((13, 1.1, 0.8), (16, 0.55, 0.8), (18, 0.55, 0.8), (22, -0.1, 0.8)))
THIEF = Walker(way=((20, -0.1, 0.85), (23, 0.45, 0.85), (25, 0.45, 0.85), (28, -0.1, 0.85)), seed=4)
THIEF_AT_12 = Walker(
    way=((9, -0.1, 0.85), (12, 0.45, 0.85), (13, 0.45, 0.85), (16, -0.1, 0.85)), seed=4
)
CARRIER = Walker(
    way=((9, -0.1, 0.85), (12, 0.25, 0.85), (13, 0.25, 0.85), (16, 0.65, 0.85), (20, 1.1, 0.85))
)
FURNITURE = (0.1, 0.2)


@dataclass(frozen=True, kw_only=True)
class Told:
    """A rule event as it should be: ``since_s`` and ``fired_s`` within half a second or so."""

    kind: RuleKind
    since_s: float
    fired_s: float
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class Story:
    """A scene and what should be said of it, in order."""

    scene: Scene
    told: tuple[Told, ...] = ()


LEFT = Told(kind=RuleKind.ABANDONED, since_s=11.4, fired_s=16.6, by="t1")

STORIES = (
    Story(
        scene=Scene(
            name="a bag is left and its owner walks off",
            walkers=(LEAVES,),
            things=(Placed(at=BAG, from_s=6),),
        ),
        told=(LEFT,),
    ),
    Story(
        scene=Scene(
            name="the owner comes back in time and takes it",
            walkers=(LEAVES, COMES_BACK),
            things=(Placed(at=BAG, from_s=6, to_s=17),),
            seconds=26,
            params={RuleKind.ABANDONED: {"threshold_s": 8}},
        ),
    ),
    Story(
        scene=Scene(
            name="somebody else takes it",
            walkers=(LEAVES, THIEF),
            things=(Placed(at=BAG, from_s=6, to_s=24),),
            seconds=32,
        ),
        told=(LEFT, Told(kind=RuleKind.REMOVED, since_s=24.0, fired_s=28.6, by="t2")),
    ),
    Story(
        scene=Scene(
            name="a bag appears with nobody near, and vanishes",
            things=(Placed(at=BAG, from_s=5, to_s=16),),
        ),
        told=(
            Told(kind=RuleKind.ABANDONED, since_s=5.0, fired_s=10.0),
            Told(kind=RuleKind.REMOVED, since_s=16.0, fired_s=17.2),
        ),
    ),
    Story(
        scene=Scene(
            name="what had always stood there is stolen",
            walkers=(THIEF_AT_12,),
            things=(Placed(at=BAG, to_s=12.6),),
            seconds=22,
        ),
        told=(Told(kind=RuleKind.REMOVED, since_s=12.6, fired_s=16.4, by="t1"),),
    ),
    Story(
        scene=Scene(
            name="two bags of two people",
            walkers=(
                LEAVES,
                Walker(
                    way=((3, 1.1, 0.9), (6, 0.8, 0.9), (10, 0.8, 0.9), (13, 1.1, 0.9)), seed=9
                ),
            ),
            things=(Placed(at=BAG, from_s=6), Placed(at=(0.72, 0.9), from_s=8, seed=11)),
            seconds=22,
        ),
        told=(
            LEFT,
            Told(kind=RuleKind.ABANDONED, since_s=12.6, fired_s=17.6, by="t2"),
        ),
    ),
    Story(
        scene=Scene(
            name="the owner stays two steps away",
            walkers=(
                Walker(way=((2, -0.1, 0.8), (5, 0.42, 0.8), (8, 0.42, 0.8), (10, 0.6, 0.8),
                            (40, 0.6, 0.8))),
            ),
            things=(Placed(at=BAG, from_s=6),),
            seconds=25,
        ),
    ),
    Story(
        scene=Scene(
            name="somebody stands still for a minute, unseen for half of it",
            walkers=(
                Walker(
                    way=((2, -0.1, 0.8), (5, 0.5, 0.8), (65, 0.5, 0.8), (68, 1.1, 0.8)),
                    unseen=(12.0, 42.0),
                ),
            ),
            seconds=75,
        ),
    ),
    Story(
        scene=Scene(
            name="a patch of sun on the floor",
            light=patch((0.4, 0.6, 0.52, 0.8), gain=1.5, from_s=5, to_s=18),
            seconds=24,
        ),
    ),
    Story(
        scene=Scene(
            name="a shadow on the floor",
            light=patch((0.4, 0.6, 0.52, 0.8), gain=0.55, from_s=5, to_s=18),
            seconds=24,
        ),
    ),
    Story(scene=Scene(name="half the lamps go out", light=lambda at_s: 0.6 if at_s > 8 else 1.0)),
    Story(
        scene=Scene(
            name="a car parks",
            walkers=(
                Walker(
                    way=((2, -0.2, 0.7), (7, 0.5, 0.7), (60, 0.5, 0.7)),
                    height=0.2, wide=2.0, label="car", seed=21,
                ),
            ),
            seconds=25,
        ),
    ),
    Story(
        scene=Scene(
            name="a car parks and is lost to the detector",
            walkers=(
                Walker(
                    way=((2, -0.2, 0.7), (7, 0.5, 0.7), (60, 0.5, 0.7)),
                    height=0.2, wide=1.6, label="car", seed=21, unseen=(11.0, 60.0),
                ),
            ),
            seconds=35,
        ),
    ),
    Story(
        scene=Scene(
            name="a chair is carried to another place",
            walkers=(CARRIER,),
            things=(
                Placed(at=(0.33, 0.85), to_s=12.6, size=FURNITURE, seed=13),
                Placed(at=(0.58, 0.85), from_s=15.6, size=FURNITURE, seed=13),
            ),
            seconds=30,
        ),
    ),
    Story(scene=Scene(name="the camera is jolted", shift=lambda at_s: 9 if at_s > 8 else 0)),
)  # fmt: skip
