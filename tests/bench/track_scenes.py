"""Scenes with exact truth for trackers: people and cars on a ground, who hide each other.

People walk to where they want to go, stop, crouch, turn round; cars pass on lanes; pillars hide
whoever is behind them. What a detector would have reported is drawn from the fitted noise model.
Five frames a second. Shape legend: N = objects in a frame, T = frames, 4 = x1, y1, x2, y2.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import find_objects

from contracts.detections import Detections
from ingest.sources.scenes.projection import Pinhole
from vision.noise import NoiseModel, Seen, shipped_noise
from vision.noisy_detector import NoisyDetector, TrueObjects

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FPS: Final = 5.0
VIEW: Final = Pinhole(width=1280, height=720, focal_px=1100.0, mount_m=6.0, tilt_rad=0.30)
NEAR_M: Final = 8.0
FAR_M: Final = 28.0
LABELS: Final = ("person", "car")
GRID: Final = (180, 320)
"""Rows and columns of the map of who is in front."""
VISIBLE: Final = 0.25
"""Whoever is hidden by more than the rest is not asked for."""
CAR_SHARE: Final = 0.15
LOOKS: Final = 64


def detectors() -> dict[str, NoiseModel]:
    """Return the detectors that report the scenes: one that sees well, and the shipped one.

    The first is as good as published detectors are on people in plain view; the second is what
    was fitted to hard footage (fights, falls, cars far away).
    """
    hard = shipped_noise()
    good = replace(
        hard,
        detector="good",
        found=Seen(level=3.2, per_doubling=0.8, per_hidden=-5.0, persistence_s=0.3),
        confidence=Seen(
            level=1.8, per_doubling=0.4, per_hidden=-3.0, spread=0.8, persistence_s=0.4
        ),
        jitter=replace(hard.jitter, tail=0.1),
        confusion={},
        false_boxes=replace(hard.false_boxes, per_frame=0.05),
    )
    return {"good": good, "fitted": hard}


@dataclass(slots=True, kw_only=True)
class Actor:
    """A person or a car. Metres on the ground; ``tall`` and ``wide`` of its silhouette."""

    number: int
    is_car: bool
    x: float
    z: float
    speed: float
    tall: float
    wide: float
    looks_D: Array
    goal: tuple[float, float] = (0.0, 0.0)
    rests_s: float = 0.0
    crouches_s: float = 0.0
    crouch: float = 0.0

    @property
    def height(self) -> float:
        return self.tall * (1 - 0.42 * self.crouch)

    @property
    def width(self) -> float:
        return self.wide * (1 + 0.35 * self.crouch)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrackFrame:
    """One frame: what a detector reported, and whom a tracker is asked for.

    Attributes:
        ids_N, boxes_N4: Of those who can be seen, whole boxes.
        source_M: Number of the object that each detection is of; -1 where nothing is.
    """

    at_s: float
    detections: Detections
    ids_N: Ints
    boxes_N4: Array
    source_M: Ints


@dataclass(slots=True, kw_only=True)
class Stage:
    """The ground and who is on it; ``count`` at any time, whoever leaves is replaced."""

    count: int
    rng: np.random.Generator
    common_D: Array
    alike: float
    actors: list[Actor] = field(default_factory=list)
    next_number: int = 0

    def step(self, step_s: float) -> None:
        for actor in self.actors:
            (self._drive if actor.is_car else self._walk)(actor, step_s)
        self.actors = [actor for actor in self.actors if _is_in_view(actor)]
        while len(self.actors) < self.count:
            self.actors.append(self._newcomer())

    def _newcomer(self) -> Actor:
        rng = self.rng
        is_first = self.next_number < self.count
        is_car = bool(rng.random() < CAR_SHARE)
        own_D = rng.standard_normal(LOOKS) / math.sqrt(LOOKS)
        looks_D = math.sqrt(self.alike) * self.common_D + math.sqrt(1 - self.alike) * own_D
        looks_D /= np.linalg.norm(looks_D)
        z = float(rng.uniform(NEAR_M, FAR_M))
        half = _half_width_m(z)
        side = 1.0 if rng.random() < 0.5 else -1.0
        x = float(rng.uniform(-0.95, 0.95)) * half if is_first else -side * 0.98 * half
        self.next_number += 1
        if is_car:
            z = float(rng.choice([15.0, 18.5, 22.0]))
            x = float(rng.uniform(-0.9, 0.9)) * _half_width_m(z) if is_first else x
            speed = side * float(rng.uniform(3.0, 9.0))
            return Actor(number=self.next_number, is_car=True, x=x, z=z, speed=speed, tall=1.5,
                         wide=float(rng.uniform(3.8, 4.6)), looks_D=looks_D)  # fmt: skip
        return Actor(
            number=self.next_number,
            is_car=False,
            x=x,
            z=z,
            speed=float(rng.uniform(0.7, 1.7)),
            tall=float(rng.uniform(1.55, 1.9)),
            wide=float(rng.uniform(0.5, 0.75)),
            looks_D=looks_D,
            goal=self._goal(z),
        )

    def _goal(self, z: float) -> tuple[float, float]:
        goal_z = float(np.clip(z + self.rng.normal(0, 7), NEAR_M, FAR_M))
        reach = 1.3 if self.rng.random() < 0.3 else 0.8
        return (float(self.rng.uniform(-reach, reach)) * _half_width_m(goal_z), goal_z)

    def _walk(self, actor: Actor, step_s: float) -> None:
        rng = self.rng
        actor.crouches_s = max(0.0, actor.crouches_s - step_s)
        wanted = 1.0 if actor.crouches_s > 0 else 0.0
        actor.crouch += (wanted - actor.crouch) * min(1.0, step_s / 0.4)
        if actor.rests_s > 0:
            actor.rests_s -= step_s
            return
        off_x, off_z = actor.goal[0] - actor.x, actor.goal[1] - actor.z
        way = math.hypot(off_x, off_z)
        gone = actor.speed * step_s
        if way <= gone or rng.random() < 0.05 * step_s:
            actor.goal = self._goal(actor.z)
            actor.rests_s = float(rng.exponential(3.0)) if rng.random() < 0.5 else 0.0
            actor.crouches_s = float(rng.uniform(2, 5)) if rng.random() < 0.25 else 0.0
            return
        sway = rng.normal(0, 0.12, 2) * gone
        actor.x += gone * off_x / way + float(sway[0])
        actor.z = float(np.clip(actor.z + gone * off_z / way + sway[1], NEAR_M - 1, FAR_M + 1))

    def _drive(self, actor: Actor, step_s: float) -> None:
        if actor.rests_s > 0:
            actor.rests_s -= step_s
        else:
            actor.x += actor.speed * step_s
            if self.rng.random() < 0.03 * step_s:
                actor.rests_s = float(self.rng.uniform(2, 6))


def scene(count: int, *, seconds: float, seed: int, noise: NoiseModel) -> Iterator[TrackFrame]:
    """Yield the frames of a scene with ``count`` objects in it; the same for the same seed."""
    rng = np.random.default_rng(seed)
    common_D = rng.standard_normal(LOOKS)
    stage = Stage(
        count=count,
        rng=rng,
        common_D=common_D / np.linalg.norm(common_D),
        alike=noise.appearance.alike,
    )
    detector = NoisyDetector(noise, labels=LABELS, seed=seed)
    pillars = _pillars(rng)
    for index in range(round(seconds * FPS)):
        stage.step(1 / FPS)
        truth = look(stage.actors, pillars)
        shown = detector.detect(truth, step_s=1 / FPS)
        asked = np.asarray(truth.hidden_N) <= 1 - VISIBLE
        numbers = np.append(truth.ids_N, -1)
        yield TrackFrame(
            at_s=index / FPS,
            detections=shown.detections,
            ids_N=truth.ids_N[asked],
            boxes_N4=truth.boxes_N4[asked],
            source_M=numbers[shown.source_M],
        )


def look(actors: list[Actor], pillars: list[tuple[float, Array]]) -> TrueObjects:
    """Return who is where in the picture, how much of each is hidden, and what is left to see."""
    boxes_N4 = np.array([_box(actor) for actor in actors]).reshape(-1, 4)
    inside = (np.minimum(boxes_N4[:, 2:], 1) - np.maximum(boxes_N4[:, :2], 0) > 0.004).all(axis=1)
    actors = [actor for actor, is_in in zip(actors, inside, strict=True) if is_in]
    boxes_N4 = np.clip(boxes_N4[inside], 0, 1)
    hidden_N, seen_N4 = _occlusion(np.array([actor.z for actor in actors]), boxes_N4, pillars)
    return TrueObjects(
        ids_N=np.array([actor.number for actor in actors], np.int64),
        boxes_N4=boxes_N4,
        labels=[LABELS[actor.is_car] for actor in actors],
        hidden_N=hidden_N,
        seen_N4=seen_N4,
        looks_ND=np.array([actor.looks_D for actor in actors]).reshape(-1, LOOKS),
    )


def _occlusion(
    z_N: Array, boxes_N4: Array, pillars: list[tuple[float, Array]]
) -> tuple[Array, Array]:
    """Paint everybody from far to near on a map, and see what is left of each."""
    rows, columns = GRID
    front = np.zeros(GRID, np.int32)
    scale = np.array([columns, rows, columns, rows])
    edges_N4 = np.round(boxes_N4 * scale).astype(int)
    edges_N4[:, 2:] = np.maximum(edges_N4[:, 2:], edges_N4[:, :2] + 1)
    painted = [(z, index + 1, edges_N4[index]) for index, z in enumerate(z_N)]
    painted += [(z, 0, np.round(box * scale).astype(int)) for z, box in pillars]
    for _, number, (x1, y1, x2, y2) in sorted(painted, key=lambda one: -one[0]):
        front[y1:y2, x1:x2] = number
    counts = np.bincount(front.ravel(), minlength=len(z_N) + 1)[1:]
    whole = (edges_N4[:, 2] - edges_N4[:, 0]) * (edges_N4[:, 3] - edges_N4[:, 1])
    hidden_N = np.clip(1 - counts / np.maximum(whole, 1), 0, 1)
    seen_N4 = boxes_N4.copy()
    for index, part in enumerate(find_objects(front, max_label=len(z_N))):
        if hidden_N[index] > 0.1 and part is not None:
            rows_, columns_ = part
            left = np.array([columns_.start, rows_.start, columns_.stop, rows_.stop]) / scale
            low, high = (
                np.maximum(left[:2], seen_N4[index, :2]),
                np.minimum(left[2:], seen_N4[index, 2:]),
            )
            seen_N4[index] = [*low, *np.maximum(high, low + 0.002)]
    return hidden_N, seen_N4


def _pillars(rng: np.random.Generator) -> list[tuple[float, Array]]:
    """Return three pillars: distance and box."""
    found = []
    for share in (-0.55, 0.05, 0.6):
        z = float(rng.uniform(15, 24))
        x, half = share * _half_width_m(z), 0.35
        top = VIEW.project(np.array([[x - half, 4.0, z], [x + half, 0.0, z]]))
        found.append((z, np.clip((top / [VIEW.width, VIEW.height]).ravel(), 0, 1)))
    return found


def _box(actor: Actor) -> Array:
    half = actor.width / 2
    corners = np.array([[actor.x - half, actor.height, actor.z], [actor.x + half, 0.0, actor.z]])
    return np.asarray((VIEW.project(corners) / [VIEW.width, VIEW.height]).ravel())


def _half_width_m(z: float) -> float:
    depth = float(VIEW.depth(np.array([[0.0, 0.0, z]]))[0])
    return 0.5 * VIEW.width * depth / VIEW.focal_px


def _is_in_view(actor: Actor) -> bool:
    return abs(actor.x) < _half_width_m(actor.z) + actor.width / 2
