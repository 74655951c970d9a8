"""The faces of a small car.

The car's own axes, in metres: forward from the rear axle, up from the ground, to the right from
its middle. The corners of every face run clockwise as seen from outside. Shape legend: P = points
of all faces, F = faces, 3 = forward, up, right.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from ingest.sources.scenes.canvas import Colour
from ingest.sources.scenes.person import shaded
from ingest.sources.scenes.projection import FloatArray

WHEELBASE_M: Final = 2.60
WHEEL_M: Final = 0.32
"""Radius."""

_HALF: Final = 0.88
_BELT_HALF: Final = 0.85
_ROOF_HALF: Final = 0.66
_OUTLINE: Final = (
    (-0.84, 0.30),
    (-0.90, 0.62),
    (-0.80, 0.96),
    (2.36, 0.94),
    (3.16, 0.80),
    (3.40, 0.62),
    (3.42, 0.30),
)
"""The lower body from the rear bumper over the top to the front bumper: forward, up."""
_BELT_REAR, _BELT_FRONT = (-0.74, 0.96), (2.32, 0.94)
_ROOF_REAR, _ROOF_FRONT = (-0.28, 1.42), (1.30, 1.46)
_GLASS: Final[Colour] = (66, 60, 54)
_TYRE: Final[Colour] = (34, 34, 36)
_RIM: Final[Colour] = (150, 152, 152)
_SPOKE: Final[Colour] = (88, 90, 92)
_DARK: Final[Colour] = (34, 34, 36)
_LAMP: Final[Colour] = (232, 238, 240)
_TAIL: Final[Colour] = (48, 44, 150)
_BRAKE: Final[Colour] = (92, 86, 246)
_PLATE: Final[Colour] = (210, 222, 224)

LocalPoint = tuple[float, float, float]
SidePoint = tuple[float, float]
"""Forward and up."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mesh:
    """Faces in the order of drawing.

    Attributes:
        points_P3: Their corners, one face after the other.
        starts_F: Index of each face's first corner.
        next_P: Index of the corner that follows each in its face.
        colours: Of each face.
        gloss_F: How much of the sky each mirrors when it lies flat, 0 to 1.
    """

    points_P3: FloatArray
    starts_F: npt.NDArray[np.intp]
    next_P: npt.NDArray[np.intp]
    colours: tuple[Colour, ...]
    gloss_F: FloatArray


class _Faces:
    """Collects faces."""

    def __init__(self) -> None:
        self._points: list[Sequence[LocalPoint]] = []
        self._colours: list[Colour] = []
        self._gloss: list[float] = []

    def add(self, points: Sequence[LocalPoint], colour: Colour, *, gloss: float = 0.0) -> None:
        self._points.append(points)
        self._colours.append(colour)
        self._gloss.append(gloss)

    def add_sides(self, points: Sequence[LocalPoint], colour: Colour) -> None:
        """Add a face of the right side and its mirror image on the left."""
        self.add(points, colour)
        self.add([(forward, up, -right) for forward, up, right in reversed(points)], colour)

    def mesh(self) -> Mesh:
        sizes_F = np.array([len(points) for points in self._points])
        starts_F = np.concatenate(([0], np.cumsum(sizes_F)[:-1]))
        next_P = np.arange(sizes_F.sum()) + 1
        next_P[starts_F + sizes_F - 1] = starts_F
        return Mesh(
            points_P3=np.array([point for points in self._points for point in points]),
            starts_F=starts_F,
            next_P=next_P,
            colours=tuple(self._colours),
            gloss_F=np.array(self._gloss),
        )


@cache
def body(paint: Colour, *, is_braking: bool) -> Mesh:
    """Return the whole car but the spokes of its wheels."""
    faces = _Faces()
    _add_underside(faces)
    _add_sides(faces, paint)
    for rear, front in pairwise(_OUTLINE):
        faces.add(_strip(rear, front, (_HALF, _HALF)), paint, gloss=0.10)
    _add_lights(faces, _BRAKE if is_braking else _TAIL)
    _add_cabin(faces, paint)
    return faces.mesh()


def spokes(*, turn: float) -> Mesh:
    """Return the spokes of all four wheels, turned by ``turn`` radians."""
    faces = _Faces()
    for axle in (0.0, WHEELBASE_M):
        for spoke in range(5):
            middle = -turn + spoke * 2 * math.pi / 5
            corners = ((0.05, 0.6), (0.18, 0.14), (0.18, -0.14), (0.05, -0.6))
            faces.add_sides(
                [
                    (
                        axle + reach * math.cos(middle + off),
                        WHEEL_M + reach * math.sin(middle + off),
                        _HALF + 0.02,
                    )
                    for reach, off in corners
                ],
                _SPOKE,
            )
    return faces.mesh()


def _add_underside(faces: _Faces) -> None:
    """The dark between the wheels, from all four sides."""
    low, high, half = 0.10, 0.34, _HALF - 0.14
    rear, front = -0.60, 3.10
    faces.add_sides(
        [(rear, high, half), (front, high, half), (front, low, half), (rear, low, half)], _DARK
    )
    faces.add(
        [(rear, low, -half), (rear, high, -half), (rear, high, half), (rear, low, half)], _DARK
    )
    faces.add(
        [(front, high, -half), (front, low, -half), (front, low, half), (front, high, half)], _DARK
    )


def _add_sides(faces: _Faces, paint: Colour) -> None:
    faces.add_sides([(forward, up, _HALF) for forward, up in _OUTLINE], paint)
    for low, high, shade in ((0.30, 0.40, 0.55), (0.68, 0.71, 1.12)):
        rear, front = (-0.85, -0.86), (3.36, 3.40)
        band = [(rear[1], high), (front[0], high - 0.06), (front[1], low), (rear[0], low)]
        faces.add_sides([(x, y, _HALF) for x, y in band], shaded(paint, shade))
    for forward in (0.62, 1.72):
        seam = [(forward, 0.94), (forward + 0.03, 0.94), (forward + 0.03, 0.36), (forward, 0.36)]
        faces.add_sides([(x, y, _HALF) for x, y in seam], shaded(paint, 0.72))
    for axle in (0.0, WHEELBASE_M):
        for radius, colour in ((0.39, (26, 26, 28)), (WHEEL_M, _TYRE), (0.20, _RIM)):
            faces.add_sides(_wheel(axle, radius), colour)


def _wheel(axle: float, radius: float) -> list[LocalPoint]:
    turns = [-step * math.pi / 8 for step in range(16)]
    return [
        (axle + radius * math.cos(turn), max(0.0, WHEEL_M + radius * math.sin(turn)), _HALF + 0.01)
        for turn in turns
    ]


def _add_cabin(faces: _Faces, paint: Colour) -> None:
    belt, roof = _BELT_HALF, _ROOF_HALF
    side = [(*_BELT_REAR, belt), (*_ROOF_REAR, roof), (*_ROOF_FRONT, roof), (*_BELT_FRONT, belt)]
    faces.add_sides(side, shaded(paint, 0.92))
    for rear, front in ((-0.52, 0.62), (0.72, 2.10)):
        faces.add_sides(_side_window(rear, front), _GLASS)
    for low, high, half in (
        (_BELT_REAR, _ROOF_REAR, (belt, roof)),
        (_ROOF_FRONT, _BELT_FRONT, (roof, belt)),
    ):
        faces.add(_strip(low, high, half), paint)
        faces.add(_strip(low, high, (half[0] - 0.09, half[1] - 0.09)), _GLASS, gloss=0.75)
    faces.add(_strip(_ROOF_REAR, _ROOF_FRONT, (roof, roof)), paint, gloss=0.12)


def _side_window(rear: float, front: float) -> list[LocalPoint]:
    """Return the glass between two points along the car, following the slope of the cabin."""
    low, high = 1.00, 1.37
    slope = (_ROOF_HALF - _BELT_HALF) / (_ROOF_REAR[1] - _BELT_REAR[1])
    low_half = _BELT_HALF + slope * (low - _BELT_REAR[1])
    high_half = _BELT_HALF + slope * (high - _BELT_REAR[1])
    return [
        (rear, low, low_half),
        (max(rear, _ROOF_REAR[0] + 0.04), high, high_half),
        (min(front, _ROOF_FRONT[0] - 0.02), high, high_half),
        (front, low, low_half),
    ]


def _add_lights(faces: _Faces, tail: Colour) -> None:
    for left, right in ((-0.84, -0.52), (0.52, 0.84)):
        faces.add(_patch((3.30, 0.71), (3.41, 0.60), (left, right)), _LAMP, gloss=0.2)
        faces.add(_patch((-0.905, 0.66), (-0.83, 0.88), (left, right)), tail)
    for left, right in ((-0.50, -0.30), (0.30, 0.50)):
        faces.add(_patch((3.42, 0.56), (3.43, 0.44), (left, right)), _DARK)
    faces.add(_patch((3.425, 0.52), (3.43, 0.40), (-0.26, 0.26)), _PLATE)
    faces.add(_patch((-0.90, 0.42), (-0.905, 0.54), (-0.26, 0.26)), _PLATE)


def _strip(rear: SidePoint, front: SidePoint, half: tuple[float, float]) -> list[LocalPoint]:
    """Return the face across the car between two points of its outline, rear one first."""
    return [(*rear, -half[0]), (*front, -half[1]), (*front, half[1]), (*rear, half[0])]


def _patch(start: SidePoint, end: SidePoint, across: tuple[float, float]) -> list[LocalPoint]:
    """Return a part of such a face between ``across[0]`` and ``across[1]``."""
    left, right = across
    return [(*start, left), (*end, left), (*end, right), (*start, right)]
