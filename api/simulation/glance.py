"""One simulated frame, as the readings of cues are drawn from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts.detections import Detections
from contracts.frames import FrameHeader
from contracts.geometry import Box
from contracts.tracks import Track
from moe_core.training.world.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One frame of a scene, and what vision has made of it so far.

    Attributes:
        index: Of the frame in the scene.
        sources: For each detection, whom it is of; empty where nothing is.
        guesses: For each of the detector's guesses, the same.
    """

    scene: Scene
    index: int
    header: FrameHeader
    tracks: Sequence[Track]
    detections: Detections
    sources: Sequence[str] = ()
    guesses: Sequence[str] = ()

    @property
    def now_s(self) -> float:
        """Stream time."""
        return self.header.monotonic_s

    def box_of(self, object_id: str) -> Box | None:
        """Return where an object truly is; None if it is not in view."""
        row = self.scene.index(object_id)
        if not self.scene.in_view_AT[row, self.index]:
            return None
        return as_box(self.scene.boxes_AT4[row, self.index].tolist())

    def bodies(self, *, but: Sequence[str] = ()) -> list[Box]:
        """Return where all people and vehicles truly are, without some of them."""
        return [
            as_box(self.scene.boxes_AT4[row, self.index].tolist())
            for row, actor in enumerate(self.scene.actors)
            if actor.is_body
            and actor.label != "bag"
            and actor.object_id not in but
            and self.scene.in_view_AT[row, self.index]
        ]


class Wander:
    """A number that wanders about 0 with spread 1 and forgets within ``persistence_s``."""

    def __init__(self, rng: np.random.Generator, *, persistence_s: float) -> None:
        self._rng = rng
        self._persistence_s = persistence_s
        self._value = float(rng.standard_normal())

    def step(self, step_s: float) -> float:
        """Return its next value."""
        kept = float(np.exp(-step_s / self._persistence_s))
        self._value = kept * self._value + float(np.sqrt(1 - kept**2) * self._rng.standard_normal())
        return self._value


def as_box(sides: Sequence[float]) -> Box:
    """Return four numbers as a box."""
    x1, y1, x2, y2 = sides
    return (x1, y1, x2, y2)


def jittered(box: Box, rng: np.random.Generator, *, share: float) -> Box:
    """Return a box with each edge moved by a share of its sides, kept in the picture."""
    wide, high = box[2] - box[0], box[3] - box[1]
    off = rng.normal(0, share, 4).tolist()
    x1, y1 = max(0.0, box[0] + off[0] * wide), max(0.0, box[1] + off[1] * high)
    x2, y2 = min(1.0, box[2] + off[2] * wide), min(1.0, box[3] + off[3] * high)
    return (
        min(x1, 0.99),
        min(y1, 0.99),
        max(x2, min(x1, 0.99) + 0.004),
        max(y2, min(y1, 0.99) + 0.004),
    )
