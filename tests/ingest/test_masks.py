"""Which pixels a privacy mask covers, to the pixel, and what happens to a picture's planes."""

import math
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.geometry import Point, Zone
from ingest.masks import Covered, PrivacyMask, covered_pixels, pixels_of
from tests.fakes.clips import WalkerClip, walker_path
from tests.ingest.recordings import Shot, write

GREY = 96


def zone(*polygon: Point, zone_id: str = "window") -> Zone:
    return Zone(zone_id=zone_id, polygon=polygon)


def rectangle(x1: float, y1: float, x2: float, y2: float) -> Zone:
    return zone((x1, y1), (x2, y1), (x2, y2), (x1, y2))


def drawn(*zones: Zone, width: int, height: int) -> list[str]:
    return [
        "".join("#" if covered else "." for covered in row)
        for row in covered_pixels(zones, width=width, height=height)
    ]


def test_a_zone_on_the_borders_of_pixels_covers_exactly_those_inside() -> None:
    assert drawn(rectangle(0.25, 0.25, 0.75, 0.5), width=8, height=4) == [
        "........",
        "..####..",
        "........",
        "........",
    ]


@pytest.mark.parametrize("width", [11, 30, 49, 640, 1280, 1920])
def test_rounding_of_decimal_corners_covers_no_pixel_more_or_less(width: int) -> None:
    for first, last in ((1, 2), (1, 3), (2, 7), (3, 9)):
        [row] = covered_pixels(
            (rectangle(first / width, 0.0, last / width, 1.0),), width=width, height=1
        )
        assert np.flatnonzero(row).tolist() == list(range(first, last))


def test_a_pixel_that_is_covered_in_part_is_covered() -> None:
    assert drawn(rectangle(0.249, 0.25, 0.751, 0.501), width=8, height=4) == [
        "........",
        ".######.",
        ".######.",
        "........",
    ]


def test_a_slanted_edge_covers_every_pixel_it_runs_through() -> None:
    assert drawn(zone((0.0, 0.0), (1.0, 1.0), (0.0, 1.0)), width=4, height=4) == [
        "#...",
        "##..",
        "###.",
        "####",
    ]
    assert drawn(zone((0.125, 0.0), (1.0, 0.875), (0.0, 1.0)), width=4, height=4) == [
        "##..",
        "###.",
        "####",
        "####",
    ]


def test_a_zone_thinner_than_a_pixel_is_covered_over_its_length() -> None:
    assert drawn(rectangle(0.1, 0.55, 0.9, 0.56), width=5, height=2) == [".....", "#####"]
    assert drawn(rectangle(0.55, 0.1, 0.56, 0.9), width=2, height=5) == [".#"] * 5


def test_what_lies_in_the_bay_of_a_zone_is_seen() -> None:
    bay = zone((0, 0), (0.25, 0), (0.25, 0.75), (0.75, 0.75), (0.75, 0), (1, 0), (1, 1), (0, 1))
    assert drawn(bay, width=4, height=4) == ["#..#", "#..#", "#..#", "####"]


def test_a_zone_that_crosses_itself_covers_all_that_it_goes_around() -> None:
    turns = [2 * math.pi * 2 * index / 5 for index in range(5)]
    star = zone(*((0.5 + 0.5 * math.sin(turn), 0.5 - 0.5 * math.cos(turn)) for turn in turns))
    covered_HW = covered_pixels((star,), width=40, height=40)

    assert covered_HW[20, 20], "in the middle, which its edges go around twice"
    assert covered_HW[2, 20]
    assert not covered_HW[2, 2]


def test_the_whole_picture_is_covered_to_its_last_pixel() -> None:
    assert covered_pixels((rectangle(0, 0, 1, 1),), width=33, height=17).all()


def clipped_area(polygon: list[Point], column: int, row: int) -> float:
    """Area of a polygon inside one pixel, by cutting it at the pixel's four sides."""
    for axis, sign, limit in ((0, 1, column), (0, -1, column + 1), (1, 1, row), (1, -1, row + 1)):
        kept: list[Point] = []
        for before, after in zip(polygon[-1:] + polygon[:-1], polygon, strict=True):
            inside, was_inside = (sign * (p[axis] - limit) >= 0 for p in (after, before))
            if inside != was_inside:
                share = (limit - before[axis]) / (after[axis] - before[axis])
                kept.append(
                    (
                        before[0] + share * (after[0] - before[0]),
                        before[1] + share * (after[1] - before[1]),
                    )
                )
            if inside:
                kept.append(after)
        polygon = kept
        if not polygon:
            return 0.0
    steps = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return abs(sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in steps)) / 2


def by_area(polygon: tuple[Point, ...], width: int, height: int) -> npt.NDArray[np.float64]:
    corners = [(x * width, y * height) for x, y in polygon]
    areas = [[clipped_area(corners, x, y) for x in range(width)] for y in range(height)]
    return np.array(areas)


@given(
    st.lists(st.floats(0.05, 0.48), min_size=3, max_size=9),
    st.integers(2, 19),
    st.integers(2, 13),
)
def test_a_pixel_is_covered_exactly_if_some_of_its_area_is_inside(
    reaches: list[float], width: int, height: int
) -> None:
    angles = [2 * math.pi * index / len(reaches) for index in range(len(reaches))]
    polygon = tuple(
        (0.5 + reach * math.cos(angle), 0.5 + reach * math.sin(angle))
        for reach, angle in zip(reaches, angles, strict=True)
    )
    areas_HW = by_area(polygon, width, height)

    covered_HW = covered_pixels((zone(*polygon),), width=width, height=height)

    assert covered_HW[areas_HW > 1e-4].all()
    assert not covered_HW[areas_HW == 0.0].any() or _only_grazed(covered_HW, areas_HW)


def _only_grazed(covered_HW: Covered, areas_HW: npt.NDArray[np.float64]) -> bool:
    """Whether what is covered without area is not more than rounding: a pixel or two."""
    return int((covered_HW & (areas_HW == 0.0)).sum()) <= 2


FORMATS = ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "gray", "nv12", "rgb24", "yuv420p10le"]


@pytest.mark.parametrize("pixels", FORMATS)
def test_a_picture_of_any_format_is_covered_and_else_as_it_was(pixels: str) -> None:
    rows_HW3 = np.linspace(150, 250, 24, dtype=np.uint8)[:, None, None]
    source_HW3 = np.ascontiguousarray(np.broadcast_to(rows_HW3, (24, 32, 3)))
    picture = av.VideoFrame.from_ndarray(source_HW3, format="rgb24").reformat(format=pixels)
    before_HW3 = picture.to_ndarray(format="rgb24").astype(int)

    covered = PrivacyMask((rectangle(0.25, 0.25, 0.5, 0.75),)).cover(picture)

    shown_HW3 = covered.to_ndarray(format="rgb24").astype(int)
    assert np.abs(shown_HW3[6:18, 8:16] - shown_HW3[7, 9]).max() <= 1, "flat"
    assert shown_HW3[7, 9].max() < 130
    outside_HW3 = np.abs(shown_HW3 - before_HW3)
    outside_HW3[6:18, 8:16] = 0
    assert outside_HW3.max() <= 3


@pytest.mark.parametrize(("width", "height"), [(33, 17), (32, 18)])
def test_luma_is_covered_to_the_pixel_and_colour_with_it(width: int, height: int) -> None:
    picture = av.VideoFrame(width, height, "yuv420p")
    for plane in picture.planes:
        pixels_of(plane)[:] = 200
    mask = rectangle(3 / width, 3 / height, 7 / width, 6 / height)

    luma, *colours = (pixels_of(plane) for plane in PrivacyMask((mask,)).cover(picture).planes)

    assert np.argwhere(luma == GREY).tolist() == [[y, x] for y in (3, 4, 5) for x in (3, 4, 5, 6)]
    for colour in colours:
        assert np.argwhere(colour == 128).tolist() == [[y, x] for y in (1, 2) for x in (1, 2, 3)]


def test_what_a_decoder_needs_for_the_next_picture_is_left_alone() -> None:
    """Pictures refer to those before: a mask in a decoder's own memory would spread."""
    mask = PrivacyMask((rectangle(0.0, 0.5, 0.5, 1.0),))
    path = str(walker_path(WalkerClip(b_frames=2)))
    with av.open(path) as plain, av.open(path) as masked:
        for expected, found in zip(
            plain.decode(video=0), map(mask.cover, masked.decode(video=0)), strict=True
        ):
            expected_HW, found_HW = pixels_of(expected.planes[0]), pixels_of(found.planes[0])
            assert (found_HW[90:, :160] == GREY).all()
            assert (found_HW[:90] == expected_HW[:90]).all()
            assert (found_HW[90:, 160:] == expected_HW[90:, 160:]).all()


def test_a_change_of_size_is_followed(tmp_path: Path) -> None:
    shots = (Shot(frames=3, width=320, height=240), Shot(frames=3, width=160, height=120))
    mask = PrivacyMask((rectangle(0.5, 0.5, 1.0, 1.0),))
    with av.open(str(write(tmp_path / "two.h264", *shots))) as container:
        for picture in container.decode(video=0):
            luma_HW = pixels_of(mask.cover(picture).planes[0])
            height, width = luma_HW.shape
            covered_HW = luma_HW == GREY
            assert covered_HW[height // 2 :, width // 2 :].all()


def test_without_zones_the_picture_is_the_same_object() -> None:
    picture = av.VideoFrame(16, 16, "nv12")

    assert PrivacyMask().cover(picture) is picture
