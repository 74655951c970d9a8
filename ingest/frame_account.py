"""The frame queue as ingest writes it, and the account that the API reads of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from contracts.frames import EncodedFrame, Frame
from ingest.planar_frame import PlanarFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameAccount:
    """A camera's ledger since its counters were made. ``received`` counts sampled frames.

    What the source decoded and left out on purpose (``skipped`` by sampling, ``corrupt``) is
    counted apart: it never became a frame of the queue.

    Attributes:
        carrier: How the newest frame travelled: ``memory`` or ``jpeg``; empty before any did.
    """

    received: int = 0
    queued: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    skipped: int = 0
    corrupt: int = 0
    carrier: str = field(default="", compare=False)

    @property
    def settled(self) -> int:
        """Frames whose end is known."""
        return sum(self.outcomes.values())

    @property
    def is_balanced(self) -> bool:
        """Whether received = settled + queued: nothing lost unnoticed, nothing counted twice."""
        return self.received == self.settled + self.queued


class FrameWriter(Protocol):
    """Ingest's end of the frame queue."""

    def put(self, frame: Frame | PlanarFrame | EncodedFrame) -> None:
        """Append the frame and count it as received; the oldest goes if the queue is full.

        Pixels are the caller's again when it returns.

        Never raises for a queue that cannot be reached: the frame is then counted locally as
        ``queue_unavailable`` and the count is added to the account when the queue is back.
        """
        ...

    def count_unqueued(self, camera_id: str, *, skipped: int = 0, corrupt: int = 0) -> None:
        """Add frames that the source decoded and did not queue, by reason."""
        ...

    def let_go(self, camera_id: str) -> None:
        """Free what is kept for a camera that this process reads no more."""
        ...


class FrameLedger(Protocol):
    """Reads the account of frames."""

    def account(self, camera_id: str) -> FrameAccount:
        """Return a consistent (atomic) reading of the camera's account."""
        ...
