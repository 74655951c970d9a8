"""What a vision worker must find again after a crash, on Redis."""

from typing import Final

from api.transport.connection import RedisClient, translate_errors

_LIFE_S: Final = 24 * 3600
"""Open incidents of yesterday are of no use to anybody."""


class RedisCheckpoints:
    """Keeps one checkpoint for each camera; implements vision's port ``Checkpoints``.

    Args:
        client: A redis-py client whose answers are bytes.
    """

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    def load(self, camera_id: str) -> bytes | None:
        """Return what was saved last, if anything."""
        with translate_errors("loading a checkpoint"):
            content = self._client.get(_key(camera_id))
        return bytes(content) if content is not None else None

    def save(self, camera_id: str, content: bytes) -> None:
        """Replace the camera's checkpoint."""
        with translate_errors("saving a checkpoint"):
            self._client.set(_key(camera_id), content, ex=_LIFE_S)


def _key(camera_id: str) -> str:
    return f"vigil:{{{camera_id}}}:checkpoint"
