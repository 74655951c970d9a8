"""Rendered scenes of things that are left, taken, moved, and of what only looks like it.

A floor with boards, people in textured clothes, bags; pixel noise as of a good camera by day. The
people are followed by the real tracker over boxes that jitter and are missed now and then; the
gate, the cue and the rules are the real ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from contracts.detections import Detections
from contracts.frames import Frame, FrameHeader
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings, SceneRules
from tests.fakes.builders import header
from vision.cues.port import Cues, Glimpse
from vision.cues.readers import CueReaders
from vision.motion_gate import MotionGate
from vision.observation import Observation
from vision.rules.registry import make_rules
from vision.rules.rule import Rule
from vision.tracker import Tracker

Picture = npt.NDArray[np.float32]

WIDTH, HEIGHT, FPS = 320, 180, 5.0
NOISE = 2.0
LABELS = ("person", "car")


@dataclass(frozen=True, kw_only=True)
class Walker:
    """Somebody on his way: ``(second, x, y of the foot)``, straight between, absent outside.

    ``unseen`` are seconds in which the detector does not see him.
    """

    way: Sequence[tuple[float, float, float]]
    height: float = 0.45
    label: str = "person"
    wide: float = 0.35
    seed: int = 1
    unseen: tuple[float, float] = (0.0, 0.0)

    def box(self, at_s: float) -> tuple[float, float, float, float] | None:
        times = [point[0] for point in self.way]
        if not times[0] <= at_s <= times[-1]:
            return None
        x = float(np.interp(at_s, times, [point[1] for point in self.way]))
        y = float(np.interp(at_s, times, [point[2] for point in self.way]))
        half = self.height * self.wide * HEIGHT / WIDTH / 2
        return (x - half, y - self.height, x + half, y)


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A thing that stands at a place (x and y of its foot) from one second to another."""

    at: tuple[float, float]
    from_s: float = -1.0
    to_s: float = 1e9
    size: tuple[float, float] = (0.07, 0.14)
    seed: int = 7


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What happens. ``light`` gives the gain of each pixel, ``shift`` the jolt in pixels."""

    name: str
    walkers: Sequence[Walker] = ()
    things: Sequence[Placed] = ()
    seconds: float = 20.0
    light: Callable[[float], Picture | float] = lambda _: 1.0
    shift: Callable[[float], int] = lambda _: 0
    params: dict[RuleKind, dict[str, float | str]] = field(default_factory=dict)


def render(scene: Scene, at_s: float, noise: np.random.Generator) -> npt.NDArray[np.uint8]:
    """The picture of one moment."""
    picture = _floor().copy()
    for thing in scene.things:
        if thing.from_s <= at_s < thing.to_s:
            wide, high = thing.size
            x, y = thing.at
            _paint(picture, (x - wide / 2, y - high, x + wide / 2, y), seed=thing.seed)
    for walker in scene.walkers:
        box = walker.box(at_s)
        if box is not None:
            _paint(picture, box, seed=walker.seed + 100, sway=at_s)
    picture *= np.asarray(scene.light(at_s), np.float32)
    picture = np.roll(picture, scene.shift(at_s), axis=1)
    picture += noise.normal(0, NOISE, picture.shape).astype(np.float32)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _floor() -> Picture:
    random = np.random.default_rng(3)
    floor = np.empty((HEIGHT, WIDTH, 3), np.float32)
    floor[:] = (95, 120, 150)
    floor[: HEIGHT // 3] = (190, 195, 195)
    for x in range(0, WIDTH, 16):
        floor[HEIGHT // 3 :, x : x + 2] *= 0.8
    grain = cv2.resize(random.normal(0, 6, (HEIGHT // 3, WIDTH // 3)), (WIDTH, HEIGHT))
    return floor + grain[:, :, None].astype(np.float32)


def _paint(
    picture: Picture,
    box: tuple[float, float, float, float],
    *,
    seed: int,
    sway: float | None = None,
) -> None:
    """Paint a textured body of its own colours; somebody alive never stands quite still."""
    random = np.random.default_rng(seed)
    lean = 0.0 if sway is None else 1.2 * np.sin(1.7 * sway + seed)
    x1, x2 = round(box[0] * WIDTH + lean), round(box[2] * WIDTH + lean)
    y1, y2 = round(box[1] * HEIGHT), round(box[3] * HEIGHT)
    colour = random.uniform(15, 90, 3)
    patches = random.normal(0, 22, (6, 4, 1)) + colour
    body = cv2.resize(patches, (max(1, x2 - x1), max(1, y2 - y1)), interpolation=cv2.INTER_NEAREST)
    left, top = max(0, x1), max(0, y1)
    right, bottom = min(WIDTH, x2), min(HEIGHT, y2)
    if left < right and top < bottom:
        part = body.reshape(y2 - y1, x2 - x1, 3)[top - y1 : bottom - y1, left - x1 : right - x1]
        picture[top:bottom, left:right] = part


def patch(
    box: tuple[float, float, float, float], *, gain: float, from_s: float, to_s: float
) -> Callable[[float], Picture | float]:
    """Light or shade on a part of the picture, with a soft edge."""
    mask = np.zeros((HEIGHT, WIDTH, 1), np.float32)
    x1, y1, x2, y2 = box
    rows = slice(round(y1 * HEIGHT), round(y2 * HEIGHT))
    mask[rows, round(x1 * WIDTH) : round(x2 * WIDTH)] = 1.0
    soft = cv2.GaussianBlur(mask, (5, 5), 1.2)[:, :, None]
    return lambda at_s: 1 + (gain - 1) * soft if from_s <= at_s < to_s else 1.0


class Watcher:
    """Looks at a scene with the product's own tracker, gate, cue and rules.

    ``seen`` is the newest frame as the rules were told of it.
    """

    seen: Observation

    def __init__(self, scene: Scene, *, camera_id: str = "cam", seed: int = 5) -> None:
        self.scene = scene
        self.cues: list[Cues] = []
        self.events: list[RuleEvent] = []
        self.present: list[frozenset[str]] = []
        self._camera_id = camera_id
        self._random = np.random.default_rng(seed)
        self._tracker = Tracker()
        self._gate = MotionGate()
        self._readers = CueReaders()
        self._rules: list[Rule] = make_rules(
            SceneRules(
                rules=tuple(
                    RuleSettings(rule_id=kind.value, kind=kind, params=scene.params.get(kind, {}))
                    for kind in (RuleKind.ABANDONED, RuleKind.REMOVED)
                )
            )
        )

    def watch(self) -> list[RuleEvent]:
        """All that the rules say from the beginning to the end of the scene."""
        for seq in range(round(self.scene.seconds * FPS)):
            self.look(header(seq, camera_id=self._camera_id))
        return self.events

    def look(self, head: FrameHeader) -> None:
        at_s = head.monotonic_s
        pixels = render(self.scene, at_s, self._random)
        frame = Frame(header=head, pixels_HW3=pixels)
        detections = self._detected(at_s)
        tracks = self._tracker.update(detections, head)
        motion = self._gate.look(frame, is_followed=not self._tracker.is_idle)
        cues = self._readers.look(
            Glimpse(
                small=frame,
                picture=frame if motion.is_moving else None,
                motion=motion,
                detections=detections,
                tracks=tracks,
            )
        )
        self.cues.append(cues)
        seen = Observation(header=head, tracks=tracks, cues=cues)
        self.seen = seen
        for rule in self._rules:
            self.events += rule.update(seen)
        self.present.append(self._rules[0].present())

    def _detected(self, at_s: float) -> Detections:
        boxes, classes = [], []
        for walker in self.scene.walkers:
            box = walker.box(at_s)
            start_s, end_s = walker.unseen
            if box is None or start_s <= at_s < end_s or self._random.random() < 0.05:
                continue
            jittered = np.clip(np.array(box) + self._random.normal(0, 0.004, 4), 0.0, 1.0)
            if jittered[2] - jittered[0] > 0.01 and jittered[3] - jittered[1] > 0.01:
                boxes.append(jittered)
                classes.append(LABELS.index(walker.label))
        return Detections(
            boxes_N4=np.array(boxes, np.float32).reshape(-1, 4),
            confidences_N=np.full(len(boxes), 0.9, np.float32),
            class_ids_N=np.array(classes, np.int64),
            labels=LABELS,
        )
