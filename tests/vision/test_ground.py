"""The ground plane: metres by four points, the horizon, and what is no plane."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.geometry import Calibration, Point
from ingest.sources.scenes import yard_plan as plan
from vision.ground import GroundPlane

CORNERS: tuple[Point, ...] = ((-6.0, 14.0), (6.0, 14.0), (4.0, 8.0), (-4.0, 8.0))
"""On the ground of the drawn yard, metres to the right and away from the camera."""
YARD = Calibration(picture=tuple(plan.VIEW.ground_point(x, z) for x, z in CORNERS), ground=CORNERS)


@given(x=st.floats(-5, 5), z=st.floats(7, 20))
def test_a_drawn_place_is_found_again(x: float, z: float) -> None:
    at = GroundPlane(YARD).place(plan.VIEW.ground_point(x, z))

    assert at is not None
    assert math.dist(at, (x, z)) < 1e-6


def test_beyond_the_horizon_there_is_no_ground() -> None:
    ground = GroundPlane(YARD)

    assert ground.place((0.5, 0.02)) is None
    assert ground.place((math.nan, 0.5)) is None
    assert ground.blur_m((0.5, 0.02), 0.003) == math.inf
    assert ground.area_m2(((0.1, 0.0), (0.9, 0.0), (0.9, 0.9))) is None


def test_areas_are_in_square_metres() -> None:
    corners = [plan.VIEW.ground_point(x, z) for x, z in ((0, 8), (3, 8), (3, 10), (0, 10))]

    assert GroundPlane(YARD).area_m2(corners) == pytest.approx(6.0)


def test_the_blur_is_that_of_places_that_jitter() -> None:
    ground = GroundPlane(YARD)
    noise = np.random.default_rng(5).normal(0, 0.002, (4000, 2))
    at = plan.VIEW.ground_point(2.0, 12.0)
    places = [ground.place((at[0] + dx, at[1] + dy)) for dx, dy in noise]
    spread = np.linalg.svd(np.cov(np.array(places).T))[1][0] ** 0.5

    assert ground.blur_m(at, 0.002) == pytest.approx(spread, rel=0.1)
    assert ground.blur_m(plan.VIEW.ground_point(0, 20), 0.002) > ground.blur_m(at, 0.002)


SQUARE: tuple[Point, ...] = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))
METRES: tuple[Point, ...] = ((0.0, 0.0), (5.0, 0.0), (5.0, 5.0), (0.0, 5.0))


@pytest.mark.parametrize(
    ("picture", "ground", "message"),
    [
        (SQUARE[:3], METRES, "needs 4 points of the picture and as many of the ground, got 3 and"),
        (
            ((0.2, 0.2), (0.5, 0.2), (0.8, 0.2), (0.2, 0.8)),
            METRES,
            r"points 1, 2, 3 of the picture lie \(nearly\) on one line",
        ),
        (SQUARE, ((0, 0), (5, 0), (10, 0), (0, 5)), "points 1, 2, 3 of the ground lie"),
        (SQUARE, ((0, 0), (0, 0), (5, 5), (0, 5)), "of the ground lie"),
        (SQUARE, ((5, 0), (0, 0), (5, 5), (0, 5)), "another order"),
        (((0.2, 0.2), (0.8, 0.2), (1.2, 0.8), (0.2, 0.8)), METRES, "point 3 of the picture must"),
        (SQUARE, ((0, 0), (5, 0), (5, math.nan), (0, 5)), "point 3 of the ground must be in m"),
    ],
)
def test_what_is_no_plane_is_refused(
    picture: tuple[Point, ...], ground: tuple[Point, ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=f"calibration: .*{message}"):
        GroundPlane(Calibration(picture=picture, ground=ground))
