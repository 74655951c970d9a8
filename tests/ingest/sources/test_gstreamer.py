"""The RTSP source against a server that nobody here wrote."""

import pytest

from contracts.cameras import RtspTransport
from contracts.settings import IngestSettings
from ingest.sources.rtsp import open_rtsp
from ingest.sources.stream import StreamReader
from tests import gstreamer_server
from tests.fakes.clips import walker_path
from tests.ingest.recordings import rtsp_camera

pytestmark = pytest.mark.gstreamer


@pytest.fixture(scope="module", autouse=True)
def _gstreamer() -> None:
    if not gstreamer_server.is_available():
        pytest.skip("GStreamer's RTSP server is not installed (scripts/test-setup.sh)")


@pytest.mark.parametrize("transport", list(RtspTransport))
def test_a_foreign_server_is_read_with_growing_times(transport: RtspTransport) -> None:
    with gstreamer_server.serve(walker_path()) as url:
        opened = open_rtsp(rtsp_camera(url, transport=transport), IngestSettings())
        try:
            reader = StreamReader(opened, camera_id="gate")
            times: list[float] = []
            for unit in reader.units():
                times += [frame.stream_s for frame in unit.frames if frame.stream_s is not None]
                if len(times) >= 12:
                    break
        finally:
            opened.close()

    assert times == sorted(set(times))
    assert 0.5 < times[11] - times[0] < 3.0
