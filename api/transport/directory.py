"""Cameras and their status on Redis, between the API (or the settings file) and the stages."""

from collections.abc import Sequence
from typing import Final

import structlog

from api.transport.connection import RedisClient, translate_errors
from contracts.cameras import Camera, CameraStatus
from contracts.codec import CodecError, decode, encode
from contracts.errors import TransportUnavailable

log = structlog.get_logger()

_CAMERAS: Final = "vigil:cameras"
_STATUS_LIFE_S: Final = 10
"""A status older than this is gone: silence must not look like health."""


class RedisCameraDirectory:
    """Implements ``contracts.cameras.CameraDirectory`` and the API's side of it.

    Args:
        client: A redis-py client whose answers are bytes.
    """

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    def cameras(self) -> Sequence[Camera]:
        """Return all cameras that the API has published, by id."""
        with translate_errors("reading the cameras"):
            content = self._client.get(_CAMERAS)
        return decode(content, tuple[Camera, ...]) if content else ()

    def publish_cameras(self, cameras: Sequence[Camera]) -> None:
        """Replace the list of cameras."""
        with translate_errors("publishing the cameras"):
            self._client.set(_CAMERAS, encode(tuple(cameras)))

    def publish_status(self, status: CameraStatus) -> None:
        """Say how a camera is doing; dropped if Redis does not answer."""
        try:
            with translate_errors("publishing a status"):
                self._client.set(_status(status.camera_id), encode(status), ex=_STATUS_LIFE_S)
        except TransportUnavailable as error:
            log.debug("status dropped", camera_id=status.camera_id, cause=str(error))

    def status(self, camera_id: str) -> CameraStatus | None:
        """Return the last status; None if nobody has said anything in the last seconds."""
        with translate_errors("reading a status"):
            content = self._client.get(_status(camera_id))
        if not content:
            return None
        try:
            return decode(content, CameraStatus)
        except CodecError as error:
            log.warning("status cannot be read", camera_id=camera_id, cause=str(error))
            return None


def _status(camera_id: str) -> str:
    return f"vigil:{{{camera_id}}}:status"
