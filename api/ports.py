"""What the web needs of the running system beyond storage; ``api/transport`` implements it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contracts.cameras import Camera, CameraStatus
from contracts.queues import LivePicture
from ingest.webrtc.signals import Signal, SignalAnswer


class LivePictures(Protocol):
    """Reads what ``LiveView`` shows."""

    def latest(self, camera_id: str, *, is_watched: bool = False) -> LivePicture | None:
        """Return the newest picture, or None if there is none (any more).

        Args:
            camera_id: Whose.
            is_watched: Somebody looks and will look again: they are to come with each frame.
        """
        ...


class CameraStatuses(Protocol):
    """Reads what the ingestors say of their cameras."""

    def status(self, camera_id: str) -> CameraStatus | None:
        """Return the last status; None if nobody has said anything in the last seconds."""
        ...


class CameraPublisher(Protocol):
    """Tells the stages which cameras there are now."""

    def publish_cameras(self, cameras: Sequence[Camera]) -> None:
        """Replace the list of cameras. Raises TransportUnavailable."""
        ...


class CameraSignals(Protocol):
    """Reaches the ingest process that holds a camera."""

    def ask(self, signal: Signal) -> SignalAnswer:
        """Hand a WebRTC request over and return the answer, by ``signal.until`` at the latest.

        Raises:
            SignalRefused: Nobody holds the camera, or its holder does not answer.
            TransportUnavailable: Nobody can say.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StageHealth:
    """One stage process as it last reported itself."""

    stage: str
    instance: str
    pid: int
    reported_at: datetime
    restarts: int = 0


class SystemHealth(Protocol):
    """Whether the parts are there."""

    def stages(self) -> Sequence[StageHealth]:
        """Return the stage processes that have reported within the last seconds."""
        ...

    def is_queue_reachable(self) -> bool:
        """Say whether Redis answers."""
        ...

    def stage_metrics(self) -> Mapping[str, str]:
        """Return each stage process's metrics in Prometheus text form, by instance."""
        ...
