import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.cameras import Camera, CameraStatus
from contracts.clock import SystemClock
from contracts.codec import decode, encode
from contracts.errors import TransportUnavailable
from contracts.incidents import ClipRequest, EvidenceReady
from contracts.queues import CLIPS, EVIDENCE
from contracts.settings import IngestSettings, QueueSettings
from ingest.local_queue import LocalFrameQueue
from ingest.supervisor import IngestSupervisor
from tests.fakes.clips import walker_path
from tests.fakes.clock import START
from tests.fakes.ports import (
    InMemoryCameras,
    InMemoryEvidence,
    InMemoryLeases,
    InMemoryWorkQueue,
)
from tests.ingest.recordings import file_camera

SETTINGS = IngestSettings(open_timeout_s=1.0, read_timeout_s=1.0, back_off_max_s=0.2)


class Bench:
    """A supervisor that a test steps, with real loops on real files."""

    def __init__(self) -> None:
        self.directory = InMemoryCameras()
        self.leases = InMemoryLeases()
        self.queue = LocalFrameQueue(QueueSettings(frames_per_camera=1000))
        self.work_queue = InMemoryWorkQueue()
        self.store = InMemoryEvidence()
        self.supervisor = IngestSupervisor(
            directory=self.directory,
            leases=self.leases,
            writer=self.queue,
            work_queue=self.work_queue,
            evidence_store=self.store,
            settings=SETTINGS,
            clock=SystemClock(),
        )
        self.stop = threading.Event()
        self.thread: threading.Thread | None = None

    def until(self, is_so: Callable[[], bool], *, steps: bool = True) -> None:
        for _ in range(1200):
            if steps:
                self.supervisor.step()
            if is_so():
                return
            threading.Event().wait(0.025)
        raise AssertionError(f"not so within 30 s; statuses: {self.directory.statuses[-3:]}")

    def received(self, camera_id: str = "gate") -> int:
        return self.queue.account(camera_id).received

    def grows(self, camera_id: str = "gate") -> Callable[[], bool]:
        before = self.received(camera_id)
        return lambda: self.received(camera_id) > before

    def status(self, camera_id: str = "gate") -> CameraStatus:
        return [s for s in self.directory.statuses if s.camera_id == camera_id][-1]

    def run(self) -> None:
        self.thread = threading.Thread(target=self.supervisor.run, args=(self.stop,), daemon=True)
        self.thread.start()

    def end(self) -> None:
        if self.thread is None:
            self.stop.set()
            self.supervisor.run(self.stop)
            return
        self.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.end()


def looping(camera_id: str = "gate", *, version: int = 1) -> Camera:
    """A camera that never ends."""
    return file_camera(
        walker_path(), camera_id=camera_id, is_paced=True, is_looped=True, version=version
    )


def test_a_camera_is_read_under_its_lease_when_it_is_added(bench: Bench) -> None:
    bench.supervisor.step()
    assert bench.leases.held == {}

    bench.directory.listed = [looping()]
    bench.until(lambda: bench.received() >= 2)

    assert set(bench.leases.held) == {"ingest:gate"}
    assert bench.status().phase == "live"


def test_a_camera_that_is_removed_is_stopped_and_its_lease_given_back(bench: Bench) -> None:
    bench.directory.listed = [looping()]
    bench.until(lambda: bench.received() >= 1)

    bench.directory.listed = []
    bench.until(lambda: not bench.leases.held)
    after = bench.received()
    threading.Event().wait(0.4)

    assert bench.received() == after


def test_a_camera_that_is_switched_off_says_so(bench: Bench) -> None:
    bench.directory.listed = [looping()]
    bench.until(lambda: bench.received() >= 1)

    bench.directory.listed = [replace(looping(version=2), is_enabled=False)]
    bench.until(lambda: bench.status().phase == "disabled")

    assert not bench.leases.held


def test_a_new_source_is_taken_up(bench: Bench, tmp_path: Path) -> None:
    bench.directory.listed = [file_camera(tmp_path / "wrong.mp4")]
    bench.until(lambda: bench.directory.statuses != [] and bench.status().phase == "back_off")

    bench.directory.listed = [looping(version=2)]

    bench.until(lambda: bench.received() >= 1)


def test_a_camera_removed_and_added_again_between_two_looks_is_read_where_it_is_now(
    bench: Bench, tmp_path: Path
) -> None:
    bench.directory.listed = [file_camera(tmp_path / "wrong.mp4")]
    bench.until(lambda: bench.directory.statuses != [] and bench.status().phase == "back_off")

    bench.directory.listed = [looping(version=1)]

    bench.until(lambda: bench.received() >= 1)


def test_an_edit_that_ingest_has_no_part_in_does_not_interrupt_the_stream(bench: Bench) -> None:
    bench.directory.listed = [looping()]
    bench.until(lambda: bench.received() >= 1)
    run_id = bench.status().run_id

    bench.directory.listed = [replace(looping(version=2), name="Main gate")]
    bench.until(bench.grows())

    assert bench.status().run_id == run_id


def test_a_camera_that_another_process_holds_is_left_to_it(bench: Bench) -> None:
    bench.leases.held_elsewhere = {"ingest:gate"}
    bench.directory.listed = [looping("gate"), looping("yard")]

    bench.until(lambda: bench.received("yard") >= 1)

    assert bench.received("gate") == 0


def test_a_lease_that_was_lost_stops_the_loop_and_one_that_comes_back_starts_it(
    bench: Bench,
) -> None:
    bench.directory.listed = [looping()]
    bench.until(lambda: bench.received() >= 1)

    bench.leases.held_elsewhere = {"ingest:gate"}
    for _ in range(20):
        bench.supervisor.step()
        threading.Event().wait(0.025)
    after = bench.received()
    threading.Event().wait(0.4)
    assert bench.received() == after
    bench.leases.held_elsewhere = set()

    bench.until(bench.grows())


@pytest.mark.parametrize("away", ["leases", "directory"])
def test_cameras_held_go_on_while_redis_is_away(bench: Bench, away: str) -> None:
    bench.directory.listed = [looping("gate")]
    bench.until(lambda: bench.received() >= 1)

    bench.leases.is_down = away == "leases"
    bench.directory.is_down = away == "directory"
    bench.directory.listed = [looping("gate"), looping("yard")]
    bench.until(bench.grows())
    assert bench.received("yard") == 0
    bench.leases.is_down = bench.directory.is_down = False

    bench.until(lambda: bench.received("yard") >= 1)


def test_a_broken_camera_does_not_touch_another(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video" * 1000)
    bench.directory.listed = [
        file_camera(tmp_path / "bad.mp4", camera_id="bad"),
        looping("gate"),
    ]

    bench.until(lambda: bench.received("gate") >= 3)

    assert bench.status("bad").phase in ("back_off", "connecting")
    assert "is not a video" in bench.status("bad").cause


def test_a_recording_that_ended_stays_ended_and_keeps_its_status_fresh(bench: Bench) -> None:
    bench.directory.listed = [file_camera(walker_path())]
    bench.until(lambda: bench.directory.statuses != [] and bench.status().phase == "ended")
    received, said = bench.received(), len(bench.directory.statuses)

    bench.until(lambda: len(bench.directory.statuses) >= said + 3)

    assert bench.received() == received


def test_statuses_are_published_at_each_step(bench: Bench) -> None:
    bench.directory.listed = [looping()]
    bench.until(lambda: bench.received() >= 1)
    before = len(bench.directory.statuses)

    bench.supervisor.step()

    assert len(bench.directory.statuses) > before


def test_stopping_ends_all_loops_and_gives_leases_back() -> None:
    bench = Bench()
    bench.directory.listed = [looping("gate"), looping("yard")]
    bench.run()
    bench.until(lambda: bench.received("gate") > 0 < bench.received("yard"), steps=False)

    bench.end()

    assert bench.leases.held == {}
    assert not [t for t in threading.enumerate() if t.name in ("camera-gate", "camera-yard")]


def test_clip_requests_are_served_beside_the_cameras() -> None:
    bench = Bench()
    bench.directory.listed = [file_camera(walker_path())]
    bench.run()
    bench.until(
        lambda: bench.directory.statuses != [] and bench.status().phase == "ended", steps=False
    )
    status = bench.status()
    assert status.last_frame_at is not None
    request = ClipRequest(
        incident_id="ev_1",
        camera_id="gate",
        run_id=status.run_id,
        starts_at=START,
        ends_at=status.last_frame_at,
    )

    bench.work_queue.publish(CLIPS, item_id="cr_1", payload=encode(request))
    bench.until(lambda: bench.work_queue.payloads(EVIDENCE) != [], steps=False)
    bench.end()

    ready = decode(bench.work_queue.payloads(EVIDENCE)[0], EvidenceReady)
    assert ready.item.problem == ""
    assert ready.item.ref in bench.store.contents


class RefusingDirectory(InMemoryCameras):
    """Breaks its contract."""

    def cameras(self) -> list[Camera]:
        raise ZeroDivisionError


def test_a_fault_in_a_port_does_not_end_the_supervisor() -> None:
    bench = Bench()
    bench.directory = RefusingDirectory()
    bench.supervisor.directory = bench.directory
    bench.run()
    threading.Event().wait(0.3)

    assert bench.thread is not None
    assert bench.thread.is_alive()
    bench.end()


class LostLeases(InMemoryLeases):
    def release(self, name: str) -> None:
        raise TransportUnavailable("leases: gone")


def test_a_lease_that_cannot_be_given_back_does_not_hold_up_the_end() -> None:
    bench = Bench()
    bench.leases = LostLeases()
    bench.supervisor.leases = bench.leases
    bench.directory.listed = [looping()]
    bench.run()
    bench.until(lambda: bench.received() > 0, steps=False)

    bench.end()
