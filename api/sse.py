"""The live stream: server-sent events out of the feed, resumable, bounded, and able to end.

One reader polls the feed for all clients and keeps the newest entries encoded; each client goes
through them at its own pace and falls back to the database for what is older. Nothing is queued
for a client, so a slow one costs no memory and loses nothing.

Source: HTML Living Standard, section 9.2 "Server-sent events".
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import anyio.to_thread
import structlog

from alerts.history.ports import AlertArchive, FeedEntry
from api.metrics import LOOP_ERRORS, STREAM_CLIENTS, STREAM_EVENTS
from api.problems import Refusal
from contracts.errors import TransportUnavailable

log = structlog.get_logger()

POLL_EVERY_S: Final = 0.2
HEARTBEAT_EVERY_S: Final = 15.0
HEARTBEAT_EVENT: Final = "vigil.stream.heartbeat"
"""Sent without an id at each heartbeat. An event, not a comment: browsers hide comments from the
page, and a connection that died without a word looks like one on which nothing happens."""
RETRY_MS: Final = 2000
"""How long a browser waits before it connects again."""
_KEPT: Final = 512
_BATCH: Final = 256
RESET_EVENT: Final = "vigil.stream.reset"
"""Sent where ``Last-Event-ID`` is newer than the feed (the history was replaced): load anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    seq: int
    content: bytes


class FeedStream:
    """Hands the feed to any number of live clients until ``close`` is called.

    Belongs to one event loop. The poller runs only while somebody listens.

    Args:
        archive: Where the feed is read; called in worker threads.
        max_clients: More are refused with 503.
    """

    def __init__(
        self,
        archive: AlertArchive,
        *,
        poll_every_s: float = POLL_EVERY_S,
        heartbeat_every_s: float = HEARTBEAT_EVERY_S,
        max_clients: int = 256,
    ) -> None:
        self._archive = archive
        self._poll_every_s = poll_every_s
        self._heartbeat_every_s = heartbeat_every_s
        self._max_clients = max_clients
        self._clients = 0
        self._poller: asyncio.Task[None] | None = None
        self._kept: deque[_Message] = deque(maxlen=_KEPT)
        self._kept_after_seq = 0
        self._newest_seq = 0
        self._news = asyncio.Event()
        self._is_closed = False

    def close(self) -> None:
        """End all streams now; clients connect again elsewhere or later."""
        self._is_closed = True
        self._announce()
        if self._poller:
            self._poller.cancel()
            self._poller = None

    def refuse_if_full(self) -> None:
        """Raise Refusal (503) if no more clients are taken."""
        if self._is_closed or self._clients >= self._max_clients:
            raise Refusal(
                503,
                "too-many-streams",
                f"{self._clients} clients are listening already, or the server is stopping",
                headers={"Retry-After": "10"},
            )

    async def messages(
        self, last_event_id: int | None, *, is_welcome: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        """Yield encoded events after ``last_event_id`` (None: only what comes from now on).

        Ask ``refuse_if_full`` first, while the answer can still be a refusal.

        Args:
            last_event_id: The feed number that the client saw last.
            is_welcome: Asked in a worker thread at each heartbeat; the stream ends once it says
                no, so that a revoked session does not go on listening.
        """
        self._clients += 1
        STREAM_CLIENTS.inc()
        try:
            newest = await anyio.to_thread.run_sync(self._archive.last_feed_seq)
            self._start_poller(newest)
            position = newest if last_event_id is None else last_event_id
            yield f"retry: {RETRY_MS}\n\n".encode()
            if position > newest:
                position = newest
                yield f"id: {newest}\nevent: {RESET_EVENT}\ndata: {{}}\n\n".encode()
            async for message in self._follow(position, is_welcome):
                yield message
        finally:
            self._clients -= 1
            STREAM_CLIENTS.dec()
            self._stop_poller_if_idle()

    async def _follow(self, position: int, is_welcome: Callable[[], bool]) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop()
        heartbeat_at_s = clock.time() + self._heartbeat_every_s
        while not self._has_ended():
            oldest = self._kept_after_seq
            messages = await self._after(position)
            # What the database no longer has below ``oldest`` cannot be replayed: go on from there.
            position = messages[-1].seq if messages else max(position, oldest)
            if messages:
                STREAM_EVENTS.inc(len(messages))
                yield b"".join(message.content for message in messages)
            elif await self._has_news(position, within_s=heartbeat_at_s - clock.time()):
                continue
            # Also between events: on a busy site silence never comes.
            if clock.time() >= heartbeat_at_s and not self._has_ended():
                if not await anyio.to_thread.run_sync(is_welcome):
                    return
                yield f"event: {HEARTBEAT_EVENT}\ndata: {{}}\n\n".encode()
                heartbeat_at_s = clock.time() + self._heartbeat_every_s

    def _has_ended(self) -> bool:
        return self._is_closed

    async def _after(self, position: int) -> Sequence[_Message]:
        if position >= self._kept_after_seq:
            return [message for message in self._kept if message.seq > position]
        return [_encoded(entry) for entry in await self._read(position)]

    async def _has_news(self, position: int, *, within_s: float) -> bool:
        """Wait for an entry after ``position``; false if none came in time."""
        if self._newest_seq > position:
            return True
        news = self._news
        try:
            await asyncio.wait_for(news.wait(), max(0.0, within_s))
        except TimeoutError:
            return False
        return not self._is_closed

    def _start_poller(self, newest: int) -> None:
        if self._poller is None and not self._is_closed:
            self._kept.clear()
            self._kept_after_seq = self._newest_seq = newest
            self._poller = asyncio.create_task(self._poll())

    def _stop_poller_if_idle(self) -> None:
        if self._clients == 0 and self._poller:
            self._poller.cancel()
            self._poller = None

    async def _poll(self) -> None:
        while True:
            entries: Sequence[FeedEntry] = ()
            try:
                entries = await self._read(self._newest_seq)
            except TransportUnavailable as error:
                LOOP_ERRORS.labels("feed").inc()
                log.warning("feed cannot be read", cause=str(error))
            except Exception:  # the loop boundary: one bad read must not silence all clients
                LOOP_ERRORS.labels("feed").inc()
                log.exception("feed cannot be read")
            for entry in entries:
                if len(self._kept) == self._kept.maxlen:
                    self._kept_after_seq = self._kept[0].seq
                self._kept.append(_encoded(entry))
                self._newest_seq = entry.seq
            if entries:
                self._announce()
            if len(entries) < _BATCH:
                await asyncio.sleep(self._poll_every_s)

    async def _read(self, position: int) -> Sequence[FeedEntry]:
        return await anyio.to_thread.run_sync(
            lambda: self._archive.feed_after(position, limit=_BATCH)
        )

    def _announce(self) -> None:
        """Wake everybody who waits; those who wait from now on wait for the next news."""
        self._news.set()
        self._news = asyncio.Event()


def _encoded(entry: FeedEntry) -> _Message:
    body = json.dumps(entry.cloud_event, separators=(",", ":"))
    return _Message(
        seq=entry.seq,
        content=f"id: {entry.seq}\nevent: {entry.feed_type.value}\ndata: {body}\n\n".encode(),
    )
