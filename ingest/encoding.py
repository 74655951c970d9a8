"""Frames as JPEG: for queues that carry no pixels, and for recordings."""

from typing import Final

import cv2

from contracts.frames import EncodedFrame, Frame
from ingest.metrics import STAGE_SECONDS
from ingest.planar_frame import PlanarFrame

_ENCODE: Final = STAGE_SECONDS.labels("encode")


def as_jpeg(frame: Frame | PlanarFrame, *, quality: int) -> EncodedFrame:
    """Return the frame as JPEG; quality 1 to 100."""
    with _ENCODE.time():
        if isinstance(frame, PlanarFrame):
            frame = frame.in_bgr()
        _, jpeg = cv2.imencode(".jpg", frame.pixels_HW3, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return EncodedFrame(header=frame.header, jpeg=jpeg.tobytes())
