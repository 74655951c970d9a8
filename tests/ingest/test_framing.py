from dataclasses import replace
from datetime import timedelta

import av
import numpy as np
import pytest

from contracts.frames import Frame
from ingest.errors import SourceUnavailable
from ingest.framing import Framer, FreshFrame
from ingest.planar_frame import PlanarFrame
from ingest.punctuality import TRIAL_S
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
        frame_interval_s=0.04,
        starts_at=START if is_recording else None,
    )


def add(made: Framer, at_s: float, *, came_s: float | None = None) -> list[FreshFrame]:
    came = at_s if came_s is None else came_s
    arrival = Arrival(at=START + timedelta(seconds=came), monotonic_s=came)
    return made.add(picture(at_s), arrival=arrival)


def seconds(frames: list[FreshFrame]) -> list[float]:
    return [(frame.header.captured_at - START).total_seconds() for frame in frames]


def test_frames_are_numbered_as_they_are_taken() -> None:
    made = framer()

    frames = [frame for index in range(25) for frame in add(made, index / 25)]

    assert [frame.header.seq for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.header.monotonic_s for frame in frames] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert {frame.header.run_id for frame in frames} == {made.run_id}
    assert made.skipped == 20


def test_a_frame_is_the_picture_at_analysis_size() -> None:
    [frame] = add(framer(is_recording=True, width=80), 0.0)

    assert isinstance(frame, Frame)
    pixels_HW3 = frame.pixels_HW3
    assert pixels_HW3.shape == (60, 80, 3) == (frame.header.height, frame.header.width, 3)
    assert np.abs(pixels_HW3.astype(int) - 120).max() <= 3


def test_where_planes_are_wanted_a_picture_of_analysis_size_keeps_its_own() -> None:
    decoded = picture(0.0)
    planar = replace(decoded, picture=decoded.picture.reformat(format="yuv420p"))
    for width, kind in ((640, PlanarFrame), (80, Frame)):
        camera = file_camera("x", analysis_fps=5.0, analysis_width=width)
        made = Framer(camera, frame_interval_s=0.04, starts_at=START, in_planes=True)

        [frame] = made.add(planar, arrival=Arrival(at=START, monotonic_s=0.0))

        assert isinstance(frame, kind)
        assert frame.header.width == min(width, 160)


def test_a_jump_begins_a_new_run_with_numbers_from_0() -> None:
    made = framer()
    add(made, 1000.0, came_s=0.0)

    [first] = add(made, 3.0, came_s=0.2)
    [second] = made.release()

    assert second.header.run_id != first.header.run_id
    assert (second.header.seq, second.header.monotonic_s) == (0, 0.0)
    assert second.header.captured_at == START + timedelta(seconds=0.2)


def test_a_recording_goes_on_in_time_after_a_jump() -> None:
    made = framer(is_recording=True)
    add(made, 1000.0)

    [second] = add(made, 3.0)

    assert second.header.captured_at == START + timedelta(seconds=0.04)


def test_a_backlog_asks_for_a_new_connection() -> None:
    made = framer()
    add(made, 0.0)

    for index in range(1, 5):
        add(made, float(index), came_s=index + 8.0)

    with pytest.raises(SourceUnavailable, match=r"camera gate: frames come 8\.0 s late"):
        add(made, 5.0, came_s=13.0)


def test_the_size_follows_the_picture() -> None:
    made = framer(is_recording=True, fps=25.0)
    arrival = Arrival(at=START, monotonic_s=0.0)
    [before] = made.add(picture(0.0), arrival=arrival)
    [after] = made.add(picture(0.04, width=320, height=180), arrival=arrival)

    assert (before.header.width, before.header.height) == (160, 120)
    assert (after.header.width, after.header.height) == (320, 180)


def test_a_burst_in_the_beginning_has_the_times_at_which_it_was_taken() -> None:
    """libav looks at a stream for up to a second, and gives out at once what came meanwhile."""
    made = framer()
    burst = [frame for index in range(5) for frame in add(made, 0.2 * index, came_s=0.8)]

    then = add(made, 1.0, came_s=1.0)

    assert burst == []
    assert seconds(then) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert [frame.header.seq for frame in then] == [0, 1, 2, 3, 4, 5]
    assert seconds(add(made, 1.2)) == pytest.approx([1.2])


def test_a_burst_that_nothing_follows_is_given_out_in_the_end() -> None:
    made = framer()
    add(made, 0.0, came_s=0.4)
    add(made, 0.4, came_s=0.4)

    assert seconds(made.release()) == pytest.approx([0.0, 0.4])
    assert made.release() == []


def test_frames_given_out_are_not_placed_anew() -> None:
    made = framer()
    add(made, 0.0, came_s=0.3)
    before = add(made, 0.2, came_s=0.5)

    after = add(made, 0.4, came_s=0.45)

    assert seconds(before) == pytest.approx([0.3, 0.5])
    assert seconds(after) == pytest.approx([0.5])


def test_what_happens_now_may_come_late_and_a_recording_never_does() -> None:
    now, recording = framer(), framer(is_recording=True)
    for made in (now, recording):
        add(made, 0.0)
        add(made, 0.2)
        add(made, 0.4, came_s=3.0)

    assert now.late_s == pytest.approx(2.6)
    assert recording.late_s == 0.0
    assert (now.is_punctual, now.late) == (False, 1)
    assert (recording.is_punctual, recording.late) == (True, 0)


def test_a_picture_that_comes_too_late_is_no_frame() -> None:
    made = framer()
    shown = [add(made, index / 5, came_s=index / 5) for index in range(5)]
    late = [add(made, 1.0 + index / 5, came_s=4.0 + index / 5) for index in range(5)]

    [again] = add(made, 2.0, came_s=2.1 + 3.0 - 2.5)

    assert [len(frames) for frames in shown[1:]] == [2, 1, 1, 1]
    assert late == [[]] * 5
    assert again.header.seq == 5


def test_nothing_of_a_connection_on_trial_is_shown_until_it_has_kept_up() -> None:
    made = Framer(
        file_camera("x", analysis_fps=5.0),
        frame_interval_s=0.2,
        is_on_trial=True,
    )

    frames = [frame for index in range(26) for frame in add(made, index / 5)]

    assert frames[0].header.monotonic_s == pytest.approx(TRIAL_S)
    assert (made.late, len(frames)) == (15, 11)


@pytest.mark.parametrize("is_patched", [False, True])
def test_a_frame_says_whether_parts_of_it_arrived_damaged(is_patched: bool) -> None:
    decoded = replace(picture(0.0), is_patched=is_patched)
    made = framer(is_recording=True)

    frames = made.add(decoded, arrival=Arrival(at=START, monotonic_s=0.0)) + made.release()

    assert [frame.header.is_patched for frame in frames] == [is_patched]
