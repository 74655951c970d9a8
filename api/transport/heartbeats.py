"""Stage processes report themselves and their metrics; the API reads them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from api.ports import StageHealth
from api.transport.connection import RedisClient, translate_errors
from contracts.codec import CodecError, decode, encode
from contracts.errors import TransportUnavailable

_INDEX: Final = "vigil:stages"
_LIFE_S: Final = 6
"""A stage silent for this long is gone."""


class RedisHeartbeats:
    """Both ends of the stages' heartbeat; implements ``api.ports.SystemHealth``.

    Args:
        client: A redis-py client whose answers are bytes.
    """

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    def beat(self, health: StageHealth, metrics_text: str) -> None:
        """Say that a stage process is alive. Raises TransportUnavailable."""
        with translate_errors("sending a heartbeat"):
            pipe = self._client.pipeline(transaction=False)
            pipe.sadd(_INDEX, health.instance)
            pipe.set(_health(health.instance), encode(health), ex=_LIFE_S)
            pipe.set(_metrics(health.instance), metrics_text.encode(), ex=_LIFE_S)
            pipe.execute()

    def stages(self) -> Sequence[StageHealth]:
        """Return the stage processes that reported within the last seconds, by name."""
        found: list[StageHealth] = []
        for instance, content in self._read(_health).items():
            try:
                found.append(decode(content, StageHealth))
            except CodecError:
                self._client.srem(_INDEX, instance)
        return sorted(found, key=lambda health: (health.stage, health.instance))

    def stage_metrics(self) -> Mapping[str, str]:
        """Return each stage process's metrics in Prometheus text form, by instance."""
        return {name: content.decode() for name, content in self._read(_metrics).items()}

    def is_queue_reachable(self) -> bool:
        """Say whether Redis answers."""
        try:
            with translate_errors("pinging"):
                return bool(self._client.ping())
        except TransportUnavailable:
            return False

    def _read(self, key: Any) -> dict[str, bytes]:  # noqa: ANN401  # one of the key functions below
        with translate_errors("reading heartbeats"):
            instances = sorted(name.decode() for name in self._client.smembers(_INDEX))
            if not instances:
                return {}
            contents = self._client.mget([key(name) for name in instances])
            gone = [
                name for name, content in zip(instances, contents, strict=True) if content is None
            ]
            if gone:
                self._client.srem(_INDEX, *gone)
        return {
            name: content
            for name, content in zip(instances, contents, strict=True)
            if content is not None
        }


def _health(instance: str) -> str:
    return f"vigil:stage:{instance}"


def _metrics(instance: str) -> str:
    return f"vigil:metrics:{instance}"
