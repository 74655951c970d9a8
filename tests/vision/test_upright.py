"""Heights over a calibrated ground: true for any camera, at any place."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts.geometry import Calibration, Point
from ingest.sources.scenes.projection import Pinhole
from vision.ground import GroundPlane
from vision.upright import Upright, camera_place

CORNERS: tuple[Point, ...] = ((-3.0, 12.0), (3.0, 12.0), (2.5, 6.0), (-2.0, 7.0))


def camera(tilt_deg: float = 20.0, *, mount_m: float = 4.0, focal: float = 0.8) -> Pinhole:
    return Pinhole(
        width=1280, height=720, focal_px=1280 * focal, mount_m=mount_m,
        tilt_rad=math.radians(tilt_deg),
    )  # fmt: skip


def calibrated(view: Pinhole, corners: tuple[Point, ...] = CORNERS) -> tuple[GroundPlane, Upright]:
    picture = tuple(view.ground_point(x, z) for x, z in corners)
    ground = GroundPlane(Calibration(picture=picture, ground=corners))
    return ground, Upright(ground, aspect=view.width / view.height)


def head(view: Pinhole, at: Point, *, stature_m: float) -> Point:
    """The top of a box of somebody who stands there, above the middle of its foot."""
    x, z = at
    [[_, top]] = view.project(np.array([[x, stature_m, z]]))
    return (view.ground_point(x, z)[0], float(top) / view.height)


@given(
    tilt_deg=st.floats(5, 45), mount_m=st.floats(2.8, 8), focal=st.floats(0.5, 1.3),
    x=st.floats(-2, 2), z=st.floats(4, 20), stature_m=st.floats(1.2, 2.0),
)  # fmt: skip
def test_a_height_is_told_wherever_somebody_stands(
    tilt_deg: float, mount_m: float, focal: float, x: float, z: float, stature_m: float
) -> None:
    view = camera(tilt_deg, mount_m=mount_m, focal=focal)
    seen = [view.ground_point(*corner) for corner in CORNERS]
    assume(all(0 <= u <= 1 and 0 <= v <= 1 for u, v in seen))
    ground, upright = calibrated(view)
    foot, top = view.ground_point(x, z), head(view, (x, z), stature_m=stature_m)

    assert upright.share(foot, top) == pytest.approx(stature_m / mount_m, rel=1e-6)
    below = upright.foot(top, stature_m / mount_m)
    assert below == pytest.approx(foot, abs=1e-6)
    assert below is not None
    place = ground.place(below)
    assert place is None or math.dist(place, (x, z)) < 1e-3


@given(tilt_deg=st.floats(5, 45), mount_m=st.floats(2.8, 8), focal=st.floats(0.5, 1.3))
def test_where_the_camera_hangs_is_told(tilt_deg: float, mount_m: float, focal: float) -> None:
    view = camera(tilt_deg, mount_m=mount_m, focal=focal)
    seen = [view.ground_point(*corner) for corner in CORNERS]
    assume(all(0 <= u <= 1 and 0 <= v <= 1 for u, v in seen))
    ground, _ = calibrated(view)

    assert camera_place(ground, aspect=view.width / view.height) == pytest.approx((0, 0), abs=1e-3)


def test_a_calibration_that_is_off_tells_heights_within_a_few_per_cent() -> None:
    view = camera(25.0)
    picture = [view.ground_point(x, z) for x, z in CORNERS]
    picture[0] = (picture[0][0] + 0.004, picture[0][1] - 0.004)
    ground = GroundPlane(Calibration(picture=tuple(picture), ground=CORNERS))
    upright = Upright(ground, aspect=view.width / view.height)

    shares = [
        upright.share(view.ground_point(0, z), head(view, (0, z), stature_m=1.7))
        for z in (6.0, 8.0, 10.0, 12.0)
    ]

    assert shares == pytest.approx([1.7 / 4.0] * 4, rel=0.08)


def test_from_straight_above_the_lens_is_taken_for_a_usual_one() -> None:
    """A picture without perspective tells no focal length."""
    corners: tuple[Point, ...] = ((0.0, 8.0), (8.0, 8.0), (8.0, 0.0), (0.0, 0.0))
    flat = ((0.2, 0.2), (0.65, 0.2), (0.65, 1.0), (0.2, 1.0))
    upright = Upright(GroundPlane(Calibration(picture=flat, ground=corners)), aspect=16 / 9)

    assert upright.share((0.5, 0.6), (0.5, 0.5)) == pytest.approx(0.0, abs=1e-9)
    assert upright.foot((0.5, 0.5), 0.3) is None


def test_a_head_above_the_horizon_has_no_foot() -> None:
    _, upright = calibrated(camera(10.0), ((-3, 25), (3, 25), (2.5, 12), (-2.5, 12)))

    assert upright.foot((0.5, 0.0), 0.4) is None
