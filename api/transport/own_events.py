"""What cameras said by themselves, on Redis: the newest of each, for whoever asks."""

from collections.abc import Sequence
from typing import Final

import structlog

from api.transport.connection import RedisClient, translate_errors
from contracts.codec import CodecError, decode, encode
from contracts.errors import TransportUnavailable
from ingest.onvif.events import OwnEvent

log = structlog.get_logger()

KEPT: Final = 300


class RedisOwnEvents:
    """Writes and reads cameras' own events.

    Args:
        client: A redis-py client whose answers are bytes.
    """

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    def add(self, event: OwnEvent) -> None:
        """Append an event; dropped (it is in the log) if Redis does not answer."""
        try:
            with translate_errors("writing a camera's own event"):
                self._client.xadd(
                    _key(event.camera_id),
                    {b"event": encode(event)},
                    maxlen=KEPT,
                    approximate=True,
                )
        except TransportUnavailable as error:
            log.debug("own event dropped", camera_id=event.camera_id, cause=str(error))

    def newest(self, camera_id: str, *, limit: int) -> Sequence[OwnEvent]:
        """Return the newest events, newest first. Raises TransportUnavailable."""
        with translate_errors("reading a camera's own events"):
            entries = self._client.xrevrange(_key(camera_id), count=limit)
        found: list[OwnEvent] = []
        for _, fields in entries:
            try:
                found.append(decode(fields[b"event"], OwnEvent))
            except (CodecError, KeyError) as error:
                log.warning("own event cannot be read", cause=type(error).__name__)
        return found


def _key(camera_id: str) -> str:
    return f"vigil:{{{camera_id}}}:own-events"
