import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.sources.scenes import yard_plan as plan
from ingest.sources.scenes.person import Looks, Stance, person_figure, right_hand

LOOKS = Looks(coat=(60, 60, 60), trousers=(40, 40, 40))


def bounds(stance: Stance) -> tuple[float, float, float, float]:
    figure = person_figure(plan.VIEW, LOOKS, stance, sun=plan.SUN_SHADOW)
    points = np.vstack([shape.points_N2 for shape in figure.shapes])
    left, top = points.min(axis=0)
    right, bottom = points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


@example(heading=-1.0, phase=0.75, effort=1.0, z_m=7.0)
@given(
    heading=st.floats(-math.pi, math.pi),
    phase=st.floats(0.0, 3.0),
    effort=st.floats(0.0, 1.0),
    z_m=st.floats(7.0, 15.0),
)
def test_a_person_is_as_tall_as_its_stature_whatever_it_does(
    heading: float, phase: float, effort: float, z_m: float
) -> None:
    _, top, _, bottom = bounds(Stance(0.0, z_m, heading, phase, effort))
    feet, head = plan.VIEW.project(np.array([[0.0, 0.0, z_m], [0.0, LOOKS.stature_m, z_m]]))
    stature_px = feet[1] - head[1]
    # A foot that strides towards the camera is drawn lower: up to a fifth at 7 m (0.18 on a grid of
    # all headings, phases and efforts; the height is off by 0.16 there).
    assert bottom - top == pytest.approx(stature_px, rel=0.2)
    assert bottom == pytest.approx(feet[1], abs=0.2 * stature_px)


def test_a_crouching_person_is_much_smaller() -> None:
    _, top, _, bottom = bounds(Stance(0.0, 9.0, 0.0, 0.0, 0.0))
    _, low_top, _, low_bottom = bounds(Stance(0.0, 9.0, 0.0, 0.0, 0.0, 1.0))
    assert low_bottom - low_top < 0.75 * (bottom - top)


def test_a_stride_is_wider_than_standing() -> None:
    left, _, right, _ = bounds(Stance(0.0, 9.0, 0.0, 0.25, 1.0))
    still_left, _, still_right, _ = bounds(Stance(0.0, 9.0, 0.0, 0.25, 0.0))
    assert right - left > 1.5 * (still_right - still_left)


def test_the_right_hand_of_who_walks_to_the_right_is_on_the_near_side() -> None:
    assert right_hand(LOOKS, Stance(0.0, 9.0, 0.0, 0.0, 0.0))[2] < 9.0
