"""Simulated sites."""

import numpy as np

from moe_core.training.world.site import CLOSE_FROM, CLOSE_PLACES, PLACES, make_site
from vision.ground import GroundPlane


def test_a_site_is_always_the_same() -> None:
    assert make_site(7) == make_site(7)


def test_sites_differ() -> None:
    sites = [make_site(number) for number in range(40)]
    assert len({site.view for site in sites}) == 40
    assert {site.place for site in sites} == set(PLACES)
    assert {site.knows_classes for site in sites} == {True, False}


def test_a_calibration_is_right_within_a_few_percent() -> None:
    for number in range(30):
        site = make_site(number)
        if site.calibration is None:
            continue
        ground = GroundPlane(site.calibration)
        middle = site.near_m + 0.3 * (site.far_m - site.near_m)
        left, right = (ground.place(site.view.foot(x, middle)) for x in (-1.5, 1.5))
        assert left is not None
        assert right is not None
        assert 2.6 < abs(right[0] - left[0]) < 3.4


def test_people_are_large_enough_between_near_and_far() -> None:
    for number in range(30):
        site = make_site(number)
        assert 1.0 < site.near_m < site.far_m <= 40.0


def test_close_cameras_show_people_large_and_have_room_for_ways() -> None:
    for number in range(CLOSE_FROM, CLOSE_FROM + 40):
        site = make_site(number)
        assert site.place in CLOSE_PLACES
        head = site.view.project(np.zeros(1), np.full(1, 1.7), np.full(1, site.far_m))[1][0]
        assert site.view.foot(0.0, site.far_m)[1] - head > 0.25
        assert site.far_m - site.near_m >= 2.0
