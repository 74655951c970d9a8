import pytest

from api.transport.connection import RedisClient, connect
from api.transport.work_queue import CONSUMER_LIFE_MS, MAX_DELIVERIES, RedisWorkQueue
from contracts.errors import TransportUnavailable
from contracts.queues import FINDINGS, INCIDENTS, WorkItem
from tests.fakes.clock import ManualClock


def queue(client: RedisClient, consumer: str) -> RedisWorkQueue:
    return RedisWorkQueue(client, consumer=consumer, clock=ManualClock())


def receive(consumer: RedisWorkQueue, group: str = "alerts") -> list[WorkItem]:
    topics = [INCIDENTS] if group == "moe_core" else [INCIDENTS, FINDINGS]
    return consumer.receive(topics, group=group, max_items=10, timeout_s=0.01)


def age(
    client: RedisClient, consumer: str, item: WorkItem, idle_ms: int = CONSUMER_LIFE_MS
) -> None:
    """Make an item look as if ``consumer`` had died ``idle_ms`` ago with it in its hands."""
    deliveries = item.deliveries
    client.delete(f"vigil:consumer:{consumer}")
    client.execute_command(
        "XCLAIM", f"vigil:{{{item.topic}}}", item.group, consumer, 0, item.entry_id,
        "IDLE", idle_ms + 1000, "RETRYCOUNT", deliveries,
    )  # fmt: skip


def test_each_group_sees_each_item_once(client: RedisClient) -> None:
    queue(client, "vision").publish(INCIDENTS, item_id="i1", payload=b"x")

    for group in ("alerts", "moe_core"):
        [item] = receive(queue(client, f"{group}-1"), group)
        assert (item.item_id, item.payload, item.deliveries) == ("i1", b"x", 1)
        assert receive(queue(client, f"{group}-2"), group) == []


def test_an_item_is_deleted_only_when_every_group_has_acknowledged_it(client: RedisClient) -> None:
    producer = queue(client, "vision")
    producer.publish(INCIDENTS, item_id="i1", payload=b"x")
    alerts, core = queue(client, "a"), queue(client, "m")

    [for_alerts] = receive(alerts)
    alerts.acknowledge(for_alerts)
    assert producer.depth(INCIDENTS) == 1

    [for_core] = receive(core, "moe_core")
    assert producer.depth(INCIDENTS) == 1
    core.acknowledge(for_core)
    assert producer.depth(INCIDENTS) == 1

    sequences = queue(client, "s")
    [for_sequences] = sequences.receive([INCIDENTS], group="sequences", max_items=9, timeout_s=0.1)
    sequences.acknowledge(for_sequences)
    assert producer.depth(INCIDENTS) == 0


def test_what_a_dead_consumer_held_goes_to_another(client: RedisClient) -> None:
    queue(client, "vision").publish(INCIDENTS, item_id="i1", payload=b"x")
    [held] = receive(queue(client, "dead"))
    age(client, "dead", held)

    [again] = receive(queue(client, "living"))

    assert (again.item_id, again.deliveries) == ("i1", 2)


def test_what_a_living_consumer_holds_stays_with_it(client: RedisClient) -> None:
    queue(client, "vision").publish(INCIDENTS, item_id="i1", payload=b"x")
    [held] = receive(queue(client, "slow"))
    age(client, "slow", held)
    client.set("vigil:consumer:slow", b"1")

    assert receive(queue(client, "other")) == []


def test_a_poison_item_ends_in_the_dead_letter_stream_and_others_go_on(client: RedisClient) -> None:
    producer = queue(client, "vision")
    producer.publish(FINDINGS, item_id="poison", payload=b"?")
    [item] = receive(queue(client, "c0"))
    for attempt in range(1, MAX_DELIVERIES):
        age(client, f"c{attempt - 1}", item)
        [item] = receive(queue(client, f"c{attempt}"))
    assert item.deliveries == MAX_DELIVERIES
    age(client, f"c{MAX_DELIVERIES - 1}", item)
    producer.publish(FINDINGS, item_id="good", payload=b"x")

    assert [found.item_id for found in receive(queue(client, "last"))] == ["good"]
    assert producer.dead_letters(FINDINGS) == 1


def test_an_emptied_redis_is_taken_up_again(client: RedisClient) -> None:
    consumer = queue(client, "a")
    receive(consumer)
    client.flushall()

    assert receive(consumer) == []
    consumer.publish(INCIDENTS, item_id="i2", payload=b"x")

    assert [item.item_id for item in receive(consumer)] == ["i2"]


def test_a_redis_that_is_not_there_is_said_without_its_address() -> None:
    nowhere = connect("redis://:secret@127.0.0.1:1/0")
    with pytest.raises(TransportUnavailable, match="does not answer") as raised:
        queue(nowhere, "a").publish(INCIDENTS, item_id="i", payload=b"")
    assert "secret" not in str(raised.value)
