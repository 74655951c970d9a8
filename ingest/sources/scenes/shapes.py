"""What a figure is made of on the picture, how it is drawn, and the box that it fills.

Shape legend: N = points, 2 = u, v in pixels; H, W = rows and columns of the touched part;
K = round parts, P = points of each outline.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np

from contracts.frames import BgrImage
from contracts.geometry import Box
from ingest.sources.scenes.canvas import Colour
from ingest.sources.scenes.projection import FloatArray

_ENLARGED: Final = 3
"""Figures are drawn this many times larger and averaged down, for smooth edges."""
_SHIFT: Final = 4
_FIGURE_MARGIN_PX: Final = 8
"""For the soft edges of shadows."""
_LARGE_PX: Final = 12_000
"""Above this area twice the size must do."""
_TURNS: Final = np.concatenate(
    [np.linspace(-0.5, 0.5, 7) * np.pi, np.linspace(0.5, 1.5, 7) * np.pi]
)
"""Directions of a round part's outline: around its end, then around its start."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shape:
    """A filled polygon in pixels."""

    points_N2: FloatArray
    colour: Colour


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figure:
    """One actor as the camera sees it at one instant.

    Attributes:
        shapes: In the order of drawing.
        shadows: Polygons of its shadow, in pixels; they are no part of its box.
        depth_m: Distance that decides who hides whom.
        is_behind_fence: Whether it stands beyond the yard's fence.
    """

    shapes: tuple[Shape, ...]
    shadows: tuple[FloatArray, ...]
    depth_m: float
    is_behind_fence: bool = False

    def box(self, width: int, height: int) -> Box | None:
        """Return the box of what lies in a picture of this size, normalised; None if nothing."""
        left, top, right, bottom = _bounds([shape.points_N2 for shape in self.shapes])
        box = (
            max(0.0, left / width),
            max(0.0, top / height),
            min(1.0, right / width),
            min(1.0, bottom / height),
        )
        return box if box[0] < box[2] and box[1] < box[3] else None


class _Window(NamedTuple):
    """The part of a picture that a drawing touches: half-open ranges of pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return (self.right - self.left, self.bottom - self.top)


class Sketch:
    """Collects round-ended limbs, ellipses and polygons, and outlines them all at once."""

    def __init__(self) -> None:
        self._rounds: list[tuple[float, ...]] = []
        self._parts: list[tuple[Colour, FloatArray | None]] = []

    def limb(
        self, start: FloatArray, end: FloatArray, radii_px: tuple[float, float], colour: Colour
    ) -> None:
        """Add a band with round ends of these radii, first at its start."""
        heading = math.atan2(end[1] - start[1], end[0] - start[0])
        self._rounds.append((*start, *end, *radii_px, heading, 1.0))
        self._parts.append((colour, None))

    def ellipse(self, centre: FloatArray, axes_px: tuple[float, float], colour: Colour) -> None:
        """Add an upright ellipse; half axes across and up."""
        across, up = axes_px
        self._rounds.append((*centre, *centre, across, across, 0.0, up / across))
        self._parts.append((colour, None))

    def polygon(self, points_N2: FloatArray, colour: Colour) -> None:
        """Add a polygon."""
        self._parts.append((colour, points_N2))

    def shapes(self) -> tuple[Shape, ...]:
        """Return everything in the order of adding."""
        outlines = iter(self._outlines())
        return tuple(
            Shape(points_N2=next(outlines) if points is None else points, colour=colour)
            for colour, points in self._parts
        )

    def _outlines(self) -> FloatArray:
        rounds_K8 = np.array(self._rounds)
        is_start_P = np.repeat([False, True], len(_TURNS) // 2)
        bases_KP2 = np.where(
            is_start_P[None, :, None], rounds_K8[:, None, 0:2], rounds_K8[:, None, 2:4]
        )
        radii_KP = np.where(is_start_P[None, :], rounds_K8[:, None, 4], rounds_K8[:, None, 5])
        turns_KP = rounds_K8[:, None, 6] + _TURNS[None, :]
        bases_KP2[:, :, 0] += radii_KP * np.cos(turns_KP)
        bases_KP2[:, :, 1] += radii_KP * np.sin(turns_KP) * rounds_K8[:, None, 7]
        return bases_KP2


def hull(points_N2: FloatArray) -> FloatArray:
    """Return the convex hull of pixels."""
    found = cv2.convexHull(points_N2.astype(np.float32))
    return np.asarray(found[:, 0, :], np.float64)


def paint(pixels_HW3: BgrImage, shapes: Sequence[Shape], *, light: float = 1.0) -> None:
    """Draw shapes over a picture, first to last, with smooth edges.

    Args:
        pixels_HW3: Drawn on in place.
        shapes: May lie partly or wholly outside.
        light: Factor on their colours, 0 to 1.
    """
    window = _window(pixels_HW3.shape, [shape.points_N2 for shape in shapes], margin_px=1)
    if window is None:
        return
    wide, high = window.size
    times = _ENLARGED if wide * high < _LARGE_PX else _ENLARGED - 1
    layer_HW4 = np.zeros((high * times, wide * times, 4), np.uint8)
    corner = np.array([window.left, window.top])
    for shape in shapes:
        blue, green, red = (part * light for part in shape.colour)
        fine = ((shape.points_N2 - corner) * times - 0.5) * (1 << _SHIFT)
        points = np.round(fine).astype(np.int32)
        cv2.fillPoly(layer_HW4, [points], (blue, green, red, 255.0), shift=_SHIFT)
    small_HW4 = cv2.resize(layer_HW4, window.size, interpolation=cv2.INTER_AREA)
    # Averaging has multiplied the colours by their coverage already.
    colours_HW3 = cv2.cvtColor(small_HW4, cv2.COLOR_BGRA2BGR)
    uncovered_HW = cv2.bitwise_not(cv2.extractChannel(small_HW4, 3))
    uncovered_HW3 = cv2.cvtColor(uncovered_HW, cv2.COLOR_GRAY2BGR)
    part_HW3 = pixels_HW3[window.top : window.bottom, window.left : window.right]
    under_HW3 = cv2.multiply(part_HW3, uncovered_HW3, scale=1 / 255)
    part_HW3[:] = cv2.add(under_HW3, colours_HW3)


def cast_shadow(
    pixels_HW3: BgrImage, outlines: Sequence[FloatArray], *, strength: float, blur_px: float
) -> None:
    """Darken a picture where shadows fall, with soft edges; ``strength`` is 0 to 1."""
    window = _window(pixels_HW3.shape, outlines, margin_px=round(3 * blur_px) + 1)
    if window is None:
        return
    wide, high = window.size
    mask_HW = np.zeros((high, wide), np.uint8)
    corner = np.array([window.left, window.top])
    for outline in outlines:
        points = np.round((outline - corner - 0.5) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillPoly(mask_HW, [points], 255, lineType=cv2.LINE_AA, shift=_SHIFT)
    soft_HW = cv2.GaussianBlur(mask_HW, (0, 0), blur_px)
    kept_HW3 = cv2.cvtColor(
        cv2.convertScaleAbs(soft_HW, alpha=-strength, beta=255), cv2.COLOR_GRAY2BGR
    )
    part_HW3 = pixels_HW3[window.top : window.bottom, window.left : window.right]
    part_HW3[:] = cv2.multiply(part_HW3, kept_HW3, scale=1 / 255)


def figure_window(figure: Figure, width: int, height: int) -> tuple[slice, slice] | None:
    """Return the rows and columns of a picture that a figure and its shadow touch, if any."""
    outlines = [*(shape.points_N2 for shape in figure.shapes), *figure.shadows]
    window = _window((height, width), outlines, margin_px=_FIGURE_MARGIN_PX)
    if window is None:
        return None
    return (slice(window.top, window.bottom), slice(window.left, window.right))


def _bounds(outlines: Sequence[FloatArray]) -> tuple[float, float, float, float]:
    stacked = np.vstack(outlines)
    left, top = stacked.min(axis=0)
    right, bottom = stacked.max(axis=0)
    return (float(left), float(top), float(right), float(bottom))


def _window(
    size: tuple[int, ...], outlines: Sequence[FloatArray], *, margin_px: int
) -> _Window | None:
    """Return what is touched of a picture of ``size`` (rows first); None if all lies outside."""
    left, top, right, bottom = _bounds(outlines)
    height, width = size[:2]
    window = _Window(
        max(0, int(left) - margin_px),
        max(0, int(top) - margin_px),
        min(width, int(np.ceil(right)) + margin_px),
        min(height, int(np.ceil(bottom)) + margin_px),
    )
    return window if window.left < window.right and window.top < window.bottom else None
