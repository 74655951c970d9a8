from datetime import timedelta

import av
import cv2
import numpy as np
import pytest

from contracts.frames import EncodedFrame
from ingest.errors import SourceUnavailable
from ingest.framing import Framer
from ingest.sources.stream import DecodedFrame
from ingest.timeline import Arrival
from tests.fakes.clock import START
from tests.ingest.recordings import file_camera


def picture(at_s: float | None, *, width: int = 160, height: int = 120) -> DecodedFrame:
    pixels_HW3 = np.full((height, width, 3), 120, np.uint8)
    return DecodedFrame(
        picture=av.VideoFrame.from_ndarray(pixels_HW3, format="bgr24"), stream_s=at_s
    )


def framer(*, is_recording: bool = False, fps: float = 5.0, width: int = 640) -> Framer:
    return Framer(
        file_camera("x", analysis_fps=fps, analysis_width=width),
        jpeg_quality=85,
        frame_interval_s=0.04,
        starts_at=START if is_recording else None,
    )


def add(made: Framer, at_s: float, *, came_s: float | None = None) -> EncodedFrame | None:
    came = at_s if came_s is None else came_s
    arrival = Arrival(at=START + timedelta(seconds=came), monotonic_s=came)
    return made.add(picture(at_s), arrival=arrival)


def test_frames_are_numbered_as_they_are_taken() -> None:
    made = framer()

    frames = [frame for index in range(25) if (frame := add(made, index / 25))]

    assert [frame.header.seq for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.header.monotonic_s for frame in frames] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert {frame.header.run_id for frame in frames} == {made.run_id}
    assert made.skipped == 20


def test_the_jpeg_is_the_picture_at_analysis_size() -> None:
    frame = add(framer(width=80), 0.0)

    assert frame is not None
    pixels_HW3 = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels_HW3 is not None
    assert pixels_HW3.shape == (60, 80, 3) == (frame.header.height, frame.header.width, 3)
    assert np.abs(pixels_HW3.astype(int) - 120).max() <= 3


def test_a_jump_begins_a_new_run_with_numbers_from_0() -> None:
    made = framer()
    first = add(made, 1000.0, came_s=0.0)

    second = add(made, 3.0, came_s=0.2)

    assert first is not None
    assert second is not None
    assert second.header.run_id != first.header.run_id
    assert (second.header.seq, second.header.monotonic_s) == (0, 0.0)
    assert second.header.captured_at == START + timedelta(seconds=0.2)


def test_a_recording_goes_on_in_time_after_a_jump() -> None:
    made = framer(is_recording=True)
    add(made, 1000.0)

    second = add(made, 3.0)

    assert second is not None
    assert second.header.captured_at == START + timedelta(seconds=0.04)


def test_a_backlog_asks_for_a_new_connection() -> None:
    made = framer()
    add(made, 0.0)

    for index in range(1, 12):
        add(made, float(index), came_s=index + 8.0)

    with pytest.raises(SourceUnavailable, match=r"camera gate: frames come 8\.0 s late"):
        add(made, 12.0, came_s=20.0)


def test_the_size_follows_the_picture() -> None:
    made = framer(fps=25.0)
    arrival = Arrival(at=START, monotonic_s=0.0)
    before = made.add(picture(0.0), arrival=arrival)
    after = made.add(picture(0.04, width=320, height=180), arrival=arrival)

    assert before is not None
    assert after is not None
    assert (before.header.width, before.header.height) == (160, 120)
    assert (after.header.width, after.header.height) == (320, 180)
