import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.clock import Clock
from contracts.settings import IngestSettings
from ingest.errors import SourceRejected
from ingest.sources.opened import OpenedStream
from ingest.sources.scenes.registry import load_scene
from ingest.sources.scenes.yard_truth import demo_camera
from ingest.sources.stream import DecodedFrame, EncodedPacket, StreamReader
from ingest.sources.synthetic import SCRIPT_STARTS_AT, open_synthetic, record_scene
from tests.fakes.clock import ManualClock

SETTINGS = IngestSettings()


def camera(name: str = "yard", *, is_paced: bool = False) -> Camera:
    source = SourceSettings(source_type=SourceType.SYNTHETIC, url=name, is_paced=is_paced)
    return Camera(camera_id="cam", source=source)


@contextmanager
def opened(*, is_paced: bool = False, clock: Clock | None = None) -> Iterator[OpenedStream]:
    stream = open_synthetic(camera(is_paced=is_paced), SETTINGS, clock=clock)
    yield stream
    stream.close()


def frames(stream: OpenedStream, count: int) -> list[DecodedFrame]:
    found: list[DecodedFrame] = []
    for unit in StreamReader(stream, camera_id="cam").units():
        found.extend(unit.frames)
        if len(found) >= count:
            break
    return found[:count]


def packets(stream: OpenedStream, count: int) -> list[EncodedPacket]:
    found: list[EncodedPacket] = []
    for unit in StreamReader(stream, camera_id="cam").units():
        if unit.packet is not None:
            found.append(unit.packet)
        if len(found) == count:
            break
    return found


def test_a_scene_is_read_like_any_h264_camera() -> None:
    with opened() as stream:
        reader = StreamReader(stream, camera_id="cam")
        assert reader.codec == "h264"
        [first] = [unit.frames[0] for unit, _ in zip(reader.units(), range(1), strict=False)]
    assert (first.picture.width, first.picture.height) == (640, 360)


def test_pictures_come_in_the_scene_s_own_time() -> None:
    with opened() as stream:
        times = [frame.stream_s for frame in frames(stream, 20)]
    assert times == pytest.approx([index * 0.08 for index in range(20)], abs=1e-3)


def test_a_key_frame_comes_each_second() -> None:
    with opened() as stream:
        keys = [index for index, packet in enumerate(packets(stream, 37)) if packet.is_key]
    assert keys == [0, 12, 24, 36]


def test_what_is_read_is_what_was_drawn() -> None:
    with opened() as stream:
        pixels = frames(stream, 5)[4].picture.to_ndarray(format="bgr24").astype(int)
    drawn = load_scene("yard").picture(4, shown_at=SCRIPT_STARTS_AT).astype(int)
    assert np.abs(pixels - drawn).mean() < 4.0


def test_every_run_that_is_not_paced_is_the_same() -> None:
    runs = []
    for _ in range(2):
        with opened() as stream:
            runs.append([packet.content for packet in packets(stream, 10)])
    assert runs[0] == runs[1]


def test_a_paced_scene_plays_at_its_own_speed() -> None:
    began_s = time.monotonic()
    with opened(is_paced=True) as stream:
        found = frames(stream, 14)
        took_s = time.monotonic() - began_s
    assert stream.is_live
    assert len(found) == 14
    # 13 intervals of 80 ms, counted from before the first: a busy machine only adds to them.
    assert took_s > 1.0


def test_a_scene_that_is_not_paced_plays_faster() -> None:
    with opened() as stream:
        began_s = time.monotonic()
        frames(stream, 100)
        took_s = time.monotonic() - began_s
    assert not stream.is_live
    assert took_s < 30.0


def test_a_picture_that_would_be_late_is_left_out() -> None:
    clock = ManualClock()
    with opened(is_paced=True, clock=clock) as stream:
        reader = StreamReader(stream, camera_id="cam")
        times: list[float] = []
        for unit in reader.units():
            times.extend(frame.stream_s or 0.0 for frame in unit.frames)
            if len(times) == 3:
                clock.advance(10.0)
            if times and times[-1] > 5.0:
                break
    steps = np.diff(times)
    assert steps.max() > 5.0
    assert np.median(steps) == pytest.approx(0.08, abs=1e-3)


def test_the_clock_in_a_paced_picture_shows_the_time() -> None:
    clock = ManualClock()
    with opened(is_paced=True, clock=clock) as stream:
        pixels = frames(stream, 1)[0].picture.to_ndarray(format="bgr24").astype(int)
    scene = load_scene("yard")
    overlay = (slice(0, 20), slice(440, 640))

    def distance(drawn: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> float:
        return float(np.abs(pixels[overlay] - drawn[overlay].astype(int)).mean())

    right = distance(scene.picture(0, shown_at=clock.now()))
    assert right < 0.7 * distance(scene.picture(0, shown_at=SCRIPT_STARTS_AT))


def test_an_unknown_scene_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(SourceRejected, match=r"cam: .*no synthetic scene 'moon'.*yard"):
        open_synthetic(camera("moon"), SETTINGS)


@pytest.mark.parametrize("is_paced", [True, False])
def test_closing_ends_the_thread_at_once_and_may_be_repeated(is_paced: bool) -> None:
    """Also while nobody reads and the pipe is full, as it soon is when not paced."""
    stream = open_synthetic(camera(is_paced=is_paced), SETTINGS)
    [thread] = [one for one in threading.enumerate() if one.name == "synthetic-cam"]
    thread.join(0.7)  # long enough to fill the pipe
    assert thread.is_alive()

    began_s = time.monotonic()
    stream.close()
    stream.close()

    assert time.monotonic() - began_s < 8.0
    assert not thread.is_alive()


def test_two_cameras_play_the_same_scene_apart() -> None:
    with opened() as first, opened() as second:
        frames(first, 30)
        assert frames(second, 1)[0].stream_s == 0.0


def test_the_demo_camera_can_be_opened() -> None:
    stream = open_synthetic(demo_camera(), SETTINGS)
    stream.close()
    assert stream.is_live


def test_a_recording_holds_the_beginning_of_the_scene(tmp_path: Path) -> None:
    path = tmp_path / "yard.mp4"
    record_scene(path, duration_s=2.0)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoded = list(container.decode(stream))
        assert stream.average_rate == 12.5
    assert len(decoded) == 25
    assert decoded[-1].time == pytest.approx(24 * 0.08)
