"""The scene ``yard``: backdrop, actors, sensor noise and a camera's overlay put together.

Shape legend: H = height, W = width in pixels, 3 = blue, green, red.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import cv2
import numpy as np

from contracts.frames import BgrImage
from ingest.sources.scenes import yard_plan as plan
from ingest.sources.scenes.shapes import Figure, cast_shadow, figure_window, paint
from ingest.sources.scenes.yard_backdrop import Backdrop, draw_backdrop
from ingest.sources.scenes.yard_script import yard_actors

OVERLAY_NAME: Final = "DEMO YARD"
_SEED: Final = 7
_NOISE_LEVELS: Final = 1.7
"""Standard deviation of the sensor's noise, grey levels of 256."""
_NOISE_SPARE: Final = (61, 97)
"""Rows and columns of noise beyond the picture: each picture takes another part."""
_NOISE_STEP: Final = (23, 41)
_LIGHT_DRIFT: Final = 0.012
"""Largest change of brightness by passing clouds, as a share; whole waves in a loop."""
_LIGHT_WAVES: Final = 3
_SHADOW_STRENGTH: Final = 0.42
_SHADOW_BLUR_PX: Final = 1.7
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SIZE: Final = 0.45
_MARGIN_PX: Final = 8


class YardScene:
    """A yard behind a warehouse, in a loop of ``PERIOD_S``; see ``yard_script`` for the story."""

    width: int = plan.VIEW.width
    height: int = plan.VIEW.height
    fps: float = plan.FPS

    def __init__(self) -> None:
        self._backdrop: Backdrop = draw_backdrop(seed=_SEED)
        self._noise_HW3 = _noise(self.height, self.width)

    def picture(self, index: int, *, shown_at: datetime) -> BgrImage:
        """See ``Scene.picture``."""
        t_s = index / self.fps
        pixels_HW3 = self._backdrop.pixels_HW3.copy()
        self._draw_actors(pixels_HW3, [actor.figure for actor in yard_actors(t_s)])
        seen_HW3 = self._sense(pixels_HW3, index)
        _write_overlay(seen_HW3, shown_at)
        return seen_HW3

    def _draw_actors(self, pixels_HW3: BgrImage, figures: Sequence[Figure]) -> None:
        """Draw from far to near, all shadows first, the fence over what stands behind it."""
        for figure in figures:
            cast_shadow(
                pixels_HW3, figure.shadows, strength=_SHADOW_STRENGTH, blur_px=_SHADOW_BLUR_PX
            )
        for figure in sorted(figures, key=lambda figure: -figure.depth_m):
            paint(pixels_HW3, figure.shapes)
            if figure.is_behind_fence:
                self._draw_fence_over(pixels_HW3, figure)

    def _draw_fence_over(self, pixels_HW3: BgrImage, figure: Figure) -> None:
        window = figure_window(figure, self.width, self.height)
        if window is None:
            return
        rows, columns = window
        part_HW3 = pixels_HW3[rows, columns]
        cover_HW1 = self._backdrop.fence_HW1[rows, columns]
        fence_HW3 = self._backdrop.fence_HW3[rows, columns]
        part_HW3[:] = (part_HW3 * (1.0 - cover_HW1) + fence_HW3 * cover_HW1).astype(np.uint8)

    def _sense(self, pixels_HW3: BgrImage, index: int) -> BgrImage:
        """Return what the sensor makes of it: slow changes of light, and noise."""
        share = index / (plan.PERIOD_S * self.fps)
        gain = 1.0 + _LIGHT_DRIFT * float(np.sin(2 * np.pi * _LIGHT_WAVES * share))
        top = index * _NOISE_STEP[0] % _NOISE_SPARE[0]
        left = index * _NOISE_STEP[1] % _NOISE_SPARE[1]
        noise_HW3 = self._noise_HW3[top : top + self.height, left : left + self.width]
        # The noise is stored around 128, which the last argument takes off again.
        return np.asarray(cv2.addWeighted(pixels_HW3, gain, noise_HW3, 1.0, -128.0), np.uint8)


def _noise(height: int, width: int) -> BgrImage:
    """Return noise around 128, mostly of luma and a little coarser than pixels, as sensors have."""
    rng = np.random.default_rng(_SEED)
    size = (height + _NOISE_SPARE[0], width + _NOISE_SPARE[1])
    luma_HW1 = cv2.GaussianBlur(rng.normal(size=size), (0, 0), 0.6)[:, :, None]
    chroma_HW3 = cv2.GaussianBlur(rng.normal(size=(*size, 3)), (0, 0), 1.2)
    noise_HW3 = luma_HW1 / luma_HW1.std() + 0.45 * chroma_HW3 / chroma_HW3.std()
    around_HW3 = np.clip(np.round(128 + _NOISE_LEVELS * noise_HW3), 0, 255)
    return np.asarray(around_HW3, np.uint8)


def _write_overlay(pixels_HW3: BgrImage, shown_at: datetime) -> None:
    clock = f"{shown_at:%Y-%m-%d  %H:%M:%S} UTC"
    (wide, _), _ = cv2.getTextSize(clock, _FONT, _FONT_SIZE, 1)
    base = _MARGIN_PX + 9
    for text, left in (
        (OVERLAY_NAME, _MARGIN_PX),
        (clock, pixels_HW3.shape[1] - wide - _MARGIN_PX),
    ):
        for shift, colour in ((1, (30, 30, 30)), (0, (250, 250, 250))):
            at = (left + shift, base + shift)
            cv2.putText(pixels_HW3, text, at, _FONT, _FONT_SIZE, colour, 1, cv2.LINE_AA)
