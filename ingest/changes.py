"""What changed about a camera's connection, as its journal has it."""

from dataclasses import dataclass
from datetime import datetime

from contracts.cameras import CameraState


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraChange:
    """One step: of the phase of a camera's connection, or of what carries its stream.

    Attributes:
        before, after: Names of phases (``ingest/phases.py``) or of carriers (``tcp``, ``udp``).
        state: What the camera is from then on.
        cause: Of what came after, in words without secrets; empty if it is well.
        lasted_s: How long what was before had held.
    """

    camera_id: str
    at: datetime
    before: str
    after: str
    state: CameraState
    cause: str
    lasted_s: float
