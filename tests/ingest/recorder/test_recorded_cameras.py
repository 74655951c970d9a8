"""Cameras that are recorded, from a real stream to parts in the folder."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.cameras import Camera
from contracts.clock import SystemClock
from contracts.settings import IngestSettings, QueueSettings
from ingest.local_queue import LocalFrameQueue
from ingest.recorder.folder import RecordingFolder
from ingest.recorder.parts import Part
from ingest.recorder.recorders import Recorders
from ingest.recorder.retention import Limits
from ingest.supervisor import IngestSupervisor
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.masked import LEFT
from tests.fakes.ports import InMemoryCameras, InMemoryEvidence, InMemoryLeases, InMemoryWorkQueue
from tests.ingest.recorder.stretches import pictures_of
from tests.ingest.recordings import rtsp_camera
from tests.ingest.test_masked_clips import is_grey
from tests.quirkcam import QuirkCam

SETTINGS = IngestSettings(open_timeout_s=5.0, read_timeout_s=5.0, back_off_max_s=0.2)


class Bench:
    """A supervisor on its thread and the folder that it records to."""

    def __init__(self, root: Path, camera: Camera) -> None:
        clock = SystemClock()
        self.folder = RecordingFolder(root, clock=clock, limits=Limits(days=7.0))
        self.directory = InMemoryCameras()
        self.directory.listed = [camera]
        self.queue = LocalFrameQueue(QueueSettings(frames_per_camera=1000))
        self.supervisor = IngestSupervisor(
            directory=self.directory,
            leases=InMemoryLeases(),
            writer=self.queue,
            work_queue=InMemoryWorkQueue(),
            evidence_store=InMemoryEvidence(),
            settings=SETTINGS,
            clock=clock,
            recorders=Recorders(self.folder, clock=clock),
        )
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.supervisor.run, args=(self.stop,), daemon=True)
        self.thread.start()

    def change(self, **changes: object) -> None:
        [camera] = self.directory.listed
        changed = replace(camera, version=camera.version + 1, **changes)  # type: ignore[arg-type]
        self.directory.listed = [changed]

    def parts(self) -> list[Part]:
        now = datetime.now(UTC)
        return list(self.folder.parts("gate", now - timedelta(days=1), now + timedelta(days=1)))

    def is_recording(self) -> bool:
        said = self.directory.statuses[-1:]
        return bool(said and said[0].recording and said[0].recording.since)

    def end(self) -> None:
        self.stop.set()
        self.thread.join(30)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with QuirkCam(walker_path(WalkerClip()), is_looped=False) as server:
        bench = Bench(tmp_path, replace(rtsp_camera(server.url), is_recorded=True))
        yield bench
        bench.end()


def test_a_stream_is_recorded_and_says_so(bench: Bench) -> None:
    until(bench.is_recording)
    until(lambda: bool(bench.parts()))

    [part, *_] = bench.parts()
    assert len(pictures_of(bench.folder.path_of(part))) == pytest.approx(40, abs=11)
    age = datetime.now(UTC) - part.starts_at
    assert timedelta() < age < timedelta(minutes=2)


def test_switching_it_off_ends_a_part_and_not_the_stream(bench: Bench) -> None:
    until(bench.is_recording)
    bench.change(is_recorded=False)

    until(lambda: bool(bench.parts()) and bench.directory.statuses[-1].recording is None)
    received = bench.queue.account("gate").received
    until(lambda: bench.queue.account("gate").received > received)


def test_a_masked_camera_is_recorded_covered(bench: Bench) -> None:
    bench.change(masks=(LEFT,))
    until(lambda: any(is_covered(bench, part) for part in bench.parts()))


def is_covered(bench: Bench, part: Part) -> bool:
    pictures = pictures_of(bench.folder.path_of(part))
    covered = [is_grey(picture, LEFT) for picture in pictures]
    assert len(set(covered)) == 1  # a part is covered from end to end, or not at all
    return covered[0]


def until(is_so: Callable[[], bool]) -> None:
    for _ in range(900):
        if is_so():
            return
        threading.Event().wait(0.05)
    raise AssertionError("not so within 45 s")
