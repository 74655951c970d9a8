"""What a detector does to the truth: misses, jitter, wrong names, boxes where nothing is.

The numbers are fitted from recordings (``python -m vision.training noise``) and ship as
``vision/weights/noise.json``. Simulators draw from them what a detector would have reported; facts
take from them how uncertain a place is.

Shape legend: N = objects, 4 = middle x, foot y, width, height (``PLACES``).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import logit

from contracts.errors import ModelError
from contracts.geometry import Box

Array = npt.NDArray[np.float64]

SHIPPED: Final = Path(__file__).parent / "weights" / "noise.json"
PLACES: Final = ("middle x", "foot y", "width", "height")
LEAST_SIGMA: Final = 0.001
"""Least standard deviation of a place, picture units: about half a pixel at 640 wide."""
REFERENCE_SIZE: Final = 0.2
"""Size (root of the box's area) at which the slopes over size have no effect."""
_LEAST_SIZE: Final = 0.005
CERTAIN: Final = 1e-6
"""Chances stay so far away from 0 and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A quantity in logits: at the reference size and in full view, per doubling, when hidden.

    Attributes:
        level: Of an object of the reference size whom nothing hides.
        per_doubling: Added for each doubling of its size.
        per_hidden: Added in proportion to the share (0..1) of it that others hide.
        spread: Standard deviation about that.
        persistence_s: Time constant of the deviation: how long a good or a bad moment lasts.
    """

    level: float
    per_doubling: float
    per_hidden: float
    spread: float = 0.0
    persistence_s: float = 0.0

    def of(self, sizes_N: Array, hidden_N: Array) -> Array:
        """Return the logits of objects of these sizes, of which these shares are hidden."""
        doublings_N = np.log2(np.maximum(sizes_N, _LEAST_SIZE) / REFERENCE_SIZE)
        return np.asarray(
            self.level + self.per_doubling * doublings_N + self.per_hidden * hidden_N, np.float64
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxJitter:
    """How a box trembles about the truth.

    Attributes:
        shares_4: Scale of the deviation of ``PLACES``, shares of the object's width or height:
            the standard deviation if ``tail`` is 0.
        persistence_s: Time constant of the deviation.
        tail: How much more often than a normal distribution's boxes are far off (half a body,
            two bodies as one): the h of Tukey's h distribution, ``z * exp(h * z**2 / 2)``.
    """

    shares_4: tuple[float, float, float, float]
    persistence_s: float
    tail: float = 0.0

    def correlation(self, step_s: float) -> float:
        """Return how alike, 0 to 1, the deviations of two frames ``step_s`` apart are."""
        return decay(step_s, self.persistence_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseBoxes:
    """Boxes where nothing is.

    Attributes:
        per_frame: Mean number in a frame.
        persistence_s: Mean time for which one stays in its place.
        median_size, size_spread: Root of the area; spread in doublings.
        confidence, confidence_spread: Mean and standard deviation, in logits.
    """

    per_frame: float
    persistence_s: float
    median_size: float
    size_spread: float
    confidence: float
    confidence_spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerNoise:
    """What the tracker adds on the same recordings. Measured, for whoever simulates tracks.

    Attributes:
        delay_s, delay_spread_s: From the first moment of an object to its track being confirmed.
        splits_per_minute: How often an object that is followed gets a new id.
        swaps_per_minute: How often two objects exchange their ids, per object.
    """

    delay_s: float
    delay_spread_s: float
    splits_per_minute: float
    swaps_per_minute: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """How looks of one object differ, and how alike different objects look.

    Attributes:
        spread: Length of what is added to a unit look from one frame to another.
        alike: Mean cosine of two different objects of one camera.
    """

    spread: float = 0.35
    alike: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseModel:
    """All of it. ``source`` says from what it was fitted, ``detector`` whose noise it is.

    Attributes:
        found: Logits of an object being found at all.
        confidence: Logits of the confidence of what is found.
        confusion: For each true class, what it is called how often; each row sums to 1.
    """

    detector: str
    source: str
    found: Seen
    confidence: Seen
    jitter: BoxJitter
    confusion: Mapping[str, Mapping[str, float]]
    false_boxes: FalseBoxes
    tracker: TrackerNoise
    frames: int = 0
    objects: int = 0
    appearance: Appearance = field(default_factory=Appearance)

    def place_sigma(self, box: Box) -> tuple[float, float]:
        """Return the standard uncertainty of a measured box's foot, across and up the picture."""
        across, up = self.jitter.shares_4[:2]
        width, height = box[2] - box[0], box[3] - box[1]
        return (
            math.hypot(across * width, LEAST_SIGMA),
            math.hypot(up * height, LEAST_SIGMA),
        )


def read_noise(path: Path = SHIPPED) -> NoiseModel:
    """Return a noise model from its file.

    Raises:
        ModelError: It is missing or damaged; the message says where.
    """
    try:
        model = msgspec.json.decode(path.read_bytes(), type=NoiseModel)
        _check(model)
    except (OSError, msgspec.MsgspecError, ValueError) as error:
        raise ModelError(f"{path}: no noise model: {error}") from error
    return model


def write_noise(model: NoiseModel, path: Path) -> None:
    """Write a noise model for ``read_noise``."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(model), indent=2) + b"\n")


@cache
def shipped_noise() -> NoiseModel:
    """Return the model that ships, read once."""
    return read_noise()


def decay(step_s: float, persistence_s: float) -> float:
    """Return how much of a deviation is left after ``step_s``: 1 at once, 0 in the end."""
    return math.exp(-step_s / persistence_s) if persistence_s > 0 else 0.0


def chance(share: float) -> float:
    """Return the logit of a share, kept finite."""
    return float(logit(min(1 - CERTAIN, max(CERTAIN, share))))


def _check(model: NoiseModel) -> None:
    """Raise ValueError if a number cannot be what it should."""
    for name, part in (("found", model.found), ("confidence", model.confidence)):
        if part.spread < 0 or part.persistence_s < 0:
            raise ValueError(f"{name}: spread and persistence_s must be >= 0")
    if min(model.jitter.shares_4) <= 0 or not 0 <= model.jitter.tail < 1:
        raise ValueError("jitter: shares_4 must be > 0, and tail in 0..1")
    for label, row in model.confusion.items():
        if abs(sum(row.values()) - 1) > 0.01 or min(row.values()) < 0:
            raise ValueError(f"confusion: the row of {label} must sum to 1")
    if model.false_boxes.per_frame < 0:
        raise ValueError("false_boxes: per_frame must be >= 0")
