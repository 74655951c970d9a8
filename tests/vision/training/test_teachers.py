"""Many looks at a picture become objects; every look is brought back to the upright picture."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.training.published import yolox_of
from tests.vision.training.scenes import CAR, PERSON, scene
from vision.detect.labels import COCO
from vision.training.sources import CLASSES
from vision.training.teachers import Ensemble, Look, Yolox, fuse, iou, turn_back

FloatArray = npt.NDArray[np.float32]
SIZE = {"height": 200, "width": 300}


def look(box: tuple[float, ...], score: float, *, view: str = "yolox", label: int = PERSON) -> Look:
    scores_NC = np.zeros((1, len(CLASSES)), np.float32)
    scores_NC[0, label] = score
    return Look(np.array([box], np.float32), scores_NC, view)


@given(
    turns=st.integers(0, 3),
    left=st.integers(0, 40), top=st.integers(0, 20),
    wide=st.integers(1, 20), tall=st.integers(1, 20),
)  # fmt: skip
def test_turning_back_undoes_the_turn_of_the_picture(
    turns: int, left: int, top: int, wide: int, tall: int
) -> None:
    """Draw a box, turn the picture, find the box there, and turn that back."""
    upright = np.zeros((40, 60), np.uint8)
    upright[top : top + tall, left : left + wide] = 1
    rows, columns = np.nonzero(np.rot90(upright, turns))
    seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]

    [back] = turn_back(np.array([seen], np.float32), turns, height=40, width=60)

    assert back.tolist() == [left, top, left + wide, top + tall]


@given(
    st.lists(
        st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(1, 20)] * 2),
        min_size=2, max_size=5,
    )
)  # fmt: skip
def test_overlap_is_shared_pixels_over_all_pixels(boxes: list[tuple[int, int, int, int]]) -> None:
    masks = []
    for left, top, wide, tall in boxes:
        mask = np.zeros((60, 60), bool)
        mask[top : top + tall, left : left + wide] = True
        masks.append(mask)
    boxes_N4 = np.array([(x, y, x + w, y + h) for x, y, w, h in boxes], np.float32)

    overlaps_NN = iou(boxes_N4, boxes_N4)

    wanted = [[(a & b).sum() / (a | b).sum() for b in masks] for a in masks]
    assert overlaps_NN == pytest.approx(np.array(wanted), abs=1e-6)


def test_boxes_without_area_overlap_nothing() -> None:
    nothing = np.array([[5, 5, 5, 5]], np.float32)
    assert iou(nothing, nothing).tolist() == [[0]]


def test_no_boxes_have_no_overlaps() -> None:
    none = np.zeros((0, 4), np.float32)
    assert iou(none, np.ones((3, 4), np.float32)).shape == (0, 3)


def test_what_three_views_agree_on_is_one_object_with_the_mean_of_their_scores() -> None:
    looks = [
        look((10, 10, 50, 90), 0.9),
        look((11, 10, 51, 90), 0.6, view="mirrored"),
        look((9, 10, 49, 90), 0.3, view="parts"),
    ]

    [found] = fuse(looks, **SIZE)

    assert found.label == PERSON
    assert found.score == pytest.approx(0.6)
    assert found.box == pytest.approx((10, 10, 50, 90), abs=1)


def test_what_one_view_saw_counts_a_third() -> None:
    [found] = fuse([look((10, 10, 50, 90), 0.9)], **SIZE)
    assert found.score == pytest.approx(0.3)


def test_a_view_that_sees_somebody_twice_counts_once() -> None:
    looks = [look((10, 10, 50, 90), 0.9), look((11, 10, 51, 90), 0.9)]

    [found] = fuse(looks, **SIZE)

    assert found.score == pytest.approx(0.3)


def test_only_the_three_surest_views_count() -> None:
    looks = [
        look((10, 10, 50, 90), score, view=f"view {score}") for score in (0.9, 0.8, 0.7, 0.2, 0.2)
    ]

    [found] = fuse(looks, **SIZE)

    assert found.score == pytest.approx(0.8)


def test_a_sure_look_draws_the_box_more_than_an_unsure_one() -> None:
    looks = [look((10, 10, 50, 90), 0.8), look((14, 10, 54, 90), 0.2, view="mirrored")]

    [found] = fuse(looks, **SIZE)

    # Weighted by the squares of the scores: 0.64 and 0.04.
    assert found.box[0] == pytest.approx(10.2, abs=0.06)


def test_people_who_stand_apart_stay_two() -> None:
    looks = [look((10, 10, 50, 90), 0.9), look((100, 10, 140, 90), 0.8)]

    assert [item.score for item in fuse(looks, **SIZE)] == [0.3, pytest.approx(0.267)]


def test_classes_are_not_mixed() -> None:
    looks = [look((10, 10, 50, 90), 0.9), look((10, 10, 50, 90), 0.6, label=CAR)]

    assert [item.label for item in fuse(looks, **SIZE)] == [PERSON, CAR]


def test_faint_looks_are_not_counted() -> None:
    assert fuse([look((10, 10, 50, 90), 0.11)], **SIZE) == ()


def test_boxes_end_at_the_pictures_edge() -> None:
    [found] = fuse([look((-20, -5, 400, 90), 0.9)], **SIZE)
    assert found.box == (0, 0, 300, 90)


@pytest.mark.parametrize("size", [(224, 384), (300, 200), (64, 96)])
def test_people_and_cars_are_labelled_where_they_are(teachers: Path, size: tuple[int, int]) -> None:
    """Mirrored, turned and cut up, all looks fall onto what is there."""
    height, width = size
    person = (width // 8, height // 8, width // 3, height // 2)
    car = (width // 2, height // 2, 7 * width // 8, 7 * height // 8)

    found = Ensemble(teachers).label(scene(people=[person], cars=[car], size=size))

    assert {item.label for item in found} == {PERSON, CAR}
    for item in found:
        x1, y1, x2, y2 = person if item.label == PERSON else car
        middle = ((item.box[0] + item.box[2]) / 2, (item.box[1] + item.box[3]) / 2)
        slack = 0.05 * max(size)
        assert x1 - slack < middle[0] < x2 + slack
        assert y1 - slack < middle[1] < y2 + slack


def test_the_surest_object_comes_first(teachers: Path) -> None:
    found = Ensemble(teachers).label(scene(people=[(40, 40, 120, 200)]))

    scores = [item.score for item in found]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.5


def test_an_empty_scene_has_no_objects(teachers: Path) -> None:
    assert Ensemble(teachers).label(scene()) == ()


def test_a_yolox_answers_in_the_pictures_pixels(teachers: Path) -> None:
    boxes_A4, scores_AC = Yolox(yolox_of(teachers))(scene(cars=[(192, 112, 384, 224)]))

    seen_A4 = boxes_A4[scores_AC[:, COCO.index("car")] > 0.5]
    middles_A2 = (seen_A4[:, :2] + seen_A4[:, 2:]) / 2
    assert len(seen_A4) > 0
    assert (middles_A2 > (192 - 10, 112 - 10)).all()
    assert (middles_A2 < (384, 224)).all()
