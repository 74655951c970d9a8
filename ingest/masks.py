"""Privacy masks: what of a camera's view is covered before a picture goes anywhere.

Shape legend: H = height, W = width in pixels.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import VideoReformatter

from contracts.geometry import Point, Zone
from ingest.sources.stream import DecodedFrame

Covered = npt.NDArray[np.bool_]

_LUMA: Final = 96
"""A dark grey: neither the black of a covered lens nor the white of a lamp."""
_CHROMA: Final = 128
_PLANAR: Final = frozenset(
    {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "gray"}
)
"""Filled as they are; pictures of other formats become yuv420p."""
_FUZZ: Final = 1e-6
"""Of a pixel: 0.1 of 640 pixels is pixel 64, whatever its 17th digit says."""


class PrivacyMask:
    """Covers the same zones in pictures of any size; for one thread.

    Args:
        zones: Normalised; none leaves pictures as they are.
    """

    def __init__(self, zones: tuple[Zone, ...] = ()) -> None:
        self.zones = zones
        self._reformatter = VideoReformatter()
        self._key: tuple[int, int, str] | None = None
        self._planes: list[Covered] = []

    def cover(self, picture: VideoFrame) -> VideoFrame:
        """Return the picture with every pixel of a zone filled; the one given may be written to.

        What a decoder still needs of it is left alone: such pixels are copied before.
        """
        if not self.zones:
            return picture
        if picture.format.name not in _PLANAR:
            picture = self._reformatter.reformat(picture, format="yuv420p", threads=1)
        picture.make_writable()
        for number, (plane, covered_HW) in enumerate(
            zip(picture.planes, self._covered(picture), strict=True)
        ):
            np.copyto(pixels_of(plane), _CHROMA if number else _LUMA, where=covered_HW)
        return picture

    def _covered(self, picture: VideoFrame) -> list[Covered]:
        key = (picture.width, picture.height, picture.format.name)
        if key != self._key:
            luma_HW = covered_pixels(self.zones, width=picture.width, height=picture.height)
            self._planes = [_shrunk(luma_HW, plane.width, plane.height) for plane in picture.planes]
            self._key = key
        return self._planes


def covered(decoded: DecodedFrame, mask: PrivacyMask) -> DecodedFrame:
    """Return what was decoded with its picture covered; itself where nothing is masked."""
    if not mask.zones:
        return decoded
    return replace(decoded, picture=mask.cover(decoded.picture))


def pixels_of(plane: VideoPlane) -> npt.NDArray[np.uint8]:
    """Return a plane's samples (H, W), uint8, to be read and written in place."""
    samples: npt.NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8)
    rows = samples.reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]


def covered_pixels(zones: tuple[Zone, ...], *, width: int, height: int) -> Covered:
    """Return which pixels (H, W) have any of their area inside a zone.

    A pixel is a square; one that a zone only touches along its edge has no area inside it. A zone
    that crosses itself covers all that it goes around.
    """
    covered_HW = np.zeros((height, width), np.bool_)
    for zone in zones:
        corners = [_to_pixels(point, width, height) for point in zone.polygon]
        edges = [(corners[index - 1], corners[index]) for index in range(len(corners))]
        covered_HW |= _around(edges, width=width, height=height)
        for start, end in edges:
            _cross(covered_HW, start, end)
    return covered_HW


def _to_pixels(point: Point, width: int, height: int) -> Point:
    def exact(value: float) -> float:
        return float(round(value)) if abs(value - round(value)) < _FUZZ else value

    return exact(point[0] * width), exact(point[1] * height)


def _around(edges: list[tuple[Point, Point]], *, width: int, height: int) -> Covered:
    """Return the pixels whose centre the edges go around (winding number not 0)."""
    turns_HW = np.zeros((height, width), np.int8)
    centres_W = np.arange(width) + 0.5
    centres_H = np.arange(height) + 0.5
    for (x1, y1), (x2, y2) in edges:
        rows = np.flatnonzero((centres_H > min(y1, y2)) & (centres_H <= max(y1, y2)))
        if not len(rows):
            continue
        at_H = x1 + (centres_H[rows] - y1) * (x2 - x1) / (y2 - y1)
        is_left = centres_W[None, :] < at_H[:, None]
        turns_HW[rows] += np.where(is_left, np.int8(1 if y2 > y1 else -1), np.int8(0))
    around_HW: Covered = turns_HW != 0
    return around_HW


def _cross(covered_HW: Covered, start: Point, end: Point) -> None:
    """Cover the pixels that an edge runs through."""
    (x1, y1), (x2, y2) = sorted((start, end), key=lambda point: point[1])
    if y1 == y2:
        if y1 != int(y1):
            covered_HW[int(y1), int(min(x1, x2)) : int(np.ceil(max(x1, x2)))] = True
        return
    for row in range(int(y1), int(np.ceil(y2))):
        at = [x1 + (y - y1) * (x2 - x1) / (y2 - y1) for y in (max(y1, row), min(y2, row + 1))]
        low, high = min(at) + _FUZZ, max(at) - _FUZZ
        if x1 == x2 and x1 == int(x1):
            continue  # between two columns, through neither
        covered_HW[row, int(low) : max(int(low) + 1, int(np.ceil(high)))] = True


def _shrunk(covered_HW: Covered, width: int, height: int) -> Covered:
    """Return which samples of a smaller plane stand for any covered pixel."""
    full_height, full_width = covered_HW.shape
    across, down = -(-full_width // width), -(-full_height // height)
    if (across, down) == (1, 1):
        return covered_HW
    padded = np.zeros((height * down, width * across), np.bool_)
    padded[:full_height, :full_width] = covered_HW
    shrunk_HW: Covered = padded.reshape(height, down, width, across).max(axis=(1, 3))
    return shrunk_HW
