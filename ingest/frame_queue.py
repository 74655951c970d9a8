"""The frame queue on Redis, with an account in which every received frame is found again.

Keys of a camera share a hash tag, so that one script may touch all of them in a cluster:

* ``vigil:{<camera>}:frames``: the stream; an entry stays until it is settled
* ``vigil:{<camera>}:account``: hash of ``received, skipped, corrupt, outcome:<name>``
* ``vigil:{<camera>}:writers``: hash of what each writer has offered, as far as it is counted

``received = settled + queued`` holds at every instant, since each script that changes one side
changes the other. A writer numbers what it offers and the script counts the numbers that it has
not seen, so that a call may be repeated, or its answer be lost, without counting a frame twice.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from contracts.clock import Clock
from contracts.codec import CodecError, decode, encode
from contracts.errors import ConfigError, TransportUnavailable
from contracts.frames import EncodedFrame, FrameHeader, FrameOutcome, QueuedFrame
from contracts.ids import new_id
from contracts.settings import QueueSettings
from ingest.frame_account import FrameAccount
from ingest.frame_tally import Batch, FrameTally
from ingest.metrics import FRAMES_DROPPED, STAGE_SECONDS

log = structlog.get_logger()

RedisClient: TypeAlias = Any
"""A ``redis.Redis``; its own annotations say of each answer that it may be awaitable."""

SOCKET_TIMEOUT_S: Final = 2.0
_BLOCK_MAX_S: Final = 1.0
"""Longest blocking read; below the socket's time-out, so that silence is not an error."""
_TAKE_PER_CAMERA: Final = 4
"""Few at a time: what is taken later is newer."""
_RETRY_MIN_S: Final = 0.5
_RETRY_PATIENCE: Final = 2.0
"""After a failed call the next is made when this many times its duration have passed, so that a
frozen Redis holds up decoding for a third of the time at most."""
_WRITER_LIFE_MS: Final = 86_400_000
_OUTCOME: Final = "outcome:"

_PUT: Final = """
local writer, offered = ARGV[1], tonumber(ARGV[2])
local has_frame = ARGV[9] ~= ''
local function known(what, base)
  return tonumber(redis.call('HGET', KEYS[3], writer .. what) or base)
end
local counted = known(':offered', ARGV[3])
local dropped = 0
if offered > counted then
  local unavailable = offered - counted
  if has_frame then
    redis.call('XADD', KEYS[1], '*', 'header', ARGV[9], 'jpeg', ARGV[10])
    unavailable = unavailable - 1
  end
  redis.call('HINCRBY', KEYS[2], 'received', offered - counted)
  if unavailable > 0 then
    redis.call('HINCRBY', KEYS[2], 'outcome:queue_unavailable', unavailable)
  end
  redis.call('HSET', KEYS[3], writer .. ':offered', offered)
  while redis.call('XLEN', KEYS[1]) > tonumber(ARGV[8]) do
    local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
    redis.call('XDEL', KEYS[1], oldest[1])
    dropped = dropped + 1
  end
  if dropped > 0 then redis.call('HINCRBY', KEYS[2], 'outcome:queue_full', dropped) end
end
for index, what in ipairs({'skipped', 'corrupt'}) do
  local total = tonumber(ARGV[2 + 2 * index])
  local before = known(':' .. what, ARGV[3 + 2 * index])
  if total > before then
    redis.call('HINCRBY', KEYS[2], what, total - before)
    redis.call('HSET', KEYS[3], writer .. ':' .. what, total)
  end
end
redis.call('PEXPIRE', KEYS[3], ARGV[11])
return dropped
"""

_SETTLE: Final = """
local removed = redis.call('XDEL', KEYS[1], ARGV[1])
if removed == 1 then redis.call('HINCRBY', KEYS[2], ARGV[2], 1) end
return removed
"""

_ACCOUNT: Final = """
return {redis.call('XLEN', KEYS[1]), redis.call('HGETALL', KEYS[2])}
"""


class RedisFrameQueue:
    """Implements ``FrameWriter``, ``FrameReader`` and ``FrameLedger`` of ``contracts.frames``.

    Safe to write to from one thread for each camera, and to count from any.

    Args:
        url: Of Redis; may hold a password.
        settings: How many frames a camera may have waiting.
        clock: For when to try again after a failure.

    Raises:
        ConfigError: The URL is not one of Redis.
    """

    def __init__(self, url: str, *, settings: QueueSettings, clock: Clock) -> None:
        self._client = _connect(url)
        self._limit = settings.frames_per_camera
        self._clock = clock
        self._writer = new_id("w")
        self._tallies: dict[str, FrameTally] = {}
        self._cursors: dict[str, bytes] = {}
        self._retry_at_s = float("-inf")
        self._put_script = self._client.register_script(_PUT)
        self._settle_script = self._client.register_script(_SETTLE)
        self._account_script = self._client.register_script(_ACCOUNT)

    def put(self, frame: EncodedFrame) -> None:
        """Append the frame, at the cost of the oldest if the queue is full; never raises."""
        camera_id = frame.header.camera_id
        tally = self._tally(camera_id)
        with STAGE_SECONDS.labels("queue").time(), tally.lock:
            tally.offer()
            if not self._is_due() or not self._send(camera_id, tally, frame=frame):
                FRAMES_DROPPED.labels(camera_id, FrameOutcome.QUEUE_UNAVAILABLE.value).inc()

    def count_unqueued(self, camera_id: str, *, skipped: int = 0, corrupt: int = 0) -> None:
        """Add to the counts; they reach Redis with the next frame, or within about a second.

        Called with nothing to add, it only sends on what is outstanding.
        """
        tally = self._tally(camera_id)
        tally.add(skipped=skipped, corrupt=corrupt)
        if not (self._is_due() and tally.is_flush_due(now_s=self._clock.monotonic_s())):
            return
        # Who is just putting a frame takes the counts along, and must not be overtaken.
        if tally.lock.acquire(blocking=False):
            try:
                self._send(camera_id, tally, frame=None)
            finally:
                tally.lock.release()

    def take(self, camera_ids: Sequence[str], *, timeout_s: float) -> list[QueuedFrame]:
        """Return frames not yet returned to this reader, oldest first for each camera.

        Raises:
            TransportUnavailable: The queue cannot be reached.
        """
        if not camera_ids:
            self._clock.sleep(timeout_s)
            return []
        left_s = timeout_s
        while True:
            block_s = min(left_s, _BLOCK_MAX_S)
            taken = self._read(camera_ids, block_s=block_s)
            left_s -= block_s
            if taken or left_s <= 0:
                return taken

    def settle(self, queued: QueuedFrame, outcome: FrameOutcome) -> bool:
        """Remove the frame and count its end; False if it was already gone.

        Raises:
            TransportUnavailable: Not settled, as far as is known; settling again is safe.
        """
        camera_id = queued.frame.header.camera_id
        return self._settle(camera_id, queued.entry_id, outcome)

    def account(self, camera_id: str) -> FrameAccount:
        """Return a consistent reading of the camera's account.

        Raises:
            TransportUnavailable: The queue cannot be reached.
        """
        try:
            queued, fields = self._account_script(keys=_keys(camera_id)[:2])
        except (redis.RedisError, OSError) as error:
            raise _unavailable("reading the account of frames", error) from error
        pairs = zip(fields[::2], fields[1::2], strict=True)
        counts = {name.decode(): int(value) for name, value in pairs}
        outcomes = {
            name.removeprefix(_OUTCOME): count
            for name, count in counts.items()
            if name.startswith(_OUTCOME)
        }
        return FrameAccount(
            received=counts.get("received", 0),
            queued=int(queued),
            outcomes=outcomes,
            skipped=counts.get("skipped", 0),
            corrupt=counts.get("corrupt", 0),
        )

    def close(self) -> None:
        """Give connections back."""
        self._client.close()

    def _tally(self, camera_id: str) -> FrameTally:
        tally = self._tallies.get(camera_id)  # asked for each picture: no tally is made in vain
        return tally or self._tallies.setdefault(camera_id, FrameTally())

    def _is_due(self) -> bool:
        return self._clock.monotonic_s() >= self._retry_at_s

    def _send(self, camera_id: str, tally: FrameTally, *, frame: EncodedFrame | None) -> bool:
        """Bring the account up to date, with or without a frame; False if Redis did not answer."""
        batch = tally.batch()
        started_s = self._clock.monotonic_s()
        try:
            dropped = self._put_script(keys=_keys(camera_id), args=self._arguments(batch, frame))
        except (redis.RedisError, OSError) as error:
            now_s = self._clock.monotonic_s()
            if self._retry_at_s == float("-inf"):
                log.warning("frames cannot be queued", reason=type(error).__name__)
            self._retry_at_s = now_s + max(_RETRY_MIN_S, _RETRY_PATIENCE * (now_s - started_s))
            return False
        if self._retry_at_s != float("-inf"):
            log.info("frames can be queued again")
            self._retry_at_s = float("-inf")
        tally.sent(batch, now_s=self._clock.monotonic_s())
        if dropped:
            FRAMES_DROPPED.labels(camera_id, FrameOutcome.QUEUE_FULL.value).inc(dropped)
        return True

    def _arguments(self, batch: Batch, frame: EncodedFrame | None) -> list[str | int | bytes]:
        return [
            self._writer,
            batch.offered,
            batch.offered_before,
            batch.skipped,
            batch.skipped_before,
            batch.corrupt,
            batch.corrupt_before,
            self._limit,
            encode(frame.header) if frame else b"",
            frame.jpeg if frame else b"",
            _WRITER_LIFE_MS,
        ]

    def _read(self, camera_ids: Sequence[str], *, block_s: float) -> list[QueuedFrame]:
        by_key = {_keys(camera_id)[0].encode(): camera_id for camera_id in camera_ids}
        cursors = {key: self._cursors.get(camera_id, b"0") for key, camera_id in by_key.items()}
        block_ms = int(block_s * 1000) or None
        try:
            answer = self._client.xread(cursors, count=_TAKE_PER_CAMERA, block=block_ms)
        except (redis.RedisError, OSError) as error:
            raise _unavailable("taking frames", error) from error
        taken: list[QueuedFrame] = []
        for key, entries in answer or ():
            camera_id = by_key[key]
            for entry_id, fields in entries:
                self._cursors[camera_id] = entry_id
                frame = self._frame(camera_id, entry_id, fields)
                if frame is not None:
                    name = entry_id.decode()
                    queued_at = _queued_at(name)
                    taken.append(QueuedFrame(entry_id=name, frame=frame, queued_at=queued_at))
        return taken

    def _frame(
        self, camera_id: str, entry_id: bytes, fields: dict[bytes, bytes]
    ) -> EncodedFrame | None:
        try:
            header = decode(fields.get(b"header", b""), FrameHeader)
        except CodecError as error:
            log.warning("frame cannot be read back", camera_id=camera_id, reason=str(error))
            self._settle(camera_id, entry_id.decode(), FrameOutcome.DECODE_ERROR)
            return None
        return EncodedFrame(header=header, jpeg=fields.get(b"jpeg", b""))

    def _settle(self, camera_id: str, entry_id: str, outcome: FrameOutcome) -> bool:
        arguments = [entry_id, f"{_OUTCOME}{outcome.value}"]
        try:
            return bool(self._settle_script(keys=_keys(camera_id)[:2], args=arguments))
        except (redis.RedisError, OSError) as error:
            raise _unavailable("settling a frame", error) from error


def _queued_at(entry_id: str) -> datetime:
    """Return when Redis took an entry in; it names entries by the milliseconds of its clock."""
    return datetime.fromtimestamp(int(entry_id.partition("-")[0]) / 1000, UTC)


def _keys(camera_id: str) -> list[str]:
    return [f"vigil:{{{camera_id}}}:{part}" for part in ("frames", "account", "writers")]


def _unavailable(what: str, error: Exception) -> TransportUnavailable:
    return TransportUnavailable(f"{what}: Redis does not answer ({type(error).__name__})")


def _connect(url: str) -> RedisClient:
    # A connection that a restarted Redis has closed is worth one more attempt; a time-out is not.
    retry = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
    try:
        return redis.Redis.from_url(
            url,
            protocol=2,
            socket_timeout=SOCKET_TIMEOUT_S,
            socket_connect_timeout=SOCKET_TIMEOUT_S,
            retry=retry,
            decode_responses=False,
        )
    except ValueError:
        raise ConfigError(
            "redis_url must begin with redis://, rediss:// or unix://; "
            "for instance redis://127.0.0.1:6379/0"
        ) from None
