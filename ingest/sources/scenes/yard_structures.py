"""What stands around the yard: the building, the fence with its gate, greenery, small things.

Far to near in each function, since nothing hides by itself. Shape legend: as in ``canvas``.
"""

from typing import Final

import cv2
import numpy as np

from contracts.frames import BgrImage
from ingest.sources.scenes import yard_plan as plan
from ingest.sources.scenes.canvas import Canvas, Colour, cloudy, tinted

_PX_PER_M: Final = 60
"""Of the wall's texture."""
_CLADDING: Final[Colour] = (172, 176, 174)
_PLINTH: Final[Colour] = (104, 108, 112)
_SHUTTER: Final[Colour] = (128, 122, 112)
_GLASS: Final[Colour] = (104, 88, 72)
_FRAME: Final[Colour] = (74, 72, 70)
_SKY: Final[Colour] = (226, 214, 204)
_METAL: Final[Colour] = (122, 128, 124)
_LEAVES: Final[Colour] = (62, 98, 72)


def draw_surroundings(canvas: Canvas, rng: np.random.Generator) -> None:
    """Draw what lies beyond the street: grass, a hedge, trees, a hall, the sky."""
    sky_z = 90.0
    canvas.fill([(-99, 40, sky_z), (99, 40, sky_z), (99, 0, sky_z), (-99, 0, sky_z)], _SKY)
    hall = ((4.0, 60.0), (30.0, 60.0))
    (left, z_m), (right, _) = hall
    canvas.fill([(left, 7, z_m), (right, 7, z_m), (right, 0, z_m), (left, 0, z_m)], (172, 166, 160))
    canvas.fill([(left, 7, z_m), (right, 7, z_m), (right, 6, z_m), (left, 6, z_m)], (150, 138, 128))
    canvas.fill([(-99, 0, 90), (99, 0, 90), (60, 0, 24), (-60, 0, 24)], (92, 128, 106))
    for x_m, z_m, size in ((-2.0, 40, 4.2), (6.0, 38, 3.0), (11.5, 42, 4.6), (17.0, 36, 3.6)):
        trunk_top = size * 0.7
        canvas.stroke([(x_m, 0, z_m), (x_m, trunk_top, z_m)], (62, 76, 88), width_m=0.45)
        _foliage(
            canvas, rng, at=(x_m, trunk_top + size * 0.55, z_m), spread=(size * 0.8, size * 0.7)
        )
    for step in range(44):
        x_m = -4.0 + step * 0.75
        _foliage(canvas, rng, at=(x_m, 0.55, 29.5), spread=(0.7, 0.6), leaves=60)


def draw_building(canvas: Canvas, rng: np.random.Generator) -> None:
    """Draw the front with its doors, windows, lamp and sign, and the roof's edge."""
    left, right, top, z_m = plan.WALL_LEFT, plan.WALL_RIGHT, plan.WALL_TOP, plan.WALL_Z
    side_z = z_m + 14.0
    canvas.fill(
        [(right, top, z_m), (right, top, side_z), (right, 0, side_z), (right, 0, z_m)],
        (132, 136, 136),
    )
    corners = [(left, top, z_m), (right, top, z_m), (right, 0.0, z_m), (left, 0.0, z_m)]
    canvas.lay(_front_texture(rng), corners)
    canvas.stroke([(left, top, z_m), (right + 0.05, top, z_m)], (92, 90, 88), width_m=0.16)
    canvas.stroke([(right - 0.2, top, z_m), (right - 0.2, 0.1, z_m)], (138, 140, 138), width_m=0.10)
    canvas.shade(
        [(left, 0, z_m), (right, 0, z_m), (right + 0.25, 0, z_m - 0.3), (left, 0, z_m - 0.3)],
        strength=0.30,
        blur_px=3.0,
    )


def _front_texture(rng: np.random.Generator) -> BgrImage:
    height = round(plan.WALL_TOP * _PX_PER_M)
    width = round((plan.WALL_RIGHT - plan.WALL_LEFT) * _PX_PER_M)
    ribs_W = 1.0 + 0.035 * np.sign(np.sin(np.arange(width) * 2 * np.pi / (0.30 * _PX_PER_M)))
    fall_H = np.linspace(1.05, 0.95, height)
    grime_HW = 0.022 * cloudy(rng, height=height, width=width, grain_px=46)
    wall_HW3 = tinted(_CLADDING, ribs_W[None, :] * fall_H[:, None] + grime_HW)
    _panel(wall_HW3, (plan.WALL_LEFT, 0.0), (plan.WALL_RIGHT, 0.5), _PLINTH)
    _panel(wall_HW3, (plan.WALL_LEFT, 3.55), (plan.WALL_RIGHT, 3.95), (146, 108, 62))
    _roller_door(wall_HW3)
    for left in (-10.6, -8.9, -7.2):
        _window(wall_HW3, left)
    _panel(wall_HW3, (0.55, 0.0), (1.45, 2.1), _FRAME)
    _panel(wall_HW3, (0.62, 0.0), (1.38, 2.04), (118, 92, 64))
    _panel(wall_HW3, (0.78, 1.25), (1.22, 1.85), _GLASS)
    _panel(wall_HW3, (0.68, 2.35), (1.32, 2.50), (225, 238, 242))
    for x_m in (plan.DOOR_LEFT - 0.55, plan.DOOR_RIGHT + 0.20):
        _panel(wall_HW3, (x_m, 2.85), (x_m + 0.34, 3.05), (215, 235, 244))
    cv2.putText(
        wall_HW3, "GOODS IN", _at(-3.35, 3.62), cv2.FONT_HERSHEY_DUPLEX, 0.82, (238, 240, 240), 2
    )
    return wall_HW3


def _at(x_m: float, y_m: float) -> tuple[int, int]:
    return (round((x_m - plan.WALL_LEFT) * _PX_PER_M), round((plan.WALL_TOP - y_m) * _PX_PER_M))


def _panel(
    wall_HW3: BgrImage, low: tuple[float, float], high: tuple[float, float], colour: Colour
) -> None:
    """Fill from the lower left ``(x, y)`` to the upper right."""
    cv2.rectangle(wall_HW3, _at(*low), _at(*high), colour, cv2.FILLED)


def _roller_door(wall_HW3: BgrImage) -> None:
    left, right, top = plan.DOOR_LEFT, plan.DOOR_RIGHT, plan.DOOR_TOP
    _panel(wall_HW3, (left - 0.16, 0.0), (right + 0.16, top + 0.14), _FRAME)
    _panel(wall_HW3, (left, 0.0), (right, top), _SHUTTER)
    y_m = 0.16
    while y_m < top:
        start, end = _at(left, y_m), _at(right, y_m)
        cv2.line(wall_HW3, start, end, (106, 100, 92), 2)
        cv2.line(wall_HW3, (start[0], start[1] - 3), (end[0], end[1] - 3), (142, 136, 126), 1)
        y_m += 0.16
    _panel(wall_HW3, (left, 0.0), (right, 0.14), (60, 60, 60))
    stripe = (right - left) / 10
    for index in range(10):
        if index % 2 == 0:
            x_m = left + index * stripe
            _panel(wall_HW3, (x_m, 0.0), (x_m + stripe, 0.14), (62, 184, 222))


def _window(wall_HW3: BgrImage, left: float) -> None:
    _panel(wall_HW3, (left - 0.07, 1.23), (left + 1.37, 2.77), (196, 198, 196))
    _panel(wall_HW3, (left, 1.30), (left + 1.30, 2.70), _GLASS)
    top_left, bottom_right = _at(left, 2.70), _at(left + 1.30, 1.30)
    glass_HW3 = wall_HW3[top_left[1] : bottom_right[1], top_left[0] : bottom_right[0]]
    fall_H11 = np.linspace(1.55, 0.8, glass_HW3.shape[0])[:, None, None]
    glass_HW3[:] = np.clip(glass_HW3 * fall_H11, 0, 255).astype(np.uint8)
    _panel(wall_HW3, (left + 0.62, 1.30), (left + 0.68, 2.70), (196, 198, 196))


def draw_fence(canvas: Canvas, mask: Canvas) -> None:
    """Draw the fence and the opened gate, and the same in white on ``mask``."""
    for layer, is_mask in ((canvas, False), (mask, True)):

        def colour(shade: Colour, *, white: bool = is_mask) -> Colour:
            return (255, 255, 255) if white else shade

        _mesh(layer, plan.WALL_RIGHT, plan.GATE_LEFT, colour(_METAL))
        _mesh(layer, plan.GATE_RIGHT, plan.FENCE_RIGHT, colour(_METAL))
        leaf_right = plan.GATE_RIGHT + (plan.GATE_RIGHT - plan.GATE_LEFT)
        for y_m in (0.25, 1.15, 1.95):
            layer.stroke(
                [(plan.GATE_RIGHT, y_m, plan.WALL_Z), (leaf_right, y_m, plan.WALL_Z)],
                colour((88, 100, 92)),
                width_m=0.08,
            )
        for x_m in (plan.GATE_LEFT, plan.GATE_RIGHT):
            post = [(x_m, 0.0, plan.WALL_Z), (x_m, plan.FENCE_TOP + 0.25, plan.WALL_Z)]
            layer.stroke(post, colour((84, 92, 88)), width_m=0.17)
            tip = [(x_m, plan.FENCE_TOP + 0.05, plan.WALL_Z), (x_m, 2.35, plan.WALL_Z)]
            layer.stroke(tip, colour((60, 180, 220)), width_m=0.17)


def _mesh(layer: Canvas, left: float, right: float, colour: Colour) -> None:
    z_m, top = plan.WALL_Z, plan.FENCE_TOP
    x_m = left
    while x_m < right:
        layer.stroke([(x_m, 0.05, z_m), (x_m, top, z_m)], colour, width_m=0.012)
        x_m += 0.12
    for y_m in (0.10, 0.75, 1.40, top):
        layer.stroke([(left, y_m, z_m), (right, y_m, z_m)], colour, width_m=0.035)
    x_m = left
    while x_m <= right:
        layer.stroke([(x_m, 0.0, z_m), (x_m, top + 0.05, z_m)], colour, width_m=0.07)
        x_m += 2.0


def draw_furniture(canvas: Canvas, rng: np.random.Generator) -> None:
    """Draw bins, pallets, bollards and planters, each with its shadow."""
    for x_m, colour in ((-9.6, (78, 104, 62)), (-8.5, (128, 92, 52))):
        _box(canvas, (x_m, x_m + 0.85), (15.0, 15.8), 1.15, colour)
        _box(canvas, (x_m - 0.04, x_m + 0.89), (14.96, 15.8), 0.10, (60, 62, 62), base_m=1.15)
    for layer in range(4):
        base_m = layer * 0.16
        _box(canvas, (-7.0, -5.9), (14.9, 15.8), 0.12, (112, 150, 176), base_m=base_m)
    # Outside the restricted area: detectors take bollards for people now and then.
    for x_m in (plan.RESTRICTED.left - 0.45, plan.RESTRICTED.right + 0.28):
        _box(canvas, (x_m - 0.09, x_m + 0.09), (15.5, 15.68), 0.8, (52, 186, 228))
        _box(canvas, (x_m - 0.09, x_m + 0.09), (15.5, 15.68), 0.14, (48, 48, 50), base_m=0.45)
    for near, far in ((12.6, 14.9), (9.4, 11.8)):
        _box(canvas, (6.5, 7.4), (near, far), 0.5, (124, 132, 140))
        for step in range(9):
            z_m = far - 0.2 - step * (far - near - 0.4) / 8
            _foliage(canvas, rng, at=(6.95, 0.75, z_m), spread=(0.42, 0.32), leaves=90)


def _box(
    canvas: Canvas,
    across: tuple[float, float],
    along: tuple[float, float],
    height: float,
    colour: Colour,
    base_m: float = 0.0,
) -> None:
    """Draw a box that stands ``base_m`` above the ground, seen from its near side."""
    (left, right), (near, far) = across, along
    low, high = base_m, base_m + height
    if base_m == 0.0:
        shift = (plan.SUN_SHADOW[0] * height, plan.SUN_SHADOW[1] * height)
        shadow = [
            (left, 0.0, near),
            (right, 0.0, near),
            (right + shift[0], 0.0, near + shift[1]),
            (right + shift[0], 0.0, min(plan.WALL_Z, far + shift[1])),
            (left, 0.0, far),
        ]
        canvas.shade(shadow, strength=0.34, blur_px=1.2)
    dim, dark = _scaled(colour, 0.84), _scaled(colour, 0.66)
    if left > 0:
        canvas.fill(
            [(left, low, near), (left, low, far), (left, high, far), (left, high, near)], colour
        )
    else:
        canvas.fill(
            [(right, low, near), (right, low, far), (right, high, far), (right, high, near)], dark
        )
    canvas.fill(
        [(left, low, near), (right, low, near), (right, high, near), (left, high, near)], dim
    )
    top = [(left, high, near), (right, high, near), (right, high, far), (left, high, far)]
    canvas.fill(top, _scaled(colour, 1.12))


def _foliage(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    at: tuple[float, float, float],
    spread: tuple[float, float],
    leaves: int = 520,
) -> None:
    """Draw a bush or a crown of blotches: dark below and behind, light above."""
    x_m, y_m, z_m = at
    for index in range(leaves):
        lightness = 0.62 + 0.62 * index / leaves
        angle, reach = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 1))
        spot = (
            x_m + spread[0] * reach * np.cos(angle),
            y_m + spread[1] * reach * np.sin(angle) + spread[1] * 0.25 * index / leaves,
            z_m,
        )
        size = spread[1] * rng.uniform(0.07, 0.14)
        corners = [
            (spot[0] + size * np.cos(turn), spot[1] + size * np.sin(turn), z_m)
            for turn in rng.uniform(0, 1) + np.arange(6) * np.pi / 3
        ]
        canvas.fill(corners, _scaled(_LEAVES, lightness * rng.uniform(0.88, 1.12)))


def _scaled(colour: Colour, factor: float) -> Colour:
    blue, green, red = (min(255, round(part * factor)) for part in colour)
    return (blue, green, red)
