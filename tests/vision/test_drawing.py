"""Drawing: enlarged, where it belongs, and safe at the edges."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.geometry import Line, Zone
from vision.drawing import ALERT, CALM, DrawnBox, decode_jpeg, doubles, draw_scene, encode_jpeg


def grey(width: int = 160, height: int = 90) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((height, width, 3), 90, np.uint8)


def test_small_pictures_are_enlarged_and_the_original_is_left_alone() -> None:
    picture = grey()

    drawn = draw_scene(picture, boxes=[DrawnBox(box=(0.2, 0.2, 0.6, 0.8), text="person t1")])

    assert drawn.shape == (540, 960, 3)
    assert (picture == 90).all()


def test_large_pictures_keep_their_size() -> None:
    assert draw_scene(grey(1280, 720)).shape == (720, 1280, 3)


def test_the_alerting_box_lies_over_a_calm_one() -> None:
    box = (0.2, 0.2, 0.6, 0.8)

    drawn = draw_scene(
        grey(960, 540),
        boxes=[
            DrawnBox(box=box, text="a", is_alerting=True),
            DrawnBox(box=box, text="b"),
        ],
    )

    edge = drawn[270, round(0.6 * 959)]
    assert np.abs(edge.astype(int) - ALERT).sum() < np.abs(edge.astype(int) - CALM).sum()


def test_zones_and_lines_change_the_picture_where_they_are() -> None:
    zone = Zone(zone_id="dock", polygon=((0.5, 0.2), (0.9, 0.2), (0.9, 0.8), (0.5, 0.8)))
    line = Line(line_id="gate", points=((0.1, 0.9), (0.3, 0.9)))

    drawn = draw_scene(grey(960, 540), zones=[zone], lines=[line])

    assert (drawn[270, 670] != 90).any()
    assert (drawn[round(0.9 * 539), 200] != 90).any()
    assert (drawn[20, 20] == 90).all()


@settings(max_examples=25)
@given(
    corners=st.tuples(*[st.floats(0, 1)] * 4),
    text=st.text(max_size=60),
    size=st.sampled_from([(160, 90), (90, 160), (1, 1), (1920, 1080)]),
)
def test_any_box_and_any_words_can_be_drawn(
    corners: tuple[float, float, float, float], text: str, size: tuple[int, int]
) -> None:
    x1, y1, x2, y2 = corners
    box = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))

    drawn = draw_scene(grey(*size), boxes=[DrawnBox(box=box, text=text, is_alerting=True)])

    assert drawn.dtype == np.uint8


def test_a_picture_survives_jpeg() -> None:
    decoded = decode_jpeg(encode_jpeg(grey()))

    assert decoded is not None
    assert np.abs(decoded.astype(int) - 90).max() <= 2


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0 cut off"])
def test_what_is_no_jpeg_is_nothing(content: bytes) -> None:
    assert decode_jpeg(content) is None


@pytest.mark.parametrize(("reduced_by", "size"), [(1, (91, 162)), (2, (46, 81)), (8, (12, 21))])
def test_a_jpeg_can_be_read_smaller(reduced_by: Literal[1, 2, 8], size: tuple[int, int]) -> None:
    decoded = decode_jpeg(encode_jpeg(grey(162, 91)), reduced_by=reduced_by)

    assert decoded is not None
    assert decoded.shape == (*size, 3)
    assert abs(decoded.astype(int) - grey()[0, 0]).max() <= 2


def test_a_thing_that_is_followed_twice_has_one_label() -> None:
    bag = (0.30, 0.80, 0.36, 0.86)
    boxes = {
        "rt1": bag,
        "t1": (0.28, 0.79, 0.37, 0.87),
        "passer": (0.25, 0.40, 0.40, 0.90),
        "elsewhere": (0.7, 0.8, 0.76, 0.86),
    }

    assert doubles(boxes, alerting={"rt1"}) == {"t1"}
    assert doubles(boxes, alerting={"rt1", "t1"}) == frozenset()
    assert doubles(boxes, alerting=()) == frozenset()


def test_who_takes_part_in_a_fight_keeps_his_label() -> None:
    boxes = {"rs1": (0.3, 0.3, 0.7, 0.8), "t1": (0.3, 0.3, 0.45, 0.8), "t2": (0.5, 0.3, 0.7, 0.8)}

    assert doubles(boxes, alerting={"rs1"}) == frozenset()
