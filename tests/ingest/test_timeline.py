import itertools
from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.timeline import Arrival, Break, Discontinuity, Moment, PtsUnwrapper, Timeline
from tests.fakes.clock import START, ManualClock

TICK = Fraction(1, 90_000)


def arrival(at_s: float, *, wall_step_s: float = 0.0, sent_s: float | None = None) -> Arrival:
    return Arrival(
        at=START + timedelta(seconds=at_s + wall_step_s),
        monotonic_s=1000.0 + at_s,
        sent_at=None if sent_s is None else START + timedelta(seconds=sent_s),
    )


def live() -> Timeline:
    return Timeline(frame_interval_s=0.04)


def place(timeline: Timeline, stream_s: float | None, *, at_s: float | None = None) -> Moment:
    came_s = (stream_s or 0.0) if at_s is None else at_s
    placed = timeline.place(stream_s, arrival=arrival(came_s))
    assert isinstance(placed, Moment), placed
    return placed


def error_s(placed: Moment | Discontinuity, true_at: datetime) -> float:
    assert isinstance(placed, Moment), placed
    return abs((placed.captured_at - true_at).total_seconds())


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


def test_the_times_of_a_burst_are_known_when_it_is_over() -> None:
    timeline = live()
    burst = [place(timeline, index * 0.5, at_s=2.0) for index in range(5)]
    was_settled = timeline.is_settled

    then = place(timeline, 2.5, at_s=2.5)

    assert not was_settled
    assert timeline.is_settled
    times = [timeline.captured_at(moment.monotonic_s) for moment in [*burst, then]]
    assert times == [arrival(index * 0.5).at for index in range(6)]


def test_a_recording_and_what_is_placed_by_arrival_are_settled_at_once() -> None:
    made = [
        Timeline(frame_interval_s=0.04, starts_at=START),
        Timeline(frame_interval_s=0.04, is_by_arrival=True),
    ]
    for timeline in made:
        place(timeline, 0.0)

    assert all(timeline.is_settled for timeline in made)


@pytest.mark.parametrize("step_s", [-3600.0, -0.3, 0.3, 3600.0])
def test_a_wall_clock_that_is_set_ends_the_run(step_s: float) -> None:
    timeline = live()
    place(timeline, 0.0, at_s=0.0)

    placed = timeline.place(1.0, arrival=arrival(1.0, wall_step_s=step_s))

    assert isinstance(placed, Discontinuity)
    assert placed.kind is Break.CLOCK_SET
    assert f"was set by {step_s:+.3f} s (allowed: 0.25 s)" in placed.message


def test_small_changes_of_the_wall_clock_are_followed() -> None:
    timeline = live()
    for index in range(2000):
        place(timeline, index * 0.2)

    came = [arrival(400 + index * 0.2, wall_step_s=0.2) for index in range(200)]
    placed = [timeline.place(400 + at * 0.2, arrival=when) for at, when in enumerate(came)]

    assert error_s(placed[-1], came[-1].at) < 0.01


def test_both_clocks_are_read_at_one_instant() -> None:
    class Sleepy(ManualClock):
        pauses = 2

        def now(self) -> datetime:
            found = super().now()
            if self.pauses:
                self.pauses -= 1
                self.advance(5.0)
            return found

    clock = Sleepy()

    read = Arrival.now(clock)

    assert (read.at, read.monotonic_s) == (clock.now(), clock.monotonic_s())


def test_sender_reports_tell_the_delay_of_the_network() -> None:
    timeline = live()
    came = [arrival(index * 0.2 + 0.3, sent_s=index * 0.2) for index in range(100)]
    placed = [timeline.place(at * 0.2, arrival=when) for at, when in enumerate(came)]

    assert error_s(placed[-1], came[-1].at - timedelta(seconds=0.3)) < 0.001
    assert timeline.sender_offset_s == pytest.approx(0.3)


@pytest.mark.parametrize("wrong_s", [-3600.0, -1.0, 0.6, 86_400.0 * 365])
def test_a_camera_whose_clock_is_wrong_is_not_believed(wrong_s: float) -> None:
    timeline = live()
    came = [arrival(index * 0.2, sent_s=index * 0.2 - wrong_s) for index in range(100)]
    placed = [timeline.place(at * 0.2, arrival=when) for at, when in enumerate(came)]

    assert error_s(placed[-1], came[-1].at) == 0.0
    assert timeline.sender_offset_s == pytest.approx(wrong_s)


@pytest.mark.parametrize("rate", [0.99, 1.01, 2.0])
def test_stream_time_at_another_speed_than_time_is_not_used(rate: float) -> None:
    timeline = live()
    found = (
        timeline.place(index * 0.2 * rate, arrival=arrival(index * 0.2)) for index in range(5000)
    )

    first = next(placed for placed in found if isinstance(placed, Discontinuity))

    assert first.kind is Break.RATE
    assert "are placed by their arrival" in first.message
    assert f"{1e6 * (rate - 1):+.0f} ppm" in first.message or rate == 2.0


def test_frames_placed_by_their_arrival() -> None:
    timeline = Timeline(frame_interval_s=0.04, is_by_arrival=True)
    place(timeline, 500.0, at_s=0.0)

    moment = place(timeline, 3.0, at_s=0.2)

    assert moment.captured_at == arrival(0.2).at
    assert moment.monotonic_s == pytest.approx(0.2)


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
    assert late[0].kind is Break.LATE
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
    delays=st.lists(st.floats(0.0, 2.0, allow_nan=False), min_size=60, max_size=60),
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
