import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.sampling import Sampler


def taken(source_fps: float, rate_fps: float, *, frames: int) -> list[int]:
    sampler = Sampler(rate_fps)
    return [index for index in range(frames) if sampler.takes(index / source_fps)]


def test_a_fifth_of_the_rate_takes_exactly_every_fifth_frame() -> None:
    assert taken(25, 5, frames=5000) == list(range(0, 5000, 5))


def test_a_rate_that_does_not_divide_the_source_is_spaced_evenly() -> None:
    frames = taken(12.5, 5, frames=1000)

    gaps = [after - before for before, after in itertools.pairwise(frames)]
    assert set(gaps) == {2, 3}
    assert all(first + second == 5 for first, second in itertools.pairwise(gaps))


@pytest.mark.parametrize("rate_fps", [10, 10.1, 15, 30])
def test_a_rate_at_or_above_the_source_takes_every_frame(rate_fps: float) -> None:
    assert taken(10, rate_fps, frames=2000) == list(range(2000))


def test_a_hole_does_not_cause_a_burst() -> None:
    sampler = Sampler(5)
    before = [at for at in range(25) if sampler.takes(at / 25)]
    after = [at for at in range(25) if sampler.takes(30.0 + at / 25)]

    assert len(before) == len(after) == 5


@settings(deadline=None, max_examples=30)
@given(
    source_fps=st.floats(1.0, 60.0),
    rate_fps=st.floats(0.5, 60.0),
    jitter=st.lists(st.floats(-0.3, 0.3), min_size=300, max_size=300),
)
def test_the_rate_is_kept_over_time(
    source_fps: float, rate_fps: float, jitter: list[float]
) -> None:
    sampler, times, now_s = Sampler(rate_fps), [], 0.0
    for index, share in enumerate(jitter):
        now_s = max(now_s, (index + share) / source_fps)
        times.append((now_s, sampler.takes(now_s)))

    count = sum(was_taken for _, was_taken in times)
    assert count <= (times[-1][0] - times[0][0]) * rate_fps + 2


@pytest.mark.parametrize("rate_fps", [0.0, -1.0, float("nan"), float("inf")])
def test_refuses_a_rate_that_takes_nothing(rate_fps: float) -> None:
    with pytest.raises(ValueError, match="rate_fps must be above 0"):
        Sampler(rate_fps)
