"""Cameras and their status on Redis, between the API (or the settings file) and the stages."""

from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from api.transport.connection import RedisClient, translate_errors
from contracts.cameras import Camera, CameraStatus
from contracts.codec import CodecError, decode, encode
from contracts.errors import TransportUnavailable

log = structlog.get_logger()

_CAMERAS: Final = "vigil:cameras"
_GROUPS: Final = "vigil:ingest-groups"
_STATUS_LIFE_S: Final = 10
"""A status older than this is gone: silence must not look like health."""


class RedisCameraDirectory:
    """Implements ``contracts.cameras.CameraDirectory`` and the API's side of it.

    Args:
        client: A redis-py client whose answers are bytes.
        group: Only the cameras of this ingest process; None for all.
    """

    def __init__(self, client: RedisClient, *, group: int | None = None) -> None:
        self._client = client
        self._group = group

    def cameras(self) -> Sequence[Camera]:
        """Return all cameras (of the group) that the API has published, by id."""
        with translate_errors("reading the cameras"):
            content, groups = self._client.mget([_CAMERAS, _GROUPS])
        cameras = decode(content, tuple[Camera, ...]) if content else ()
        if self._group is None:
            return cameras
        group_of = decode(groups, dict[str, int]) if groups else {}
        return [camera for camera in cameras if group_of.get(camera.camera_id) == self._group]

    def publish_groups(self, group_of: Mapping[str, int]) -> None:
        """Say which ingest process reads which camera."""
        with translate_errors("publishing the groups of cameras"):
            self._client.set(_GROUPS, encode(dict(group_of)))

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
