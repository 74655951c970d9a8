"""Drawing on an enlarged picture, which is brought to size once everything is drawn.

Shape legend: H = height, W = width in pixels, 3 = blue, green, red; N = points.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage
from ingest.sources.scenes.projection import FloatArray, Pinhole

Colour = tuple[int, int, int]
"""Blue, green, red."""
WorldPoint = tuple[float, float, float]

_SHIFT: Final = 4
"""Bits of a pixel's fraction that OpenCV's drawing takes."""


def fixed_point(pixels_N2: FloatArray) -> npt.NDArray[np.int32]:
    """Return points as OpenCV's drawing wants them for ``shift=4``: sixteenths of a pixel.

    Pixel 0 spans 0 to 1 in our coordinates and lies at 0 in OpenCV's.
    """
    return np.round((pixels_N2 - 0.5) * (1 << _SHIFT)).astype(np.int32)


class Canvas:
    """A picture ``scale`` times as large as ``view`` sees it, to draw the world on.

    Nothing is hidden by itself: draw from far to near.
    """

    def __init__(self, view: Pinhole, *, scale: int, fill: Colour) -> None:
        self._view = view
        self._scale = scale
        self.pixels_HW3: BgrImage = np.empty((view.height * scale, view.width * scale, 3), np.uint8)
        self.pixels_HW3[:] = fill

    def pixels(self, points: Sequence[WorldPoint]) -> FloatArray:
        """Return where world points lie on this canvas, shape (N, 2)."""
        return self._view.project(np.asarray(points, np.float64)) * self._scale

    def fill(self, points: Sequence[WorldPoint], colour: Colour) -> None:
        """Fill a flat polygon of world points."""
        self.fill_pixels(self.pixels(points), colour)

    def fill_pixels(self, pixels_N2: FloatArray, colour: Colour) -> None:
        """Fill a polygon of canvas pixels."""
        cv2.fillPoly(
            self.pixels_HW3, [fixed_point(pixels_N2)], colour, lineType=cv2.LINE_AA, shift=_SHIFT
        )

    def stroke(self, points: Sequence[WorldPoint], colour: Colour, *, width_m: float) -> None:
        """Draw a line as thick as ``width_m`` appears at its middle."""
        world_N3 = np.asarray(points, np.float64)
        per_metre = self._view.focal_px / float(self._view.depth(world_N3).mean()) * self._scale
        cv2.polylines(
            self.pixels_HW3,
            [fixed_point(self.pixels(points))],
            isClosed=False,
            color=colour,
            thickness=max(1, round(width_m * per_metre)),
            lineType=cv2.LINE_AA,
            shift=_SHIFT,
        )

    def lay(self, texture_HW3: BgrImage, corners: Sequence[WorldPoint]) -> None:
        """Put a texture on a flat rectangle; corners are its top left, then clockwise."""
        height, width = texture_HW3.shape[:2]
        source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        target = self.pixels(corners).astype(np.float32)
        transform = cv2.getPerspectiveTransform(source, target)
        size = (self.pixels_HW3.shape[1], self.pixels_HW3.shape[0])
        warped_HW3 = cv2.warpPerspective(texture_HW3, transform, size, flags=cv2.INTER_LINEAR)
        mask_HW = np.zeros(self.pixels_HW3.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask_HW, fixed_point(target.astype(np.float64)), 255, shift=_SHIFT)
        cv2.copyTo(warped_HW3, mask_HW, self.pixels_HW3)

    def shade(self, points: Sequence[WorldPoint], *, strength: float, blur_px: float) -> None:
        """Darken a polygon with a soft edge; ``strength`` 0..1, blur in pixels of the view."""
        pixels_N2 = self.pixels(points)
        margin = 3 * blur_px * self._scale
        left, top = np.maximum(0, pixels_N2.min(axis=0) - margin).astype(int)
        right, bottom = (pixels_N2.max(axis=0) + margin).astype(int)
        part_HW3 = self.pixels_HW3[top:bottom, left:right]
        mask_HW = np.zeros(part_HW3.shape[:2], np.float32)
        outline = fixed_point(pixels_N2 - np.array([left, top]))
        cv2.fillPoly(mask_HW, [outline], 1.0, shift=_SHIFT)
        soft_HW = cv2.GaussianBlur(mask_HW, (0, 0), blur_px * self._scale)
        part_HW3[:] = (part_HW3 * (1.0 - strength * soft_HW[:, :, None])).astype(np.uint8)

    def to_size(self) -> BgrImage:
        """Return the picture at the view's size."""
        size = (self._view.width, self._view.height)
        return np.asarray(cv2.resize(self.pixels_HW3, size, interpolation=cv2.INTER_AREA), np.uint8)


def cloudy(rng: np.random.Generator, *, height: int, width: int, grain_px: float) -> FloatArray:
    """Return smooth noise (H, W) of mean 0 and standard deviation 1, blotches of ``grain_px``."""
    small = (max(2, round(height / grain_px)), max(2, round(width / grain_px)))
    noise_HW = rng.normal(size=small)
    large_HW = cv2.resize(noise_HW, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray((large_HW - large_HW.mean()) / large_HW.std(), np.float64)


def tinted(colour: Colour, shade_HW: FloatArray) -> BgrImage:
    """Return a texture of one colour times ``shade_HW`` (1 leaves it as it is)."""
    return np.clip(np.array(colour) * shade_HW[:, :, None], 0, 255).astype(np.uint8)
