"""What changed about each camera, on Redis: the newest, for whoever asks what happened.

Ingest writes the phases of its connection and what carries it, vision the rungs of its ladder.
"""

from collections.abc import Sequence
from typing import Final

import structlog

from api.transport.connection import RedisClient, translate_errors
from contracts.codec import CodecError, decode, encode
from contracts.errors import TransportUnavailable
from ingest.changes import CameraChange
from vision.attention import RungChange

log = structlog.get_logger()

KEPT: Final = 500
"""Changes of one camera: days of a healthy one, an hour of one that flaps every few seconds."""


class RedisJournal:
    """Writes and reads changes of phase, of carrier and of rung.

    Args:
        client: A redis-py client whose answers are bytes.
    """

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    def add(self, change: CameraChange | RungChange) -> None:
        """Append a change; dropped (it is in the log) if Redis does not answer."""
        try:
            with translate_errors("writing a change of a camera"):
                self._client.xadd(
                    _key(change.camera_id),
                    {b"change": encode(change)},
                    maxlen=KEPT,
                    approximate=True,
                )
        except TransportUnavailable as error:
            log.debug("change of a camera dropped", camera_id=change.camera_id, cause=str(error))

    def newest(self, camera_id: str, *, limit: int) -> Sequence[CameraChange]:
        """Return the newest changes of any of these, newest first. Raises TransportUnavailable."""
        with translate_errors("reading changes of a camera"):
            entries = self._client.xrevrange(_key(camera_id), count=limit)
        found: list[CameraChange] = []
        for _, fields in entries:
            try:
                found.append(decode(fields[b"change"], CameraChange))
            except (CodecError, KeyError) as error:
                log.warning("change of a camera cannot be read", cause=type(error).__name__)
        return found


def _key(camera_id: str) -> str:
    return f"vigil:{{{camera_id}}}:changes"
