import pytest

from contracts.geometry import Box
from vision.boxes import area, overlap, share_within

SMALL: Box = (0.2, 0.2, 0.4, 0.4)
LARGE: Box = (0.3, 0.0, 0.9, 0.8)


def test_area_is_width_times_height() -> None:
    assert area(SMALL) == pytest.approx(0.04)


def test_share_within_is_of_the_inner_box() -> None:
    assert share_within(SMALL, LARGE) == pytest.approx(0.5)
    assert share_within(LARGE, SMALL) == pytest.approx(0.02 / 0.48)


def test_overlap_is_of_the_smaller_box_whoever_comes_first() -> None:
    assert overlap(SMALL, LARGE) == overlap(LARGE, SMALL) == pytest.approx(0.5)


def test_boxes_apart_and_boxes_without_area_share_nothing() -> None:
    assert share_within(SMALL, (0.5, 0.5, 0.6, 0.6)) == 0
    assert share_within((0.3, 0.3, 0.3, 0.3), LARGE) == 0
