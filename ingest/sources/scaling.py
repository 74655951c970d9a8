"""Pictures at the size at which they are analysed.

Shape legend: H = height, W = width in pixels, 3 = blue, green, red.
"""

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from contracts.frames import BgrImage


class PictureScaler:
    """Brings pictures to analysis size as BGR, in one pass of libswscale.

    Args:
        width: Pixels; a smaller picture keeps its own width.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._reformatter = VideoReformatter()

    def to_bgr(self, picture: VideoFrame) -> BgrImage:
        """Return pixels (H, W, 3), uint8. The height keeps the proportions, rounded to even."""
        width, height = analysis_size(picture.width, picture.height, width=self._width)
        scaled = self._reformatter.reformat(
            picture,
            width=width,
            height=height,
            format="bgr24",
            interpolation=Interpolation.AREA,
            threads=1,
        )
        return np.asarray(scaled.to_ndarray(), dtype=np.uint8)


def analysis_size(source_width: int, source_height: int, *, width: int) -> tuple[int, int]:
    """Return width and (even) height of a picture scaled down to ``width``; never up."""
    if width >= source_width:
        return source_width, max(2, source_height - source_height % 2)
    return width, max(2, 2 * round(source_height * width / source_width / 2))
