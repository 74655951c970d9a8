import numpy as np
import pytest

from vision.detect.familiar import FAMILIAR_S, MOST, STOOD_S, Familiar

FOOT = np.array([[0.5, 0.6, 0.64, 0.8]])
BESIDE = np.array([[0.6, 0.6, 0.74, 0.8]])


def known(*times_s: float) -> Familiar:
    familiar = Familiar()
    for now_s in times_s:
        familiar.note(FOOT, now_s=now_s)
    return familiar


def test_what_was_found_twice_with_nothing_new_there_is_familiar() -> None:
    familiar = known(0.0, STOOD_S)

    assert familiar.is_familiar(np.vstack([FOOT + 0.005, BESIDE])).tolist() == [True, False]


@pytest.mark.parametrize("times_s", [[0.0], [0.0, 0.5 * STOOD_S]])
def test_a_moment_makes_nothing_familiar(times_s: list[float]) -> None:
    assert not known(*times_s).is_familiar(FOOT).any()


@pytest.mark.parametrize(
    ("away_s", "is_familiar"), [(FAMILIAR_S, True), (FAMILIAR_S + 1, False), (-1000.0, False)]
)
def test_it_stays_so_for_minutes_of_the_same_run(away_s: float, is_familiar: bool) -> None:
    familiar = known(0.0, STOOD_S)

    familiar.note(np.zeros((0, 4)), now_s=STOOD_S + away_s)

    assert familiar.is_familiar(FOOT).all() == is_familiar


def test_no_more_places_are_remembered_than_so_many() -> None:
    familiar = known(0.0, STOOD_S)
    for index in range(MOST):
        x = index / MOST
        familiar.note(np.array([[x, 0.0, x + 0.01, 0.1]]), now_s=2 * STOOD_S)

    assert not familiar.is_familiar(FOOT).any()


def test_nothing_is_nowhere_familiar() -> None:
    assert known(0.0, STOOD_S).is_familiar(np.zeros((0, 4))).tolist() == []
