"""Draws what was seen onto a picture: zones, lines, boxes with labels, the alerting one first."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage
from contracts.geometry import Box, Line, Point, Zone
from vision.boxes import area, share_within

Colour = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""

ALERT: Final[Colour] = (66, 66, 244)
CALM: Final[Colour] = (236, 206, 120)
ZONE: Final[Colour] = (40, 170, 255)
LINE: Final[Colour] = (200, 120, 250)
INK: Final[Colour] = (255, 255, 255)
DARK: Final[Colour] = (28, 24, 22)
LEAST_WIDTH_PX: Final = 960
"""Smaller pictures are enlarged to at least this, so that text on them can be read."""
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_ZONE_OPACITY: Final = 0.16
_SHIFT: Final = 3
"""OpenCV draws at an eighth of a pixel."""
_TEXT_PX: Final = 960
"""Width at which text has scale ``_TEXT_SCALE``."""
_TEXT_SCALE: Final = 0.5
_JPEG_QUALITY: Final = 90
_SAME_SHARE: Final = 0.6
_SAME_SIZE: Final = 3.0
"""A box is a double of an alerting one that lies in it so far, if it is at most so much larger."""
_READ_FLAGS: Final = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnBox:
    """One box to draw. ``text`` stands in its chip, for instance ``person t3``."""

    box: Box
    text: str
    is_alerting: bool = False


def doubles(boxes: Mapping[str, Box], *, alerting: Collection[str]) -> frozenset[str]:
    """Return the ids of boxes that say again what an alerting one says.

    A thing that is followed as a track, too, needs one label. Who stands before it, or takes part
    in a fight, keeps his.
    """
    return frozenset(
        name
        for name, box in boxes.items()
        if name not in alerting
        and any(
            share_within(boxes[other], box) >= _SAME_SHARE
            and area(box) <= _SAME_SIZE * area(boxes[other])
            for other in alerting
            if other in boxes
        )
    )


def draw_scene(
    pixels_HW3: BgrImage,
    *,
    zones: Sequence[Zone] = (),
    lines: Sequence[Line] = (),
    boxes: Sequence[DrawnBox] = (),
) -> BgrImage:
    """Return an enlarged copy of the picture with zones, lines and boxes, in that order.

    Alerting boxes are drawn last and strongest. Coordinates are normalised; what lies outside
    the picture is cut off.
    """
    canvas = _enlarged(pixels_HW3)
    for zone in zones:
        _draw_zone(canvas, zone)
    for line in lines:
        _draw_line(canvas, line)
    for drawn in sorted(boxes, key=lambda one: one.is_alerting):
        _draw_box(canvas, drawn)
    return canvas


def encode_jpeg(pixels_HW3: BgrImage, *, quality: int = _JPEG_QUALITY) -> bytes:
    """Return the picture as JPEG; quality 1 to 100."""
    is_done, content = cv2.imencode(".jpg", pixels_HW3, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not is_done:
        raise ValueError(f"a picture of shape {pixels_HW3.shape} cannot be written as JPEG")
    return content.tobytes()


def decode_jpeg(content: bytes, *, reduced_by: Literal[1, 2, 4, 8] = 1) -> BgrImage | None:
    """Return the pixels of a JPEG, or None if it cannot be read.

    Args:
        content: The JPEG.
        reduced_by: Its sides are divided by this while it is decoded, and rounded up.
    """
    if not content:
        return None
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), _READ_FLAGS[reduced_by])
    except cv2.error:
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)


def _enlarged(pixels_HW3: BgrImage) -> BgrImage:
    height, width = pixels_HW3.shape[:2]
    if width >= LEAST_WIDTH_PX:
        return pixels_HW3.copy()
    factor = LEAST_WIDTH_PX / width
    size = (LEAST_WIDTH_PX, max(1, round(height * factor)))
    return np.asarray(cv2.resize(pixels_HW3, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _draw_zone(canvas: BgrImage, zone: Zone) -> None:
    corners = _pixels(canvas, zone.polygon)
    tinted = canvas.copy()
    cv2.fillPoly(tinted, [corners], ZONE, cv2.LINE_AA, _SHIFT)
    cv2.addWeighted(tinted, _ZONE_OPACITY, canvas, 1 - _ZONE_OPACITY, 0, dst=canvas)
    cv2.polylines(canvas, [corners], True, ZONE, _thickness(canvas), cv2.LINE_AA, _SHIFT)  # noqa: FBT003  # OpenCV takes no keyword here
    leftmost_top = min(zone.polygon, key=lambda point: point[0] + point[1])
    _draw_chip(canvas, zone.name or zone.zone_id, at=leftmost_top, colour=ZONE, is_above=False)


def _draw_line(canvas: BgrImage, line: Line) -> None:
    points = _pixels(canvas, line.points)
    cv2.polylines(canvas, [points], False, DARK, _thickness(canvas) + 3, cv2.LINE_AA, _SHIFT)  # noqa: FBT003  # OpenCV takes no keyword here
    cv2.polylines(canvas, [points], False, LINE, _thickness(canvas) + 1, cv2.LINE_AA, _SHIFT)  # noqa: FBT003  # OpenCV takes no keyword here
    _draw_chip(canvas, line.name or line.line_id, at=line.points[0], colour=LINE, is_above=False)


def _draw_box(canvas: BgrImage, drawn: DrawnBox) -> None:
    colour = ALERT if drawn.is_alerting else CALM
    x1, y1, x2, y2 = drawn.box
    first, second = (
        tuple(int(value) for value in corner) for corner in _pixels(canvas, ((x1, y1), (x2, y2)))
    )
    thickness = _thickness(canvas) + (1 if drawn.is_alerting else 0)
    cv2.rectangle(canvas, first, second, DARK, thickness + 2, cv2.LINE_AA, _SHIFT)
    cv2.rectangle(canvas, first, second, colour, thickness, cv2.LINE_AA, _SHIFT)
    _draw_chip(canvas, drawn.text, at=(x1, y1), colour=colour, is_above=True)


def _draw_chip(canvas: BgrImage, text: str, *, at: Point, colour: Colour, is_above: bool) -> None:
    """Draw text on a filled rectangle whose corner is ``at``, moved into the picture."""
    shown = text.encode("ascii", "replace").decode()
    height, width = canvas.shape[:2]
    scale = _TEXT_SCALE * max(1.0, width / _TEXT_PX)
    weight = max(1, round(scale * 2))
    (text_width, text_height), baseline = cv2.getTextSize(shown, _FONT, scale, weight)
    pad = round(6 * scale * 2)
    chip_width, chip_height = text_width + 2 * pad, text_height + baseline + pad
    left = round(at[0] * width)
    top = round(at[1] * height) - (chip_height if is_above else 0)
    left = min(max(0, left), max(0, width - chip_width))
    top = min(max(0, top), max(0, height - chip_height))
    cv2.rectangle(canvas, (left, top), (left + chip_width, top + chip_height), colour, cv2.FILLED)
    ink = INK if sum(colour) < 3 * 150 else DARK
    origin = (left + pad, top + pad // 2 + text_height)
    cv2.putText(canvas, shown, origin, _FONT, scale, ink, weight, cv2.LINE_AA)


def _pixels(canvas: BgrImage, points: Sequence[Point]) -> npt.NDArray[np.int32]:
    height, width = canvas.shape[:2]
    scale_2 = np.array([width - 1, height - 1], np.float64) * (1 << _SHIFT)
    return np.round(np.array(points, np.float64) * scale_2).astype(np.int32)


def _thickness(canvas: BgrImage) -> int:
    return max(1, round(int(canvas.shape[1]) / 640))
