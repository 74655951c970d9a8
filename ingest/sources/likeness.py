"""Whether a picture that arrived damaged still shows the view, by the last one that was whole.

Shape legend: H, W = pixels of the small pictures.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from ingest.sources.scaling import OneThreadReformatter

SIZE: Final = (80, 45)
CHANGED_LEVELS: Final = 20.0
"""A pixel shows something else if it is farther away than this, after the light, in grey levels."""
ALIKE_SHARE: Final = 0.05
"""Part of the picture that may show something else: people, and small damage; not half a view."""

_Luma = npt.NDArray[np.float32]


class Likeness:
    """Remembers the last whole picture of one stream."""

    def __init__(self) -> None:
        self._whole: VideoFrame | None = None
        self._whole_HW: _Luma | None = None
        self._reformatter = OneThreadReformatter()

    def keep(self, picture: VideoFrame) -> None:
        """Take a picture that is whole for what the view looks like; costs nothing."""
        self._whole, self._whole_HW = picture, None

    def is_kept(self, picture: VideoFrame) -> bool:
        """Whether a picture shows the view that was kept, but for a small part; False if none."""
        if self._whole is None:
            return False
        if self._whole_HW is None:
            self._whole_HW = self._small(self._whole)
        difference_HW = self._small(picture) - self._whole_HW
        difference_HW -= np.median(difference_HW)
        changed = np.count_nonzero(np.abs(difference_HW) > CHANGED_LEVELS)
        return bool(changed <= ALIKE_SHARE * difference_HW.size)

    def _small(self, picture: VideoFrame) -> _Luma:
        width, height = SIZE
        scaled = self._reformatter.scaled(picture, width=width, height=height, as_format="gray")
        return scaled.to_ndarray().astype(np.float32)
