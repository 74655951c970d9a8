"""Places where something stirs, each measured step by step.

A stir is what moves together in one place: a walker, a car, two people who hold each other. What
is measured of it is in sizes of its own, so that far and near look alike, and says how it moves:
all one way or against itself, on the spot or through the picture, steadily or jerkily.

Shape legend: H, W = pixels of the reduced picture, h, w = of a stir's box, 2 = right and down,
K = pixels that moved, F = measures.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contracts.geometry import Box
from vision.cues.motion_field import Floats, Mask, MotionField

Rows = npt.NDArray[np.int64]

MEASURES: Final = (
    "size", "shape", "fill", "share", "alone", "pace", "pace_most", "pace_middle", "unlike",
    "spread", "turmoil", "shear", "against", "rough", "change", "rest", "shift", "stays", "jerk",
    "jerk_size",
)  # fmt: skip
"""What is measured of a stir in each step, in this order; ``measured`` says what each is."""
MEMORY_STEPS: Final = 4
"""What moved within so many steps (0.8 s) and touches is one stir."""
JOIN_PIXELS: Final = 7
"""Gaps narrower than this are closed."""
LEAST_MOVED: Final = 6
"""Pixels of the reduced picture; a stir of fewer is still in this step."""
MOST_STIRS: Final = 4
"""The most restless are measured; in a picture full of movement the others hardly count."""
LEAST_ALONE: Final = 0.05
"""... and of those only what makes up this much of it."""
MOST_SHARE: Final = 0.93
"""Where more of the picture changed at once, it is another scene, or the light."""
SPLINTER: Final = 0.1
"""What breaks off with less than this share of the area has no part in the past of the whole."""
REMEMBERED_STEPS: Final = 12
ENDLESS_SHARE: Final = 0.7
"""What moves in more of the steps, without a rest, is a machine or water: half of what an
escalator moves does, and two hundredths of what moves where people fight, at most."""
ENDLESS_AFTER_STEPS: Final = 20
ENDLESS_STEPS: Final = 25
"""Steps from which on, and over which, that is known: 4 s and 5 s."""
_BINS: Final = 8


@dataclass(slots=True, eq=False)
class Stir:
    """What stirred in one place in one step.

    Attributes:
        box: Around what moved within ``MEMORY_STEPS``, normalised.
        at_s: Stream time of the step's end.
        energy: Grey levels changed, summed over its pixels.
        values_F: ``MEASURES``; all zero where it was still in this step.
        before: The same a step earlier: of those in its place, the most restless. Where two
            came together they share what follows, where one came apart both share its past,
            but for splinters.
    """

    box: Box
    at_s: float
    energy: float
    values_F: Floats
    before: "Stir | None"
    _corners: tuple[int, int, int, int]
    _middle_2: Floats
    _moved_HW: Mask

    def past(self) -> Iterator["Stir"]:
        """Yield it and what it was in the steps before, newest first."""
        stir: Stir | None = self
        for _ in range(REMEMBERED_STEPS):
            if stir is None:
                return
            yield stir
            stir = stir.before


class Stirs:
    """Follows the stirs of one camera's run."""

    def __init__(self) -> None:
        self._moved: deque[Mask] = deque(maxlen=MEMORY_STEPS)
        self._before: list[Stir] = []
        self._step: MotionField | None = None
        self._often_HW: Floats | None = None
        self._steps = 0

    def forget(self) -> None:
        """Begin again: the scene has changed, or nobody looked for a while."""
        self._moved.clear()
        self._before = []
        self._step = None
        self._often_HW, self._steps = None, 0

    def update(self, step: MotionField, *, now_s: float) -> Sequence[Stir]:
        """Take one step; return what stirs, the most restless first.

        What has not moved for ``MEMORY_STEPS`` is no longer there.
        """
        if np.count_nonzero(step.moved_HW) > MOST_SHARE * step.moved_HW.size:
            self.forget()
            return ()
        step = self._without_endless(step)
        self._moved.append(step.moved_HW)
        places = _places(self._moved, step)
        stirs = [self._measured(place, step, now_s=now_s) for place in places]
        for stir in stirs:
            _cut_past(stir)
        self._before, self._step = stirs, step
        return stirs

    def _without_endless(self, step: MotionField) -> MotionField:
        """Return the step without what moves on and on."""
        if self._often_HW is None:
            self._often_HW = np.zeros(step.moved_HW.shape, np.float32)
        self._steps += 1
        newest = 1 / min(self._steps, ENDLESS_STEPS)
        self._often_HW += newest * (step.moved_HW - self._often_HW)
        if self._steps < ENDLESS_AFTER_STEPS:
            return step
        return step._replace(moved_HW=step.moved_HW & (self._often_HW <= ENDLESS_SHARE))

    def _measured(self, place: "_Place", step: MotionField, *, now_s: float) -> Stir:
        before = next((one for one in self._before if _goes_on(one._corners, place.corners)), None)
        height, width = step.moved_HW.shape
        left, top, right, bottom = place.corners
        values_F, middle_2 = measured(
            step, place, before=before, step_before=self._step, width=width
        )
        return Stir(
            box=(left / width, top / height, right / width, bottom / height),
            at_s=now_s,
            energy=place.energy,
            values_F=values_F,
            before=before,
            _corners=place.corners,
            _middle_2=middle_2,
            _moved_HW=place.moved_HW,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where something stirs: corners in pixels, what moved in this step, how much, which part."""

    corners: tuple[int, int, int, int]
    moved_HW: Mask
    energy: float
    alone: float


def _places(moved: Sequence[Mask], step: MotionField) -> list[_Place]:
    """Return what moved lately as places, the most restless first."""
    union_HW = np.logical_or.reduce(moved).astype(np.uint8)
    union_HW = cv2.morphologyEx(union_HW, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    grown_HW = cv2.dilate(union_HW, np.ones((JOIN_PIXELS, JOIN_PIXELS), np.uint8))
    count, labels_HW, stats, _ = cv2.connectedComponentsWithStats(grown_HW)
    changed_HW = step.change_HW * step.moved_HW
    energies = np.bincount(labels_HW.ravel(), changed_HW.ravel(), count)[1:]
    total = max(float(energies.sum()), 1e-6)
    height, width = labels_HW.shape
    rim = JOIN_PIXELS // 2
    places: list[_Place] = []
    for index in np.argsort(-energies, kind="stable")[:MOST_STIRS].tolist():
        if places and energies[index] < LEAST_ALONE * total:
            break
        left, top, across, down = stats[index + 1, :4].tolist()
        x1, y1 = left + rim if left else 0, top + rim if top else 0
        x2 = left + across - rim if left + across < width else width
        y2 = top + down - rim if top + down < height else height
        whole = (slice(top, top + down), slice(left, left + across))
        moved_HW = np.zeros_like(step.moved_HW)
        moved_HW[whole] = step.moved_HW[whole] & (labels_HW[whole] == index + 1)
        energy = float(energies[index])
        corners = (x1, y1, max(x2, x1 + 1), max(y2, y1 + 1))
        places.append(_Place(corners, moved_HW, energy, energy / total))
    return places


def _goes_on(before: tuple[int, int, int, int], now: tuple[int, int, int, int]) -> bool:
    """Say whether what stirs now may be what stirred before: in its place, and no splinter."""
    touches = (
        min(before[2], now[2]) > max(before[0], now[0])
        and min(before[3], now[3]) > max(before[1], now[1])
    )  # fmt: skip
    return touches and _area(now) >= SPLINTER * _area(before)


def _area(corners: tuple[int, int, int, int]) -> int:
    return (corners[2] - corners[0]) * (corners[3] - corners[1])


def _cut_past(stir: Stir) -> None:
    """Let go of what is older than ``REMEMBERED_STEPS``."""
    past = list(stir.past())
    past[-1].before = None


def measured(
    step: MotionField,
    place: _Place,
    *,
    before: Stir | None,
    step_before: MotionField | None,
    width: int,
) -> tuple[Floats, Floats]:
    """Measure one place in one step; all zero where it was still. Also its middle, in pixels.

    size: side of the square of its box's area, in widths of the picture. shape: logarithm of
    width over height. fill: share of the box that moved. share: part of the picture that moved
    with it. alone: its part of all that moved. pace, pace_most, pace_middle: mean, 90th centile
    and median of the flow in sizes. unlike: 0 where all moves one way, 1 where it cancels out.
    spread: standard deviation of the flow in sizes. turmoil: entropy of its directions. shear:
    how the flow differs between neighbouring pixels. against: left half against right half, in
    sizes. rough: part of the change that the flow does not explain; change and rest: both in
    grey levels. shift: how far its middle went, in sizes. stays: how much of it moved in the
    step before too. jerk, jerk_size: how the flow changed since the step before, against its
    own length and in sizes.
    """
    x1, y1, x2, y2 = place.corners
    at_K = np.flatnonzero(place.moved_HW)
    if at_K.size < LEAST_MOVED:
        return np.zeros(len(MEASURES), np.float32), np.zeros(2, np.float32)
    y_K, x_K = np.divmod(at_K, width)
    across, down = x2 - x1, y2 - y1
    size = float(np.sqrt(across * down))
    right_K, down_K = step.right_HW.take(at_K), step.down_HW.take(at_K)
    pace_K = step.pace_HW.take(at_K)
    total = float(pace_K.sum()) + 1e-3
    change = float(step.change_HW.take(at_K).mean())
    rest = float(step.unexplained_HW.take(at_K).mean())
    middle_2 = np.array([x_K.mean(), y_K.mean()], np.float32)
    shift = stays = jerk = jerk_size = 0.0
    if before is not None and step_before is not None and before.values_F.any():
        earlier = int(np.count_nonzero(before._moved_HW))
        both = int(np.count_nonzero(before._moved_HW.take(at_K)))
        shift = float(np.hypot(*(middle_2 - before._middle_2))) / size
        stays = both / max(1, min(at_K.size, earlier))
        at_L = np.flatnonzero(place.moved_HW | before._moved_HW)
        turned_L = np.hypot(
            step.right_HW.take(at_L) - step_before.right_HW.take(at_L),
            step.down_HW.take(at_L) - step_before.down_HW.take(at_L),
        )
        turned = float(turned_L.mean())
        length = float((step.pace_HW.take(at_L) + step_before.pace_HW.take(at_L)).mean())
        jerk, jerk_size = turned / (length + 1e-3), turned / size
    middling, most = np.percentile(pace_K, (50, 90)).tolist()
    values = (
        size / width,
        float(np.log(across / down)),
        at_K.size / (across * down),
        at_K.size / step.moved_HW.size,
        place.alone,
        total / at_K.size / size,
        most / size,
        middling / size,
        1 - float(np.hypot(right_K.sum(), down_K.sum())) / total,
        float(np.sqrt(right_K.var() + down_K.var())) / size,
        _turmoil(right_K, down_K, pace_K),
        _shear(step, at_K),
        _halves_apart(right_K, x_K < (x1 + x2) / 2) / size,
        rest / (change + 1e-3),
        change,
        rest,
        shift,
        stays,
        jerk,
        jerk_size,
    )
    return np.array(values, np.float32), middle_2


def _turmoil(right_K: Floats, down_K: Floats, pace_K: Floats) -> float:
    """Return the entropy of the directions, weighted by pace: 0 is one way, 2.08 all ways."""
    angles_K = np.arctan2(down_K, right_K)
    bins_K = ((angles_K + np.pi) * (_BINS / (2 * np.pi))).astype(np.int64).clip(0, _BINS - 1)
    shares = np.bincount(bins_K, pace_K, _BINS)
    shares = shares / (shares.sum() + 1e-6)
    return float(-(shares * np.log(shares + 1e-6)).sum())


def _shear(step: MotionField, at_K: Rows) -> float:
    """Return the mean difference of the flow to the next pixel to the right and below."""
    last = step.moved_HW.size - 1
    apart = 0.0
    for plane_HW in (step.right_HW, step.down_HW):
        here_K = plane_HW.take(at_K)
        for neighbour in (1, step.width):
            apart += float(np.abs(plane_HW.take(np.minimum(at_K + neighbour, last)) - here_K).sum())
    return apart / at_K.size


def _halves_apart(right_K: Floats, is_left_K: Mask) -> float:
    """Return by how much the left half goes right more than the right half does, either way."""
    if is_left_K.all() or not is_left_K.any():
        return 0.0
    return abs(float(right_K[is_left_K].mean()) - float(right_K[~is_left_K].mean()))
