import pytest
import structlog

from contracts.settings import IngestSettings
from ingest.sources import acceleration as module
from ingest.sources.acceleration import acceleration
from ingest.sources.file import open_file
from ingest.sources.stream import StreamReader
from tests.fakes.clips import WalkerClip, walker_path
from tests.ingest.recordings import file_camera

CUDA = IngestSettings(hwaccel="cuda")


@pytest.fixture(autouse=True)
def _untried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_is_usable", {})


def pictures(settings: IngestSettings) -> int:
    opened = open_file(file_camera(walker_path()), settings)
    found = 0
    try:
        for unit in StreamReader(opened, camera_id="gate").units():
            found += len(unit.frames)
            if unit.packet is None:
                break
    finally:
        opened.close()
    return found


def test_the_cpu_decodes_unless_a_device_is_wanted() -> None:
    assert acceleration(IngestSettings()) is None


@pytest.mark.no_gpu
def test_a_device_that_is_not_there_is_told_once_and_the_cpu_decodes() -> None:
    with structlog.testing.capture_logs() as lines:
        assert pictures(CUDA) == WalkerClip().frames
        assert pictures(CUDA) == WalkerClip().frames

    told = [line["event"] for line in lines]
    assert told == ["device does not decode, the CPU does"]


@pytest.mark.gpu
def test_a_device_decodes_the_same_pictures() -> None:
    assert acceleration(CUDA) is not None
    assert pictures(CUDA) == WalkerClip().frames
