from pathlib import Path

import pytest
import redis

from api.transport.redis_server import EmbeddedRedis
from contracts.clock import SystemClock
from contracts.errors import ConfigError


def test_what_was_acknowledged_is_there_after_a_restart(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path, clock=SystemClock())
    server.start()
    redis.Redis.from_url(server.url).xadd("vigil:x", {"a": "1"})
    server.stop()
    assert not server.is_running

    server.start()

    assert redis.Redis.from_url(server.url).xlen("vigil:x") == 1
    server.stop()


def test_it_refuses_writes_rather_than_evicting(redis_url: str) -> None:
    policy = redis.Redis.from_url(redis_url).config_get("maxmemory-policy")
    assert policy == {"maxmemory-policy": "noeviction"}


def test_a_path_too_long_for_a_socket_says_what_to_do(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / ("x" * 120), clock=SystemClock())
    with pytest.raises(ConfigError, match="choose a shorter data_dir"):
        server.start()


def test_the_server_of_a_killed_instance_is_taken_over(tmp_path: Path) -> None:
    orphan = EmbeddedRedis(tmp_path, clock=SystemClock())
    orphan.start()
    redis.Redis.from_url(orphan.url).xadd("vigil:x", {"a": "1"})

    server = EmbeddedRedis(tmp_path, clock=SystemClock())
    server.start()

    assert not orphan.is_running
    assert redis.Redis.from_url(server.url).xlen("vigil:x") == 1
    server.stop()
