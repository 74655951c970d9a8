"""What one frame shows: in the form in which it came, and in others once they are asked for."""

from typing import Final, Literal, Self

import cv2
import numpy as np

from contracts.frames import BgrImage, EncodedFrame, Frame, FrameHeader
from vision.drawing import decode_jpeg, encode_jpeg

_QUALITY: Final = 85
"""Of a kept frame that did not come as JPEG: what others come with."""


class Picture:
    """One frame's picture, of its own: nothing that comes later changes it.

    Made of a JPEG or of pixels. What is kept of a frame is a JPEG; most frames are kept nowhere,
    and of those that came as pixels none is made.

    Args:
        header: Of the frame.
        jpeg: It, if it came as one.
        pixels_HW3: They, if it did not; nobody writes to them any more.
    """

    def __init__(
        self, header: FrameHeader, *, jpeg: bytes = b"", pixels_HW3: BgrImage | None = None
    ) -> None:
        self.header: Final = header
        self._jpeg = jpeg
        self._pixels_HW3 = pixels_HW3

    @classmethod
    def of(cls, frame: EncodedFrame) -> Self | None:
        """Return a frame's picture; None if newer frames have taken its place in memory."""
        if frame.shared is None:
            return cls(frame.header, jpeg=frame.jpeg)
        pixels_HW3 = frame.shared.copy()
        return None if pixels_HW3 is None else cls(frame.header, pixels_HW3=pixels_HW3)

    @property
    def has_pixels(self) -> bool:
        """Whether it holds its pixels, and not a JPEG alone."""
        return self._pixels_HW3 is not None

    @property
    def jpeg(self) -> bytes:
        """The picture as JPEG: as it came, or made when it is asked for first."""
        if not self._jpeg and self._pixels_HW3 is not None:
            self._jpeg = encode_jpeg(self._pixels_HW3, quality=_QUALITY)
        return self._jpeg

    def whole(self) -> Frame | None:
        """Return all its pixels; None if the JPEG cannot be read."""
        pixels_HW3 = self._pixels_HW3
        return self._frame(decode_jpeg(self._jpeg) if pixels_HW3 is None else pixels_HW3)

    def reduced(self, by: Literal[1, 2, 4, 8]) -> Frame | None:
        """Return it with its sides divided by so much; None if the JPEG cannot be read.

        The header stays the frame's own and tells the size of the whole picture.
        """
        pixels_HW3 = self._pixels_HW3
        if pixels_HW3 is None:
            return self._frame(decode_jpeg(self._jpeg, reduced_by=by))
        for _ in range(by.bit_length() - 1):
            # Halving is what OpenCV does fast: in two steps a quarter takes a third of the time.
            height, width = pixels_HW3.shape[:2]
            half = (-(-width // 2), -(-height // 2))
            pixels_HW3 = np.asarray(cv2.resize(pixels_HW3, half, interpolation=cv2.INTER_AREA))
        return self._frame(pixels_HW3)

    def fold(self) -> None:
        """Keep the JPEG alone from now on: what is kept for long takes a thirtieth of the room."""
        if self.jpeg:
            self._pixels_HW3 = None

    def _frame(self, pixels_HW3: BgrImage | None) -> Frame | None:
        return None if pixels_HW3 is None else Frame(header=self.header, pixels_HW3=pixels_HW3)
