"""The frame queue on Redis, with an account in which every received frame is found again.

Keys of a camera share a hash tag, so that one script may touch all of them in a cluster:

* ``vigil:{<camera>}:frames``: the stream; an entry stays until it is settled
* ``vigil:{<camera>}:account``: hash of ``received, skipped, corrupt, carrier, outcome:<name>``
* ``vigil:{<camera>}:writers``: hash of what each writer has offered, as far as it is counted
* ``vigil:{<camera>}:reader``: which shared memory its reader sees (``ingest/shared_pixels.py``)

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
from contracts.frames import EncodedFrame, Frame, FrameHeader, FrameOutcome, QueuedFrame
from contracts.ids import new_id
from contracts.settings import QueueSettings
from ingest.encoding import as_jpeg
from ingest.frame_account import FrameAccount
from ingest.frame_scripts import ACCOUNT, PUT, SETTLE
from ingest.frame_tally import Batch, FrameTally
from ingest.metrics import FRAMES_DROPPED, STAGE_SECONDS
from ingest.open_files import is_short_of_files
from ingest.planar_frame import PlanarFrame
from ingest.retry_pause import RetryPause
from ingest.shared_pixels import NO_PLACE, PixelReceiver, PixelSender

log = structlog.get_logger()

RedisClient: TypeAlias = Any
"""A ``redis.Redis``; its own annotations say of each answer that it may be awaitable."""
Script: TypeAlias = Any
"""What its ``register_script`` returns, likewise."""

SOCKET_TIMEOUT_S: Final = 2.0
_BLOCK_MAX_S: Final = 1.0
"""Longest blocking read; below the socket's time-out, so that silence is not an error."""
_TAKE_PER_CAMERA: Final = 4
"""Few at a time: what is taken later is newer."""
_CONNECTIONS_MAX: Final = 4096
"""Each camera that is written has one of its own; the client's default is 100 in all."""
_WRITER_LIFE_MS: Final = 86_400_000
_OUTCOME: Final = "outcome:"
_MEMORY, _JPEG = "memory", "jpeg"
"""Names of the field that carries pixels' reference, or the picture itself."""
_QUALITY: Final = 85
_SAY_EVERY_S: Final = 2.0
_SAID_LIFE_MS: Final = 10_000
"""A reader that has said nothing for so long reads no more; its successor may be anywhere."""
_QUEUE: Final = STAGE_SECONDS.labels("queue")


class RedisFrameQueue:
    """Implements ``FrameWriter``, ``FrameReader`` and ``FrameLedger`` of ``contracts.frames``.

    Safe to write to from one thread for each camera, and to count from any.

    Args:
        url: Of Redis; may hold a password.
        settings: How many frames a camera may have waiting.
        clock: For when to try again after a failure.
        jpeg_quality: Of frames that are put as pixels and do not go by shared memory.
        sender: Ingest's way to shared memory; None sends JPEG.
        receiver: Vision's way to it; None asks for JPEG.

    Raises:
        ConfigError: The URL is not one of Redis.
    """

    def __init__(  # both ends of the queue
        self,
        url: str,
        *,
        settings: QueueSettings,
        clock: Clock,
        jpeg_quality: int = _QUALITY,
        sender: PixelSender | None = None,
        receiver: PixelReceiver | None = None,
    ) -> None:
        self._client = _connect(url)
        self._quality = jpeg_quality
        self._sender = sender
        self._receiver = receiver
        self._said: dict[str, tuple[bool | None, float]] = {}
        self._limit = settings.frames_per_camera
        self._clock = clock
        self._writer = new_id("w")
        self._tallies: dict[str, FrameTally] = {}
        self._cursors: dict[str, bytes] = {}
        self._pause = RetryPause()
        self._put_scripts: dict[str, Script] = {}
        self._settle_script = self._client.register_script(SETTLE)
        self._account_script = self._client.register_script(ACCOUNT)

    def put(self, frame: Frame | PlanarFrame | EncodedFrame) -> None:
        """Append the frame, at the cost of the oldest if the queue is full; never raises.

        Pixels go by shared memory where that reaches the reader, else as JPEG.
        """
        camera_id = frame.header.camera_id
        tally = self._tally(camera_id)
        with _QUEUE.time(), tally.lock:
            tally.offer()
            if not self._is_due(tally) or not self._send(camera_id, tally, frame=frame):
                FRAMES_DROPPED.labels(camera_id, FrameOutcome.QUEUE_UNAVAILABLE.value).inc()

    def count_unqueued(self, camera_id: str, *, skipped: int = 0, corrupt: int = 0) -> None:
        """Add to the counts; they reach Redis with the next frame, or within about a second.

        Called with nothing to add, it only sends on what is outstanding.
        """
        tally = self._tally(camera_id)
        tally.add(skipped=skipped, corrupt=corrupt)
        if not (self._is_due(tally) and tally.is_flush_due(now_s=self._clock.monotonic_s())):
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
        found = {name.decode(): value for name, value in pairs}
        carrier = found.pop("carrier", b"").decode()
        counts = {name: int(value) for name, value in found.items()}
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
            carrier=carrier,
        )

    def let_go(self, camera_id: str) -> None:
        """Free the connection and the shared memory of a camera that is put no more."""
        if self._sender is not None:
            self._sender.let_go(camera_id)
        with self._tally(camera_id).lock:
            script = self._put_scripts.pop(camera_id, None)
            if script is not None:
                script.registered_client.close()

    def close(self) -> None:
        """Give connections and shared memory back."""
        for camera_id in list(self._put_scripts):
            self.let_go(camera_id)
        self._client.close()

    def _tally(self, camera_id: str) -> FrameTally:
        tally = self._tallies.get(camera_id)  # asked for each picture: no tally is made in vain
        return tally or self._tallies.setdefault(camera_id, FrameTally())

    def _is_due(self, tally: FrameTally) -> bool:
        now_s = self._clock.monotonic_s()
        return self._pause.is_due(now_s=now_s) and tally.pause.is_due(now_s=now_s)

    def _send(
        self, camera_id: str, tally: FrameTally, *, frame: Frame | PlanarFrame | EncodedFrame | None
    ) -> bool:
        """Bring the account up to date, with or without a frame; False if Redis did not answer."""
        batch = tally.batch()
        arguments = self._arguments(batch, frame)
        started_s = self._clock.monotonic_s()
        try:
            dropped, reader = self._put_script(camera_id)(keys=_keys(camera_id), args=arguments)
        except (redis.RedisError, OSError) as error:
            # Who has no connection yet and gets none does not stop those who have one.
            is_short = is_short_of_files(error)
            pause = tally.pause if is_short else self._pause
            now_s = self._clock.monotonic_s()
            if pause.failed(now_s=now_s, took_s=now_s - started_s):
                reason = "no file descriptor is left" if is_short else type(error).__name__
                log.warning("frames cannot be queued", camera_id=camera_id, reason=reason)
            return False
        for pause in (self._pause, tally.pause):
            if pause.succeeded():
                log.info("frames can be queued again", camera_id=camera_id)
        tally.sent(batch, now_s=self._clock.monotonic_s())
        if self._sender is not None:
            self._sender.heard(camera_id, reader.decode("ascii", "replace"))
        if dropped:
            FRAMES_DROPPED.labels(camera_id, FrameOutcome.QUEUE_FULL.value).inc(dropped)
        return True

    def _put_script(self, camera_id: str) -> Script:
        """Return the script on a connection of the camera's own.

        Its tally's lock guards it; taking one from the pool for each frame takes as long as the
        rest of the call.
        """
        script = self._put_scripts.get(camera_id)
        if script is None:
            pool = self._client.connection_pool
            own: RedisClient = redis.Redis(connection_pool=pool, single_connection_client=True)
            script = self._put_scripts[camera_id] = own.register_script(PUT)
        return script

    def _carried(self, frame: Frame | PlanarFrame | EncodedFrame) -> tuple[str, bytes]:
        """Return the name and content of the field that brings a frame's pixels to its reader."""
        if isinstance(frame, EncodedFrame):
            return _JPEG, frame.jpeg
        reference = None if self._sender is None else self._sender.send(frame)
        if reference is not None:
            return _MEMORY, reference
        return _JPEG, as_jpeg(frame, quality=self._quality).jpeg

    def _arguments(
        self, batch: Batch, frame: Frame | PlanarFrame | EncodedFrame | None
    ) -> list[str | int | bytes]:
        carrier, content = (_JPEG, b"") if frame is None else self._carried(frame)
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
            content,
            _WRITER_LIFE_MS,
            carrier,
        ]

    def _read(self, camera_ids: Sequence[str], *, block_s: float) -> list[QueuedFrame]:
        by_key = {_keys(camera_id)[0].encode(): camera_id for camera_id in camera_ids}
        cursors = {key: self._cursors.get(camera_id, b"0") for key, camera_id in by_key.items()}
        block_ms = int(block_s * 1000) or None
        try:
            self._say_place(camera_ids)
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

    def _say_place(self, camera_ids: Sequence[str]) -> None:
        """Tell the writers which shared memory is seen here, now and then."""
        receiver, now_s = self._receiver, self._clock.monotonic_s()
        said: dict[str, str] = {}
        for one in camera_ids:
            is_jpeg = receiver is None or receiver.is_lost(one)
            was_jpeg, said_s = self._said.get(one, (None, 0.0))
            if is_jpeg is not was_jpeg or now_s - said_s >= _SAY_EVERY_S:
                said[one] = NO_PLACE if receiver is None or is_jpeg else receiver.place()
                self._said[one] = (is_jpeg, now_s)
        if not said:
            return
        pipe = self._client.pipeline(transaction=False)
        for one, place in said.items():
            pipe.set(_keys(one)[3], place, px=_SAID_LIFE_MS)
        pipe.execute()

    def _frame(
        self, camera_id: str, entry_id: bytes, fields: dict[bytes, bytes]
    ) -> EncodedFrame | None:
        try:
            header = decode(fields.get(b"header", b""), FrameHeader)
        except CodecError as error:
            log.warning("frame cannot be read back", camera_id=camera_id, reason=str(error))
            self._settle(camera_id, entry_id.decode(), FrameOutcome.DECODE_ERROR)
            return None
        reference = fields.get(_MEMORY.encode())
        if reference is None or self._receiver is None:
            return EncodedFrame(header=header, jpeg=fields.get(_JPEG.encode(), b""))
        return EncodedFrame(header=header, shared=self._receiver.receive(header, reference))

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
    return [f"vigil:{{{camera_id}}}:{part}" for part in ("frames", "account", "writers", "reader")]


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
            max_connections=_CONNECTIONS_MAX,
            decode_responses=False,
        )
    except ValueError:
        raise ConfigError(
            "redis_url must begin with redis://, rediss:// or unix://; "
            "for instance redis://127.0.0.1:6379/0"
        ) from None
