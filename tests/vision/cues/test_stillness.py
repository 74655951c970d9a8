"""When one picture is shown again and again, and when a camera merely has nothing to show."""

from collections.abc import Iterable

import numpy as np

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
