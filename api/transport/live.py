"""The newest picture of each camera on Redis, for dashboards."""

from typing import Final

import msgspec
import structlog

from api.transport.connection import RedisClient, translate_errors
from contracts.cameras import CameraView
from contracts.errors import TransportUnavailable
from contracts.frames import FrameHeader
from contracts.queues import LiveBox, LivePicture

log = structlog.get_logger()

_LIFE_S: Final = 10
"""An older picture is not live any more."""


class _Caption(msgspec.Struct):
    """What is known about a live picture besides its pixels."""

    header: FrameHeader
    boxes: tuple[LiveBox, ...]
    view: CameraView = msgspec.field(default_factory=CameraView)


class RedisLiveView:
    """Implements ``contracts.queues.LiveView`` and reads it back.

    Args:
        client: A redis-py client whose answers are bytes.
    """

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    def show(self, picture: LivePicture) -> None:
        """Replace the camera's newest picture; dropped if Redis does not answer."""
        caption = msgspec.json.encode(
            _Caption(header=picture.header, boxes=picture.boxes, view=picture.view)
        )
        key = _key(picture.header.camera_id)
        try:
            with translate_errors("showing a live picture"):
                pipe = self._client.pipeline(transaction=True)
                pipe.hset(key, mapping={b"caption": caption, b"jpeg": picture.jpeg})
                pipe.expire(key, _LIFE_S)
                pipe.execute()
        except TransportUnavailable as error:
            log.debug("live picture dropped", camera_id=picture.header.camera_id, cause=str(error))

    def latest(self, camera_id: str) -> LivePicture | None:
        """Return the newest picture, or None if there is none (any more)."""
        with translate_errors("reading a live picture"):
            caption, jpeg = self._client.hmget(_key(camera_id), [b"caption", b"jpeg"])
        if not caption or not jpeg:
            return None
        described = msgspec.json.decode(caption, type=_Caption)
        return LivePicture(
            header=described.header, jpeg=jpeg, boxes=described.boxes, view=described.view
        )


def _key(camera_id: str) -> str:
    return f"vigil:{{{camera_id}}}:live"
