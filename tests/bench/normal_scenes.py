"""Renders an hour in a place in which nothing happens (``normal_places``), with exact truth.

People pass, stop for a moment, come in groups; cars drive by; dogs, cats, birds and insects; wind
in a tree, clouds, rain, a trembling mast, headlights at dusk, lamps and a flickering screen.
640 x 360, five frames a second, with sensor noise. The same seed gives the same pictures.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from contracts.geometry import Box
from ingest.sources.scenes.canvas import Colour
from ingest.sources.scenes.car import CarPose, car_figure
from ingest.sources.scenes.motion import Walk, Waypoint
from ingest.sources.scenes.person import Looks, person_figure
from ingest.sources.scenes.projection import FloatArray, Pinhole
from ingest.sources.scenes.shapes import Figure, Sketch, cast_shadow, hull, paint
from tests.bench import gate_scenes as scenes
from tests.bench.gate_scenes import FPS, HEIGHT, WIDTH, Disturb, FloatPicture, Picture
from tests.bench.normal_places import Place

_PAINTS: Final[tuple[Colour, ...]] = (
    (170, 170, 172), (60, 50, 48), (140, 60, 40), (48, 48, 150), (210, 214, 216), (70, 96, 60),
)  # fmt: skip
_CLOTHES: Final[tuple[Colour, ...]] = (
    (52, 48, 50), (120, 74, 48), (70, 80, 150), (60, 92, 70), (170, 168, 160), (110, 60, 110),
    (40, 120, 170), (96, 104, 112),
)  # fmt: skip
WEATHER: Final[tuple[tuple[float, str], ...]] = (
    (0.0, "wind"), (120.0, "clouds"), (220.0, "rain"), (300.0, "trembling mast"),
    (360.0, "wind"), (450.0, "headlights at dusk"),
)  # fmt: skip
"""What begins when, in every ten minutes outdoors."""
INDOORS: Final[tuple[tuple[float, str], ...]] = (
    (0.0, "nothing"), (120.0, "lamps on and off"), (240.0, "nothing"), (360.0, "clouds"),
    (480.0, "nothing"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Passer:
    """Somebody or something that passes."""

    name: str
    kind: str
    start_s: float
    end_s: float
    walk: Walk | None = None
    looks: Looks | None = None
    z_m: float = 0.0
    speed_mps: float = 0.0
    start_x_m: float = 0.0
    colour: Colour = (40, 40, 40)

    def figure(self, place: Place, at_s: float) -> Figure | None:
        """Return what is to be seen of it."""
        if not self.start_s <= at_s < self.end_s:
            return None
        if self.walk is not None and self.looks is not None:
            stance = self.walk.stance(at_s)
            if stance is None:
                return None
            return person_figure(place.view, self.looks, stance, sun=place.sun)
        x = self.start_x_m + self.speed_mps * (at_s - self.start_s)
        heading = 0.0 if self.speed_mps > 0 else math.pi
        if self.kind == "car":
            pose = CarPose(x, self.z_m, heading, abs(x))
            return car_figure(place.view, self.colour, pose, sun=place.sun, fence_z=1e9)
        return _animal(place.view, x, self.z_m, self.speed_mps, at_s, self.kind, self.colour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One rendered frame and its truth: names and boxes of all that passes, and the weather."""

    at_s: float
    picture: Picture
    there: tuple[tuple[str, Box], ...]
    weather: str


def chunk(place: Place, *, number: int, seconds: float) -> Iterator[Shown]:
    """Yield the frames of a part of the hour; parts are independent of each other."""
    rng = np.random.default_rng([sum(map(ord, place.name)), number])
    passers = sorted(_passers(place, rng, seconds), key=lambda one: one.start_s)
    backdrop = place.backdrop()
    for index in range(round(seconds * FPS)):
        at_s = index / FPS
        figures = [
            (one.name, figure) for one in passers if (figure := one.figure(place, at_s)) is not None
        ]
        picture = backdrop.copy()
        for _, figure in figures:
            if place.is_outdoors:
                cast_shadow(picture, figure.shadows, strength=0.35, blur_px=1.7)
        for _, figure in sorted(figures, key=lambda one: -one[1].depth_m):
            paint(picture, figure.shapes)
        weather = _weather(place, at_s)
        lit = _lit(picture.astype(np.float32), place, weather, at_s, rng)
        boxes = [(name, figure.box(WIDTH, HEIGHT)) for name, figure in figures]
        yield Shown(
            at_s=at_s,
            picture=_sensed(lit, 2.0 if place.is_outdoors else 1.6, rng),
            there=tuple((name, box) for name, box in boxes if box is not None),
            weather=weather,
        )


def _weather(place: Place, at_s: float) -> str:
    table = WEATHER if place.is_outdoors else INDOORS
    return [name for begins_s, name in table if begins_s <= at_s % 600][-1]


_DISTURBS: Final[dict[str, Disturb]] = {
    "clouds": scenes.clouds,
    "rain": scenes.rain(60),
    "trembling mast": scenes.shake(0.5),
    "headlights at dusk": scenes.headlights,
    "lamps on and off": scenes.lamp,
}


def _lit(
    picture: FloatPicture, place: Place, weather: str, at_s: float, rng: np.random.Generator
) -> FloatPicture:
    if place.is_outdoors:
        picture = scenes.tree(picture, at_s, rng)
        if rng.random() < 0.01:
            _insect(picture, rng)
    else:
        _flicker(picture, at_s)
    if weather == "headlights at dusk":
        picture = picture * np.float32(max(0.4, 1 - (at_s % 600 - 450) / 60))
    disturb = _DISTURBS.get(weather)
    return picture if disturb is None else disturb(picture, at_s, rng)


def _insect(picture: FloatPicture, rng: np.random.Generator) -> None:
    """A soft bright or dark blob right before the lens."""
    x, y, radius = (
        int(rng.integers(0, WIDTH)),
        int(rng.integers(0, HEIGHT)),
        int(rng.integers(5, 14)),
    )
    spot = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.circle(spot, (x, y), radius, 1.0, -1)
    soft = cv2.GaussianBlur(spot, (0, 0), radius / 2)
    picture += (70.0 if rng.random() < 0.5 else -60.0) * soft[..., None]


def _flicker(picture: FloatPicture, at_s: float) -> None:
    """The screen on the lobby's wall shows another picture every four seconds."""
    part = picture[48:97, 335:424]
    part *= np.float32(0.75 + 0.5 * ((int(at_s / 4) * 7919) % 5) / 4)


def _sensed(picture: FloatPicture, noise: float, rng: np.random.Generator) -> Picture:
    grain = rng.standard_normal((HEIGHT, WIDTH, 1), np.float32)
    return np.clip(picture + noise * grain, 0, 255).astype(np.uint8)


def _passers(place: Place, rng: np.random.Generator, seconds: float) -> Iterator[Passer]:
    number = 0
    for start_s in _arrivals(rng, place.person_every_s, seconds):
        number += 1
        yield _person(place, rng, f"person {number}", start_s)
    for start_s in _arrivals(rng, place.crowd_every_s, seconds):
        lane, side = int(rng.integers(len(place.walks))), _side(rng)
        for _ in range(int(rng.integers(6, 13))):
            number += 1
            yield _person(place, rng, f"person {number} of a group",
                          start_s + float(rng.uniform(0, 8)), lane=lane, side=side)  # fmt: skip
    for index, start_s in enumerate(_arrivals(rng, place.car_every_s, seconds)):
        side = _side(rng)
        z_m = place.drives[0 if side > 0 else -1]
        yield _driver(
            place, rng, f"car {index}", "car", start_s, z_m, side * float(rng.uniform(6, 13))
        )
    for index, start_s in enumerate(_arrivals(rng, place.animal_every_s, seconds)):
        kind = str(rng.choice(["dog", "cat", "bird"] if place.is_outdoors else ["dog"]))
        lane_m, stray_m = place.walks[0]
        speed = _side(rng) * {"dog": 2.2, "cat": 1.2, "bird": 6.0}[kind]
        yield _driver(place, rng, f"{kind} {index}", kind, start_s,
                      lane_m + float(rng.uniform(-stray_m, stray_m)), speed)  # fmt: skip


def _arrivals(rng: np.random.Generator, every_s: float, seconds: float) -> Iterator[float]:
    """Yield times of a Poisson process; nobody comes in the first seconds."""
    at_s = 8.0 + float(rng.exponential(every_s)) if every_s else seconds
    while at_s < seconds - 5:
        yield at_s
        at_s += float(rng.exponential(every_s))


def _side(rng: np.random.Generator) -> int:
    return 1 if rng.random() < 0.5 else -1


def _person(
    place: Place,
    rng: np.random.Generator,
    name: str,
    start_s: float,
    *,
    lane: int | None = None,
    side: int | None = None,
) -> Passer:
    """Somebody who crosses the picture, and now and then stops for a moment on the way."""
    lane = int(rng.integers(len(place.walks))) if lane is None else lane
    side = _side(rng) if side is None else side
    middle_m, stray_m = place.walks[lane]
    z_m = middle_m + float(rng.uniform(-stray_m, stray_m))
    speed = float(rng.uniform(1.0, 1.7))
    ways = [-side * place.reach_m, side * place.reach_m]
    waits_s = float(rng.uniform(3, 12)) if rng.random() < 0.15 else 0.0
    stop_x = float(rng.uniform(-0.5, 0.5)) * place.reach_m
    first_s = abs(stop_x - ways[0]) / speed
    points = [
        Waypoint(start_s, ways[0], z_m),
        Waypoint(start_s + first_s, stop_x, z_m + float(rng.uniform(-0.3, 0.3))),
    ]
    if waits_s:
        points.append(Waypoint(start_s + first_s + waits_s, stop_x, points[-1].z_m))
    end_s = points[-1].at_s + abs(ways[1] - stop_x) / speed
    points.append(Waypoint(end_s, ways[1], z_m))
    coat, trousers = (_CLOTHES[int(rng.integers(len(_CLOTHES)))] for _ in range(2))
    looks = Looks(coat=coat, trousers=trousers, stature_m=float(rng.uniform(1.55, 1.92)),
                  has_hood=bool(rng.random() < 0.2))  # fmt: skip
    return Passer(
        name=name, kind="person", start_s=start_s, end_s=end_s, walk=Walk(points), looks=looks
    )


def _driver(
    place: Place,
    rng: np.random.Generator,
    name: str,
    kind: str,
    start_s: float,
    z_m: float,
    speed: float,
) -> Passer:
    reach_m = place.reach_m + (14.0 if kind == "car" else 0.0)
    colour = _PAINTS[int(rng.integers(len(_PAINTS)))]
    return Passer(
        name=name,
        kind=kind,
        start_s=start_s,
        end_s=start_s + 2 * reach_m / abs(speed),
        z_m=z_m,
        speed_mps=speed,
        start_x_m=-math.copysign(reach_m, speed),
        colour=colour,
    )


def _animal(
    view: Pinhole, x: float, z: float, speed: float, at_s: float, kind: str, colour: Colour
) -> Figure:
    """A dog, a cat or a bird as a sketch: trunk, head, legs that swing, tail; wings that beat."""
    long = {"dog": 0.8, "cat": 0.45, "bird": 0.3}[kind]
    up = 3.0 + math.sin(at_s) if kind == "bird" else 0.55 * long
    ahead = math.copysign(1.0, speed)
    swing = math.sin(2 * math.pi * at_s * abs(speed) / (1.2 * long))

    def at(along: float, height: float) -> FloatArray:
        [pixel] = view.project(np.array([[x + ahead * along * long, height, z]]))
        return np.asarray(pixel)

    scale = view.focal_px / float(view.depth(np.array([[x, up, z]]))[0]) * long
    sketch = Sketch()
    thin = (0.06 * scale, 0.04 * scale)
    if kind == "bird":
        sketch.limb(at(-0.2, up), at(0.5, up + 0.5 * swing), thin, colour)
    else:
        for along, phase in ((-0.4, swing), (-0.3, -swing), (0.35, -swing), (0.45, swing)):
            sketch.limb(at(along, up), at(along + 0.18 * phase, 0.0), thin, colour)
        sketch.limb(at(-0.5, up), at(-0.8, up + 0.35 * long), thin, colour)
    sketch.limb(at(-0.5, up), at(0.5, up), (0.16 * scale, 0.18 * scale), colour)
    sketch.limb(
        at(0.55, up + 0.2 * long), at(0.75, up + 0.2 * long), (0.13 * scale, 0.08 * scale), colour
    )
    half, thick = long / 2, 0.1
    outline = [(-half, -thick), (half, -thick), (half, thick), (-half, thick)]
    shadow = view.project(np.array([[x + across, 0.0, z + away] for across, away in outline]))
    return Figure(shapes=sketch.shapes(), shadows=(hull(shadow),), depth_m=z)
