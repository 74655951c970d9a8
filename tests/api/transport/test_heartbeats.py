from api.ports import StageHealth
from api.transport.connection import RedisClient, connect
from api.transport.heartbeats import RedisHeartbeats
from tests.fakes.clock import START


def test_a_stage_is_seen_until_it_falls_silent(client: RedisClient) -> None:
    beats = RedisHeartbeats(client)
    health = StageHealth(stage="vision", instance="vision-1", pid=7, reported_at=START)
    beats.beat(health, "x_total 1\n")
    assert list(beats.stages()) == [health]
    assert beats.stage_metrics() == {"vision-1": "x_total 1\n"}

    client.delete("vigil:stage:vision-1", "vigil:metrics:vision-1")

    assert list(beats.stages()) == []
    assert client.smembers("vigil:stages") == set()


def test_an_absent_redis_is_unreachable_not_an_error() -> None:
    assert not RedisHeartbeats(connect("redis://127.0.0.1:1/0")).is_queue_reachable()
