import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources.scenes import yard_plan as plan
from ingest.sources.scenes.car import CarPose, car_figure
from ingest.sources.scenes.shapes import Figure

RED = (40, 40, 180)


def car(heading: float, *, z_m: float = 10.0, is_braking: bool = False) -> Figure:
    pose = CarPose(0.0, z_m, heading, is_braking=is_braking)
    return car_figure(plan.VIEW, RED, pose, sun=plan.SUN_SHADOW, fence_z=plan.WALL_Z)


def size_px(figure: Figure) -> tuple[float, float]:
    points = np.vstack([shape.points_N2 for shape in figure.shapes])
    wide, high = points.max(axis=0) - points.min(axis=0)
    return float(wide), float(high)


@given(st.floats(-math.pi, math.pi))
def test_a_car_is_as_large_as_a_car_from_every_side(heading: float) -> None:
    wide, high = size_px(car(heading))
    per_metre = plan.VIEW.focal_px / 10.0
    assert 1.5 * per_metre < wide < 5.5 * per_metre
    assert 1.2 * per_metre < high < 5.5 * per_metre


def test_a_car_seen_from_the_side_is_longer_than_from_behind() -> None:
    assert size_px(car(0.0))[0] > 1.8 * size_px(car(math.pi / 2))[0]


def test_brake_lights_are_seen_from_behind_only() -> None:
    def reds(figure: Figure) -> int:
        return sum(shape.colour[2] > 150 and shape.colour[1] > 60 for shape in figure.shapes)

    away, towards = math.pi / 2, -math.pi / 2
    assert reds(car(away, is_braking=True)) - reds(car(away)) == 2
    assert reds(car(towards, is_braking=True)) == reds(car(towards))


def test_a_car_on_the_street_is_behind_the_fence() -> None:
    assert car(0.0, z_m=20.0).is_behind_fence
    assert not car(0.0, z_m=10.0).is_behind_fence
