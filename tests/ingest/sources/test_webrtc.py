"""What is published as a source: opened, read, timed, ended. No network."""

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.clock import SystemClock
from contracts.settings import IngestSettings
from ingest.errors import SourceUnavailable
from ingest.sources.stream import DecodedFrame, StreamReader
from ingest.sources.webrtc import PublisherGone, open_webrtc
from ingest.webrtc.publication import Intake, Publication
from tests.fakes.clock import START

CAMERA = Camera(camera_id="phone", source=SourceSettings(source_type=SourceType.WEBRTC, url=""))
SETTINGS = IngestSettings(open_timeout_s=0.5, read_timeout_s=0.5)
WRAP = 1 << 32


def encoded(codec: str, count: int, *, size: tuple[int, int] = (64, 48)) -> list[bytes]:
    """Pictures as a publisher sends them, the first a key frame."""
    encoder = av.CodecContext.create("libx264" if codec == "H264" else "libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, 30)
    encoder.gop_size = 1000
    if codec == "H264":
        encoder.options = {"tune": "zerolatency", "preset": "ultrafast"}
        encoder.profile = "Baseline"
    else:
        encoder.options = {"deadline": "realtime", "lag-in-frames": "0"}
    made = []
    for index in range(count):
        pixels = np.full((size[1], size[0], 3), 5 * index, np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
        frame.pts, frame.time_base = index, Fraction(1, 30)
        made += [bytes(packet) for packet in encoder.encode(frame)]
    return made


def published(codec: str = "H264", *, count: int = 10, first: int = 0) -> Publication:
    publication = Publication(lambda: None, clock=SystemClock())
    for index, content in enumerate(encoded(codec, count)):
        publication.picture(codec, content, (first + 3000 * index) % WRAP)
    return publication


def intake_of(publication: Publication) -> Intake:
    intake = Intake()
    assert intake.begin(publication)
    return intake


def read(
    intake: Intake, *more: tuple[str, bytes, int]
) -> tuple[list[DecodedFrame], list[bool], SourceUnavailable]:
    """All frames, whether each packet is a key frame, and the end; ``more`` comes after opening."""
    opened = open_webrtc(CAMERA, SETTINGS, intake)
    publication = intake.current
    assert publication is not None
    for codec, content, ticks in more:
        publication.picture(codec, content, ticks)
    frames: list[DecodedFrame] = []
    keys: list[bool] = []
    try:
        for unit in StreamReader(opened, camera_id="phone").units():
            frames += unit.frames
            if unit.packet is not None:
                keys.append(unit.packet.is_key)
    except SourceUnavailable as end:
        return frames, keys, end
    finally:
        opened.close()
        opened.close()
    raise AssertionError("units() ends only by an error")


@pytest.mark.parametrize("codec", ["H264", "VP8"])
@pytest.mark.parametrize("first", [0, WRAP - 9000])
def test_each_picture_comes_once_without_delay_and_with_its_time(codec: str, first: int) -> None:
    frames, keys, end = read(intake_of(published(codec, first=first)))

    assert len(frames) == 10
    times_s = [frame.stream_s or 0.0 for frame in frames]
    assert all(b - a == pytest.approx(1 / 30, abs=1e-4) for a, b in pairwise(times_s))
    assert keys == [True] + [False] * 9
    assert isinstance(end, PublisherGone)
    assert end.reason == "the publisher sent no picture for 0.5 s"


def test_pictures_carry_what_the_publishers_clock_says() -> None:
    publication = published()
    publication.report(START, 9 * 3000)

    frames, _, _ = read(intake_of(publication))

    offsets_s = [(frame.sent_at - START).total_seconds() for frame in frames if frame.sent_at]
    assert offsets_s == pytest.approx([(index - 9) / 30 for index in range(10)], abs=1e-3)


def test_nobody_and_a_publisher_without_a_key_frame_are_told_apart() -> None:
    with pytest.raises(PublisherGone, match="nobody publishes"):
        open_webrtc(CAMERA, SETTINGS, Intake())

    publication = Publication(lambda: None, clock=SystemClock())
    publication.picture("H264", encoded("H264", 2)[1], 0)
    with pytest.raises(PublisherGone, match=r"sent no picture for 0\.5 s"):
        open_webrtc(CAMERA, SETTINGS, intake_of(publication))
    assert publication.cause


def test_a_first_picture_that_cannot_be_decoded_is_said() -> None:
    publication = Publication(lambda: None, clock=SystemClock())
    publication.picture("H264", b"\x00\x00\x00\x01\x65" + b"\xff" * 40, 0)

    with pytest.raises(SourceUnavailable, match="cannot be decoded"):
        open_webrtc(CAMERA, SETTINGS, intake_of(publication))


def test_a_change_of_codec_ends_the_run() -> None:
    intake = intake_of(published(count=3))

    frames, _, end = read(intake, ("VP8", encoded("VP8", 1)[0], 20_000))

    assert len(frames) == 3
    assert end.reason == "the publisher changed from h264 to vp8"
    assert not isinstance(end, PublisherGone), "it is still there, and is read again"


def test_a_change_of_size_is_followed() -> None:
    larger = encoded("H264", 2, size=(128, 96))

    frames, _, _ = read(
        intake_of(published(count=3)), ("H264", larger[0], 9000), ("H264", larger[1], 12_000)
    )

    assert [frame.picture.width for frame in frames] == [64] * 3 + [128] * 2
