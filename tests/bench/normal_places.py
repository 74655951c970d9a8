"""Three places in which nothing happens that anybody should be told: a street, a yard, a lobby.

Backdrops, ways that people, cars and animals take, and what is watched there.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from contracts.frames import BgrImage
from contracts.geometry import Line, Point, Zone
from contracts.rules import RuleKind, RuleSettings, SceneRules, Severity
from ingest.sources.scenes import yard_plan
from ingest.sources.scenes.canvas import Canvas, Colour, cloudy, tinted
from ingest.sources.scenes.projection import Pinhole
from ingest.sources.scenes.yard_backdrop import draw_backdrop
from ingest.sources.scenes.yard_truth import YARD_RULES

STREET_VIEW: Final = Pinhole(
    width=640, height=360, focal_px=500.0, mount_m=4.5, tilt_rad=math.radians(14)
)
LOBBY_VIEW: Final = Pinhole(
    width=640, height=360, focal_px=430.0, mount_m=3.1, tilt_rad=math.radians(20)
)
Quad = list[tuple[float, float, float]]
Lane = tuple[float, float]
"""Distance of a way across the picture, and how far people stray from it, metres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where it is and what goes on there.

    Attributes:
        walks, drives: Lanes of people and of cars.
        person_every_s, car_every_s, animal_every_s: Mean time between two; 0 if there are none.
        crowd_every_s: Mean time between groups that pass together.
        reach_m: Half of the way that people take across the picture.
        is_outdoors: Whether there are wind, clouds, rain, headlights and shadows.
        sun: Shift of a shadow in x and z for each metre of height.
    """

    name: str
    view: Pinhole
    backdrop: Callable[[], BgrImage]
    rules: SceneRules
    walks: tuple[Lane, ...]
    drives: tuple[float, ...]
    person_every_s: float
    car_every_s: float
    animal_every_s: float
    crowd_every_s: float
    reach_m: float
    is_outdoors: bool
    sun: tuple[float, float] = (0.35, 0.3)


def _ground(view: Pinhole, left: float, right: float, near: float, far: float) -> tuple[Point, ...]:
    corners = ((left, far), (right, far), (right, near), (left, near))
    points = [view.ground_point(x, z) for x, z in corners]
    return tuple((min(1.0, max(0.0, x)), min(1.0, max(0.0, y))) for x, y in points)


def _rule(rule_id: str, kind: RuleKind, zone_id: str, **params: float) -> RuleSettings:
    return RuleSettings(
        rule_id=rule_id,
        kind=kind,
        zone_id=zone_id,
        labels=("person",),
        params=dict(params),
        severity=Severity.MEDIUM,
    )


def _level(left: float, right: float, near: float, far: float, *, up: float = 0.0) -> Quad:
    """Return the corners of a part of the ground, or of what lies so high above it."""
    return [(left, up, far), (right, up, far), (right, up, near), (left, up, near)]


def _upright(left: float, right: float, low: float, high: float, *, z: float) -> Quad:
    """Return the corners of what stands across the picture at a distance."""
    return [(left, high, z), (right, high, z), (right, low, z), (left, low, z)]


def _street_backdrop() -> BgrImage:
    rng = np.random.default_rng(11)
    canvas = Canvas(STREET_VIEW, scale=2, fill=(206, 190, 172))
    far, wide = 26.0, 40.0
    canvas.lay(_texture(rng, (140, 132, 128), 260, 800), _level(-wide, wide, 5.5, far))
    for left, tone in ((-30.0, (96, 112, 138)), (-14.0, (128, 138, 142)), (2.0, (108, 120, 150)),
                       (15.0, (142, 146, 140))):  # fmt: skip
        house = _upright(left, left + 15.6, 0, float(rng.uniform(7, 10)), z=far)
        canvas.lay(_texture(rng, tone, 160, 240), house)
        for column in range(5):
            x = left + 1.2 + 3 * column
            for level in (1.2, 4.4):
                pane = _upright(x, x + 1.5, level, level + 1.8, z=far - 0.05)
                canvas.fill(pane, (70, 62, 56))
    canvas.lay(_texture(rng, (92, 94, 95), 120, 800), _level(-wide, wide, 12.0, 19.0))
    for dash in range(-10, 11):
        canvas.stroke([(3.6 * dash, 0, 15.5), (3.6 * dash + 1.8, 0, 15.5)], (205, 210, 212),
                      width_m=0.14)  # fmt: skip
    for edge in (12.0, 19.0):
        canvas.stroke([(-wide, 0, edge), (wide, 0, edge)], (176, 180, 182), width_m=0.2)
    return canvas.to_size()


def _lobby_backdrop() -> BgrImage:
    rng = np.random.default_rng(12)
    canvas = Canvas(LOBBY_VIEW, scale=2, fill=(190, 198, 204))
    far, wide = 12.0, 9.0
    canvas.lay(_texture(rng, (150, 160, 168), 300, 500), _level(-wide, wide, 2.6, far))
    for line in range(-8, 9):
        canvas.stroke([(line * 1.1, 0, 3.0), (line * 1.1, 0, far)], (128, 138, 146), width_m=0.03)
    for line in range(3, 12):
        canvas.stroke([(-wide, 0, line), (wide, 0, line)], (128, 138, 146), width_m=0.03)
    canvas.lay(_texture(rng, (182, 192, 200), 120, 400), _upright(-wide, wide, 0, 4, z=far))
    canvas.fill(_upright(-5.5, -2.5, 0, 2.6, z=far - 0.02), (210, 196, 176))
    canvas.fill(_upright(0.4, 2.8, 1.2, 2.5, z=far - 0.02), (120, 84, 40))
    canvas.fill(_level(3.6, 7.6, 8.4, 9.4, up=1.1), (84, 104, 132))
    canvas.fill(_upright(3.6, 7.6, 0, 1.1, z=8.4), (66, 84, 110))
    canvas.fill(_upright(3.6, 7.6, 0, 1.1, z=9.4), (66, 84, 110))
    return canvas.to_size()


def _texture(rng: np.random.Generator, colour: Colour, height: int, width: int) -> BgrImage:
    shade = 1.0 + 0.05 * cloudy(rng, height=height, width=width, grain_px=60)
    shade += 0.05 * cloudy(rng, height=height, width=width, grain_px=6)
    return tinted(colour, shade)


STREET: Final = Place(
    name="street",
    view=STREET_VIEW,
    backdrop=_street_backdrop,
    walks=((8.8, 1.1), (20.9, 1.0)),
    drives=(13.8, 17.2),
    person_every_s=9.0,
    car_every_s=8.0,
    animal_every_s=140.0,
    crowd_every_s=240.0,
    reach_m=16.0,
    is_outdoors=True,
    rules=SceneRules(
        zones=(
            Zone(zone_id="pavement", polygon=_ground(STREET_VIEW, -5, 5, 7.2, 11.0)),
            Zone(zone_id="front_garden", polygon=_ground(STREET_VIEW, -6.0, 6.0, 23.4, 25.9)),
        ),
        rules=(
            _rule("hangs_around", RuleKind.LOITER, "pavement", threshold_s=45.0),
            _rule("keep_out", RuleKind.INTRUSION, "front_garden", threshold_s=1.0),
        ),
    ),
)
YARD: Final = Place(
    name="yard",
    view=yard_plan.VIEW,
    backdrop=lambda: draw_backdrop(seed=7).pixels_HW3,
    walks=((10.6, 0.5),),
    drives=(19.6, 22.0),
    person_every_s=45.0,
    car_every_s=20.0,
    animal_every_s=100.0,
    crowd_every_s=600.0,
    reach_m=13.0,
    is_outdoors=True,
    sun=yard_plan.SUN_SHADOW,
    rules=SceneRules(
        zones=YARD_RULES.zones,
        lines=YARD_RULES.lines,
        rules=(
            _rule("keep_clear", RuleKind.INTRUSION, "roller_door", threshold_s=1.0),
            _rule("bay_loitering", RuleKind.LOITER, "bay", threshold_s=20.0),
            RuleSettings(
                rule_id="gate_passage",
                kind=RuleKind.LINE_CROSS,
                line_id="gate",
                labels=("vehicle",),
                severity=Severity.INFO,
            ),
        ),
    ),
)
LOBBY: Final = Place(
    name="lobby",
    view=LOBBY_VIEW,
    backdrop=_lobby_backdrop,
    walks=((5.2, 0.5), (7.0, 0.6)),
    drives=(),
    person_every_s=14.0,
    car_every_s=0.0,
    animal_every_s=600.0,
    crowd_every_s=300.0,
    reach_m=8.0,
    is_outdoors=False,
    rules=SceneRules(
        zones=(
            Zone(zone_id="desk", polygon=_ground(LOBBY_VIEW, 3.4, 8.4, 8.5, 11.8)),
            Zone(zone_id="entrance", polygon=_ground(LOBBY_VIEW, -4, 2.5, 4.0, 8.2)),
        ),
        lines=(
            Line(
                line_id="stairs",
                points=(LOBBY_VIEW.ground_point(-2.0, 10.8), LOBBY_VIEW.ground_point(2.5, 10.8)),
            ),
        ),
        rules=(
            _rule("staff_only", RuleKind.INTRUSION, "desk", threshold_s=1.0),
            _rule("waits_long", RuleKind.LOITER, "entrance", threshold_s=60.0),
            RuleSettings(
                rule_id="to_the_stairs",
                kind=RuleKind.LINE_CROSS,
                line_id="stairs",
                severity=Severity.LOW,
            ),
        ),
    ),
)
PLACES: Final = {place.name: place for place in (STREET, YARD, LOBBY)}
