"""The cameras that this process holds, as publishers and viewers find them."""

import threading
from dataclasses import dataclass, field

from contracts.cameras import Camera
from ingest.webrtc.live_feed import LiveFeed
from ingest.webrtc.publication import Intake


@dataclass(slots=True, eq=False)
class LiveCamera:
    """One camera held here: where its publisher comes in, and what its viewers get."""

    camera: Camera
    intake: Intake = field(default_factory=Intake)
    feed: LiveFeed = field(init=False)

    def __post_init__(self) -> None:
        self.feed = LiveFeed(self.intake)


class LiveCameras:
    """Keeps them by id. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cameras: dict[str, LiveCamera] = {}

    def open(self, camera: Camera) -> LiveCamera:
        """Return the camera's place; one that was open stays, with its publisher and viewers."""
        with self._lock:
            live = self._cameras.get(camera.camera_id)
            if live is None:
                live = self._cameras[camera.camera_id] = LiveCamera(camera)
        if live.camera.source.source_type is not camera.source.source_type:
            self._end_publication(live, "the camera's source was changed")
        elif live.camera.keeps_audio != camera.keeps_audio:  # who publishes is asked for it anew
            self._end_publication(live, "whether its sound is kept was changed")
        live.camera = camera
        return live

    def close(self, camera_id: str) -> None:
        """Forget a camera that is not held any more; its publisher is ended."""
        with self._lock:
            live = self._cameras.pop(camera_id, None)
        if live is not None:
            self._end_publication(live, "this camera is not read here any more")

    def find(self, camera_id: str) -> LiveCamera | None:
        """Return the camera if it is held here."""
        with self._lock:
            return self._cameras.get(camera_id)

    @staticmethod
    def _end_publication(live: LiveCamera, cause: str) -> None:
        publication = live.intake.current
        if publication is not None:
            publication.end(cause)
