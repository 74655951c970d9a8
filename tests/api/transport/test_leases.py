from api.transport.connection import RedisClient
from api.transport.leases import RedisLeases


def test_one_holder_at_a_time_and_a_growing_token(client: RedisClient) -> None:
    first = RedisLeases(client, holder="a", lease_s=3)
    second = RedisLeases(client, holder="b", lease_s=3)

    token = first.acquire("ingest:gate")
    assert token is not None
    assert first.acquire("ingest:gate") == token
    assert second.acquire("ingest:gate") is None
    first.release("ingest:gate")
    taken_over = second.acquire("ingest:gate")

    assert taken_over is not None
    assert taken_over > token


def test_a_lease_ends_by_itself(client: RedisClient) -> None:
    RedisLeases(client, holder="dead", lease_s=3).acquire("vision:gate")
    assert 0 < client.pttl("vigil:lease:{vision:gate}") <= 3000
    client.pexpire("vigil:lease:{vision:gate}", 0)

    assert RedisLeases(client, holder="b", lease_s=3).acquire("vision:gate") is not None


def test_a_lease_of_somebody_else_is_not_released(client: RedisClient) -> None:
    RedisLeases(client, holder="a", lease_s=3).acquire("x")
    RedisLeases(client, holder="b", lease_s=3).release("x")

    assert RedisLeases(client, holder="b", lease_s=3).acquire("x") is None
