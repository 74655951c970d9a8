import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.geometry import Box
from vision.kalman import BoxFilters


def box(x: float, y: float = 0.5, *, width: float = 0.06, height: float = 0.24) -> Box:
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def middles(filters: BoxFilters) -> list[float]:
    return [(x1 + x2) / 2 for x1, _, x2, _ in filters.boxes()]


def followed(speed: float, *, frames: int = 15, step_s: float = 0.2) -> BoxFilters:
    filters = BoxFilters()
    filters.add([box(0.1)])
    for number in range(1, frames):
        filters.predict(step_s)
        filters.correct({0: box(0.1 + speed * number * step_s)})
    return filters


def test_a_new_box_stays_where_it_is() -> None:
    filters = BoxFilters()
    filters.add([box(0.3)])

    told = filters.predict(1.0)

    assert filters.boxes()[0] == pytest.approx(box(0.3))
    assert told == filters.boxes()


def test_learns_a_speed_and_predicts_with_it() -> None:
    filters = followed(0.2)

    filters.predict(0.5)

    assert filters.velocities()[0][0] == pytest.approx(0.2, rel=0.1)
    assert middles(filters)[0] == pytest.approx(0.1 + 0.2 * (14 * 0.2 + 0.5), abs=0.02)


@pytest.mark.parametrize("step_s", [0.04, 0.2, 0.5])
def test_learns_the_same_speed_at_any_frame_rate(step_s: float) -> None:
    filters = followed(0.1, frames=round(3 / step_s), step_s=step_s)

    assert filters.velocities()[0][0] == pytest.approx(0.1, rel=0.15)


def test_what_is_lost_slows_down() -> None:
    filters = followed(0.2)
    before = middles(filters)[0]

    for _ in range(50):
        filters.predict(0.2, lost=[0])

    assert middles(filters)[0] - before < 0.25
    assert abs(filters.velocities()[0][0]) < 1e-3


def test_smooths_a_jittering_box() -> None:
    rng = np.random.default_rng(1)
    filters = BoxFilters()
    filters.add([box(0.5)])
    errors = []
    for _ in range(60):
        filters.predict(0.2)
        x1, y1, x2, y2 = (np.array(box(0.5)) + rng.normal(0, 0.01, 4)).tolist()
        filters.correct({0: (x1, y1, x2, y2)})
        errors.append(middles(filters)[0] - 0.5)

    assert np.std(errors[20:]) < 0.009


@pytest.mark.parametrize(("speed", "frames", "rests"), [(0.0, 15, True), (0.2, 15, False)])
def test_knows_what_stands_still(speed: float, frames: int, rests: bool) -> None:
    assert followed(speed, frames=frames).at_rest() == [rests]


def test_does_not_take_a_new_box_for_a_still_one() -> None:
    assert followed(0.0, frames=1).at_rest() == [False]


def test_rows_are_dropped_together() -> None:
    filters = BoxFilters()
    filters.add([box(0.1), box(0.5), box(0.9)])

    filters.keep([True, False, True])
    filters.correct({1: box(0.9)})

    assert middles(filters) == pytest.approx([0.1, 0.9])


@given(
    st.lists(
        st.tuples(st.floats(0, 2), st.floats(0, 0.9), st.floats(0, 0.9), st.booleans()),
        min_size=1,
        max_size=60,
    )
)
def test_never_leaves_the_numbers(steps: list[tuple[float, float, float, bool]]) -> None:
    filters = BoxFilters()
    filters.add([box(0.5)])
    for step_s, x, y, is_seen in steps:
        filters.predict(step_s, lost=[] if is_seen else [0])
        if is_seen:
            filters.correct({0: (x, y, x + 0.1, y + 0.1)})

    [(x1, y1, x2, y2)] = filters.boxes()
    assert all(map(math.isfinite, (x1, y1, x2, y2)))
    assert x2 > x1
    assert y2 > y1
