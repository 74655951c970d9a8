"""Pictures at the size at which they are analysed.

Shape legend: H = height, W = width in pixels, 3 = blue, green, red.
"""

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from contracts.frames import BgrImage


class OneThreadReformatter:
    """Brings pictures to another size and format in one pass, on the thread of whoever asks.

    Keeps libswscale's tables for as long as sizes and formats stay the same.
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def scaled(
        self,
        picture: VideoFrame,
        *,
        width: int,
        height: int,
        as_format: str,
        how: Interpolation = Interpolation.AREA,
    ) -> VideoFrame:
        """Return a picture of ``width`` x ``height`` pixels in libav's format ``as_format``."""
        return self._reformatter.reformat(
            picture, width=width, height=height, format=as_format, interpolation=how, threads=1
        )


class PictureScaler:
    """Brings pictures to analysis size as BGR, in one pass of libswscale.

    Args:
        width: Pixels; a smaller picture keeps its own width.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._reformatter = OneThreadReformatter()

    def to_bgr(self, picture: VideoFrame) -> BgrImage:
        """Return pixels (H, W, 3), uint8. The height keeps the proportions, rounded to even."""
        width, height = analysis_size(picture.width, picture.height, width=self._width)
        scaled = self._reformatter.scaled(picture, width=width, height=height, as_format="bgr24")
        return np.asarray(scaled.to_ndarray(), dtype=np.uint8)


def analysis_size(source_width: int, source_height: int, *, width: int) -> tuple[int, int]:
    """Return width and (even) height of a picture scaled down to ``width``; never up."""
    if width >= source_width:
        return source_width, max(2, source_height - source_height % 2)
    return width, max(2, 2 * round(source_height * width / source_width / 2))
