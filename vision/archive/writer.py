"""Between the loop that follows tracks and the store that keeps them: a queue and a thread."""

import queue
import threading
from typing import Final

import structlog

from contracts.clock import Clock
from contracts.errors import StorageFull
from vision.archive.columns import StoredTracks
from vision.archive.port import TrackStore
from vision.metrics import TRACKS_LOST, TRACKS_STORED

log = structlog.get_logger()

WAITING_PARTS: Final = 64
"""Parts that may wait for the disk: of eight cameras about the last 40 s."""
TIDY_EVERY_S: Final = 300.0
LOG_EVERY_S: Final = 60.0
LAST_WORD_S: Final = 2.0
"""After the stop, so long is waited for what the worker hands over."""


class TrackWriter:
    """Implements ``TrackArchive``: takes parts at once and writes them on its own thread.

    What cannot be written is counted and, once a minute, logged; nothing is tried again, so that
    a disk that is full costs the archive and nothing else.

    Args:
        store: Used by the writing thread alone.
        clock: For how often to tidy up and to complain.
    """

    def __init__(self, store: TrackStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: queue.Queue[StoredTracks] = queue.Queue(WAITING_PARTS)
        self._lost_points = 0
        self._complained_s = float("-inf")
        self._tidied_s = float("-inf")

    def append(self, part: StoredTracks) -> None:
        """See ``TrackArchive``."""
        try:
            self._waiting.put_nowait(part)
        except queue.Full:
            self._lose(part, "the disk does not keep up")

    def run(self, stop: threading.Event) -> None:
        """Write until ``stop`` is set, and then what still comes within a moment."""
        while not stop.is_set():
            self.turn(timeout_s=0.5)
        until_s = self._clock.monotonic_s() + LAST_WORD_S
        while self._clock.monotonic_s() < until_s:
            self.turn(timeout_s=0.1)
        self._guarded(None)

    def turn(self, *, timeout_s: float) -> None:
        """Write the next part, if one comes in time; tidy up when that is due."""
        try:
            part = self._waiting.get(timeout=timeout_s)
        except queue.Empty:
            part = None
        if part is not None:
            self._guarded(part)
        now_s = self._clock.monotonic_s()
        if now_s - self._tidied_s >= TIDY_EVERY_S:
            self._tidied_s = now_s
            try:
                self._store.tidy()
            except (StorageFull, OSError) as error:
                self._complain(str(error))

    def _guarded(self, part: StoredTracks | None) -> None:
        """Write a part, or with None finish; whatever fails fails here."""
        try:
            if part is None:
                self._store.close()
            else:
                self._store.append(part)
                TRACKS_STORED.labels(camera=part.camera_id).inc(part.points)
        except (StorageFull, OSError) as error:
            if part is None:
                self._complain(str(error))
            else:
                self._lose(part, str(error))

    def _lose(self, part: StoredTracks, cause: str) -> None:
        TRACKS_LOST.labels(camera=part.camera_id).inc(part.points)
        self._lost_points += part.points
        self._complain(cause)

    def _complain(self, cause: str) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._complained_s < LOG_EVERY_S:
            return
        self._complained_s = now_s
        log.warning("tracks not kept for back-tests", points=self._lost_points, cause=cause)
        self._lost_points = 0
