"""The yard's floor and the street, as seen from above: asphalt, paint, stains.

Shape legend: H = along z, far first, W = along x; 3 = blue, green, red.
"""

from typing import Final

import cv2
import numpy as np

from contracts.frames import BgrImage
from ingest.sources.scenes import yard_plan as plan
from ingest.sources.scenes.canvas import Colour, cloudy, tinted
from ingest.sources.scenes.yard_plan import Ground

GROUND: Final = Ground(-16.0, 16.0, 5.6, 24.4)
"""What the texture covers: all that the camera sees of flat ground, and some more."""
_PX_PER_M: Final = 48
_ASPHALT: Final[Colour] = (120, 122, 123)
_PAVING: Final[Colour] = (142, 148, 152)
_WHITE: Final[Colour] = (205, 210, 212)
_YELLOW: Final[Colour] = (70, 178, 214)
_RED: Final[Colour] = (58, 60, 176)
_PAINT_OPACITY: Final = 0.86


def ground_texture(rng: np.random.Generator) -> BgrImage:
    """Return the floor of ``GROUND``, far edge first."""
    height = round((GROUND.far - GROUND.near) * _PX_PER_M)
    width = round((GROUND.right - GROUND.left) * _PX_PER_M)
    shade_HW = (
        1.0
        + 0.045 * cloudy(rng, height=height, width=width, grain_px=150)
        + 0.025 * cloudy(rng, height=height, width=width, grain_px=28)
        + 0.035 * cloudy(rng, height=height, width=width, grain_px=3)
    )
    floor_HW3 = tinted(_ASPHALT, shade_HW)
    _pave(floor_HW3)
    _age(floor_HW3, rng)
    painted_HW3 = floor_HW3.copy()
    _paint_bays(painted_HW3)
    _paint_restricted(painted_HW3)
    _paint_gate(painted_HW3)
    worn_HW = _PAINT_OPACITY + 0.10 * cloudy(rng, height=height, width=width, grain_px=7)
    opacity_HW1 = np.clip(worn_HW, 0.35, 1.0)[:, :, None]
    return (painted_HW3 * opacity_HW1 + floor_HW3 * (1.0 - opacity_HW1)).astype(np.uint8)


def _at(x_m: float, z_m: float) -> tuple[int, int]:
    return (round((x_m - GROUND.left) * _PX_PER_M), round((GROUND.far - z_m) * _PX_PER_M))


def _line(
    floor_HW3: BgrImage,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: Colour,
    width_m: float = 0.11,
) -> None:
    thickness = max(1, round(width_m * _PX_PER_M))
    cv2.line(floor_HW3, _at(*start), _at(*end), colour, thickness, cv2.LINE_AA)


def _pave(floor_HW3: BgrImage) -> None:
    """Footpaths along the building and the street, kerbs, the street's centre line."""
    for area, colour in (
        (Ground(GROUND.left, GROUND.right, plan.WALL_Z + 0.1, plan.STREET.near), _PAVING),
        (Ground(GROUND.left, GROUND.right, plan.STREET.far, GROUND.far), (120, 138, 128)),
    ):
        cv2.rectangle(
            floor_HW3, _at(area.left, area.far), _at(area.right, area.near), colour, cv2.FILLED
        )
    gateway = (plan.GATE_LEFT - 0.4, plan.GATE_RIGHT + 0.4)
    cv2.rectangle(
        floor_HW3,
        _at(gateway[0], plan.STREET.near),
        _at(gateway[1], plan.WALL_Z),
        (118, 121, 123),
        cv2.FILLED,
    )
    for z_m in (plan.STREET.near, plan.STREET.far):
        _line(floor_HW3, (GROUND.left, z_m), (gateway[0], z_m), (164, 168, 170), 0.16)
        _line(floor_HW3, (gateway[1], z_m), (GROUND.right, z_m), (164, 168, 170), 0.16)
    middle = (plan.STREET.near + plan.STREET.far) / 2
    for dash in range(-5, 6):
        _line(floor_HW3, (dash * 3.0, middle), (dash * 3.0 + 1.4, middle), _WHITE, 0.12)


def _age(floor_HW3: BgrImage, rng: np.random.Generator) -> None:
    """Wheel tracks from the gate, oil, repaired patches, cracks, a drain."""
    layer_HW = np.zeros(floor_HW3.shape[:2], np.float32)
    for offset in (-0.75, 0.75):
        way = [
            (4.5 + offset, 18.0),
            (4.5 + offset, 14.2),
            (3.4, 12.0 + offset),
            (-2.0, 10.8 + offset),
        ]
        points = np.array([_at(*point) for point in way], np.int32)
        cv2.polylines(layer_HW, [points], isClosed=False, color=0.16, thickness=20)
    for _ in range(26):
        spot = _at(rng.uniform(-7, 6), rng.uniform(6.2, 15))
        radius = int(rng.uniform(3, 17))
        cv2.ellipse(layer_HW, spot, (radius, radius // 2 + 2), 0, 0, 360, rng.uniform(0.1, 0.3), -1)
    stains_HW = cv2.GaussianBlur(layer_HW, (0, 0), 5)
    floor_HW3[:] = (floor_HW3 * (1.0 - stains_HW[:, :, None])).astype(np.uint8)
    patch = (_at(-1.2, 7.9), _at(0.0, 6.9))
    rows, columns = slice(patch[0][1], patch[1][1]), slice(patch[0][0], patch[1][0])
    floor_HW3[rows, columns] = (floor_HW3[rows, columns] * 0.84).astype(np.uint8)
    for _ in range(9):
        point = np.array([rng.uniform(-7, 7), rng.uniform(6.2, 15.5)])
        heading = rng.uniform(0, 2 * np.pi)
        for _ in range(int(rng.uniform(5, 14))):
            heading += rng.normal(0, 0.5)
            step = point + 0.28 * np.array([np.cos(heading), np.sin(heading)])
            _line(floor_HW3, (point[0], point[1]), (step[0], step[1]), (88, 90, 91), 0.025)
            point = step
    cv2.rectangle(floor_HW3, _at(1.3, 12.3), _at(1.9, 11.9), (62, 64, 66), cv2.FILLED)
    for bar in range(5):
        x_m = 1.36 + bar * 0.12
        _line(floor_HW3, (x_m, 12.25), (x_m, 11.95), (98, 100, 102), 0.03)


def _paint_bays(floor_HW3: BgrImage) -> None:
    for z_m in plan.PARKING_ROWS:
        _line(floor_HW3, (plan.PARKING_LEFT, z_m), (plan.PARKING_RIGHT, z_m), _WHITE)
    for row, near in enumerate(plan.PARKING_ROWS[:-1]):
        _write(floor_HW3, f"{row + 1}", _at(-2.5, near + 1.0), 1.5, _WHITE)
    bay = plan.LOADING_BAY
    corners = bay.corners()
    for index, corner in enumerate(corners):
        _line(floor_HW3, corners[index - 1], corner, _YELLOW, 0.10)
    _write(floor_HW3, "BAY", _at(bay.left + 0.62, bay.near + 0.8), 2.0, _YELLOW)


def _paint_restricted(floor_HW3: BgrImage) -> None:
    area = plan.RESTRICTED
    size = (floor_HW3.shape[0], floor_HW3.shape[1])
    inside_HW = np.zeros(size, np.uint8)
    cv2.rectangle(inside_HW, _at(area.left, area.far), _at(area.right, area.near), 255, cv2.FILLED)
    hatched_HW3 = floor_HW3.copy()
    depth = area.far - area.near
    x_m = area.left - depth
    while x_m < area.right:
        _line(hatched_HW3, (x_m, area.near), (x_m + depth, area.far), _RED, 0.10)
        x_m += 0.62
    blended_HW3 = cv2.addWeighted(hatched_HW3, 0.62, floor_HW3, 0.38, 0)
    cv2.copyTo(blended_HW3, inside_HW, floor_HW3)
    corners = area.corners()
    for index, corner in enumerate(corners):
        _line(floor_HW3, corners[index - 1], corner, _RED, 0.14)


def _paint_gate(floor_HW3: BgrImage) -> None:
    middle = (plan.GATE_LEFT + plan.GATE_RIGHT) / 2
    _line(floor_HW3, (plan.GATE_LEFT, 15.6), (plan.GATE_RIGHT, 15.6), _WHITE, 0.14)
    for side in (-1.0, 1.0):
        _line(floor_HW3, (middle, 12.6), (middle + side * 0.32, 13.3), _WHITE, 0.10)
    _line(floor_HW3, (middle, 12.7), (middle, 14.4), _WHITE, 0.10)


def _write(
    floor_HW3: BgrImage, text: str, at_px: tuple[int, int], size: float, colour: Colour
) -> None:
    cv2.putText(floor_HW3, text, at_px, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 6, cv2.LINE_AA)
