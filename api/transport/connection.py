"""Connections to Redis, with deadlines, and the errors of the client in our own words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import redis

from contracts.errors import ConfigError, TransportUnavailable

RedisClient: TypeAlias = Any
"""A ``redis.Redis``; its own annotations say of each answer that it may be awaitable."""

SOCKET_TIMEOUT_S: Final = 2.0
"""A frozen Redis holds a caller no longer than this (plus the time a blocking read asks for)."""

BLOCK_MAX_S: Final = 1.0
"""Longest blocking read; below the socket's time-out, so that silence is not an error."""


def connect(url: str) -> RedisClient:
    """Return a client that connects when first used; answers are bytes.

    Raises:
        ConfigError: The URL is not one of Redis.
    """
    try:
        return redis.Redis.from_url(
            url,
            socket_timeout=SOCKET_TIMEOUT_S,
            socket_connect_timeout=SOCKET_TIMEOUT_S,
            health_check_interval=0,
            decode_responses=False,
        )
    except ValueError as error:
        raise ConfigError(
            "redis_url must begin with redis://, rediss:// or unix://; "
            "for instance redis://127.0.0.1:6379/0"
        ) from error


@contextmanager
def translate_errors(what: str) -> Iterator[None]:
    """Raise TransportUnavailable, without addresses or secrets, for any failure of the client."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
        raise TransportUnavailable(
            f"{what}: Redis does not answer ({type(error).__name__})"
        ) from error
    except redis.ResponseError as error:
        raise TransportUnavailable(f"{what}: Redis refused ({error})") from error


def check_server(client: RedisClient) -> list[str]:
    """Return what is wrong with a server's settings; empty if it may carry alerts.

    Raises:
        TransportUnavailable: It does not answer.
    """
    problems: list[str] = []
    with translate_errors("checking the server"):
        try:
            policy = _setting(client, "maxmemory-policy")
            durable = _setting(client, "appendonly")
        except redis.ResponseError:
            return ["its settings cannot be read (CONFIG is disabled); make sure of noeviction"]
    if policy != "noeviction":
        problems.append(
            f"maxmemory-policy is {policy!r}: it would silently evict alerts; set noeviction"
        )
    if durable != "yes":
        problems.append("appendonly is off: a crash loses acknowledged alerts; set appendonly yes")
    return problems


def _setting(client: RedisClient, name: str) -> str:
    found = client.config_get(name)
    value = next(iter(found.values()), "")
    return value.decode() if isinstance(value, bytes) else str(value)
