"""A privacy mask over the left quarter of the picture, and whether a picture has it."""

import cv2
import numpy as np

from contracts.geometry import Zone

LEFT = Zone(zone_id="left", polygon=((0.0, 0.0), (0.25, 0.0), (0.25, 1.0), (0.0, 1.0)))


def is_covered(jpeg: bytes) -> bool:
    """Whether the left quarter is flat, but for JPEG beside its border; the walker's never is."""
    pixels_HW3 = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels_HW3 is not None
    quarter_HW3 = pixels_HW3[:, : pixels_HW3.shape[1] // 4 - 8]
    return int(quarter_HW3.max()) - int(quarter_HW3.min()) <= 6
