import itertools
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.timeline import Arrival, Discontinuity, Moment, PtsUnwrapper, Timeline
from tests.fakes.clock import START

TICK = Fraction(1, 90_000)


def arrival(at_s: float, *, wall_step_s: float = 0.0) -> Arrival:
    return Arrival(at=START + timedelta(seconds=at_s + wall_step_s), monotonic_s=1000.0 + at_s)


def live() -> Timeline:
    return Timeline(frame_interval_s=0.04)


def place(timeline: Timeline, stream_s: float | None, *, at_s: float | None = None) -> Moment:
    came_s = (stream_s or 0.0) if at_s is None else at_s
    placed = timeline.place(stream_s, arrival=arrival(came_s))
    assert isinstance(placed, Moment), placed
    return placed


def test_the_first_frame_is_captured_when_it_arrives() -> None:
    moment = place(live(), 512.0, at_s=3.0)

    assert moment == Moment(captured_at=START + timedelta(seconds=3), monotonic_s=0.0)


def test_later_frames_keep_the_distances_of_the_stream_however_late_they_arrive() -> None:
    timeline = live()
    first = place(timeline, 10.0, at_s=0.0)

    moment = place(timeline, 10.2, at_s=1.7)

    assert moment.captured_at - first.captured_at == timedelta(seconds=0.2)
    assert moment.monotonic_s == pytest.approx(0.2)


def test_a_recording_begins_at_the_time_that_is_given() -> None:
    timeline = Timeline(frame_interval_s=0.04, starts_at=START)
    timeline.place(7.0, arrival=arrival(99.0))

    moment = timeline.place(8.5, arrival=arrival(99.0))

    assert moment == Moment(captured_at=START + timedelta(seconds=1.5), monotonic_s=1.5)


def test_small_backward_jitter_is_held_at_the_time_before() -> None:
    timeline = live()
    place(timeline, 0.0)
    before = place(timeline, 5.0)

    assert place(timeline, 4.2, at_s=5.04) == before


@pytest.mark.parametrize(
    ("stream_s", "ends_run"),
    [
        pytest.param(99.0, False, id="one second back is jitter"),
        pytest.param(98.9, True, id="more than a second back is a new stream"),
        pytest.param(160.0, False, id="a hole of a minute is a hole"),
        pytest.param(160.1, True, id="a longer hole ends the run"),
    ],
)
def test_jumps(stream_s: float, ends_run: bool) -> None:
    timeline = Timeline(frame_interval_s=0.04, starts_at=START)
    timeline.place(100.0, arrival=arrival(0.0))

    placed = timeline.place(stream_s, arrival=arrival(0.0))

    assert isinstance(placed, Discontinuity) is ends_run


def test_a_jump_is_told_with_its_values() -> None:
    timeline = live()
    place(timeline, 100.0, at_s=0.0)

    placed = timeline.place(3.25, arrival=arrival(0.1))

    assert isinstance(placed, Discontinuity)
    assert "from 100.000 s to 3.250 s (allowed: 1 s back, 60 s ahead)" in placed.message


def test_a_frame_without_timestamp_follows_at_the_average_rate() -> None:
    timeline = live()
    place(timeline, 2.0, at_s=0.0)

    assert place(timeline, None, at_s=0.04).monotonic_s == pytest.approx(0.04)


def test_frames_that_come_in_a_burst_are_not_captured_in_the_future() -> None:
    timeline = live()
    place(timeline, 0.0, at_s=2.0)

    burst = [place(timeline, index * 0.5, at_s=2.0) for index in range(1, 5)]
    then = place(timeline, 2.5, at_s=2.5)

    assert all(moment.captured_at <= arrival(2.0).at for moment in burst)
    assert then.captured_at == arrival(2.5).at


def test_a_wall_clock_that_is_set_moves_captured_at_but_not_stream_time() -> None:
    timeline = live()
    place(timeline, 0.0, at_s=0.0)

    placed = timeline.place(1.0, arrival=arrival(1.0, wall_step_s=3600.0))

    assert isinstance(placed, Moment)
    assert placed.captured_at == START + timedelta(seconds=3601)
    assert placed.monotonic_s == 1.0


def test_a_camera_whose_clock_is_slow_is_still_right_after_a_day() -> None:
    """At 50 ppm the time of a day-old run would be 4.3 s behind, and all its frames too old."""
    timeline = live()
    last = None
    for second in range(0, 86_400, 1):
        last = place(timeline, second * (1 - 50e-6), at_s=float(second))

    assert last is not None
    assert abs((arrival(86_399.0).at - last.captured_at).total_seconds()) < 0.2


def test_a_backlog_that_is_not_worked_off_ends_the_run() -> None:
    timeline = live()
    place(timeline, 0.0, at_s=0.0)

    placed = [timeline.place(i * 0.5, arrival=arrival(6.0 + i * 0.5)) for i in range(30)]

    late = [found for found in placed if isinstance(found, Discontinuity)]
    assert late[0].is_late
    assert "6.0 s late" in late[0].message


def test_a_passing_delay_ends_no_run() -> None:
    timeline = live()
    place(timeline, 0.0, at_s=0.0)

    held_up = [timeline.place(i * 0.5, arrival=arrival(7.0)) for i in range(1, 15)]
    after = [timeline.place(i * 0.5, arrival=arrival(i * 0.5)) for i in range(15, 60)]

    assert all(isinstance(found, Moment) for found in held_up + after)


@settings(deadline=None, max_examples=50)
@given(
    steps=st.lists(st.floats(-0.9, 30.0, allow_nan=False), min_size=1, max_size=60),
    delays=st.lists(st.floats(0.0, 3.0, allow_nan=False), min_size=60, max_size=60),
)
def test_time_never_goes_back(steps: list[float], delays: list[float]) -> None:
    timeline = live()
    stream_s, moments = 0.0, [place(timeline, 0.0, at_s=0.0)]
    newest_s = 0.0
    for step, delay in zip(steps, delays, strict=False):
        stream_s = newest_s + step
        newest_s = max(newest_s, stream_s)
        moments.append(place(timeline, stream_s, at_s=newest_s + delay))

    pairs = list(itertools.pairwise(moments))
    assert all(after.monotonic_s >= before.monotonic_s for before, after in pairs)
    assert all(after.captured_at >= before.captured_at for before, after in pairs)


@settings(deadline=None, max_examples=50)
@given(
    start=st.integers(0, (1 << 33) - 1),
    steps=st.lists(st.integers(-30_000, 900_000), min_size=1, max_size=50),
    bits=st.sampled_from([32, 33]),
)
def test_timestamps_that_wrap_are_followed(start: int, steps: list[int], bits: int) -> None:
    true, wrapped = [start % (1 << bits)], PtsUnwrapper(TICK)
    for step in steps:
        true.append(max(true[0], true[-1] + step))

    seconds = [wrapped.seconds(pts % (1 << bits)) for pts in true]

    assert seconds == [float(pts * TICK) for pts in true]


def test_a_missing_timestamp_stays_missing() -> None:
    assert PtsUnwrapper(TICK).seconds(None) is None
