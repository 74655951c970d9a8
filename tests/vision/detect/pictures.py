"""Painted scenes: a textured room with noise, and bodies in it."""

from datetime import timedelta

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import Frame, FrameHeader
from tests.fakes.clock import START

Picture = npt.NDArray[np.uint8]
SIZE = (360, 640)
GRAIN = np.random.default_rng(7).normal(0, 1, SIZE).astype(np.float32)


def room(*, seed: int = 1) -> Picture:
    """A wall above a striped floor, 640 x 360."""
    rng = np.random.default_rng(seed)
    height, width = SIZE
    picture = np.full((height, width, 3), 150, np.uint8)
    stripes = np.repeat(rng.integers(70, 120, width // 8), 8)
    picture[height // 2 :] = stripes[None, :, None]
    picture[60:140, 60:140] = (90, 110, 130)
    return picture


def with_person(
    picture: Picture, left: int, top: int, *, size: tuple[int, int] = (50, 140)
) -> Picture:
    """A dark body with a lighter top at ``left, top`` (pixels), of ``size`` (width, height)."""
    width, height = size
    changed = picture.copy()
    x1, x2 = max(0, left), max(0, left + width)
    changed[top : top + height, x1:x2] = (50, 40, 30)
    changed[top : top + height // 4, x1:x2] = (60, 110, 170)
    return changed


def photographed(picture: Picture, number: int, *, noise: float = 2.0) -> Picture:
    """The picture with sensor noise (grey levels), through JPEG as frames travel."""
    height, width = picture.shape[:2]
    # One field of noise, moved: drawing it anew for each frame takes most of the tests' time.
    grain = np.roll(GRAIN, (37 * number, 101 * number), axis=(0, 1))[:height, :width, None]
    clean = np.clip(picture + noise * grain, 0, 255).astype(np.uint8)
    _, jpeg = cv2.imencode(".jpg", clean, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


def frame_of(
    picture: Picture,
    number: int,
    *,
    camera_id: str = "cam",
    at_s: float | None = None,
    noise: float = 2.0,
) -> Frame:
    """Frame ``number`` of a stream that shows this picture, five a second unless ``at_s``."""
    at_s = number / 5 if at_s is None else at_s
    pixels = photographed(picture, number, noise=noise)
    return Frame(
        header=FrameHeader(
            camera_id=camera_id,
            run_id="run1",
            seq=number,
            captured_at=START + timedelta(seconds=at_s),
            monotonic_s=at_s,
            width=pixels.shape[1],
            height=pixels.shape[0],
        ),
        pixels_HW3=pixels,
    )
