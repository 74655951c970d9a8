from pathlib import Path

import pytest

from contracts.clock import SystemClock
from contracts.settings import IngestSettings
from ingest.errors import SourceRejected
from ingest.probe import ProbeReport, probe
from tests.fakes.clips import WalkerClip, walker_path
from tests.ingest.recordings import Shot, file_camera, rtsp_camera, write
from tests.quirkcam import QuirkCam


def look(path: Path, **options: float) -> ProbeReport:
    return probe(file_camera(path, **options), IngestSettings(), clock=SystemClock())  # type: ignore[arg-type]


def test_what_a_live_camera_sends() -> None:
    with QuirkCam(walker_path()) as server:
        found = probe(rtsp_camera(server.url), IngestSettings(), clock=SystemClock(), watch_s=4.0)

    clip = WalkerClip()
    assert (found.codec, found.width, found.height) == ("h264", clip.width, clip.height)
    assert found.fps == pytest.approx(clip.fps, rel=0.05)
    assert found.key_interval_s == pytest.approx(1.0, abs=0.05)
    assert found.clock_offset_s is not None
    assert abs(found.clock_offset_s) < 0.4
    assert found.bits_per_second > 1000
    assert found.advice == ()


def test_a_large_picture_is_advised_against_only_where_it_is_live(tmp_path: Path) -> None:
    path = write(tmp_path / "large.mp4", Shot(frames=20, width=1920, height=1080))

    assert look(path).advice == ()


def test_too_few_pictures_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / "slow.mp4", Shot(frames=10), fps=2)

    [advice] = look(path).advice

    assert "sends 2.0 pictures a second, fewer than the 5 that are analysed" in advice


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceRejected, match="is not there"):
        look(tmp_path / "nothing.mp4")
