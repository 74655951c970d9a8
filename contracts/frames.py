"""Frames and the queue that carries them from ingest to vision.

Shape legend: H = height, W = width in pixels, 3 = blue, green, red.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

BgrImage = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameHeader:
    """What is known about a frame besides its pixels.

    Attributes:
        camera_id: Whose frame.
        run_id: From connect to disconnect of one stream; scopes ``seq`` and track ids.
        seq: Counts the *received* (sampled) frames of the run; a gap is a loss in the account.
        captured_at: Best UTC estimate of exposure, from the stream's clock.
        monotonic_s: Stream time in seconds, never decreasing within a run. For durations.
        width, height: Of these pixels (analysis size), in pixels.
        is_patched: What moves may be smeared, or be seen where it was: parts arrived damaged.
    """

    camera_id: str
    run_id: str
    seq: int
    captured_at: datetime
    monotonic_s: float
    width: int
    height: int
    is_patched: bool = False

    @property
    def frame_id(self) -> str:
        """Name of the frame within its run, as claims cite it: ``f_12``."""
        return f"f_{self.seq}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One decoded picture. Whoever writes to its pixels makes a copy first."""

    header: FrameHeader
    pixels_HW3: BgrImage


class SharedPixels(Protocol):
    """Pixels in memory that ingest and vision share; newer ones take their place before long."""

    def copy(self) -> BgrImage | None:
        """Return them whole, or None if they are not there any more: the frame is overtaken."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EncodedFrame:
    """One picture as it travels, at analysis size: a JPEG, or where its pixels are."""

    header: FrameHeader
    jpeg: bytes = b""
    shared: SharedPixels | None = None


class FrameOutcome(StrEnum):
    """Where a frame ended. Each received frame ends in exactly one of these, or is still queued."""

    ANALYSED = "analysed"
    GATED = "gated"
    """Nothing moved: tracks were carried on without the detector."""
    EXPIRED = "expired"
    """Older than the age budget when it was its turn."""
    SHED = "shed"
    """Left out in favour of the others: the machine is too busy for all (``vision/ladder.py``)."""
    QUEUE_FULL = "queue_full"
    """Pushed out by newer frames before anyone took it."""
    OVERTAKEN = "overtaken"
    """Newer frames had taken its place in shared memory when it was its turn."""
    DECODE_ERROR = "decode_error"
    """Its JPEG could not be read back."""
    ANALYSIS_ERROR = "analysis_error"
    """The pipeline raised on it; logged with its cause."""
    QUEUE_UNAVAILABLE = "queue_unavailable"
    """Redis could not take it."""
    FROM_ENDED_RUN = "from_ended_run"
    """Came from a run that a newer one has replaced."""

    @property
    def is_loss(self) -> bool:
        """Whether the picture was neither analysed nor found still."""
        return self not in (FrameOutcome.ANALYSED, FrameOutcome.GATED)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QueuedFrame:
    """A frame taken from the queue: its place there, to settle it by, and since when it was."""

    entry_id: str
    frame: EncodedFrame
    queued_at: datetime | None = None


class FrameReader(Protocol):
    """Vision's end of the frame queue. One reader per camera at a time (see ``Leases``)."""

    def take(self, camera_ids: Sequence[str], *, timeout_s: float) -> list[QueuedFrame]:
        """Return frames not yet returned to this reader, oldest first for each camera.

        A new reader begins with the oldest unsettled frame. Empty at the time-out.

        Raises:
            TransportUnavailable: The queue cannot be reached.
        """
        ...

    def settle(self, queued: QueuedFrame, outcome: FrameOutcome) -> bool:
        """Remove the frame and count its end; False if it was already gone (counted elsewhere)."""
        ...
