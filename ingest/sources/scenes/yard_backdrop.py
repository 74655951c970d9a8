"""The empty yard: drawn once, then only copied.

Shape legend: H = height, W = width in pixels, 3 = blue, green, red.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage
from ingest.sources.scenes import yard_plan as plan
from ingest.sources.scenes.canvas import Canvas
from ingest.sources.scenes.yard_ground import GROUND, ground_texture
from ingest.sources.scenes.yard_structures import (
    draw_building,
    draw_fence,
    draw_furniture,
    draw_surroundings,
)

_SCALE: Final = 3
_LENS_BLUR_PX: Final = 0.55
_VIGNETTE: Final = 0.16
_HAZE_BGR: Final = (222, 214, 206)
_HAZE: Final = 0.10
"""Share of haze at the top of the picture, fading to none at half its height."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Backdrop:
    """The yard without anybody.

    Attributes:
        pixels_HW3: The whole picture.
        fence_HW3: The fence's own colours, for what stands behind it.
        fence_HW1: How much of each pixel the fence covers, 0 to 1.
        light_HW1: Darkening towards the corners by the lens, 0 to 1; it applies to actors as well.
    """

    pixels_HW3: BgrImage
    fence_HW3: BgrImage
    fence_HW1: npt.NDArray[np.float32]
    light_HW1: npt.NDArray[np.float32]


def draw_backdrop(*, seed: int) -> Backdrop:
    """Draw the yard; the same picture for the same seed."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(plan.VIEW, scale=_SCALE, fill=(120, 130, 120))
    draw_surroundings(canvas, rng)
    corners = [(x, 0.0, z) for x, z in GROUND.corners()]
    canvas.lay(ground_texture(rng), corners)
    draw_building(canvas, rng)
    fence = Canvas(plan.VIEW, scale=_SCALE, fill=(110, 116, 112))
    mask = Canvas(plan.VIEW, scale=_SCALE, fill=(0, 0, 0))
    draw_fence(fence, mask)
    cover_HW1 = (mask.to_size()[:, :, :1] / 255.0).astype(np.float32)
    fence_HW3 = fence.to_size()
    np.copyto(canvas.pixels_HW3, fence.pixels_HW3, where=mask.pixels_HW3 > 127)
    draw_furniture(canvas, rng)
    light_HW1 = _lens_light()
    pixels_HW3 = _as_seen(canvas.to_size(), light_HW1)
    return Backdrop(
        pixels_HW3=pixels_HW3,
        fence_HW3=(fence_HW3 * light_HW1).astype(np.uint8),
        fence_HW1=cover_HW1,
        light_HW1=light_HW1,
    )


def _lens_light() -> npt.NDArray[np.float32]:
    rows_H1 = np.linspace(-1.0, 1.0, plan.VIEW.height)[:, None]
    columns_W = np.linspace(-1.0, 1.0, plan.VIEW.width)
    radius_HW = (rows_H1**2 * 0.6 + columns_W**2) / 1.6
    return np.asarray(1.0 - _VIGNETTE * radius_HW[:, :, None] ** 1.5, np.float32)


def _as_seen(pixels_HW3: BgrImage, light_HW1: npt.NDArray[np.float32]) -> BgrImage:
    haze_H11 = np.clip(1.0 - np.arange(plan.VIEW.height) / (plan.VIEW.height / 2), 0, 1) * _HAZE
    haze_H11 = haze_H11[:, None, None]
    hazy_HW3 = pixels_HW3 * (1.0 - haze_H11) + np.array(_HAZE_BGR) * haze_H11
    seen_HW3 = cv2.GaussianBlur(hazy_HW3 * light_HW1, (0, 0), _LENS_BLUR_PX)
    return np.clip(seen_HW3, 0, 255).astype(np.uint8)
