"""What comes of a camera whose packets get lost: no picture is taken for whole that is not."""

from functools import cache

import av
import numpy as np
import pytest

from contracts.cameras import RtspTransport
from contracts.frames import BgrImage
from contracts.settings import IngestSettings
from ingest.sources.rtsp import open_rtsp
from ingest.sources.stream import DecodedFrame, StreamReader
from tests.ingest.recordings import rtsp_camera
from tests.quirkcam import QuirkCam, Quirks, timecode
from tests.quirkcam.clips import Clip, media_of, path_of

SPEED = 4.0
H264 = Clip(width=640, height=360, duration_s=8.0)
HEVC = Clip(width=640, height=360, duration_s=8.0, codec="hevc")
SMALL = Clip(width=160, height=96, duration_s=8.0)
"""Its pictures fit into one or two packets, so that most that get lost get lost whole."""


@cache
def clean(clip: Clip) -> list[BgrImage]:
    with av.open(str(path_of(clip))) as container:
        return [pixels(picture) for picture in container.decode(video=0)]


def pixels(picture: av.VideoFrame) -> BgrImage:
    return np.array(picture.to_ndarray(format="bgr24"), np.uint8)


def played(clip: Clip, *, loss: float, units: int) -> tuple[list[DecodedFrame], int]:
    """The pictures of so many packets of the stream, and how many were left out."""
    with QuirkCam(media_of(clip), quirks=Quirks(loss=loss), speed=SPEED) as camera:
        opened = open_rtsp(rtsp_camera(camera.url, transport=RtspTransport.UDP), IngestSettings())
        try:
            reader = StreamReader(opened, camera_id="gate")
            found = [unit for unit, _ in zip(reader.units(), range(units), strict=False)]
        finally:
            opened.close()
    frames = [frame for unit in found for frame in unit.frames]
    return frames, sum(unit.corrupt for unit in found)


def off(clip: Clip, frame: DecodedFrame) -> float:
    """The share of the picture that is not as the camera sent it."""
    shown = pixels(frame.picture)
    number = timecode.read(shown)
    if number is None:
        return 1.0
    difference = np.abs(shown.astype(np.int16) - clean(clip)[number % clip.frames])
    return float(np.mean(difference.max(axis=2) > 30))


@pytest.mark.parametrize(
    ("clip", "loss"),
    [(H264, 0.05), (HEVC, 0.05), (SMALL, 0.05), (SMALL, 0.2)],
    ids=["h264", "hevc", "small 5 %", "small 20 %"],
)
def test_what_is_said_to_be_whole_is_as_it_was_sent(clip: Clip, loss: float) -> None:
    frames, corrupt = played(clip, loss=loss, units=110)

    whole = [frame for frame in frames if not frame.is_patched]
    assert whole
    assert len(whole) < len(frames) + corrupt
    assert [off(clip, frame) for frame in whole] == [0.0] * len(whole)


def test_what_is_patched_still_shows_the_view() -> None:
    frames, _ = played(H264, loss=0.05, units=110)

    patched = [frame for frame in frames if frame.is_patched]
    assert patched
    readable = [share for frame in patched if (share := off(H264, frame)) < 1.0]
    assert len(readable) > len(patched) / 2
    assert max(readable) < 0.2


def test_nothing_of_a_stream_that_loses_a_fifth_is_said_to_be_whole() -> None:
    frames, corrupt = played(H264, loss=0.2, units=60)

    assert not any(off(H264, frame) > 0 for frame in frames if not frame.is_patched)
    assert corrupt > 40


def test_of_a_stream_without_loss_every_picture_is_whole() -> None:
    frames, corrupt = played(H264, loss=0.0, units=30)

    assert corrupt == 0
    assert not any(frame.is_patched for frame in frames)
