"""Whatever a camera says of itself, ingest reads it or refuses it in words, and nothing else."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.settings import IngestSettings
from ingest.errors import SourceError
from ingest.sources.rtsp import open_rtsp
from ingest.sources.stream import StreamReader
from tests.ingest.recordings import rtsp_camera
from tests.quirkcam import QuirkCam, Quirks
from tests.quirkcam.clips import Clip, media_of
from tests.quirkcam.description import describe

HASTY = IngestSettings(open_timeout_s=0.6, read_timeout_s=0.6)
SECRET = "Fz4-canary"  # noqa: S105  # of this test
MEDIA = media_of(Clip(duration_s=1.0))
SOUND = describe(MEDIA, Quirks(), host="127.0.0.1")
ODD = (
    "",
    "a=",
    "m=",
    "m=video",
    "m=video 99999999999 RTP/AVP 96 97 98",
    "m=audio 0 RTP/AVP 0",
    "c=IN IP4 224.2.17.12/127",
    "c=IN IP4 256.1.1.1",
    "a=control:rtsp://user:pass@elsewhere.invalid/x",
    "a=control:",
    "a=rtpmap:96",
    "a=rtpmap:96 H264/0",
    "a=rtpmap:96 H264/999999999999",
    "a=rtpmap:-1 NONE/90000",
    "a=fmtp:96 sprop-parameter-sets=",
    "a=fmtp:96 sprop-parameter-sets=////,AAAA,Z0",
    "a=fmtp:96 " + "x" * 5000,
    "a=framerate:0",
    "a=range:npt=now-",
    "s=" + "ä" * 300,
)


@st.composite
def descriptions(draw: st.DrawFn) -> str:
    """A sound SDP with lines taken out, put elsewhere, spoilt or added."""
    lines = SOUND.splitlines()
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines)))
        match draw(st.sampled_from(("drop", "add", "cut", "swap", "noise"))):
            case "drop":
                del lines[at : at + 1]
            case "add":
                lines.insert(at, draw(st.sampled_from(ODD)))
            case "cut" if at < len(lines):
                lines[at] = lines[at][: draw(st.integers(0, 20))]
            case "swap" if at + 1 < len(lines):
                lines[at], lines[at + 1] = lines[at + 1], lines[at]
            case _:
                lines.insert(at, draw(st.text(max_size=40)))
    return draw(st.sampled_from(("\r\n", "\n", "\r"))).join(lines) + "\r\n"


@pytest.fixture(scope="module")
def camera() -> Iterator[QuirkCam]:
    with QuirkCam(MEDIA, user="admin", password=SECRET, speed=8.0) as camera:
        yield camera


def told_of(camera: QuirkCam) -> str:
    """Read a few packets; what is said of the camera, or nothing if it can be read."""
    try:
        opened = open_rtsp(rtsp_camera(camera.url), HASTY)
    except SourceError as error:
        return str(error)
    try:
        units = StreamReader(opened, camera_id="gate").units()
        for _ in range(3):
            next(units)
    except SourceError as error:
        return str(error)
    finally:
        opened.close()
    return ""


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sdp=descriptions())
def test_any_description_is_read_or_refused(camera: QuirkCam, sdp: str) -> None:
    camera.quirks = Quirks(sdp=sdp)

    assert SECRET not in told_of(camera)
