"""What a synthetic source plays."""

from datetime import datetime
from typing import Protocol

from contracts.frames import BgrImage


class Scene(Protocol):
    """A scripted picture without end.

    Attributes:
        width, height: Of its pictures, in pixels, even.
        fps: Pictures per second that it is meant to be played at.
    """

    width: int
    height: int
    fps: float

    def picture(self, index: int, *, shown_at: datetime) -> BgrImage:
        """Draw picture ``index``, the moment ``index / fps`` of the script.

        The same arguments give the same pixels.

        Args:
            index: 0 or more.
            shown_at: What the clock in the picture says.
        """
        ...
