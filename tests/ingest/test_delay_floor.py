import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.delay_floor import DelayFloor


def follow(
    *, drift: float, seconds: int, delay_s: float = 0.05, jitter_s: float = 0.0, seed: int = 1
) -> DelayFloor:
    chance = random.Random(seed)  # noqa: S311  # a test's
    floor = DelayFloor(0.0, delay_s)
    for tick in range(seconds * 5):
        now_s = tick / 5
        floor.add(now_s, delay_s + drift * now_s + chance.expovariate(1 / (jitter_s or 1e-9)))
    return floor


@pytest.mark.parametrize("ppm", [-500, -50, 0, 50, 500])
def test_the_drift_is_found_under_jitter(ppm: int) -> None:
    floor = follow(drift=ppm * 1e-6, seconds=900, jitter_s=0.05)

    assert floor.drift * 1e6 == pytest.approx(ppm, abs=40)
    assert floor.at(900.0) == pytest.approx(0.05 + ppm * 1e-6 * 900, abs=0.01)


def test_no_drift_is_told_of_a_short_time() -> None:
    assert follow(drift=500e-6, seconds=100).drift == 0.0


def test_a_smaller_delay_is_followed_at_once() -> None:
    floor = DelayFloor(0.0, 2.0)

    floor.add(0.1, 0.3)

    assert floor.at(0.1) == pytest.approx(0.3)


def test_a_passing_delay_does_not_lift_the_floor() -> None:
    floor = follow(drift=0.0, seconds=300)

    for tick in range(40):
        floor.add(300.0 + tick / 5, 3.0)

    assert floor.at(308.0) == pytest.approx(0.05)


def test_a_delay_that_stays_is_followed_in_the_end() -> None:
    floor = follow(drift=0.0, seconds=300)
    for tick in range(5 * 900):
        floor.add(300 + tick / 5, 1.05)

    assert floor.at(1200.0) == pytest.approx(1.05, abs=0.01)


def test_too_much_drift_is_no_clock_and_beyond_doubt() -> None:
    floor = follow(drift=0.01, seconds=200, jitter_s=0.02)

    assert floor.is_sure
    assert floor.drift == pytest.approx(0.01, rel=0.05)


@settings(max_examples=50)
@given(delays=st.lists(st.floats(0.0, 5.0), min_size=1, max_size=200))
def test_no_delay_is_below_the_floor(delays: list[float]) -> None:
    floor = DelayFloor(0.0, delays[0])

    for at, delay_s in enumerate(delays):
        floor.add(at * 2.0, delay_s)
        assert floor.at(at * 2.0) <= delay_s + 1e-9
