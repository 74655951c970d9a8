"""The pace of ways that bend, begin and end: the way's length over its time."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from contracts.geometry import Point
from vision.rules.bent_way import Spot, bent_pace

STEP_S = 0.2
SIGMA_M = 0.03
Place = Callable[[float], Point]


def spots(place: Place, *, sigma_m: float = 0.0, seed: int = 0, count: int = 11) -> list[Spot]:
    """Where it was every 0.2 s up to now, which is 0, up to an error of which no more is known."""
    noise = np.random.default_rng(seed)
    found = []
    for index in range(1 - count, 1):
        x, y = np.array(place(STEP_S * index)) + noise.normal(0, sigma_m, 2)
        found.append(Spot(STEP_S * index, float(x), float(y), SIGMA_M**2))
    return found


def straight(at_s: float) -> Point:
    return (2.0 * at_s, 1.0 * at_s)


def corner(at_s: float) -> Point:
    """Two metres a second to the right, then up from half a second ago on."""
    return (2.0 * min(at_s + 0.5, 0.0), 2.0 * max(at_s + 0.5, 0.0))


def back(at_s: float) -> Point:
    return (-2.0 * abs(at_s + 0.5), 0.0)


def stop(at_s: float) -> Point:
    return (1.5 * min(at_s + 0.4, 0.0), 0.0)


def start(at_s: float) -> Point:
    return (0.0, 1.5 * max(at_s + 0.6, 0.0))


ALL = [
    pytest.param(straight, math.hypot(2.0, 1.0), id="who goes straight on"),
    pytest.param(corner, 2.0, id="who turns a corner is as fast as before"),
    pytest.param(back, 2.0, id="and who turns round"),
    pytest.param(stop, 0.6 * 1.5, id="who stops is so fast for a part of the second"),
    pytest.param(start, 0.6 * 1.5, id="and who sets out"),
]


@pytest.mark.parametrize(("place", "true_mps"), ALL)
def test_the_pace_is_the_length_of_the_way_over_its_time(place: Place, true_mps: float) -> None:
    found = bent_pace(spots(place), since_s=-1.0)

    assert found is not None
    assert found[0] == pytest.approx(true_mps, rel=0.06)


@pytest.mark.parametrize(("place", "true_mps"), ALL)
def test_the_uncertainty_is_that_of_the_errors(place: Place, true_mps: float) -> None:
    apart = []
    for seed in range(200):
        found = bent_pace(spots(place, sigma_m=SIGMA_M, seed=seed), since_s=-1.0)
        assert found is not None
        apart.append(abs(found[0] - true_mps) / found[1])

    assert 0.6 <= sum(sigmas <= 1 for sigmas in apart) / len(apart) <= 0.9
    assert sum(sigmas <= 2 for sigmas in apart) / len(apart) >= 0.93


def test_who_stands_has_next_to_no_pace() -> None:
    for seed in range(20):
        found = bent_pace(spots(lambda _: (3.0, 4.0), sigma_m=SIGMA_M, seed=seed), since_s=-1.0)

        assert found is not None
        assert found[0] <= 2 * found[1]


def test_a_vehicle_that_turns_is_more_uncertain_by_what_its_foot_swings() -> None:
    def sigma(place: Place, swing_m: float) -> float:
        found = bent_pace(spots(place), since_s=-1.0, swing_m=swing_m)
        assert found is not None
        return found[1]

    assert sigma(straight, 0.5) == pytest.approx(sigma(straight, 0.0), rel=0.1)
    assert sigma(corner, 0.5) == pytest.approx(0.5 * math.pi / 2, rel=0.2)


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(lambda at_s: (0.5 * math.sin(12 * at_s), at_s), id="a way of many bends"),
        pytest.param(lambda at_s: (2.0 * (at_s > -0.5), at_s), id="a jump"),
    ],
)
def test_what_no_way_of_one_bend_goes_through_has_no_pace(place: Place) -> None:
    assert bent_pace(spots(place), since_s=-1.0) is None


def test_too_few_places_have_no_pace() -> None:
    assert bent_pace(spots(straight, count=4), since_s=-0.6) is None
    assert bent_pace(spots(straight, count=5), since_s=-0.8) is not None


def test_many_places_are_measured_as_well() -> None:
    """Of a camera that is analysed 25 times a second."""
    many = [Spot(0.04 * index, *corner(0.04 * index), SIGMA_M**2) for index in range(-50, 1)]

    found = bent_pace(many, since_s=-1.0)

    assert found is not None
    assert found[0] == pytest.approx(2.0, rel=0.05)
