"""Frames as they are decoded: luma and two planes of colour at half the size each way (I420).

They go to shared memory as they are, in half the room of BGR and without a conversion that only
those need who look at the picture.

Shape legend: H = height, W = width in pixels, both even; 3 = blue, green, red.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from contracts.frames import BgrImage, Frame, FrameHeader
from ingest.masks import pixels_of

Plane = npt.NDArray[np.uint8]

_UNSAID: Final = 2
_COLOURS: Final = frozenset({_UNSAID, 5, 6})
"""ITU-R BT.601 as libav numbers it, which is what is meant where nothing is said."""
_RANGES: Final = frozenset({0, 1})
"""16 to 235, or not said. Pictures of JPEG have 0 to 255."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanarFrame:
    """One decoded picture at analysis size; its planes are the decoder's: nobody writes to them."""

    header: FrameHeader
    planes: tuple[Plane, Plane, Plane]

    def in_bgr(self) -> Frame:
        """Return the same with pixels of three colours."""
        height, width = self.planes[0].shape
        packed = np.concatenate([plane.reshape(-1) for plane in self.planes])
        return Frame(header=self.header, pixels_HW3=to_bgr(packed, height=height, width=width))


def planes_of(picture: VideoFrame) -> tuple[Plane, Plane, Plane] | None:
    """Return a picture's planes (H, W), (H/2, W/2), (H/2, W/2); None if it is of another kind."""
    is_usual = (
        picture.format.name == "yuv420p"
        and int(picture.colorspace) in _COLOURS
        and int(picture.color_range) in _RANGES
    )
    if not is_usual or picture.width % 2 or picture.height % 2:
        return None
    luma, blue, red = (pixels_of(plane) for plane in picture.planes)
    return luma, blue, red


def to_bgr(packed: Plane, *, height: int, width: int) -> BgrImage:
    """Return the pixels (H, W, 3) of planes that lie one behind the other without gaps."""
    rows = packed.reshape(height * 3 // 2, width)
    return np.asarray(cv2.cvtColor(rows, cv2.COLOR_YUV2BGR_I420), np.uint8)
