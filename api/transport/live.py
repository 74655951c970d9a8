"""The newest picture of each camera on Redis, for dashboards."""

from typing import Final

import msgspec
import structlog

from api.transport.connection import RedisClient, translate_errors
from contracts.cameras import CameraView
from contracts.clock import Clock, SystemClock
from contracts.errors import TransportUnavailable
from contracts.frames import FrameHeader
from contracts.queues import LiveBox, LivePicture

log = structlog.get_logger()

_LIFE_S: Final = 10
"""An older picture is not live any more."""
_UNWATCHED_S: Final = 1.0
"""While nobody looks a picture a second is enough for whoever comes."""
_WATCHED_S: Final = 10
"""Who has looked is thought to look again for so long."""


class _Caption(msgspec.Struct):
    """What is known about a live picture besides its pixels."""

    header: FrameHeader
    boxes: tuple[LiveBox, ...]
    view: CameraView = msgspec.field(default_factory=CameraView)


class RedisLiveView:
    """Implements ``vision.live.LiveView`` and reads it back.

    Args:
        client: A redis-py client whose answers are bytes.
        clock: For how often to show what nobody watches.
    """

    def __init__(self, client: RedisClient, *, clock: Clock | None = None) -> None:
        self._client = client
        self._clock = clock or SystemClock()
        self._due_s: dict[str, float] = {}

    def is_due(self, camera_id: str) -> bool:
        """Whether somebody watches the camera, or the last picture is a second old."""
        return self._clock.monotonic_s() >= self._due_s.get(camera_id, float("-inf"))

    def show(self, picture: LivePicture) -> None:
        """Replace the camera's newest picture; dropped if Redis does not answer."""
        caption = msgspec.json.encode(
            _Caption(header=picture.header, boxes=picture.boxes, view=picture.view)
        )
        camera_id = picture.header.camera_id
        key = _key(camera_id)
        is_watched = False
        try:
            with translate_errors("showing a live picture"):
                pipe = self._client.pipeline(transaction=True)
                pipe.hset(key, mapping={b"caption": caption, b"jpeg": picture.jpeg})
                pipe.expire(key, _LIFE_S)
                pipe.exists(_watched_key(camera_id))
                *_, is_watched = pipe.execute()
        except TransportUnavailable as error:
            log.debug("live picture dropped", camera_id=camera_id, cause=str(error))
        now_s = self._clock.monotonic_s()
        self._due_s[camera_id] = now_s if is_watched else now_s + _UNWATCHED_S

    def latest(self, camera_id: str, *, is_watched: bool = False) -> LivePicture | None:
        """Return the newest picture, or None if there is none (any more).

        Args:
            camera_id: Whose.
            is_watched: Somebody looks and will look again: from now on each frame is shown.
        """
        with translate_errors("reading a live picture"):
            if is_watched:
                self._client.set(_watched_key(camera_id), b"1", ex=_WATCHED_S)
            caption, jpeg = self._client.hmget(_key(camera_id), [b"caption", b"jpeg"])
        if not caption or not jpeg:
            return None
        described = msgspec.json.decode(caption, type=_Caption)
        return LivePicture(
            header=described.header, jpeg=jpeg, boxes=described.boxes, view=described.view
        )


def _key(camera_id: str) -> str:
    return f"vigil:{{{camera_id}}}:live"


def _watched_key(camera_id: str) -> str:
    return f"vigil:{{{camera_id}}}:watched"
