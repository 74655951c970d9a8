import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.clock import SystemClock
from ingest.clip_ring import ClipRing
from ingest.recorder.folder import RecordingFolder
from ingest.recorder.recorders import Recorders
from ingest.recorder.retention import Limits
from tests.fakes.clips import walker_path
from tests.fakes.clock import START, ManualClock
from tests.ingest.rings import ring_of


@pytest.fixture
def folder(tmp_path: Path) -> RecordingFolder:
    return RecordingFolder(tmp_path, clock=SystemClock(), limits=Limits(days=36_500.0))


def parts_of(folder: RecordingFolder, camera_id: str) -> int:
    return len(list(folder.parts(camera_id, START, START + timedelta(days=1))))


def test_each_camera_is_recorded_while_it_is_wanted(folder: RecordingFolder) -> None:
    recorders = Recorders(folder, clock=SystemClock())
    rings = {"gate": ring_of(walker_path()), "yard": ring_of(walker_path())}

    recorders.follow(rings)
    until(lambda: parts_of(folder, "gate") == parts_of(folder, "yard") == 1)
    assert recorders.status("gate") is not None

    recorders.follow({"yard": rings["yard"]})
    assert recorders.status("gate") is None
    recorders.close()
    assert recorders.status("yard") is None


def test_another_ring_has_another_recorder(folder: RecordingFolder) -> None:
    recorders = Recorders(folder, clock=SystemClock())
    recorders.follow({"gate": ClipRing(keep_s=10.0)})
    recorders.follow({"gate": ring_of(walker_path())})

    until(lambda: parts_of(folder, "gate") == 1)
    recorders.close()


def test_the_folder_is_tidied_up_until_told_to_stop(
    folder: RecordingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, looks = threading.Event(), 0

    def tidy() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            stop.set()
        if looks == 2:
            raise OSError(5, "a disk that fails now and then")

    monkeypatch.setattr(folder, "tidy", tidy)
    Recorders(folder, clock=ManualClock()).tidy(stop)

    assert looks == 3


def until(is_so: Callable[[], bool]) -> None:
    for _ in range(600):
        if is_so():
            return
        threading.Event().wait(0.05)
    raise AssertionError("not so within 30 s")
