"""Pictures of a video file at a steady rate."""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from contracts.errors import ConfigError
from contracts.frames import BgrImage

LONGEST_SIDE = 640


def pictures(path: Path, *, fps: float) -> Iterator[tuple[float, BgrImage]]:
    """Yield time in seconds and pixels (H, W, 3), the longer side at most 640.

    Raises:
        ConfigError: The file cannot be opened or decoded.
    """
    due_s = 0.0
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            for frame in container.decode(stream):
                time_s = float(frame.time or 0.0)
                if time_s + 1e-3 >= due_s:
                    due_s = time_s + 1 / fps
                    yield time_s, fitted(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
    except (av.FFmpegError, IndexError, OSError) as error:
        raise ConfigError(f"{path}: not a video that can be read: {error}") from error


def still(path: Path) -> BgrImage:
    """Return a picture file's pixels at full size.

    Raises:
        ConfigError: It is missing, or not a picture.
    """
    try:
        pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error) as error:
        raise ConfigError(f"{path}: not a picture that can be read: {error}") from error
    if pixels is None:
        raise ConfigError(f"{path}: not a picture that can be read")
    return np.asarray(pixels, np.uint8)


def fitted(pixels_HW3: BgrImage) -> BgrImage:
    """Return the picture, made smaller if its longer side is over the limit."""
    height, width = pixels_HW3.shape[:2]
    scale = LONGEST_SIDE / max(height, width)
    if scale >= 1:
        return pixels_HW3
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels_HW3, size, interpolation=cv2.INTER_AREA), np.uint8)
