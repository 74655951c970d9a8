"""Speeds on the ground: of walkers whose feet go ahead of them, of who bends, stops, or jumps."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.geometry import Box, Point, standing_point
from contracts.tracks import Track
from ingest.sources.scenes import yard_plan as plan
from tests.fakes.tracks import followed
from tests.vision.drawn_truth import JITTER, YARD_CALIBRATION, car_boxes, person_boxes, watched
from vision.ground import GroundPlane
from vision.kinematics import foot_jitter
from vision.rules.ground_pace import GroundMeter, ground_pace
from vision.rules.pace import Pace, last_second, second_before

ASPECT = plan.VIEW.width / plan.VIEW.height
GROUND = GroundPlane(YARD_CALIBRATION)


def standing_at(x: float, z: float, *, tall_m: float = 1.76) -> Box:
    """The box of a board of that height that stands on the ground of the yard."""
    corners = plan.VIEW.project(np.array([[x - 0.3, tall_m, z], [x + 0.3, 0.0, z]]))
    (left, top), (right, foot) = (corners / (plan.VIEW.width, plan.VIEW.height)).tolist()
    return (left, top, right, foot)


def shown(boxes: Sequence[Box], *, label: str = "person", step_s: float = 0.2) -> Track:
    track = followed(
        [(round(step_s * step, 6), standing_point(box)) for step, box in enumerate(boxes)],
        label=label,
    )
    points = tuple(replace(p, box=box) for p, box in zip(track.points, boxes, strict=True))
    return replace(track, points=points)


def pace(track: Track) -> Pace | None:
    return GroundMeter(GROUND).measure(
        track, last_second(track), jitter=foot_jitter(track.points[-12:]), aspect=ASPECT
    )


Gait = Callable[[int], float]


def walk(speed_mps: float, gait: Gait, *, steps: int = 11, label: str = "person") -> Track:
    """Towards the camera; the lower foot is ``gait`` metres ahead of the body, the head is not."""
    boxes = []
    for step in range(steps):
        z = 16.0 - 0.2 * speed_mps * step
        left, top, right, _ = standing_at(0.5, z)
        boxes.append((left, top, right, standing_at(0.5, z - gait(step))[3]))
    return shown(boxes, label=label)


def drifting(step: int) -> float:
    """Steps that are seen five times a second, nearly as often as they are made."""
    return 0.35 * abs(math.sin(math.pi * 0.1 * step))


def test_steps_of_a_runner_are_no_speed() -> None:
    tracks = [walk(4.0, drifting, steps=steps) for steps in range(6, 15)]

    told = [pace(track) for track in tracks]
    by_foot = [ground_pace(last_second(track), GROUND, jitter=0.001) for track in tracks]

    errors = [abs(one.value - 4.0) for one in told if one is not None]
    errors_by_foot = [abs(one.value - 4.0) for one in by_foot if one is not None]
    assert len(errors) == len(errors_by_foot) == len(tracks)
    assert max(errors) < 0.05 * 4.0
    assert max(errors_by_foot) > 2 * max(errors)


def test_the_foot_alone_is_asked_of_what_does_not_stand_upright() -> None:
    car, person = (pace(walk(4.0, drifting, label=label)) for label in ("car", "person"))

    assert car is not None
    assert person is not None
    assert abs(car.value - 4.0) > abs(person.value - 4.0)


@pytest.mark.parametrize("speed_mps", [1.4, 2.5, 4.0])
@pytest.mark.parametrize(
    ("start", "end"), [((0, 19), (0, 8)), ((1, 8), (1, 19)), ((-4, 17), (3, 9))]
)
def test_walkers_are_as_fast_as_is_said_within_a_tenth(
    speed_mps: float, start: Point, end: Point
) -> None:
    boxes = person_boxes(speed_mps, start=start, end=end)
    told: list[Pace] = []
    for seed in range(3):
        until_s = math.dist(start, end) / speed_mps
        for seen in watched(boxes, until_s=until_s, jitter=JITTER, seed=seed, phase_s=0.05 * seed):
            for track in seen.seen.tracks:
                window = last_second(track)
                if len(window) >= 4 and window[-1].monotonic_s - window[0].monotonic_s > 0.79:
                    found = pace(track)
                    told += [] if found is None else [found]

    right = sum(abs(one.value / speed_mps - 1) <= 0.1 for one in told)
    honest = sum(abs(one.value - speed_mps) <= 2 * one.sigma for one in told)
    assert right >= 0.9 * len(told)
    assert honest >= 0.95 * len(told) > 0


def test_who_bends_down_goes_nowhere() -> None:
    heights = [1.76] * 6 + [1.6, 1.4, 1.2, 1.0, 0.9, 0.9]
    track = shown([standing_at(0.5, 12.0, tall_m=tall) for tall in heights])

    told = pace(track)

    assert told is None or told.value < 0.4


def test_who_stops_is_measured_over_the_last_second() -> None:
    way = [16.0 - 0.5 * step for step in range(8)] + [12.5] * 6
    track = shown([standing_at(0.5, z) for z in way])

    told = pace(track)

    assert told is None or told.value < 0.3


def test_who_bends_down_after_a_walk_is_not_said_to_run() -> None:
    """A head that goes down is no body that comes nearer: 1.6 m/s were told of one who stood."""
    way = [16.0 - 0.26 * step for step in range(8)] + [14.2] * 4
    heights = [1.76] * 10 + [1.55, 1.25]
    pairs = zip(way, heights, strict=True)

    told = pace(shown([standing_at(0.5, z, tall_m=tall) for z, tall in pairs]))

    assert told is None or told.value < 0.26 / 0.2


@pytest.mark.parametrize(
    ("second", "true_mps"),
    [
        pytest.param((0.0, -2.5), 2.5, id="at a right angle"),
        pytest.param((0.0, 0.0), 1.25, id="to a stand"),
    ],
)
def test_who_turns_or_stops_has_gone_all_of_the_way(second: Point, true_mps: float) -> None:
    boxes = []
    for step in range(11):
        past_s = 0.2 * step - 1.5
        before_s, after_s = min(past_s, 0.0), max(past_s, 0.0)
        boxes.append(
            standing_at(0.5 + 2.5 * before_s + second[0] * after_s, 12.0 + second[1] * after_s)
        )

    told = pace(shown(boxes))

    assert told is not None
    assert told.value == pytest.approx(true_mps, rel=0.1)


@pytest.mark.parametrize("slant", [0.0, 0.3])
def test_a_car_is_told_by_its_middle(slant: float) -> None:
    """Its foot, the nearest corner, is slower by 4.7 % when it goes slantwise."""
    told: list[Pace] = []
    for seen in watched(car_boxes(4.0, z=13.0, slant=slant), until_s=6.0, jitter=JITTER / 2):
        for track in seen.seen.tracks:
            window = last_second(track)
            if len(window) >= 5:
                found = pace(track)
                told += [] if found is None else [found]

    assert np.mean([one.value for one in told]) == pytest.approx(4.0, rel=0.03)


def test_a_longer_even_way_is_less_uncertain() -> None:
    short, long = (pace(walk(2.0, lambda _: 0.0, steps=steps)) for steps in (6, 11))

    assert short is not None
    assert long is not None
    assert long.sigma < 0.8 * short.sigma


def test_the_uncertainty_of_steps_grows_towards_the_camera() -> None:
    """Where they are a larger part of what the foot tells."""
    person, car = (pace(walk(2.0, lambda _: 0.0, label=label)) for label in ("person", "car"))

    assert person is not None
    assert car is not None
    assert person.sigma > car.sigma >= 0.05 * 2.0 - 1e-9


def test_the_second_before_ends_where_a_box_was_cut_off() -> None:
    track = walk(2.0, lambda _: 0.0, steps=11)
    cut = replace(track.points[2], box=(0.0, 0.2, 0.1, 0.4))
    track = replace(track, points=(*track.points[:2], cut, *track.points[3:]))

    before = second_before(track, last_second(track))

    assert [point.seq for point in before] == [600, 800]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-4, 4), st.floats(8, 18), st.floats(0.5, 2.2)), min_size=6, max_size=14
    )
)
def test_nobody_is_faster_than_the_fastest_step_of_the_foot(
    ways: list[tuple[float, float, float]],
) -> None:
    track = shown([standing_at(x, z, tall_m=tall) for x, z, tall in ways])
    told = pace(track)
    if told is None:
        return
    feet = [GROUND.place(standing_point(point.box)) for point in track.points]
    steps = [
        [abs(b[axis] - a[axis]) / 0.2 for a, b in itertools.pairwise(feet) if a and b]
        for axis in (0, 1)
    ]

    assert math.isfinite(told.sigma)
    assert told.value <= math.hypot(*map(max, steps)) * (1 + 1e-6) + 1e-9
