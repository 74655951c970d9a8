import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from av.container import InputContainer

from contracts.settings import IngestSettings
from ingest.errors import SourceEnded, SourceError, SourceRejected, SourceUnavailable
from ingest.sources.audio import AudioPacket
from ingest.sources.file import open_file
from ingest.sources.opened import OpenedStream
from ingest.sources.scaling import PictureScaler
from ingest.sources.stream import StreamReader, StreamUnit
from tests.fakes.clips import WalkerClip, walker_path
from tests.ingest.recordings import Shot, file_camera, write
from tests.ingest.sounding import write_sounding


def opened(path: Path) -> OpenedStream:
    return open_file(file_camera(path), IngestSettings())


def read(path: Path, *, is_offline: bool = False) -> tuple[list[StreamUnit], SourceError]:
    """All units and the error that ended them."""
    stream = opened(path)
    reader = StreamReader(stream, camera_id="gate", is_offline=is_offline)
    units: list[StreamUnit] = []
    try:
        for unit in reader.units():
            units.append(unit)
    except SourceError as error:
        return units, error
    finally:
        stream.close()
    raise AssertionError("units() ends only by an error")


@pytest.mark.parametrize("is_offline", [False, True])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_every_picture_comes_once_in_order_with_its_time(suffix: str, is_offline: bool) -> None:
    clip = WalkerClip(b_frames=2)

    units, end = read(walker_path(clip, suffix=suffix), is_offline=is_offline)

    times = [frame.stream_s for unit in units for frame in unit.frames]
    assert len(times) == clip.frames
    first = times[0]
    assert first is not None
    expected = [first + index / clip.fps for index in range(clip.frames)]
    assert times == pytest.approx(expected, abs=0.002)
    assert isinstance(end, SourceEnded)


def test_packets_carry_what_the_camera_sent() -> None:
    units, _ = read(walker_path())

    packets = [unit.packet for unit in units if unit.packet is not None]
    assert len(packets) == WalkerClip().frames
    assert [packet.is_key for packet in packets][:11] == [True] + [False] * 9 + [True]
    assert units[-1].packet is None, "the last unit is what the decoder still held"


def test_a_live_stream_decodes_without_delay() -> None:
    units, _ = read(walker_path())

    assert all(len(unit.frames) == 1 for unit in units if unit.packet is not None)


def test_damaged_pictures_are_counted_and_left_out(tmp_path: Path) -> None:
    content = bytearray(walker_path(suffix=".ts").read_bytes())
    random = np.random.default_rng(1)
    for position in random.integers(len(content) // 3, len(content), len(content) // 150):
        content[position] ^= 0xFF
    damaged = tmp_path / "damaged.ts"
    damaged.write_bytes(content)

    units, end = read(damaged)

    sound = sum(len(unit.frames) for unit in units)
    assert sum(unit.corrupt for unit in units) > 0
    assert 0 < sound < WalkerClip().frames
    assert isinstance(end, SourceEnded)


def test_the_size_may_change_in_the_middle(tmp_path: Path) -> None:
    path = write(tmp_path / "two.h264", Shot(width=320, height=240), Shot(width=640, height=360))

    units, _ = read(path)

    scaler = PictureScaler(320)
    shapes = [scaler.to_bgr(f.picture).shape for unit in units for f in unit.frames]
    assert shapes[0] == (240, 320, 3)
    assert shapes[-1] == (180, 320, 3)
    assert len(shapes) == 40


def test_sound_without_pictures_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    with pytest.raises(SourceRejected, match="has no video stream, only audio"):
        StreamReader(opened(path), camera_id="gate")


@pytest.mark.parametrize("codec", ["magicyuv", "ffv1", "utvideo"])
def test_codecs_that_no_camera_sends_are_refused_before_decoding(
    tmp_path: Path, codec: str
) -> None:
    path = tmp_path / "odd.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv422p"
        picture = av.VideoFrame(64, 64, "yuv422p")
        picture.pts = 0
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))

    wanted = "wanted: av1, h264, hevc, mjpeg, mpeg4, vp8, vp9 "
    with pytest.raises(SourceRejected, match=f"video codec {codec} is not accepted; {wanted}"):
        StreamReader(opened(path), camera_id="gate")


@pytest.mark.parametrize(
    ("codec", "suffix", "name"),
    [("mpeg4", ".mp4", "mpeg4"), ("mjpeg", ".mkv", "mjpeg"), ("libvpx", ".webm", "vp8")],
)
def test_other_codecs_of_cameras_are_read(
    tmp_path: Path, codec: str, suffix: str, name: str
) -> None:
    path = write(tmp_path / f"clip{suffix}", Shot(frames=5), codec=codec)

    stream = opened(path)
    reader = StreamReader(stream, camera_id="gate")
    assert reader.codec == name
    stream.close()
    assert sum(len(unit.frames) for unit in read(path)[0]) == 5


def test_a_recording_of_which_nothing_decodes_is_refused(tmp_path: Path) -> None:
    """Otherwise a looped one would be opened again and again, and the camera seem to be well."""
    content = bytearray(walker_path(suffix=".mp4").read_bytes())
    start = content.index(b"mdat") + 4
    end = content.index(b"moov") - 4
    content[start:end] = bytes(end - start)
    (tmp_path / "blank.mp4").write_bytes(content)

    _, end_error = read(tmp_path / "blank.mp4")

    assert isinstance(end_error, SourceRejected)
    assert "not one picture could be decoded" in str(end_error)


def test_a_recording_that_breaks_off_ends_where_it_breaks(tmp_path: Path) -> None:
    content = walker_path(suffix=".mkv").read_bytes()
    (tmp_path / "half.mkv").write_bytes(content[: len(content) // 2])

    units, end = read(tmp_path / "half.mkv")

    assert 0 < sum(len(unit.frames) for unit in units) < WalkerClip().frames
    assert isinstance(end, SourceEnded)


def test_states_rate_and_length() -> None:
    stream = opened(walker_path())

    reader = StreamReader(stream, camera_id="gate")

    assert reader.frame_interval_s == pytest.approx(0.1)
    assert reader.duration_s == pytest.approx(4.0, abs=0.1)
    stream.close()


def test_a_picture_larger_than_any_camera_makes_is_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.sources.stream.PIXELS_MAX", 160 * 100)
    path = write(tmp_path / "large.mp4", Shot(width=160, height=120))

    units, error = read(path)

    assert sum(len(unit.frames) for unit in units) == 0
    assert isinstance(error, SourceRejected)


def test_sound_alone_is_no_sign_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera whose pictures stop is opened anew, though it still sends sound."""
    stream = replace(
        opened(write_sounding(tmp_path / "clip.mp4")), read_timeout_s=0.1, is_live=True
    )
    reader = StreamReader(stream, camera_id="gate", has_audio=True)
    heard: list[AudioPacket] = []
    reader.on_audio = heard.append

    monkeypatch.setattr(reader, "_container", OnlySound(stream.container))

    with pytest.raises(SourceUnavailable, match="no data within the time-out"):
        list(reader.packets())

    stream.close()
    assert len(heard) >= 1


class OnlySound:
    """A container that sends its sound again and again, and no picture."""

    def __init__(self, container: InputContainer) -> None:
        self._container = container

    def demux(self, *_: object) -> Iterator[object]:
        packets = [p for p in self._container.demux(audio=0) if p.size]
        while True:
            threading.Event().wait(0.01)
            yield packets[0]
