"""Work between stages: at least once, acknowledged, idempotent by id."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from contracts.cameras import CameraView
from contracts.frames import FrameHeader
from contracts.geometry import Box

INCIDENTS: Final = "incidents"
"""Topic of ``Incident``: consumed by moe_core (reasons), alerts (tells) and vision (sequences)."""
FINDINGS: Final = "findings"
"""Topic of ``Finding``: consumed by alerts."""
CLIPS: Final = "clips"
"""Topic of ``ClipRequest``: consumed by ingest."""
EVIDENCE: Final = "evidence"
"""Topic of ``EvidenceReady``: consumed by alerts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """One message in one group's hands.

    Attributes:
        item_id: The sender's id of the content; a repeat carries the same.
        deliveries: How often it has been handed out, this time included.
    """

    topic: str
    group: str
    entry_id: str
    item_id: str
    payload: bytes
    deliveries: int = 1


class WorkQueue(Protocol):
    """Durable topics with consumer groups."""

    def publish(self, topic: str, *, item_id: str, payload: bytes) -> None:
        """Append to the topic; durable when it returns.

        Raises:
            TransportUnavailable: Not taken; the caller keeps it and tries again.
        """
        ...

    def receive(
        self, topics: Sequence[str], *, group: str, max_items: int, timeout_s: float
    ) -> list[WorkItem]:
        """Return new items, and items whose consumer died before it acknowledged them.

        An item handed out five times without being acknowledged goes to the topic's dead-letter
        stream instead, is counted and logged.

        Raises:
            TransportUnavailable: Try again later.
        """
        ...

    def acknowledge(self, item: WorkItem) -> None:
        """Say that the item's effects are durable. Raises TransportUnavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveBox:
    """One track as the dashboard draws it."""

    track_id: str
    label: str
    box: Box
    is_alerting: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LivePicture:
    """The newest analysed frame of a camera with its tracks, and whether the camera sees."""

    header: FrameHeader
    jpeg: bytes
    boxes: tuple[LiveBox, ...]
    view: CameraView = field(default_factory=CameraView)
