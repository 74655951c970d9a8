"""Estimators that several parts share."""

import pytest

from vision.estimates import share_sigma, weight_of


def test_a_running_average_has_no_weight_at_once_and_all_in_the_end() -> None:
    assert weight_of(0.0, 2.0) == 0.0
    assert weight_of(2.0, 2.0) == pytest.approx(0.632, abs=0.001)
    assert weight_of(100.0, 2.0) == pytest.approx(1.0)


def test_two_steps_weigh_as_much_as_one_of_their_length() -> None:
    left = (1 - weight_of(0.2, 1.5)) * (1 - weight_of(0.7, 1.5))

    assert left == pytest.approx(1 - weight_of(0.9, 1.5))


def test_a_share_is_the_surer_the_more_trials_there_are() -> None:
    sigmas = [share_sigma(0.8, count, floor=0.005) for count in (0, 1, 10, 100)]

    assert sigmas == sorted(sigmas, reverse=True)
    assert sigmas[0] == pytest.approx(0.354, abs=0.001)
    assert share_sigma(1.0, 10**6, floor=0.005) == 0.005
