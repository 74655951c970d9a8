"""When one picture is shown again and again, and when a camera merely has nothing to show."""

from collections.abc import Iterable

import numpy as np
import pytest

from vision.cues.stillness import Luma, Stillness

SHAPE = (90, 160)


def hall(step: int, *, noisy: float) -> Luma:
    """A picture of which a share differs from the step before: what coding leaves of the noise."""
    draw = np.random.default_rng(step)
    picture_HW = np.full(SHAPE, 100, np.uint8)
    picture_HW[draw.random(SHAPE) < noisy / 2] += 2
    return picture_HW


def said(pictures: Iterable[Luma]) -> list[float | None]:
    stillness = Stillness(hall(0, noisy=0.2), 0.0)
    return [stillness.look(one, round(0.2 * step, 3)) for step, one in enumerate(pictures, 1)]


def test_a_picture_that_is_repeated_is_told_with_when_it_began() -> None:
    live = [hall(step, noisy=0.2) for step in range(1, 60)]

    told = said([*live, *[live[-1]] * 10])

    assert told[:60] == [None] * 60
    assert told[-1] is not None
    assert abs(told[-1] - 0.2 * 59) <= 0.7


def test_an_empty_hall_after_a_busy_half_minute_is_not_frozen() -> None:
    quiet = [hall(step, noisy=0.04) for step in range(1, 30)]
    busy = [hall(step, noisy=0.4) for step in range(30, 180)]
    empty = [hall(step, noisy=0.04) for step in range(180, 220)]

    assert said([*quiet, *busy, *empty]) == [None] * 219


def test_one_that_has_never_been_so_still_is() -> None:
    busy = [hall(step, noisy=0.4) for step in range(1, 180)]
    still = [hall(step, noisy=0.02) for step in range(180, 220)]

    assert said([*busy, *still])[-1] is not None


def with_clock(picture_HW: Luma, step: int, *, row: int = 2, rows: int = 4) -> Luma:
    """The picture with black and white cells drawn over it, another number in each."""
    shown_HW = picture_HW.copy()
    cells = np.random.default_rng(step).integers(0, 2, 20)
    shown_HW[row : row + rows, 20:140] = np.repeat(np.where(cells, 220, 20), 6)
    return shown_HW


@pytest.mark.parametrize("row", [pytest.param(2, id="above"), pytest.param(82, id="below")])
def test_a_picture_that_is_repeated_behind_a_clock_that_runs_is_told(row: int) -> None:
    live = [hall(step, noisy=0.2) for step in range(1, 60)]
    shown = [*live, *[live[-1]] * 20]

    told = said(with_clock(picture, step, row=row) for step, picture in enumerate(shown))

    assert told[:60] == [None] * 60
    since_s = told[-1]
    assert since_s is not None
    assert abs(since_s - 0.2 * 59) <= 0.7


def test_a_clock_runs_in_a_live_picture_of_a_still_hall() -> None:
    live = (with_clock(hall(step, noisy=0.05), step) for step in range(1, 400))

    assert said(live) == [None] * 399


def test_noise_behind_what_moves_near_the_edge_is_life() -> None:
    """Somebody who walks through a still hall, as small as a clock and where clocks are."""
    live = [hall(step, noisy=0.05) for step in range(1, 200)]
    for step, picture_HW in enumerate(live):
        picture_HW[80:90, step % 140 : step % 140 + 8] = 200

    assert said(live) == [None] * 199


def test_what_moves_elsewhere_than_a_clock_does_is_another_picture() -> None:
    still = hall(1, noisy=0.2)
    live = [hall(step, noisy=0.2) for step in range(1, 60)]
    moving = [with_clock(still, step, row=40) for step in range(40)]

    assert said([*live, *moving]) == [None] * 99


def test_too_much_that_moves_near_the_edge_is_no_clock() -> None:
    live = [hall(step, noisy=0.2) for step in range(1, 60)]
    moving = [with_clock(live[-1], step, row=0, rows=15) for step in range(40)]

    assert said([*live, *moving]) == [None] * 99


def test_a_picture_without_noise_behind_a_clock_is_frozen_after_a_minute() -> None:
    still = np.full(SHAPE, 100, np.uint8)

    told = said(with_clock(still, step) for step in range(320))

    first = next(step for step, since_s in enumerate(told, 1) if since_s is not None)
    assert 60.0 <= 0.2 * first <= 61.0
