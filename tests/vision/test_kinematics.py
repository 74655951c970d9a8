"""How a track moved, with jitter told apart from motion."""

import itertools
import math
import random
from collections.abc import Sequence
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.geometry import Point
from contracts.tracks import TrackPoint
from tests.fakes.tracks import followed, missed
from vision.kinematics import (
    JITTER_FLOOR,
    foot_jitter,
    frame_step_s,
    seen_points,
    smoothed_way,
    speed,
    way_length,
)
from vision.noise import shipped_noise


def points(feet: Sequence[Point], *, step_s: float = 0.2) -> tuple[TrackPoint, ...]:
    return followed([(step_s * index, foot) for index, foot in enumerate(feet)]).points


def noisy(feet: Sequence[Point], sigma: float, *, seed: int = 3) -> list[Point]:
    noise = random.Random(seed)  # noqa: S311  # a repeatable disturbance, no secret
    return [(x + noise.gauss(0, sigma), y + noise.gauss(0, sigma)) for x, y in feet]


def straight(length: float, count: int) -> list[Point]:
    return [(0.2 + length * index / (count - 1), 0.5) for index in range(count)]


def test_jitter_of_a_standing_object_is_found() -> None:
    assert foot_jitter(points(noisy([(0.5, 0.5)] * 25, 0.004))) == pytest.approx(0.004, rel=0.4)


def test_jitter_whose_neighbours_are_alike_is_found_in_full() -> None:
    likeness = shipped_noise().jitter.correlation(0.2)
    noise, off, feet = random.Random(5), 0.0, []  # noqa: S311  # no secret
    for _ in range(400):
        off = likeness * off + math.sqrt(1 - likeness**2) * noise.gauss(0, 0.004)
        feet.append((0.5 + off, 0.5 + off))

    found = [foot_jitter(points(feet[start : start + 25])) for start in range(0, 375, 25)]

    assert median(found) == pytest.approx(0.004, rel=0.2)


def test_jitter_of_a_box_seen_once_is_what_the_noise_model_says() -> None:
    [point] = points([(0.5, 0.5)])
    across, up = shipped_noise().place_sigma(point.box)

    assert min(across, up) <= foot_jitter([point]) <= max(across, up)
    assert foot_jitter([]) == 3 * JITTER_FLOOR


def test_jitter_does_not_count_steady_motion() -> None:
    assert foot_jitter(points(straight(0.6, 25))) == JITTER_FLOOR


def test_one_bad_box_does_not_make_jitter() -> None:
    feet = straight(0.6, 25)
    feet[12] = (0.9, 0.9)

    assert foot_jitter(points(feet)) < 0.002


def test_the_way_of_a_standing_object_has_no_length_however_long_it_jitters() -> None:
    feet = noisy([(0.5, 0.5)] * 600, 0.003)

    raw = sum(math.dist(start, end) for start, end in itertools.pairwise(feet))
    assert raw > 2
    assert way_length(smoothed_way(points(feet))) < 0.05


def test_the_way_of_a_walker_is_as_long_as_it_is() -> None:
    feet = noisy(straight(0.6, 60), 0.003)

    assert way_length(smoothed_way(points(feet))) == pytest.approx(0.6, abs=0.05)


def test_a_way_there_and_back_counts_twice() -> None:
    there = straight(0.5, 26)

    assert way_length(smoothed_way(points([*there, *there[::-1]]))) == pytest.approx(1.0, abs=0.06)


def test_speed_is_distance_by_time() -> None:
    measured = points(straight(0.5, 26))

    assert speed(measured, until_s=5.0) == pytest.approx(0.1, abs=0.005)


def test_jitter_is_no_speed() -> None:
    measured = points(noisy([(0.5, 0.5)] * 40, 0.003))

    assert (speed(measured, until_s=7.8) or 0.0) < 0.01


def test_speed_of_what_was_seen_for_a_moment_only_is_unknown() -> None:
    assert speed(points([(0.5, 0.5), (0.6, 0.5)]), until_s=0.2) is None


def test_the_frame_step_is_the_median() -> None:
    track = followed([(0.0, (0.5, 0.5)), (0.2, (0.5, 0.5)), (0.4, (0.5, 0.5)), (9.0, (0.5, 0.5))])

    assert frame_step_s(track.points) == pytest.approx(0.2)
    assert frame_step_s(track.points[:1]) == 0.2


def test_predicted_points_are_not_seen() -> None:
    track = missed(followed([(0.0, (0.5, 0.5))]), 0.2)

    assert len(track.points) == 2
    assert len(seen_points(track)) == 1


@given(
    feet=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30),
    step_s=st.floats(0.0, 3.0),
)
def test_nothing_is_ever_no_number(feet: list[Point], step_s: float) -> None:
    measured = points(feet, step_s=step_s)

    values = [
        foot_jitter(measured),
        frame_step_s(measured),
        way_length(smoothed_way(measured)),
        speed(measured, until_s=measured[-1].monotonic_s) or 0.0,
    ]

    assert all(math.isfinite(value) and value >= 0 for value in values)
