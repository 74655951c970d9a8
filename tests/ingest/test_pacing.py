import threading

import pytest

from ingest.pacing import Pacer, pause
from tests.fakes.clock import ManualClock


def test_waits_until_stream_time_has_passed_by_the_clock() -> None:
    pacer = Pacer()
    pacer.wait_s(5.0, now_s=100.0)

    assert pacer.wait_s(5.4, now_s=100.1) == pytest.approx(0.3)


def test_waits_for_nothing_when_late() -> None:
    pacer = Pacer()
    pacer.wait_s(5.0, now_s=100.0)

    assert pacer.wait_s(5.4, now_s=107.0) == 0.0


@pytest.mark.parametrize("stream_s", [2.0, 500.0])
def test_a_jump_of_stream_time_starts_the_pace_anew(stream_s: float) -> None:
    pacer = Pacer()
    pacer.wait_s(5.0, now_s=100.0)

    assert pacer.wait_s(stream_s, now_s=101.0) == 0.0
    assert pacer.wait_s(stream_s + 0.5, now_s=101.0) == pytest.approx(0.5)


def test_a_frame_without_a_timestamp_is_not_held_up() -> None:
    assert Pacer().wait_s(None, now_s=1.0) == 0.0


def test_a_pause_lasts_as_long_as_asked() -> None:
    clock = ManualClock()

    pause(0.7, clock=clock, stop=threading.Event())

    assert sum(clock.slept_s) == pytest.approx(0.7)


def test_a_pause_ends_when_told_to_stop() -> None:
    clock, stop = ManualClock(), threading.Event()
    stop.set()

    pause(300.0, clock=clock, stop=stop)

    assert clock.slept_s == []
