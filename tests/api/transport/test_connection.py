import pytest

from api.transport.connection import RedisClient, check_server, connect
from contracts.errors import ConfigError


def test_the_embedded_redis_passes_its_own_check(client: RedisClient) -> None:
    assert check_server(client) == []


def test_a_server_that_would_evict_alerts_is_named(client: RedisClient) -> None:
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        [problem] = check_server(client)
    finally:
        client.config_set("maxmemory-policy", "noeviction")
    assert "set noeviction" in problem


def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="must begin with redis://"):
        connect("http://example.org")
