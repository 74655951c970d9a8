"""Encoded frames for the pipeline: noise that moves, so that the motion gate stays open."""

from dataclasses import replace
from datetime import timedelta
from functools import cache

import cv2
import numpy as np

from contracts.frames import EncodedFrame, FrameHeader
from tests.fakes.clock import START

SIZE = (160, 90)
FPS = 5.0


@cache
def _jpeg(variant: int) -> bytes:
    pixels = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    left = 10 + 20 * variant
    cv2.rectangle(pixels, (left, 20), (left + 30, 70), (200, 180, 160), cv2.FILLED)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def encoded(
    seq: int,
    *,
    camera_id: str = "cam",
    run_id: str = "run1",
    at_s: float | None = None,
    starts_s: float = 0.0,
    is_still: bool = False,
) -> EncodedFrame:
    """Frame ``seq`` of a run at 5 fps whose stream second 0 is ``starts_s`` after ``START``."""
    stream_s = seq / FPS if at_s is None else at_s
    return EncodedFrame(
        header=FrameHeader(
            camera_id=camera_id,
            run_id=run_id,
            seq=seq,
            captured_at=START + timedelta(seconds=starts_s + stream_s),
            monotonic_s=stream_s,
            width=SIZE[0],
            height=SIZE[1],
        ),
        jpeg=_jpeg(0 if is_still else seq % 5),
    )


def corrupt(frame: EncodedFrame) -> EncodedFrame:
    """The same frame, its JPEG broken."""
    return replace(frame, jpeg=b"\xff\xd8 no picture")
