"""Topics between the stages on Redis Streams: at least once, with a dead-letter stream.

Keys: ``vigil:{<topic>}`` is the stream, ``vigil:{<topic>}:dead`` holds what was handed out
``MAX_DELIVERIES`` times without being acknowledged.
"""

from collections.abc import Sequence
from typing import Any, Final

import redis
import structlog

from api.transport.connection import BLOCK_MAX_S, RedisClient, translate_errors
from contracts.clock import Clock
from contracts.queues import CLIPS, EVIDENCE, FINDINGS, INCIDENTS, WorkItem

log = structlog.get_logger()

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    INCIDENTS: ("alerts", "moe_core", "sequences"),
    FINDINGS: ("alerts",),
    CLIPS: ("ingest",),
    EVIDENCE: ("alerts",),
}
"""Who consumes what; a topic keeps an item until each of its groups has acknowledged it."""
MAX_DELIVERIES: Final = 5
CONSUMER_LIFE_MS: Final = 3_000
"""A consumer that has not asked for work for this long is dead and its items go to another:
alerts must go on within 5 s of a kill. A slow one that is wrongly thought dead costs a repeat,
which every handler bears."""
RETRY_IDLE_MS: Final = 120_000
"""An item that a living consumer did not acknowledge is handed to it again after this long. Some
handlers hold an item on purpose (a clip's end must pass first)."""
_RECLAIM_EVERY_S: Final = 0.5
_RECLAIM_BATCH: Final = 50

_ACKNOWLEDGE: Final = """
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
local reached = redis.call('XINFO', 'GROUPS', KEYS[1])
for _, group in ipairs(reached) do
  local fields = {}
  for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
  local last = fields['last-delivered-id']
  local a1, a2 = string.match(last, '(%d+)-(%d+)')
  local b1, b2 = string.match(ARGV[2], '(%d+)-(%d+)')
  a1, a2, b1, b2 = tonumber(a1), tonumber(a2), tonumber(b1), tonumber(b2)
  if a1 < b1 or (a1 == b1 and a2 < b2) then return 0 end
  if #redis.call('XPENDING', KEYS[1], fields['name'], ARGV[2], ARGV[2], 1) > 0 then return 0 end
end
return redis.call('XDEL', KEYS[1], ARGV[2])
"""
"""Acknowledge for one group and delete the entry once every group has: nobody owes it work."""


class RedisWorkQueue:
    """Implements ``contracts.queues.WorkQueue``.

    Args:
        client: A redis-py client whose answers are bytes.
        consumer: Name of this consumer in its groups, unique among the living.
        clock: For how often to look for items of the dead.
    """

    def __init__(self, client: RedisClient, *, consumer: str, clock: Clock) -> None:
        self._client = client
        self._consumer = consumer
        self._clock = clock
        self._reclaimed_s: dict[str, float] = {}
        self._acknowledge = client.register_script(_ACKNOWLEDGE)
        self._known_topics: set[str] = set()

    def publish(self, topic: str, *, item_id: str, payload: bytes) -> None:
        """Append to the topic; see the port."""
        with translate_errors(f"publishing to {topic}"):
            self._make_groups(topic)
            self._client.xadd(_stream(topic), {b"id": item_id.encode(), b"body": payload})

    def receive(
        self, topics: Sequence[str], *, group: str, max_items: int, timeout_s: float
    ) -> list[WorkItem]:
        """Return reclaimed items first, then new ones; see the port."""
        with translate_errors(f"receiving {', '.join(topics)}"):
            self._client.set(_alive(self._consumer), b"1", px=CONSUMER_LIFE_MS)
            for topic in topics:
                self._make_groups(topic)
            try:
                items = [item for topic in topics for item in self._reclaim(topic, group)]
                if len(items) < max_items:
                    wait_s = 0.0 if items else timeout_s
                    items += self._new(topics, group, max_items - len(items), wait_s)
            except redis.ResponseError as error:
                if "NOGROUP" not in str(error):
                    raise
                log.warning("queue was emptied, making its groups again", topics=list(topics))
                self._known_topics.clear()
                return []
            return items

    def acknowledge(self, item: WorkItem) -> None:
        """Say that the item's effects are durable; see the port."""
        with translate_errors(f"acknowledging {item.topic}"):
            self._acknowledge(keys=[_stream(item.topic)], args=[item.group, item.entry_id])

    def depth(self, topic: str) -> int:
        """Return how many items of the topic some group still owes work."""
        with translate_errors(f"measuring {topic}"):
            return int(self._client.xlen(_stream(topic)))

    def dead_letters(self, topic: str) -> int:
        """Return how many items were given up."""
        with translate_errors(f"measuring {topic}"):
            return int(self._client.xlen(_dead(topic)))

    def _make_groups(self, topic: str) -> None:
        if topic in self._known_topics:
            return
        for group in GROUPS[topic]:
            try:
                self._client.xgroup_create(_stream(topic), group, id="0", mkstream=True)
            except redis.ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise
        self._known_topics.add(topic)

    def _new(
        self, topics: Sequence[str], group: str, max_items: int, timeout_s: float
    ) -> list[WorkItem]:
        block_ms = int(min(timeout_s, BLOCK_MAX_S) * 1000)
        answer = self._client.xreadgroup(
            group,
            self._consumer,
            {_stream(topic): ">" for topic in topics},
            count=max_items,
            block=block_ms or None,
        )
        by_stream = {_stream(topic).encode(): topic for topic in topics}
        return [
            _item(by_stream[stream], group, entry_id, fields, deliveries=1)
            for stream, entries in _pairs(answer)
            for entry_id, fields in entries
            if fields
        ]

    def _reclaim(self, topic: str, group: str) -> list[WorkItem]:
        now_s = self._clock.monotonic_s()
        if now_s - self._reclaimed_s.get(topic, -_RECLAIM_EVERY_S) < _RECLAIM_EVERY_S:
            return []
        self._reclaimed_s[topic] = now_s
        pending = self._client.xpending_range(
            _stream(topic), group, "-", "+", count=_RECLAIM_BATCH, idle=CONSUMER_LIFE_MS
        )
        items: list[WorkItem] = []
        for entry in pending:
            idle_ms = self._claimable_idle_ms(entry)
            if idle_ms is None:
                continue
            claimed = self._client.xclaim(
                _stream(topic), group, self._consumer, idle_ms, [entry["message_id"]]
            )
            deliveries = int(entry["times_delivered"]) + 1
            for entry_id, fields in claimed:
                if not fields:
                    continue
                item = _item(topic, group, entry_id, fields, deliveries=deliveries)
                if deliveries > MAX_DELIVERIES:
                    self._bury(item)
                else:
                    items.append(item)
        return items

    def _claimable_idle_ms(self, entry: dict[str, Any]) -> int | None:
        """Return the least idle time at which a pending entry may be claimed; None: not now."""
        holder = entry["consumer"].decode()
        idle_ms = int(entry["time_since_delivered"])
        if holder == self._consumer:
            return RETRY_IDLE_MS if idle_ms >= RETRY_IDLE_MS else None
        return None if self._client.exists(_alive(holder)) else CONSUMER_LIFE_MS

    def _bury(self, item: WorkItem) -> None:
        self._client.xadd(
            _dead(item.topic),
            {b"id": item.item_id.encode(), b"group": item.group.encode(), b"body": item.payload},
        )
        self._acknowledge(keys=[_stream(item.topic)], args=[item.group, item.entry_id])
        log.error(
            "item given up after repeated failures, see the dead-letter stream",
            topic=item.topic,
            group=item.group,
            item_id=item.item_id,
            deliveries=item.deliveries - 1,
        )


def _stream(topic: str) -> str:
    return f"vigil:{{{topic}}}"


def _alive(consumer: str) -> str:
    return f"vigil:consumer:{consumer}"


def _dead(topic: str) -> str:
    return f"vigil:{{{topic}}}:dead"


def _pairs(answer: Any) -> list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]:  # noqa: ANN401  # RESP2 gives a list, RESP3 a dict
    if not answer:
        return []
    if isinstance(answer, dict):
        return [(stream, [e for part in parts for e in part]) for stream, parts in answer.items()]
    return [(stream, entries) for stream, entries in answer]


def _item(
    topic: str, group: str, entry_id: bytes, fields: dict[bytes, bytes], *, deliveries: int
) -> WorkItem:
    return WorkItem(
        topic=topic,
        group=group,
        entry_id=entry_id.decode(),
        item_id=fields.get(b"id", b"").decode(),
        payload=fields.get(b"body", b""),
        deliveries=deliveries,
    )
