"""What a picture must be before a detector that reads a model file looks at it.

Shape legend: H = height, W = width in pixels, 3 = blue, green, red.
"""

import numpy as np

from contracts.frames import BgrImage, Frame


def require_picture(frame: Frame) -> BgrImage:
    """Return the frame's pixels, shape (H, W, 3), uint8, at least one pixel.

    Every size from 1x1 on is looked at; a detector scales it to its own. Grey pictures and such
    with transparency are refused instead of converted: frames are BGR by contract, so another
    layout is a defect of who made them, and a guess at the order of channels would cost accuracy
    without a word.

    Raises:
        ValueError: It is anything else; the message names the camera and the frame.
    """
    pixels = frame.pixels_HW3
    if pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.size:
        return pixels
    raise ValueError(
        f"camera {frame.header.camera_id}, frame {frame.header.frame_id}: a detector takes "
        "pictures of shape (height, width, 3) and type uint8 (blue, green, red), got "
        f"{pixels.shape} of {pixels.dtype}{_advice(pixels.shape)}"
    )


def _advice(shape: tuple[int, ...]) -> str:
    if len(shape) == 2 or shape[2:] == (1,):
        return "; convert grey with cv2.COLOR_GRAY2BGR"
    if shape[2:] == (4,):
        return "; drop the fourth channel with cv2.COLOR_BGRA2BGR"
    return ""
