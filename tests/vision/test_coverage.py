"""Which share of the time a camera was really watched."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.clock import START
from vision.coverage import Coverage


def watch(coverage: Coverage, *times_s: float, is_blind: bool = False) -> float:
    return sum(
        coverage.look(START + timedelta(seconds=at_s), is_blind=is_blind) for at_s in times_s
    )


def test_a_camera_that_was_watched_all_the_time_is_covered_wholly() -> None:
    coverage = Coverage()

    assert watch(coverage, *(step / 5 for step in range(101))) == pytest.approx(20.0)
    assert coverage.share == pytest.approx(1.0)


def test_blindness_is_not_covered() -> None:
    coverage = Coverage()
    watch(coverage, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
    watch(coverage, 6.0, 7.0, 8.0, 9.0, 10.0, is_blind=True)

    assert coverage.share == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("back_s", "share"),
    [
        pytest.param(4.0, 1.0, id="frames this far apart still show what happened"),
        pytest.param(4.1, 2.0 / 4.1, id="frames farther apart do not"),
    ],
)
def test_a_gap_without_frames(back_s: float, share: float) -> None:
    coverage = Coverage()
    watch(coverage, 0.0, 1.0, 2.0, back_s)

    assert coverage.share == pytest.approx(share, abs=1e-3)


def test_what_is_longer_ago_than_an_hour_is_forgotten() -> None:
    coverage = Coverage()
    watch(coverage, *range(1800), is_blind=True)
    watch(coverage, *range(1800, 5420))

    assert coverage.share == pytest.approx(1.0, abs=0.005)


def test_time_that_goes_back_begins_anew() -> None:
    coverage = Coverage()
    watch(coverage, *range(100), is_blind=True)
    watch(coverage, -50, -49, -48)

    assert coverage.share == pytest.approx(1.0)


def test_nothing_seen_is_nothing_covered() -> None:
    coverage = Coverage()
    assert coverage.share == 0.0

    watch(coverage, 5.0)

    assert coverage.share == 0.0


@given(
    steps=st.lists(st.tuples(st.floats(-5.0, 10.0), st.booleans()), max_size=60),
)
def test_the_share_is_always_one(steps: list[tuple[float, bool]]) -> None:
    coverage, at_s = Coverage(), 1000.0
    for step_s, is_blind in steps:
        at_s += step_s
        added_s = watch(coverage, at_s, is_blind=is_blind)
        assert 0.0 <= added_s <= 2.0
        assert 0.0 <= coverage.share <= 1.0
