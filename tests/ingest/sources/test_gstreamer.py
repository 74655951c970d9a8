"""The RTSP source against a server that nobody here wrote."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from contracts.cameras import Camera, RtspTransport
from contracts.settings import IngestSettings
from ingest.clip_ring import ClipRing
from ingest.clip_template import ClipTemplate
from ingest.clips import make_clip
from ingest.errors import CredentialsRefused, SourceRejected, SourceUnavailable
from ingest.sources.rtsp import open_rtsp
from ingest.sources.scaling import PictureScaler
from ingest.sources.stream import StreamReader
from tests import gstreamer_server
from tests.fakes.clock import START
from tests.gstreamer_server import Audio, Codec
from tests.ingest.recordings import rtsp_camera
from tests.ingest.sounding import bright_from_to, loud_from_to, write_sounding
from tests.quirkcam import timecode
from tests.quirkcam.clips import Clip, path_of

pytestmark = pytest.mark.gstreamer


@pytest.fixture(scope="module", autouse=True)
def _gstreamer() -> None:
    if not gstreamer_server.is_available():
        pytest.skip("GStreamer's RTSP server is not installed (scripts/test-setup.sh)")


def read(url: str, *, transport: RtspTransport, frames: int) -> list[tuple[int | None, float]]:
    """Time code and stream time of the first frames that have a time."""
    opened = open_rtsp(rtsp_camera(url, transport=transport), IngestSettings())
    try:
        reader, scaler = StreamReader(opened, camera_id="gate"), PictureScaler(640)
        found: list[tuple[int | None, float]] = []
        for unit in reader.units():
            for decoded in unit.frames:
                if decoded.stream_s is not None:
                    pixels_HW3 = np.asarray(scaler.to_bgr(decoded.picture), np.uint8)
                    found.append((timecode.read(pixels_HW3), decoded.stream_s))
            if len(found) >= frames:
                break
        return found[:frames]
    finally:
        opened.close()


@pytest.mark.parametrize(
    ("codec", "transport"),
    [
        ("h264", RtspTransport.TCP),
        ("h264", RtspTransport.UDP),
        ("hevc", RtspTransport.TCP),
        ("mjpeg", RtspTransport.TCP),
    ],
)
def test_a_foreign_server_is_read_in_time(codec: Codec, transport: RtspTransport) -> None:
    clip = Clip(codec=codec, duration_s=4.0)
    with gstreamer_server.serve(path_of(clip), codec=codec) as url:
        found = read(url, transport=transport, frames=12)

    numbers = [number for number, _ in found]
    assert None not in numbers
    first_number, first_s = found[0]
    for number, stream_s in found:
        assert stream_s - first_s == pytest.approx(
            ((number or 0) - (first_number or 0)) / 10, abs=0.02
        )


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_a_foreign_server_checks_credentials(scheme: Literal["basic", "digest"]) -> None:
    secret = "Gs7-canary"  # noqa: S105  # of this test
    with gstreamer_server.serve(
        path_of(Clip(duration_s=4.0)), user="admin", password=secret, scheme=scheme
    ) as url:
        assert len(read(url, transport=RtspTransport.TCP, frames=3)) == 3
        with pytest.raises(CredentialsRefused) as refused:
            read(url.replace(secret, "wrong"), transport=RtspTransport.TCP, frames=1)
    assert "refused the credentials (401)" in str(refused.value)
    assert secret not in str(refused.value)


def test_a_path_that_a_foreign_server_has_not() -> None:
    with (
        gstreamer_server.serve(path_of(Clip(duration_s=4.0))) as url,
        pytest.raises(SourceRejected, match="no such stream"),
    ):
        read(url.replace("/clip", "/other"), transport=RtspTransport.TCP, frames=1)


def test_a_foreign_server_that_ends_is_told() -> None:
    with ExitStack() as stack:
        url = stack.enter_context(gstreamer_server.serve(path_of(Clip(duration_s=1.0))))
        opened = open_rtsp(rtsp_camera(url), IngestSettings(read_timeout_s=1.0))
        stack.callback(opened.close)
        with pytest.raises(SourceUnavailable, match="the stream"):
            for _ in StreamReader(opened, camera_id="gate").units():
                pass


@pytest.mark.parametrize("transport", list(RtspTransport))
@pytest.mark.parametrize(
    ("audio", "encoder", "suffix"),
    [("aac", "aac", ".mp4"), ("opus", "libopus", ".mkv"), ("pcmu", "pcm_mulaw", ".mov")],
)
def test_the_sound_of_a_foreign_server_is_kept_with_its_picture(
    tmp_path: Path, audio: Audio, encoder: str, suffix: str, transport: RtspTransport
) -> None:
    path = write_sounding(tmp_path / f"source{suffix}", audio=encoder)
    with gstreamer_server.serve(path, audio=audio) as url:
        camera = replace(rtsp_camera(url, transport=transport), keeps_audio=True)
        ring = ring_of_camera(camera)

    footage = ring.cover("run1", START, START + timedelta(seconds=9))
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(make_clip(footage))

    if audio == "pcmu":
        assert "MP4 cannot hold pcm_mulaw" in footage.template.audio_problem
        return
    loud, bright = loud_from_to(clip), bright_from_to(clip)
    assert loud[0] == pytest.approx(bright[0], abs=0.25)
    assert loud[1] == pytest.approx(bright[1] + 0.1, abs=0.25)


def test_without_being_told_a_foreign_server_is_not_asked_for_sound(tmp_path: Path) -> None:
    path = write_sounding(tmp_path / "source.mp4")
    with gstreamer_server.serve(path, audio="aac") as url:
        opened = open_rtsp(rtsp_camera(url), IngestSettings())
        streams = len(opened.container.streams)
        opened.close()

    assert streams == 1


def ring_of_camera(camera: Camera) -> ClipRing:
    """All that a camera sends, as ``run1`` from ``START`` on."""
    opened = open_rtsp(camera, IngestSettings())
    ring = ClipRing(keep_s=60.0)
    try:
        reader = StreamReader(opened, camera_id="gate", has_audio=camera.keeps_audio)
        reader.on_audio = ring.add_audio
        ring.begin_run("run1", ClipTemplate(reader.stream, reader.audio))
        ring.anchor(START)
        for packet in reader.packets():
            ring.add(packet)
    except SourceUnavailable:
        return ring
    finally:
        opened.close()
        ring.end_run()
    return ring
