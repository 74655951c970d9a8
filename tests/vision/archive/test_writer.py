"""The writer never holds vision up: what the disk does not take is counted and lost."""

import threading

import pytest
from structlog.testing import capture_logs

from contracts.errors import StorageFull
from tests.fakes.clock import ManualClock
from tests.fakes.street_life import street
from tests.fakes.track_archives import archive_of
from vision.archive.columns import StoredTracks
from vision.archive.port import NoArchive
from vision.archive.writer import TIDY_EVERY_S, WAITING_PARTS, TrackWriter
from vision.metrics import TRACKS_LOST, TRACKS_STORED

PARTS = archive_of(street(6, count=8, until_s=60.0)).parts


class Store:
    """Remembers; ``error`` is raised by whatever is asked of it."""

    def __init__(self) -> None:
        self.kept: list[StoredTracks] = []
        self.tidied = 0
        self.closed = 0
        self.error: Exception | None = None

    def append(self, part: StoredTracks) -> None:
        self._fail()
        self.kept.append(part)

    def tidy(self) -> None:
        self.tidied += 1
        self._fail()

    def close(self) -> None:
        self.closed += 1
        self._fail()

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


class TickingClock(ManualClock):
    """A tenth of a second passes with each look."""

    def monotonic_s(self) -> float:
        self.advance(0.1)
        return super().monotonic_s()


@pytest.fixture
def store() -> Store:
    return Store()


def lost() -> float:
    return float(TRACKS_LOST.labels(camera="cam")._value.get())


def test_parts_are_written_in_order(store: Store) -> None:
    before = TRACKS_STORED.labels(camera="cam")._value.get()
    writer = TrackWriter(store, ManualClock())
    for part in PARTS[:3]:
        writer.append(part)
    for _ in range(3):
        writer.turn(timeout_s=0.0)

    assert store.kept == PARTS[:3]
    stored = TRACKS_STORED.labels(camera="cam")._value.get() - before
    assert stored == sum(part.points for part in PARTS[:3])


def test_a_stop_writes_what_waits_and_finishes(store: Store) -> None:
    writer = TrackWriter(store, TickingClock())
    for part in PARTS[:3]:
        writer.append(part)
    stop = threading.Event()
    stop.set()

    writer.run(stop)

    assert (store.kept, store.closed) == (PARTS[:3], 1)


def test_a_disk_that_does_not_keep_up_costs_parts_and_nothing_else(store: Store) -> None:
    before = lost()
    writer = TrackWriter(store, ManualClock())
    with capture_logs() as logs:
        for _ in range(WAITING_PARTS + 2):
            writer.append(PARTS[0])

    assert lost() - before == 2 * PARTS[0].points
    assert [entry["cause"] for entry in logs] == ["the disk does not keep up"]


@pytest.mark.parametrize("error", [StorageFull("tracks: no space left"), OSError("gone")])
def test_a_disk_that_fails_is_complained_of_once_a_minute(store: Store, error: Exception) -> None:
    clock = ManualClock()
    writer = TrackWriter(store, clock)
    store.error = error
    before = lost()
    with capture_logs() as logs:
        for _ in range(3):
            writer.append(PARTS[1])
            writer.turn(timeout_s=0.0)
        clock.advance(61.0)
        writer.append(PARTS[1])
        writer.turn(timeout_s=0.0)
    store.error = None
    writer.append(PARTS[2])
    writer.turn(timeout_s=0.0)

    assert lost() - before == 4 * PARTS[1].points
    assert len(logs) == 2
    assert store.kept == [PARTS[2]]


def test_it_tidies_up_now_and_then(store: Store) -> None:
    clock = ManualClock()
    writer = TrackWriter(store, clock)
    writer.turn(timeout_s=0.0)
    writer.turn(timeout_s=0.0)
    clock.advance(TIDY_EVERY_S)
    writer.turn(timeout_s=0.0)

    assert store.tidied == 2


def test_an_archive_that_is_switched_off_keeps_nothing() -> None:
    NoArchive().append(PARTS[0])
