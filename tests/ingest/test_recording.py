from datetime import timedelta
from pathlib import Path

import pytest

from contracts.settings import IngestSettings
from ingest.errors import SourceRejected
from ingest.recording import read_recording
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.clock import START
from tests.ingest.recordings import Shot, file_camera, rtsp_camera, write
from tests.quirkcam import QuirkCam

SETTINGS = IngestSettings()


def test_frames_come_at_the_analysis_rate_with_times_from_the_start() -> None:
    with read_recording(file_camera(walker_path()), SETTINGS, starts_at=START) as recording:
        frames = list(recording)

    assert len(frames) == 20
    assert [frame.header.captured_at - START for frame in frames] == [
        timedelta(seconds=index / 5) for index in range(20)
    ]
    assert [frame.header.seq for frame in frames] == list(range(20))
    assert recording.skipped == WalkerClip().frames - 20
    assert recording.corrupt == 0


def test_states_its_length() -> None:
    with read_recording(file_camera(walker_path()), SETTINGS, starts_at=START) as recording:
        assert recording.duration_s == pytest.approx(4.0, abs=0.1)


def test_the_same_recording_gives_the_same_frames() -> None:
    camera = file_camera(walker_path(WalkerClip(b_frames=2)))

    first, second = (list(read_recording(camera, SETTINGS, starts_at=START)) for _ in range(2))

    assert [frame.jpeg for frame in first] == [frame.jpeg for frame in second]


def test_a_picture_that_changes_its_size_is_read_on(tmp_path: Path) -> None:
    path = write(tmp_path / "two.h264", Shot(width=320, height=240), Shot(width=640, height=360))

    frames = list(read_recording(file_camera(path, analysis_fps=30), SETTINGS, starts_at=START))

    assert {(frame.header.width, frame.header.height) for frame in frames} == {
        (320, 240),
        (640, 360),
    }


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceRejected, match="is not there"):
        read_recording(file_camera(tmp_path / "no.mp4"), SETTINGS, starts_at=START)


def test_a_live_camera_is_no_recording() -> None:
    with (
        QuirkCam(walker_path(), speed=4) as server,
        pytest.raises(SourceRejected, match="is live; wanted: a recorded file"),
    ):
        read_recording(rtsp_camera(server.url), SETTINGS, starts_at=START)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "frames", "size"),
    [
        pytest.param("intel/one_by_one_dev.mp4", 358, (640, 360), id="10 fps, sampled to 5"),
        pytest.param(
            "background/night_street_mot.mp4", 8, (640, 360), id="3 fps, below the analysis rate"
        ),
        pytest.param("tamper/freeze_dev.mp4", 100, (320, 240), id="smaller than asked for"),
    ],
)
def test_recordings_of_real_cameras(
    shared: Path, name: str, frames: int, size: tuple[int, int]
) -> None:
    camera = file_camera(shared / "data" / name)
    with read_recording(camera, SETTINGS, starts_at=START) as recording:
        found = [frame.header for frame in recording]

    assert len(found) == frames
    assert {(header.width, header.height) for header in found} == {size}
    assert len({header.run_id for header in found}) == 1
