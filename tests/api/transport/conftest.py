from collections.abc import Iterator

import pytest

from api.transport.connection import RedisClient, connect


@pytest.fixture
def client(redis_url: str) -> Iterator[RedisClient]:
    connected = connect(redis_url)
    yield connected
    connected.close()
